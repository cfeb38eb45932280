"""Encryption and mutual authentication towards IncaMail."""

from __future__ import annotations

from incamail_lib.checks._advice import PLATFORM_DIALOGUE, SENDING_FILE
from incamail_lib.checks._core import (
    Context,
    Result,
    SeenFrom,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import handshake, nobody_asked, not_seen
from incamail_lib.checks._subjects import platform
from incamail_lib.checks.tls import asks_and_names
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Trait
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say, say_n

_LONGEST_OLD_LIST = 200  # older facts do not say whether a list of this length was cut


@check(
    "TLS10",
    on=platform,
    passes=N_("IncaMail agrees on TLS 1.2 or newer"),
    fails=N_("The TLS handshake with IncaMail is refused"),
    asks=N_("Does IncaMail agree on TLS 1.2 or newer?"),
    why=N_("Your server sends secure mail over this connection only."),
    remedy=N_(
        "If it fails from the sending gateway too, look for a device in between that blocks or "
        "reads TLS; then ask Swiss Post."
    ),
    clarify=PLATFORM_DIALOGUE,
    item="6.2",
    reference="RFC 3207 §4.1; RFC 9325 §3.1.1",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
def platform_handshake_completes(endpoint: EndpointFacts, _: Context) -> Result:
    """A handshake with TLS 1.2 or newer was agreed with the platform."""
    return handshake(endpoint)


@check(
    "TLS11",
    on=platform,
    passes=N_("IncaMail asks for your certificate"),
    fails=N_("IncaMail does not ask for your certificate"),
    asks=N_("Does IncaMail ask for your certificate?"),
    why=N_(
        "IncaMail recognises you by your client certificate. If the request is missing on this "
        "path, a device in between answers instead, or mutual authentication is not set up."
    ),
    remedy=N_("Ask Swiss Post how it will recognise your gateway, and compare from another path."),
    clarify=PLATFORM_DIALOGUE,
    item="6.1",
    reference="RFC 9846 §4.4.2; Post MGI guide 6.1",
    leg=Leg.LINK,
    requires=("TLS10",),
    seen_from=SeenFrom.CLIENT,
)
def platform_asks(endpoint: EndpointFacts, _: Context) -> Result:
    """A CertificateRequest of the platform was seen."""
    requested = endpoint.client_auth.requested
    if Trait.REQUEST in endpoint.differing:
        return failed(
            say("It asks on some connections only: {share}.", share=requested.evidence),
            title=N_("IncaMail asks for your certificate only sometimes"),
        )
    if requested.is_yes:
        auth = endpoint.client_auth
        return passed(asks_and_names(len(auth.acceptable_cas) + auth.acceptable_cas_left_out))
    if requested.is_no:
        return failed(say("It does not ask for a certificate."))
    return not_seen(endpoint, requested)


@check(
    "TLS12",
    on=platform,
    passes=N_("IncaMail accepts your certificate"),
    fails=N_("IncaMail refuses your certificate"),
    asks=N_("Does IncaMail accept your certificate?"),
    why=N_("A certificate that is refused stops every secure mail you send."),
    remedy=N_(
        "Read the reason: «unsupported_certificate» means that the certificate may not be used "
        "as a client (clientAuth), «unknown_ca» that its authority is not recognised or the "
        "intermediate was not sent, «certificate_expired» that it must be renewed. Register the "
        "certificate with Swiss Post."
    ),
    clarify=PLATFORM_DIALOGUE,
    item="6.1",
    reference="RFC 9846 §4.5.1, §6.2",
    leg=Leg.LINK,
    requires=("TLS11",),
    seen_from=SeenFrom.CLIENT,
)
def own_certificate_is_accepted(endpoint: EndpointFacts, context: Context) -> Result:
    """With the client's certificate, EHLO and MAIL were answered inside TLS."""
    own = endpoint.client_auth.own_accepted
    if own.is_yes:
        return passed(say("Accepted: {evidence}", evidence=own.evidence))
    if own.is_no:
        return failed(say("Refused: {evidence}", evidence=own.evidence))
    if own.reason is Reason.NOT_SHOWN:
        return unknown(
            say("Your certificate was not shown: IncaMail takes no key of its type here."),
            remedy=say("Ask Swiss Post which types of key it takes, or use an RSA certificate."),
        )
    given = any(CredentialUse.SENDING in c.uses for c in context.facts.credentials)
    if nobody_asked(endpoint, own) and not given:
        return unknown(
            say("It could not be tested: the dossier names no certificate for sending."),
            remedy=say(SENDING_FILE),
        )
    return not_seen(endpoint, own)


@check(
    "TLS13",
    on=platform,
    passes=N_("Your certificate's authority is among those IncaMail names"),
    fails=N_("IncaMail does not name your certificate's authority"),
    asks=N_("Is your certificate's authority among those IncaMail names?"),
    why=N_("Some servers send no certificate when its authority is not in the list."),
    remedy=N_("Ask Swiss Post to register your authority, or use one from the list."),
    clarify=N_(
        "Look at the whole list on the sending gateway («Acceptable client certificate CA names» "
        "of openssl s_client), or ask Swiss Post whether your authority is in it."
    ),
    item="6.1",
    reference="RFC 9846 §4.3.4",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    requires=("TLS11",),
    seen_from=SeenFrom.CLIENT,
)
def own_authority_is_named(endpoint: EndpointFacts, context: Context) -> Result:
    """The list is empty (any will do), or holds an issuer of the client's chain."""
    names = set(endpoint.client_auth.acceptable_cas)
    if not names:
        return not_applicable(
            say("IncaMail names no authorities: a certificate of any may be shown.")
        )
    chains = [c.chain for c in context.facts.credentials if CredentialUse.SENDING in c.uses]
    if not any(chains):
        return unknown(
            say("No readable certificate for sending was given."), remedy=say(SENDING_FILE)
        )
    issuers = [c.issuer for chain in chains for c in chain]
    if names & set(issuers):
        return passed(say("Named: {issuer}.", issuer=next(i for i in issuers if i in names)))
    if endpoint.client_auth.acceptable_cas_left_out or len(names) >= _LONGEST_OLD_LIST:
        return unknown(
            say_n(
                "Not the only authority that was kept; IncaMail names more.",
                "Not among the first {n} authorities; IncaMail names more than are kept.",
                len(names),
            )
        )
    return failed(say("Not named: {issuers}.", issuers=joined(list(dict.fromkeys(issuers)))))


@check(
    "TLS14",
    on=platform,
    passes=N_("IncaMail refuses a stranger's certificate"),
    fails=N_("IncaMail accepts a stranger's certificate"),
    asks=N_("Does IncaMail refuse a stranger's certificate?"),
    why=N_("If any certificate is accepted, acceptance does not prove that yours is registered."),
    remedy=N_("Ask Swiss Post to confirm that your certificate is registered."),
    clarify=N_(
        "Ask Swiss Post to confirm that it recognises your certificate and no other in its place."
    ),
    item="7.1",
    reference="RFC 9846 §4.5.1",
    leg=Leg.LINK,
    level=Level.INFO,
    requires=("TLS11",),
    seen_from=SeenFrom.CLIENT,
)
def platform_verifies(endpoint: EndpointFacts, _: Context) -> Result:
    """A throw-away certificate is refused where the client's is accepted."""
    foreign = endpoint.client_auth.foreign_accepted
    if nobody_asked(endpoint, foreign):
        return not_applicable(say("The dossier does not ask to test this."))
    if foreign.is_no:
        return passed(say("A stranger's certificate is refused: {how}.", how=foreign.evidence))
    if foreign.is_yes:
        return failed(say("A certificate of an unknown authority was accepted."))
    return not_seen(endpoint, foreign)
