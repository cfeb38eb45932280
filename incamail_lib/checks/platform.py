"""Is it really IncaMail that answers, or something in between (guide 8.4)?"""

from __future__ import annotations

from incamail_lib.checks._advice import PLATFORM_CERTIFICATE, PLATFORM_DIALOGUE
from incamail_lib.checks._core import (
    Context,
    Result,
    SeenFrom,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import dialogue_ended, for_each_certificate
from incamail_lib.checks._platform_facts import level_by, level_of_host
from incamail_lib.checks._subjects import platform
from incamail_lib.checks.words import joined, reason_text, stage_text
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.findings import Leg
from incamail_lib.i18n import N_, say
from incamail_lib.names import covers

IN_BETWEEN = N_(
    "Look for a firewall, intrusion prevention system, proxy or virus scanner that reads SMTP on "
    "the way out, and exempt the connection to IncaMail from it. Compare the certificate from "
    "another network. Do not go live before the cause is known."
)


def no_certificate(endpoint: EndpointFacts) -> Result:
    """The same for every check here: no certificate was seen, and why."""
    survey = endpoint.survey
    return unknown(
        say(
            "No certificate was seen: the dialogue ended in stage {stage} ({reason}).",
            stage=stage_text(survey.ended_in),
            reason=reason_text(survey.ended),
        )
    )


@check(
    "PLAT01",
    on=platform,
    passes=N_("IncaMail's gateway offers STARTTLS on this path"),
    fails=N_("IncaMail's gateway does not offer STARTTLS on this path"),
    asks=N_("Does IncaMail's gateway offer STARTTLS on this path?"),
    why=N_(
        "IncaMail always offers STARTTLS. If it is missing, a device on the way has removed or "
        "blocked it, and mail would be sent unencrypted or not at all."
    ),
    remedy=N_(
        "Look for SMTP inspection on the outgoing path, for example the ESMTP inspection of Cisco "
        "firewalls: switch it off for this connection or permit TLS in it."
    ),
    clarify=PLATFORM_DIALOGUE,
    item="8.4",
    reference="RFC 3207 §4, §6",
    leg=Leg.LINK,
    requires=("NET02", "NET06"),
    seen_from=SeenFrom.CLIENT,
)
def platform_offers_starttls(endpoint: EndpointFacts, _: Context) -> Result:
    """STARTTLS is offered and accepted by the platform."""
    state = endpoint.starttls
    reply = endpoint.survey.starttls_reply
    if state is Starttls.ACCEPTED:
        return passed(say("STARTTLS is offered and accepted."))
    if state is Starttls.MASKED:
        return failed(
            say("A device in between has masked the SMTP dialogue."),
            title=N_("STARTTLS is masked on the way"),
        )
    if state is Starttls.REFUSED:
        return failed(
            say("STARTTLS is refused: {reply}", reply=reply.text if reply else "–"),
            title=N_("STARTTLS is refused on this path"),
            remedy=say(_WHO_REFUSES),
        )
    if state is Starttls.VANISHED:
        return failed(
            say("STARTTLS was offered on one connection and missing on another."),
            title=N_("STARTTLS is missing on some connections"),
        )
    if state is Starttls.NOT_OFFERED:
        return failed(say("The complete EHLO reply does not offer STARTTLS."))
    return dialogue_ended(endpoint)


_WHO_REFUSES = N_(
    "Repeat it from another network: if STARTTLS is accepted there, a device on the outgoing path "
    "refuses it; if not, show the reply to Swiss Post."
)


@check(
    "PLAT02",
    on=platform,
    passes=N_("The certificate names Swiss Post as its organisation"),
    fails=N_("The certificate names an organisation other than Swiss Post"),
    asks=N_("Does the certificate name Swiss Post as its organisation?"),
    why=N_(
        "A device that decrypts mail in between shows its own certificate. It also keeps IncaMail "
        "from seeing your client certificate."
    ),
    remedy=IN_BETWEEN,
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="Post MGI guide 8.4; RFC 5280 §4.1.2.6",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def organisation_is_the_platforms(endpoint: EndpointFacts, context: Context) -> Result:
    """The subject organisation is one of the platform's; a guess at it weighs less (`level_by`)."""
    leaf = endpoint.leaf
    organisations = context.facts.platform.organisations
    expected = organisations.value
    if leaf is None:
        return no_certificate(endpoint)
    if not leaf.subject_o:
        return unknown(
            say("The certificate names no organisation; expected {names}.", names=joined(expected)),
            remedy=say(_ASK_FOR_FINGERPRINT),
        )
    if set(leaf.subject_o) <= set(expected):
        return passed(say("Organisation: {names}.", names=joined(leaf.subject_o)))
    return failed(
        say(
            "Organisation: {names}; expected {expected}.",
            names=joined(leaf.subject_o),
            expected=joined(expected),
        ),
        level=level_by(organisations, endpoint),
    )


_ASK_FOR_FINGERPRINT = N_(
    "Some authorities leave the organisation out. Ask Swiss Post for the fingerprint of its "
    "certificate over another channel and compare it."
)


@check(
    "PLAT03",
    on=platform,
    passes=N_("The certificate comes from an expected authority"),
    fails=N_("The certificate comes from an unexpected authority"),
    asks=N_("Does the certificate come from an expected authority?"),
    why=N_(
        "Anybody can write «Post CH AG» into a certificate of their own. Who issued it tells "
        "whether that name was verified."
    ),
    remedy=IN_BETWEEN,
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="Post MGI guide 8.4; RFC 5280 §4.1.2.4",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def issuer_is_expected(endpoint: EndpointFacts, context: Context) -> Result:
    """The issuer's organisation is one that the platform is known to use.

    Which authority the platform uses today is not published. While that fact is unconfirmed, an
    authority that your own stores trust is a recommended failure only; an unknown one is required.
    """
    leaf = endpoint.leaf
    issuers = context.facts.platform.issuers
    if leaf is None:
        return no_certificate(endpoint)
    names = leaf.issuer_o or leaf.issuer_cn
    if names and set(names) & set(issuers.value):
        return passed(say("Issued by {names}.", names=joined(names)))
    return failed(
        say(
            "Issued by {names}; known for the platform: {expected}.",
            names=joined(names) if names else "–",
            expected=joined(issuers.value),
        ),
        level=level_by(issuers, endpoint),
    )


@check(
    "PLAT04",
    on=platform,
    passes=N_("The certificate is made out for IncaMail's names"),
    fails=N_("The certificate is not made out for IncaMail's names"),
    asks=N_("Is the certificate made out for IncaMail's names?"),
    why=N_("The name is what your server verifies on every delivery with forced TLS."),
    remedy=IN_BETWEEN,
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="RFC 9525 §6.3",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def names_are_the_platforms(endpoint: EndpointFacts, context: Context) -> Result:
    """A DNS-ID of the leaf is one of the platform's names; a guess at them weighs less."""
    leaf = endpoint.leaf
    if leaf is None:
        return no_certificate(endpoint)
    presented = tuple(name.lower() for name in leaf.san_dns)
    known = context.facts.platform.names
    expected = known.value
    if any(covers(pattern, name) for pattern in expected for name in presented):
        return passed(say("Names: {names}.", names=joined(presented)))
    return failed(
        say(
            "Names: {names}; expected one of {expected}.",
            names=joined(presented) if presented else "–",
            expected=joined(expected),
        ),
        level=level_by(known, endpoint),
    )


@check(
    "PLAT05",
    on=platform,
    passes=N_("The name in the certificate matches the gateway"),
    fails=N_("The name in the certificate does not match the gateway"),
    asks=N_("Does the name in the certificate match the gateway?"),
    why=N_("A server that verifies names refuses to deliver when they differ."),
    remedy=N_(
        "Enter the gateway's own name as the name to verify in your server's TLS policy, or ask "
        "Swiss Post which name its certificate carries."
    ),
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="RFC 9525 §6.3",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def name_matches_the_gateway(endpoint: EndpointFacts, context: Context) -> Result:
    """The certificate is valid for the host that was asked for; a guessed host weighs less."""
    match = endpoint.name_match
    if match is None:
        return no_certificate(endpoint)
    if match.matched:
        return passed(say("Valid for {host}.", host=match.host))
    return failed(
        say(
            "Not valid for {host}; it names {names}.",
            host=match.host,
            names=joined(match.presented) if match.presented else "–",
        ),
        level=level_of_host(endpoint, context),
    )
