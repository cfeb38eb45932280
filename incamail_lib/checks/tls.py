"""TLS01–TLS08: encryption and mutual authentication at the client's receiving gateways."""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.checks._advice import GATEWAY_DIALOGUE
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import agreed, handshake, nobody_asked, not_seen, tls_not_seen
from incamail_lib.checks._subjects import receiving
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.smtp import EndpointFacts, Trait
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, Text, say, say_n

_MX_SEEN = frozenset({DnsStatus.FOUND, DnsStatus.NO_DATA, DnsStatus.NXDOMAIN})


@check(
    "TLS01",
    on=receiving,
    passes=N_("The gateway agrees on TLS 1.2 or newer"),
    fails=N_("The gateway refuses the TLS handshake"),
    asks=N_("Does the gateway agree on TLS 1.2 or newer?"),
    why=N_("Without TLS 1.2 or 1.3 in common, IncaMail cannot deliver."),
    remedy=N_("Enable TLS 1.2 and 1.3 on the gateway, and read its log for the cause."),
    clarify=GATEWAY_DIALOGUE,
    item="6.2",
    reference="RFC 3207 §4.1; RFC 9846 §4.2; RFC 9325 §3.1.1",
    leg=Leg.ARRIVAL,
    requires=("SMTP03",),
)
def handshake_completes(endpoint: EndpointFacts, _: Context) -> Result:
    """A handshake with TLS 1.2 or newer was agreed."""
    return handshake(endpoint)


@check(
    "TLS02",
    on=receiving,
    passes=N_("The gateway chooses TLS 1.3"),
    fails=N_("The gateway does not choose TLS 1.3"),
    asks=N_("Does the gateway choose TLS 1.3?"),
    why=N_("TLS 1.3 is faster and removes old weak options; TLS 1.2 is only sufficient."),
    remedy=N_("Enable TLS 1.3; current mail servers and OpenSSL 1.1.1 or newer have it."),
    clarify=GATEWAY_DIALOGUE,
    item="6.2",
    reference="RFC 9325 §3.1.1",
    leg=Leg.ARRIVAL,
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
    passes=N_("TLS 1.0 and 1.1 are switched off"),
    fails=N_("TLS 1.0 or 1.1 is still accepted"),
    asks=N_("Are TLS 1.0 and 1.1 switched off?"),
    why=N_("These versions are broken and must not be used any more."),
    remedy=N_("Set the lowest TLS version of the gateway to 1.2."),
    clarify=N_(
        "Look up the lowest TLS version in the gateway's settings, or let it be tested: openssl "
        "s_client -starttls smtp -tls1_1 -cipher DEFAULT@SECLEVEL=0 -connect HOST:25."
    ),
    item="6.2",
    reference="RFC 8996 §4, §5; RFC 9325 §3.1.1",
    leg=Leg.ARRIVAL,
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
    passes=N_("The gateway asks for a client certificate"),
    fails=N_("The gateway does not ask for a client certificate"),
    asks=N_("Does the gateway ask for a client certificate?"),
    why=N_(
        "Authentication in both directions is part of the set-up: without asking, the gateway "
        "cannot know that it is IncaMail who delivers."
    ),
    remedy=N_(
        "Make the gateway ask for a client certificate (Postfix: smtpd_tls_ask_ccert = yes; Exim: "
        "tls_try_verify_hosts). On a public MX, ask but do not demand."
    ),
    clarify=GATEWAY_DIALOGUE,
    item="6.1",
    reference="RFC 9846 §4.4.2; Post MGI guide 6.1",
    leg=Leg.ARRIVAL,
    requires=("TLS01",),
)
def client_certificate_is_asked(endpoint: EndpointFacts, _: Context) -> Result:
    """A CertificateRequest was seen; an empty CA list is still a request."""
    requested = endpoint.client_auth.requested
    names = endpoint.client_auth.acceptable_cas
    if Trait.REQUEST in endpoint.differing:
        return failed(
            say("It asks on some connections only: {share}.", share=requested.evidence),
            title=N_("The gateway asks for a client certificate only sometimes"),
            remedy=say("Let every machine behind the address ask for a client certificate."),
        )
    if requested.is_no:
        return failed(say("The gateway does not ask for a client certificate."))
    if not requested.is_yes:
        return not_seen(endpoint, requested)
    if endpoint.survey.tls is not None and endpoint.survey.tls.renegotiated:
        return passed(say("It asks, in a second handshake (renegotiation) only."))
    return passed(asks_and_names(len(names) + endpoint.client_auth.acceptable_cas_left_out))


def asks_and_names(count: int) -> Text:
    """How many authorities a request for a client certificate names; none stands for any."""
    if not count:
        return say("It asks, and names no authority: a certificate of any may be shown.")
    return say_n("It asks, and names {n} authority.", "It asks, and names {n} authorities.", count)


@check(
    "TLS06",
    on=receiving,
    passes=N_("The gateway does not demand a certificate from every sender"),
    fails=N_("The gateway turns away senders without a client certificate"),
    asks=N_("Does the gateway demand a certificate from every sender?"),
    why=N_(
        "A gateway that the MX record names must take mail from the whole world; other senders "
        "have no client certificate and would be shut out."
    ),
    remedy=N_(
        "Ask for the certificate without demanding it, or use a separate address or port for "
        "IncaMail and enter it in the set-up document."
    ),
    clarify=N_(
        "Look up in the gateway's settings whether it asks for a client certificate or demands "
        "one, and read in its log why the test ended early."
    ),
    item="6.1",
    reference="RFC 3207 §4 (by analogy)",
    leg=Leg.ARRIVAL,
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
        open_ = not_seen(endpoint, inconclusive(Reason.DNS_FAILURE))
        return replace(open_, remedy=say(_MX_FIRST))
    return passed(
        say("The gateway demands a certificate, but no MX record names the gateway."),
        title=N_("No MX record names the gateway, so it may demand a certificate"),
    )


_MX_FIRST = N_(
    "Have the MX records of the domains shown (dig MX DOMAIN), put the name server right and "
    "measure again: a gateway that no MX record names may demand a certificate."
)


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
    passes=N_("The gateway refuses a certificate of an unknown authority"),
    fails=N_("The gateway lets in a certificate of an unknown authority"),
    asks=N_("Does the gateway verify the certificate it asks for?"),
    why=N_("A request that any certificate satisfies proves nothing about who delivers."),
    remedy=N_(
        "Let the gateway verify client certificates against the authority of IncaMail, or tell "
        "IncaMail by its verified name in the rules (check_ccert_access, tls_verify_hosts, …)."
    ),
    clarify=N_(
        "Look up in the gateway's settings with which authorities it verifies client "
        "certificates, and what it does with others."
    ),
    item="6.1",
    reference="RFC 9846 §4.5.1; RFC 5280 §6.1",
    leg=Leg.ARRIVAL,
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
    if nobody_asked(endpoint, foreign):
        return replace(not_seen(endpoint, foreign), remedy=say(_SHOW_A_STRANGER))
    return not_seen(endpoint, foreign)


_SHOW_A_STRANGER = N_(
    "Let «incamail measure» show a certificate of an unknown authority to the gateway, or look up "
    "in its settings what it does with one."
)


@check(
    "TLS08",
    on=receiving,
    passes=N_("The key exchange withstands quantum computers"),
    fails=N_("The key exchange does not withstand quantum computers"),
    asks=N_("Does the key exchange withstand quantum computers?"),
    why=N_("Mail recorded today could be read later; hybrid groups such as X25519MLKEM768 help."),
    remedy=N_("Plan for OpenSSL 3.5 or newer, which offers hybrid groups by default."),
    clarify=N_(
        "Test it with OpenSSL 3.5 or newer: openssl s_client -starttls smtp -groups "
        "X25519MLKEM768 -connect HOST:25."
    ),
    item="6.2",
    reference="RFC 10024",
    leg=Leg.ARRIVAL,
    level=Level.INFO,
    requires=("TLS01",),
)
def key_exchange_is_hybrid(endpoint: EndpointFacts, _: Context) -> Result:
    """A hybrid post-quantum group was agreed."""
    tls = agreed(endpoint)
    if endpoint.large_hello.is_no:
        return unknown(
            say("A hybrid group could not be offered: the ClientHello must be small."),
            remedy=say("First let a large ClientHello through to the gateway, then measure again."),
        )
    if tls is None or tls.post_quantum is None:
        return unknown(say("The group of the key exchange is not known."))
    if tls.post_quantum:
        return passed(say("Group {group}.", group=tls.group))
    return failed(say("Group {group}.", group=tls.group))
