"""PLAT: is it really IncaMail that answers, or something in between (guide 8.4)?"""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.checks._certificates import chain_is_complete, valid_at, valid_now
from incamail_lib.checks._core import (
    Check,
    Context,
    NotApplicable,
    Result,
    SeenFrom,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import for_each_certificate
from incamail_lib.checks._platform_facts import covers, level_by, level_of_host
from incamail_lib.checks._subjects import platform
from incamail_lib.checks.validity import shown_by
from incamail_lib.checks.words import joined, reason_text, stage_text, stores_text, trust_remedy
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import TrustFacts, TrustReason
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.findings import Level, Outcome
from incamail_lib.i18n import N_, say

_IN_BETWEEN = N_(
    "Look for a firewall, intrusion prevention system, proxy or virus scanner that reads SMTP on "
    "the way out, and exempt the connection to IncaMail from it. Compare the certificate from "
    "another network. Do not go live before the cause is known."
)


def _no_certificate(endpoint: EndpointFacts) -> Result:
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
    title=N_("IncaMail's gateway offers STARTTLS on this path"),
    why=N_(
        "IncaMail always offers STARTTLS. If it is missing, a device on the way has removed or "
        "blocked it, and mail would be sent unencrypted or not at all."
    ),
    remedy=N_(
        "Look for SMTP inspection on the outgoing path, for example the ESMTP inspection of Cisco "
        "firewalls: switch it off for this connection or permit TLS in it."
    ),
    item="8.4",
    reference="RFC 3207 §4, §6",
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
        return failed(say("A device in between has masked the SMTP dialogue."))
    if state is Starttls.REFUSED:
        return failed(say("STARTTLS is refused: {reply}", reply=reply.text if reply else "–"))
    if state is Starttls.VANISHED:
        return failed(say("STARTTLS was offered on one connection and missing on another."))
    if state is Starttls.NOT_OFFERED:
        return failed(say("The complete EHLO reply does not offer STARTTLS."))
    return _no_certificate(endpoint)


@check(
    "PLAT02",
    on=platform,
    title=N_("The certificate names Swiss Post as its organisation"),
    why=N_(
        "A device that decrypts mail in between shows its own certificate. It also keeps IncaMail "
        "from seeing your client certificate."
    ),
    remedy=_IN_BETWEEN,
    item="8.4",
    reference="Post MGI guide 8.4; RFC 5280 §4.1.2.6",
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
        return _no_certificate(endpoint)
    if not leaf.subject_o:
        return unknown(
            say("The certificate names no organisation; expected {names}.", names=joined(expected))
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


@check(
    "PLAT03",
    on=platform,
    title=N_("The certificate comes from an expected authority"),
    why=N_(
        "Anybody can write «Post CH AG» into a certificate of their own. Who issued it tells "
        "whether that name was verified."
    ),
    remedy=_IN_BETWEEN,
    item="8.4",
    reference="Post MGI guide 8.4; RFC 5280 §4.1.2.4",
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
        return _no_certificate(endpoint)
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
    title=N_("The certificate is made out for IncaMail's names"),
    why=N_("The name is what your server verifies on every delivery with forced TLS."),
    remedy=_IN_BETWEEN,
    item="8.4",
    reference="RFC 9525 §6.3",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def names_are_the_platforms(endpoint: EndpointFacts, context: Context) -> Result:
    """A DNS-ID of the leaf is one of the platform's names; a guess at them weighs less."""
    leaf = endpoint.leaf
    if leaf is None:
        return _no_certificate(endpoint)
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
    title=N_("The name in the certificate matches the gateway"),
    why=N_("A server that verifies names refuses to deliver when they differ."),
    remedy=N_(
        "Enter the gateway's own name as the name to verify in your server's TLS policy, or ask "
        "Swiss Post which name its certificate carries."
    ),
    item="8.4",
    reference="RFC 9525 §6.3",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def name_matches_the_gateway(endpoint: EndpointFacts, context: Context) -> Result:
    """The certificate is valid for the host that was asked for; a guessed host weighs less."""
    match = endpoint.name_match
    if match is None:
        return _no_certificate(endpoint)
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


@check(
    "PLAT06",
    on=platform,
    title=N_("Your trust stores accept IncaMail's certificate"),
    why=N_(
        "The sending gateway can only verify IncaMail if the root of its certificate is in the "
        "gateway's own trust store. Which roots are in a store differs and changes."
    ),
    remedy=N_(
        "Add the root certificate of IncaMail's authority to the trust store of the sending "
        "gateway, or update that store. Compare its fingerprint with the authority's publication."
    ),
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 6.1",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def stores_trust_the_platform(endpoint: EndpointFacts, context: Context) -> Result:
    """Every named trust store accepts the path; when only some do, the MTA's may be the one."""
    if not endpoint.trust:
        return _no_certificate(endpoint)
    accepting = shown_by(endpoint).accepted_at(context.now)
    trusting = [t.store for t in endpoint.trust if t in accepting]
    others = [t for t in endpoint.trust if t not in accepting]
    doubtful = [t for t in accepting if t.reserved]
    if not others and doubtful:
        return failed(
            say("Not every TLS library accepts it ({reasons}).", reasons=stores_text(doubtful)),
            level=Level.RECOMMENDED,
        )
    if not others:
        return passed(
            say("Trusted by {stores}. Revocation was not checked.", stores=joined(trusting))
        )
    reasons = stores_text(others)
    if not trusting and all(_refuses(t) for t in others):
        remedy = next((r for t in others if (r := trust_remedy(t.reason))), None)
        return failed(say("No store trusts it ({reasons}).", reasons=reasons), remedy=remedy)
    if not trusting:
        return unknown(say("No store could judge it ({reasons}).", reasons=reasons))
    return failed(
        say(
            "Trusted by {stores}, but not everywhere ({reasons}).",
            stores=joined(trusting),
            reasons=reasons,
        ),
        level=Level.RECOMMENDED,
    )


def _refuses(answer: TrustFacts) -> bool:
    return answer.reason is not TrustReason.STORE_UNREADABLE


@check(
    "PLAT07",
    on=platform,
    title=N_("IncaMail's certificate is valid today and on the go-live date"),
    why=N_("An expired certificate stops every delivery that verifies it."),
    remedy=N_("Ask Swiss Post when the certificate will be renewed."),
    item="8.4",
    reference="RFC 5280 §4.1.2.5",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def platform_certificate_is_valid(endpoint: EndpointFacts, context: Context) -> Result:
    """Now lies within the validity of the path; an end before go-live is a renewal to watch."""
    if not endpoint.chain:
        return _no_certificate(endpoint)
    shown = shown_by(endpoint)
    today = valid_now(shown, context.now)
    if today.outcome is not Outcome.PASSED:
        return replace(today, remedy=None)
    later = valid_at(shown, context.facts.declared.go_live, context.now)
    return replace(later, level=Level.RECOMMENDED) if later.outcome is Outcome.FAILED else today


@check(
    "PLAT08",
    on=platform,
    title=N_("The fingerprint is the one in the set-up document"),
    why=N_("A fingerprint received over another channel proves the certificate beyond doubt."),
    remedy=N_(
        "Certificates are renewed every few months, and their fingerprint changes each time: ask "
        "Swiss Post for the current one before you suspect an attack."
    ),
    item="8.4",
    reference="Post MGI guide 8.4",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def fingerprint_is_as_given(endpoint: EndpointFacts, context: Context) -> Result:
    """SHA-1 of the leaf, or SHA-256 of its public key, equals a value given for the platform."""
    leaf = endpoint.leaf
    given = context.facts.platform.fingerprints_sha1.value
    keys = context.facts.platform.spki_sha256.value
    if not given and not keys:
        return not_applicable(say("No fingerprint was given."))
    if leaf is None:
        return _no_certificate(endpoint)
    if leaf.sha1 in map(_bare, given) or leaf.spki_sha256 in map(_bare, keys):
        return passed(say("The fingerprint matches."))
    return failed(say("The fingerprint differs: SHA-1 {sha1}.", sha1=leaf.sha1))


def _bare(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _pairs(facts: AuditFacts) -> Subjects:
    if len(facts.platform_endpoints) < 2:
        return NotApplicable(say("Only one gateway of the platform was examined."))
    return [Subject("", facts.platform_endpoints)]


@check(
    "PLAT09",
    on=_pairs,
    title=N_("All of IncaMail's gateways show the same organisation and issuer"),
    why=N_("A difference shows that something sits in between on one of the ways."),
    remedy=_IN_BETWEEN,
    item="8.4",
    reference="Post MGI guide 8.4",
    level=Level.RECOMMENDED,
    seen_from=SeenFrom.CLIENT,
)
def gateways_agree(endpoints: tuple[EndpointFacts, ...], _: Context) -> Result:
    """Organisation and issuer are the same at every gateway that showed a certificate."""
    leaves = [e.leaf for e in endpoints if e.leaf]
    if len(leaves) < 2:
        return unknown(say("Fewer than two gateways showed a certificate."))
    identities = {(leaf.subject_o, leaf.issuer_o) for leaf in leaves}
    if len(identities) == 1:
        return passed(say("All show the same organisation and issuer."))
    shown = sorted(" / ".join((*o, *i)) for o, i in identities)
    return failed(say("They differ: {identities}.", identities=joined(shown)))


@check(
    "PLAT10",
    on=platform,
    title=N_("IncaMail's gateway sends its complete certificate chain"),
    why=N_("Without the intermediate certificate many servers cannot verify it."),
    remedy=N_("Report it to Swiss Post, or add the intermediate to the gateway's trust store."),
    item="6.1",
    reference="RFC 5280 §6.1; RFC 9846 §4.5.1",
    level=Level.RECOMMENDED,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def platform_chain_is_complete(endpoint: EndpointFacts, _: Context) -> Result:
    """No store misses an intermediate, and none was replaced by one with another key."""
    if not endpoint.trust:
        return _no_certificate(endpoint)
    found = chain_is_complete(shown_by(endpoint))
    return replace(found, remedy=None)


CHECKS: tuple[Check, ...] = (
    platform_offers_starttls,
    organisation_is_the_platforms,
    issuer_is_expected,
    names_are_the_platforms,
    name_matches_the_gateway,
    stores_trust_the_platform,
    platform_certificate_is_valid,
    fingerprint_is_as_given,
    gateways_agree,
    platform_chain_is_complete,
)
