"""What was seen on SMTP connections: replies, STARTTLS, TLS and client authentication."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.facts.certificate import CertificateFacts, ChainFacts, NameMatch, TrustFacts
from incamail_lib.facts.observation import Observation, Reason
from incamail_lib.record import Record, UtcDatetime


class Role(StrEnum):
    """Whose host it is and in which direction mail flows over it."""

    RECEIVING = "receiving"  # client's gateway, takes mail from IncaMail
    SENDING = "sending"  # client's gateway, sends mail to IncaMail
    PLATFORM = "platform"  # IncaMail's gateway


class Target(Record):
    """One address of one host to be probed."""

    role: Role
    host: str  # A-label form, as published or declared; also the SNI
    address: str  # IPv4 or IPv6 literal
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
    LEGACY_TLS = "legacy_tls"  # TLS 1.0 and 1.1 only
    INJECTION = "injection"  # CVE-2011-0411


class Stage(StrEnum):
    """The stages of one dialogue, in order."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    EHLO_IN_TLS = "ehlo_in_tls"  # only here a TLS 1.3 verdict exists
    MAIL = "mail"
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
    """A fatal TLS alert from the peer (RFC 9846 §6): the number is the evidence."""

    number: int
    name: str
    stage: Stage


class TlsFacts(Record):
    """What one TLS handshake showed."""

    established: bool  # our side finished the handshake; in TLS 1.3 not yet acceptance
    version: str = ""  # TLSv1.3, TLSv1.2, TLSv1.1, TLSv1
    cipher: str = ""
    cipher_bits: int = 0
    group: str = ""  # X25519MLKEM768, x25519, secp256r1, ...
    post_quantum: bool | None = None  # hybrid group; None if the group is not known
    server_name: str = ""  # SNI sent; none for an address
    chain: tuple[CertificateFacts, ...] = ()  # as sent, unverified
    links: ChainFacts | None = None
    certificate_requested: Observation
    acceptable_cas: tuple[str, ...] = ()  # RFC 4514 names; empty list is legal (= any)
    acceptable_cas_left_out: int = 0  # names that came as well and are not kept
    offered_certificate: str = ""  # sha256 of the client certificate we had ready
    accepted: Observation  # we were let in: EHLO answered inside TLS, as we presented ourselves
    alert: Alert | None = None
    error: str = ""  # library's words, evidence only


class SmtpFacts(Record):
    """One connection, from TCP to QUIT."""

    purpose: Purpose
    started_at: UtcDatetime
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
    demanded: Observation  # refused without a certificate, in TLS or in SMTP
    demanded_in: Stage | None = None
    own_accepted: Observation  # with the client's own certificate
    foreign_accepted: Observation  # with a throw-away certificate of an unknown CA
    verified: Observation  # own accepted and foreign refused: the server really checks


class EndpointFacts(Record):
    """Everything seen at one address of one host."""

    target: Target
    connections: tuple[SmtpFacts, ...]
    starttls: Starttls = Starttls.UNKNOWN
    client_auth: ClientAuthFacts
    legacy: Observation  # TLS 1.0/1.1 negotiated
    legacy_version: str = ""
    injection: Observation  # vulnerable to CVE-2011-0411
    left_alone: Reason | None = None  # why connections that were asked for were not made any more
    trust: tuple[TrustFacts, ...] = ()
    name_match: NameMatch | None = None

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
        return next((c.tls.chain for c in self.connections if c.tls and c.tls.chain), ())
