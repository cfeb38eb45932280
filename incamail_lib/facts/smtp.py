"""What was seen on SMTP connections: replies, STARTTLS, TLS and client authentication."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import model_validator

from incamail_lib.facts.certificate import CertificateFacts, ChainFacts, NameMatch, TrustFacts
from incamail_lib.facts.observation import Observation, Reason, inconclusive
from incamail_lib.record import IpAddress, OurTime, Record


class Side(StrEnum):
    """Whose host it is and in which direction mail flows over it."""

    RECEIVING = "receiving"  # client's gateway, takes mail from IncaMail
    SENDING = "sending"  # client's gateway, sends mail to IncaMail
    PLATFORM = "platform"  # IncaMail's gateway


class Target(Record):
    """One address of one host to be probed."""

    role: Side
    host: str  # A-label form, as published or declared; also the SNI
    address: IpAddress | Literal[""]  # "": what was read from files and met on no wire
    port: int = 25

    @property
    def label(self) -> str:
        """How the target is named in findings, e.g. "mx1.muster.example [192.0.2.1]:25"."""
        return f"{self.host} [{self.address}]:{self.port}"


class Purpose(StrEnum):
    """What one connection was for."""

    SURVEY = "survey"  # no client certificate; nearly all facts come from here
    OWN_CERTIFICATE = "own_certificate"
    FOREIGN_CERTIFICATE = "foreign_certificate"  # throw-away, tells accepted from verified
    OTHER_KEY = "other_key"  # only certificates of the other key type, RSA or EC, are asked for
    LEGACY_TLS = "legacy_tls"  # a hello whose highest version is TLS 1.1
    LEGACY_TLS_1_0 = "legacy_tls_1_0"  # and one of TLS 1.0: some servers refuse the one only
    INJECTION = "injection"  # CVE-2011-0411
    LARGE_HELLO = "large_hello"  # a survey that broke off where one with a smaller hello went on


class Stage(StrEnum):
    """The stages of one dialogue, in order."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    EHLO_IN_TLS = "ehlo_in_tls"  # only here a TLS 1.3 verdict exists
    MAIL = "mail"
    RCPT = "rcpt"  # only where the operator asked for it
    QUIT = "quit"


class Reply(Record):
    """One SMTP reply (RFC 5321 §4.2). Lines are printable text without code and CRLF."""

    code: int
    enhanced: str = ""  # RFC 3463, e.g. "4.7.1"
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The reply on one line, e.g. "220 mx1 ESMTP"."""
        return f"{self.code} {' '.join(self.lines)}".strip()


class Exchange(Record):
    """One line of the transcript: what was sent, what came, when (seconds from the start)."""

    stage: Stage
    sent: str = ""
    received: str = ""
    at_s: float
    elapsed_s: float


class Starttls(StrEnum):
    """What became of STARTTLS (RFC 3207)."""

    ACCEPTED = "accepted"  # offered and answered 220
    NOT_OFFERED = "not_offered"  # complete EHLO reply without it, or EHLO itself not known
    MASKED = "masked"  # XXXXXXXA, or a banner of asterisks: a box in between edits SMTP
    REFUSED = "refused"  # offered, then 454/500/502/...
    VANISHED = "vanished"  # offered earlier or on another connection, now gone
    UNKNOWN = "unknown"  # the dialogue never got that far


class Alert(Record):
    """A TLS alert from the peer (RFC 9846 §6): the number is the evidence."""

    number: int
    name: str
    stage: Stage


class TlsFacts(Record):
    """What one TLS handshake showed."""

    established: bool  # our side finished the handshake; in TLS 1.3 not yet acceptance
    version: str = ""  # TLSv1.3, ..., SSLv3: what the server chose, even if it went no further
    cipher: str = ""
    cipher_bits: int = 0
    group: str = ""  # X25519MLKEM768, x25519, secp256r1, ...
    post_quantum: bool | None = None  # hybrid group; None if the group is not known
    dh_bits: int = 0  # of the prime of a Diffie-Hellman key exchange; 0 if there was none
    secure_renegotiation: bool | None = None  # RFC 5746; None where TLS 1.3 or nothing was seen
    renegotiated: bool = False  # the server asked for a second handshake, and got it
    hello_bytes: int = 0  # length of our ClientHello with its record
    answered: bool = False  # bytes of TLS came back for it
    server_name: str = ""  # SNI sent; none for an address
    chain: tuple[CertificateFacts, ...] = ()  # as sent, unverified
    links: ChainFacts | None = None
    certificate_requested: Observation
    acceptable_cas: tuple[str, ...] = ()  # RFC 4514 names; empty list is legal (= any)
    acceptable_cas_left_out: int = 0  # names that came as well and are not kept
    offered_certificate: str = ""  # sha256 of the client certificate we had ready
    certificate_sent: bool | None = None  # it was sent and proven; None in facts of old, or no one
    accepted: Observation  # we were let in: EHLO answered inside TLS, as we presented ourselves
    alert: Alert | None = None  # a fatal one
    warning: Alert | None = None  # no refusal (RFC 5246 §7.2)
    error: str = ""  # library's words, evidence only


class SmtpFacts(Record):
    """One connection, from TCP to QUIT."""

    purpose: Purpose
    started_at: OurTime
    elapsed_s: float
    reached: Stage | None  # the last stage completed; None if TCP did not connect
    ended: Reason  # SEEN when the dialogue went as far as was asked
    ended_in: Stage
    evidence: str = ""
    greeting: Reply | None = None
    capabilities: tuple[str, ...] | None = None  # EHLO keywords with parameters; None: not seen
    ehlo_refusal: Reply | None = None  # EHLO is not known (500, 502): no extensions at all
    starttls: Starttls = Starttls.UNKNOWN
    starttls_reply: Reply | None = None
    tls: TlsFacts | None = None
    capabilities_in_tls: tuple[str, ...] | None = None
    mail_reply: Reply | None = None  # reply to MAIL FROM:<> when that was asked; RSET follows
    rcpt_reply: Reply | None = None  # reply to RCPT TO:<postmaster@…> when that was asked
    injected_reply: Reply | None = None  # INJECTION: the reply to the smuggled command
    plaintext_after_starttls: str = ""  # smuggled in behind the 220; never obeyed
    tls_replies: int = 0  # INJECTION: replies inside TLS up to the one to QUIT
    bytes_sent: int = 0
    bytes_received: int = 0
    transcript: tuple[Exchange, ...] = ()


class ClientAuthFacts(Record):
    """Mutual TLS at one endpoint, put together from its connections."""

    requested: Observation  # CertificateRequest seen
    acceptable_cas: tuple[str, ...] = ()
    acceptable_cas_left_out: int = 0
    demanded: Observation  # refused without a certificate, in TLS or in SMTP as far as asked
    demanded_in: Stage | None = None
    own_accepted: Observation  # with the client's own certificate
    foreign_accepted: Observation  # with a throw-away certificate of an unknown CA
    verified: Observation  # own accepted and foreign refused: the server really checks


class Trait(StrEnum):
    """What should be the same on every connection to one address."""

    STARTTLS = "starttls"
    VERSION = "version"
    CERTIFICATE = "certificate"
    REQUEST = "request"  # for a client certificate


class ShownChain(Record):
    """A certificate that the server shows beside its first one, judged as that one is."""

    sha256: str  # of the leaf
    trust: tuple[TrustFacts, ...] = ()
    name_match: NameMatch | None = None


class EndpointFacts(Record):
    """Everything seen at one address of one host."""

    target: Target
    connections: tuple[SmtpFacts, ...]
    starttls: Starttls = Starttls.UNKNOWN
    client_auth: ClientAuthFacts
    legacy: Observation  # TLS 1.0/1.1 negotiated
    legacy_version: str = ""
    injection: Observation  # vulnerable to CVE-2011-0411
    large_hello: Observation = inconclusive(Reason.NOT_TRIED)  # over 1,400 bytes, and answered
    other_key: Observation = inconclusive(Reason.NOT_TRIED)  # has RSA and EC certificates both
    differing: tuple[Trait, ...] = ()  # differed between connections alike: several machines
    left_alone: Reason | None = None  # why connections that were asked for were not made any more
    trust: tuple[TrustFacts, ...] = ()
    name_match: NameMatch | None = None
    others: tuple[ShownChain, ...] = ()  # further certificates

    @model_validator(mode="after")
    def _was_surveyed(self) -> EndpointFacts:
        if not any(c.purpose is Purpose.SURVEY for c in self.connections):
            raise ValueError("not_surveyed")
        return self

    @property
    def survey(self) -> SmtpFacts:
        """The connection made without a certificate, from which most facts come."""
        return next(c for c in self.connections if c.purpose is Purpose.SURVEY)

    @property
    def leaf(self) -> CertificateFacts | None:
        """The server's certificate, from whichever connection showed it."""
        chain = self.chain
        return chain[0] if chain else None

    @property
    def chain(self) -> tuple[CertificateFacts, ...]:
        """The chain as sent on the first connection that showed one."""
        return next(iter(self.chains), ())

    @property
    def chains(self) -> tuple[tuple[CertificateFacts, ...], ...]:
        """Every chain that was shown, told apart by its leaf, in the order of the connections."""
        found: dict[str, tuple[CertificateFacts, ...]] = {}
        for connection in self.connections:
            if connection.tls and connection.tls.chain:
                found.setdefault(connection.tls.chain[0].sha256, connection.tls.chain)
        return tuple(found.values())

    def each_certificate(self) -> tuple[EndpointFacts, ...]:
        """This endpoint once for each certificate it shows, as if it showed no other."""
        rest = {other.sha256: other for other in self.others}
        found = [self]
        for chain in self.chains[1:]:
            judged = rest.get(chain[0].sha256, ShownChain(sha256=chain[0].sha256))
            ranked = sorted(self.connections, key=lambda c: not _shows(c, judged.sha256))
            changes = {
                "connections": tuple(ranked),
                "trust": judged.trust,
                "name_match": judged.name_match,
            }
            found.append(self.model_copy(update=changes))
        return tuple(found)


def _shows(connection: SmtpFacts, sha256: str) -> bool:
    chain = connection.tls.chain if connection.tls else ()
    return bool(chain) and chain[0].sha256 == sha256
