"""TLS: encryption and mutual authentication, at the client's gateways and towards IncaMail."""

from __future__ import annotations

from incamail_lib.checks._core import (
    Check,
    Context,
    Result,
    SeenFrom,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import agreed, handshake, nobody_asked, not_seen, tls_not_seen
from incamail_lib.checks._subjects import platform, receiving
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.smtp import EndpointFacts, Trait
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, Text, say

_LONGEST_OLD_LIST = 200  # older facts do not say whether a list of this length was cut
_MX_SEEN = frozenset({DnsStatus.FOUND, DnsStatus.NO_DATA, DnsStatus.NXDOMAIN})


@check(
    "TLS01",
    on=receiving,
    title=N_("The gateway completes a modern TLS handshake"),
    why=N_("Without TLS 1.2 or 1.3 in common, IncaMail cannot deliver."),
    remedy=N_("Enable TLS 1.2 and 1.3 on the gateway, and read its log for the cause."),
    item="6.2",
    reference="RFC 3207 §4.1; RFC 9846 §4.2; RFC 9325 §3.1.1",
    requires=("SMTP03",),
)
def handshake_completes(endpoint: EndpointFacts, _: Context) -> Result:
    """A handshake with TLS 1.2 or newer was agreed."""
    return handshake(endpoint)


@check(
    "TLS02",
    on=receiving,
    title=N_("TLS 1.3 is available"),
    why=N_("TLS 1.3 is faster and removes old weak options; TLS 1.2 is only sufficient."),
    remedy=N_("Enable TLS 1.3; current mail servers and OpenSSL 1.1.1 or newer have it."),
    item="6.2",
    reference="RFC 9325 §3.1.1",
    level=Level.RECOMMENDED,
    requires=("TLS01",),
)
def newest_version_is_spoken(endpoint: EndpointFacts, _: Context) -> Result:
    """The server chose TLS 1.3 when it was offered."""
    tls = agreed(endpoint)
    if tls is None:
        return tls_not_seen(endpoint)
    if tls.version == "TLSv1.3":
        return passed(say("{version}", version=tls.version))
    return failed(say("The server chose {version}.", version=tls.version))


@check(
    "TLS03",
    on=receiving,
    title=N_("TLS 1.0 and 1.1 are switched off"),
    why=N_("These versions are broken and must not be used any more."),
    remedy=N_("Set the lowest TLS version of the gateway to 1.2."),
    item="6.2",
    reference="RFC 8996 §4, §5; RFC 9325 §3.1.1",
    requires=("TLS01",),
)
def old_versions_are_off(endpoint: EndpointFacts, _: Context) -> Result:
    """The server refuses TLS 1.0 and 1.1.

    Beside TLS 1.3 they are advised against only: nobody can force IncaMail down to them
    (RFC 9846 §4.2, downgrade protection).
    """
    found, tls = endpoint.legacy, agreed(endpoint)
    if found.is_yes:
        newest = tls is not None and tls.version == "TLSv1.3"
        level = Level.RECOMMENDED if newest else Level.REQUIRED
        return failed(say("{version} was agreed.", version=endpoint.legacy_version), level=level)
    if found.is_no:
        return passed(say("TLS 1.0 and 1.1 are refused."))
    if nobody_asked(endpoint, found):
        return unknown(say("This was not tested."))
    return not_seen(endpoint, found)


@check(
    "TLS05",
    on=receiving,
    title=N_("The gateway asks IncaMail for a client certificate"),
    why=N_(
        "Authentication in both directions is part of the set-up: without asking, the gateway "
        "cannot know that it is IncaMail who delivers."
    ),
    remedy=N_(
        "Make the gateway ask for a client certificate (Postfix: smtpd_tls_ask_ccert = yes; Exim: "
        "tls_try_verify_hosts). On a public MX, ask but do not demand."
    ),
    item="6.1",
    reference="RFC 9846 §4.4.2; Post MGI guide 6.1",
    requires=("TLS01",),
)
def client_certificate_is_asked(endpoint: EndpointFacts, _: Context) -> Result:
    """A CertificateRequest was seen; an empty CA list is still a request."""
    requested = endpoint.client_auth.requested
    names = endpoint.client_auth.acceptable_cas
    if Trait.REQUEST in endpoint.differing:
        return failed(say("It asks on some connections only: {share}.", share=requested.evidence))
    if requested.is_no:
        return failed(say("The gateway does not ask for a client certificate."))
    if not requested.is_yes:
        return not_seen(endpoint, requested)
    if endpoint.survey.tls is not None and endpoint.survey.tls.renegotiated:
        return passed(say("It asks, in a second handshake (renegotiation) only."))
    if names:
        count = len(names) + endpoint.client_auth.acceptable_cas_left_out
        return passed(say("It asks, and names {count} authorities.", count=count))
    return passed(say("It asks, and names no authority: a certificate of any may be shown."))


@check(
    "TLS06",
    on=receiving,
    title=N_("The gateway does not demand a certificate from every sender"),
    why=N_(
        "A gateway that the MX record names must take mail from the whole world; other senders "
        "have no client certificate and would be shut out."
    ),
    remedy=N_(
        "Ask for the certificate without demanding it, or use a separate address or port for "
        "IncaMail and enter it in the set-up document."
    ),
    item="6.1",
    reference="RFC 3207 §4 (by analogy)",
    requires=("TLS01",),
)
def certificate_is_not_demanded(endpoint: EndpointFacts, context: Context) -> Result:
    """On a public MX no certificate is demanded; a host that no MX names may demand one."""
    demanded = endpoint.client_auth.demanded
    if demanded.is_no:
        return passed(let_on_without(endpoint))
    if not demanded.is_yes:
        return not_seen(endpoint, demanded)
    domains = context.facts.dns.domains
    published = {r.split(" ")[-1].rstrip(".").lower() for d in domains for r in d.mx.records}
    published |= {d.domain for d in domains if d.implicit_mx}
    if endpoint.target.host in published:
        return failed(say("A sender without certificate is refused: {how}.", how=demanded.evidence))
    if any(d.mx.status not in _MX_SEEN or d.mx.is_cut for d in domains):
        return not_seen(endpoint, inconclusive(Reason.DNS_FAILURE))
    return passed(say("The gateway demands a certificate, but no MX record names the gateway."))


def let_on_without(endpoint: EndpointFacts) -> Text:
    """How far a sender without certificate was let; many servers decide at RCPT only."""
    survey = endpoint.survey
    if survey.rcpt_reply is not None:
        reply = survey.rcpt_reply.text
        return say("Without a certificate the postmaster was taken: «{reply}».", reply=reply)
    return say(
        "Without a certificate the gateway let us on as far as {stage}. Whether it would then take "
        "a recipient was not asked.",
        stage="EHLO" if survey.mail_reply is None else "MAIL",
    )


@check(
    "TLS07",
    on=receiving,
    title=N_("The gateway verifies the certificate it asks for"),
    why=N_("A request that any certificate satisfies proves nothing about who delivers."),
    remedy=N_(
        "Let the gateway verify client certificates against the authority of IncaMail, or tell "
        "IncaMail by its verified name in the rules (check_ccert_access, tls_verify_hosts, …)."
    ),
    item="6.1",
    reference="RFC 9846 §4.5.1; RFC 5280 §6.1",
    level=Level.RECOMMENDED,
    requires=("TLS05",),
)
def certificate_is_verified(endpoint: EndpointFacts, _: Context) -> Result:
    """A throw-away certificate of an unknown authority is refused.

    Many sound gateways let a stranger in as "untrusted" and decide later by name, which is not
    visible from outside; so this is advice, never a reason for "not ready".
    """
    foreign = endpoint.client_auth.foreign_accepted
    if foreign.is_no:
        return passed(say("A stranger's certificate is refused: {how}.", how=foreign.evidence))
    if foreign.is_yes:
        return failed(say("A certificate of an unknown authority was let in."))
    return not_seen(endpoint, foreign)


@check(
    "TLS08",
    on=receiving,
    title=N_("The key exchange withstands quantum computers"),
    why=N_("Mail recorded today could be read later; hybrid groups such as X25519MLKEM768 help."),
    remedy=N_("Plan for OpenSSL 3.5 or newer, which offers hybrid groups by default."),
    item="6.2",
    reference="RFC 10024",
    level=Level.INFO,
    requires=("TLS01",),
)
def key_exchange_is_hybrid(endpoint: EndpointFacts, _: Context) -> Result:
    """A hybrid post-quantum group was agreed."""
    tls = agreed(endpoint)
    if endpoint.large_hello.is_no:
        return unknown(say("A hybrid group could not be offered: the ClientHello must be small."))
    if tls is None or tls.post_quantum is None:
        return unknown(say("The group of the key exchange is not known."))
    if tls.post_quantum:
        return passed(say("Group {group}.", group=tls.group))
    return failed(say("Group {group}.", group=tls.group))


@check(
    "TLS10",
    on=platform,
    title=N_("IncaMail completes a TLS handshake of version 1.2 or newer"),
    why=N_("Your server sends secure mail over this connection only."),
    remedy=N_(
        "If it fails from the sending gateway too, look for a device in between that blocks or "
        "reads TLS; then ask Swiss Post."
    ),
    item="6.2",
    reference="RFC 3207 §4.1; RFC 9325 §3.1.1",
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
def platform_handshake_completes(endpoint: EndpointFacts, _: Context) -> Result:
    """A handshake with TLS 1.2 or newer was agreed with the platform."""
    return handshake(endpoint)


@check(
    "TLS11",
    on=platform,
    title=N_("IncaMail asks for your certificate"),
    why=N_(
        "IncaMail recognises you by your client certificate. If the request is missing on this "
        "path, a device in between answers instead, or mutual authentication is not set up."
    ),
    remedy=N_("Ask Swiss Post how it will recognise your gateway, and compare from another path."),
    item="6.1",
    reference="RFC 9846 §4.4.2; Post MGI guide 6.1",
    requires=("TLS10",),
    seen_from=SeenFrom.CLIENT,
)
def platform_asks(endpoint: EndpointFacts, _: Context) -> Result:
    """A CertificateRequest of the platform was seen."""
    requested = endpoint.client_auth.requested
    if Trait.REQUEST in endpoint.differing:
        return failed(say("It asks on some connections only: {share}.", share=requested.evidence))
    if requested.is_yes:
        auth = endpoint.client_auth
        count = len(auth.acceptable_cas) + auth.acceptable_cas_left_out
        return passed(say("It asks, and names {count} authorities.", count=count))
    if requested.is_no:
        return failed(say("It does not ask for a certificate."))
    return not_seen(endpoint, requested)


@check(
    "TLS12",
    on=platform,
    title=N_("IncaMail accepts your certificate"),
    why=N_("A certificate that is refused stops every secure mail you send."),
    remedy=N_(
        "Read the reason: «unsupported_certificate» means that the certificate may not be used "
        "as a client (clientAuth), «unknown_ca» that its authority is not recognised or the "
        "intermediate was not sent, «certificate_expired» that it must be renewed. Register the "
        "certificate with Swiss Post."
    ),
    item="6.1",
    reference="RFC 9846 §4.5.1, §6.2",
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
            remedy=say("Name the certificate and key of the sending gateway in the dossier."),
        )
    return not_seen(endpoint, own)


@check(
    "TLS13",
    on=platform,
    title=N_("Your certificate's authority is among those IncaMail names"),
    why=N_("Some servers send no certificate when its authority is not in the list."),
    remedy=N_("Ask Swiss Post to register your authority, or use one from the list."),
    item="6.1",
    reference="RFC 9846 §4.3.4",
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
        return unknown(say("No readable certificate for sending was given."))
    issuers = [c.issuer for chain in chains for c in chain]
    if names & set(issuers):
        return passed(say("Named: {issuer}.", issuer=next(i for i in issuers if i in names)))
    if endpoint.client_auth.acceptable_cas_left_out or len(names) >= _LONGEST_OLD_LIST:
        return unknown(
            say(
                "Not among the first {limit} authorities; IncaMail names more than are kept.",
                limit=len(names),
            )
        )
    return failed(say("Not named: {issuers}.", issuers=joined(list(dict.fromkeys(issuers)))))


@check(
    "TLS14",
    on=platform,
    title=N_("IncaMail tells your certificate from a stranger's"),
    why=N_("If any certificate is accepted, acceptance does not prove that yours is registered."),
    remedy=N_("Ask Swiss Post to confirm that your certificate is registered."),
    item="7.1",
    reference="RFC 9846 §4.5.1",
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
        return failed(say("A certificate of an unknown authority was accepted as well."))
    return not_seen(endpoint, foreign)


CHECKS_RECEIVING: tuple[Check, ...] = (
    handshake_completes,
    newest_version_is_spoken,
    old_versions_are_off,
    client_certificate_is_asked,
    certificate_is_not_demanded,
    certificate_is_verified,
    key_exchange_is_hybrid,
)
CHECKS_PLATFORM: tuple[Check, ...] = (
    platform_handshake_completes,
    platform_asks,
    own_certificate_is_accepted,
    own_authority_is_named,
    platform_verifies,
)
CHECKS: tuple[Check, ...] = (*CHECKS_RECEIVING, *CHECKS_PLATFORM)
