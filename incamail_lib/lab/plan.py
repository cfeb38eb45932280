"""How a lab gateway behaves, declared: a plan is a value, the gateway plays it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from cryptography import x509

from incamail_lib.facts.smtp import Stage
from incamail_lib.lab.authority import Issued

USUAL_CAPABILITIES = (
    *("PIPELINING", "SIZE 52428800", "STARTTLS", "ENHANCEDSTATUSCODES", "8BITMIME"),
    *("DSN", "SMTPUTF8"),
)
MASKED_CAPABILITIES = ("PIPELINING", "SIZE 52428800", "XXXXXXXA", "8BITMIME")


class Manner(StrEnum):
    """How the greeting is sent."""

    PLAIN = "plain"
    SILENT = "silent"  # never: a tarpit that only listens
    DRIP = "drip"  # one byte per `pause_s`
    ENDLESS = "endless"  # continuation lines without end


@dataclass(frozen=True)
class Greeting:
    """The first reply. `lines` are sent as they stand, `{host}` filled in."""

    lines: tuple[str, ...] = ("220 {host} ESMTP",)
    manner: Manner = Manner.PLAIN
    delay_s: float = 0.0
    pause_s: float = 0.0  # between lines, or between bytes of a drip
    then_close: bool = False


class AfterReply(StrEnum):
    """What follows the reply to STARTTLS."""

    HANDSHAKE = "handshake"
    SILENCE = "silence"
    CLOSE = "close"
    GARBAGE = "garbage"  # the first TLS record is answered by bytes that are none


@dataclass(frozen=True)
class StarttlsPlan:
    """The answer to STARTTLS. A reply other than 220 leaves the dialogue in clear."""

    reply: str = "220 2.0.0 Ready to start TLS"  # "" for none at all
    then: AfterReply = AfterReply.HANDSHAKE
    trailing: str = ""  # plaintext smuggled in behind the reply, in the same segment
    keeps_plaintext: bool = False  # CVE-2011-0411: bytes sent before TLS are obeyed inside it
    handshake_delay_s: float = 0.0


class Version(StrEnum):
    """TLS versions by their usual names."""

    TLS_1_0 = "TLSv1"
    TLS_1_1 = "TLSv1.1"
    TLS_1_2 = "TLSv1.2"
    TLS_1_3 = "TLSv1.3"


class Judged(StrEnum):
    """What a gateway looks at in a client certificate."""

    NOTHING = "nothing"  # any certificate will do
    CHAIN = "chain"  # a recognised root, but not the usages
    CHAIN_AND_USAGE = "chain_and_usage"  # as OpenSSL does by default


class Refusal(StrEnum):
    """Where a missing or bad client certificate is refused."""

    IN_TLS = "in_tls"  # alert 116 or 40, 48, 43, ... (RFC 9846 §6.2)
    AT_EHLO = "at_ehlo"  # 421 4.7.1 inside TLS, as Postfix does with smtpd_tls_req_ccert
    AT_MAIL_530 = "at_mail_530"
    AT_MAIL_454 = "at_mail_454"


@dataclass(frozen=True)
class ClientAuth:
    """What a gateway wants to see of the client; asking happens in the TLS handshake."""

    required: bool = False
    roots: tuple[x509.Certificate, ...] = ()
    names_its_cas: bool = True  # False: CertificateRequest with an empty list, which is legal
    judged: Judged = Judged.CHAIN_AND_USAGE
    refusal: Refusal = Refusal.IN_TLS
    asks_late: bool = False  # in a second handshake of TLS 1.2, at MAIL, as old IIS does


@dataclass(frozen=True)
class TlsPlan:
    """The gateway's side of TLS: certificates exactly as they are sent, versions, client."""

    identity: Issued = field(repr=False)
    sent: tuple[x509.Certificate, ...] | None = field(default=None, repr=False)  # None: in order
    minimum: Version = Version.TLS_1_2
    maximum: Version = Version.TLS_1_3
    ciphers: str = "DEFAULT"  # OpenSSL's words, for TLS 1.2 and older
    client: ClientAuth | None = None  # None: no CertificateRequest
    second: Issued | None = field(default=None, repr=False)  # a certificate of the other key type
    signatures: str = ""  # OpenSSL's words: all that it makes, and takes from clients

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates in the order in which they are sent, leaf first."""
        return self.identity.chain if self.sent is None else self.sent


class HangUp(StrEnum):
    """Where a gateway hangs up on a client that hands over a message."""

    AT_DATA = "at_data"  # in place of the 354
    IN_CONTENT = "in_content"  # when the first line of the message has come
    AFTER_CONTENT = "after_content"  # it has the whole message, and never says so (RFC 1047)


@dataclass(frozen=True)
class Account:
    """The one user whom a gateway lets log in; AUTH is offered inside TLS only (RFC 4954 §4)."""

    user: str
    password: str = field(repr=False)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    required: bool = True  # 530 to MAIL before login
    echoes: bool = False  # a bad server: its refusal repeats what it was told


@dataclass(frozen=True)
class GatewayPlan:
    """The whole behaviour of one lab gateway."""

    host: str
    tls: TlsPlan | None = None
    greeting: Greeting = Greeting()
    capabilities: tuple[str, ...] = USUAL_CAPABILITIES
    ehlo_reply: str = ""  # in place of the 250, e.g. "502 5.5.1 Unknown command"
    starttls: StarttlsPlan = StarttlsPlan()
    mail_reply: str = ""  # in place of the 250 to MAIL, e.g. "451 4.7.1 Greylisted"
    rcpt_reply: str = ""  # in place of the 250 to RCPT
    data_reply: str = ""  # in place of the 354 to DATA
    content_reply: str = ""  # in place of the 250 to the message itself
    hangs_up: HangUp | None = None
    largest: int = 52_428_800  # bytes of a message that is taken, as SIZE says
    account: Account | None = None  # None: no AUTH
    demands_tls: bool = False  # 530 to MAIL in clear; never on a public MX (RFC 3207 §4)
    listens: bool = True  # False: the port is taken, and every connection is refused
    tls_at_once: bool = False  # TLS from the first byte, as on port 465
    drops_hello_over: int = 0  # bytes of a ClientHello that a box in between resets; 0: none
    reset_at: Stage | None = None  # the stage that is answered by a TCP reset (RST)
    later: tuple[int, GatewayPlan] | None = None  # from this connection (1, 2, ...) on, that plan

    def for_connection(self, number: int) -> GatewayPlan:
        """The plan that governs connection `number`, counted from 1."""
        if self.later is not None and number >= self.later[0]:
            return self.later[1]
        return self

    def limited_to(self, connections: int) -> GatewayPlan:
        """This plan for the first `connections`, then 421 as a rate limit gives it."""
        busy = Greeting(("421 4.7.0 {host} Error: too many connections",), then_close=True)
        return replace(self, later=(connections + 1, replace(self, greeting=busy)))
