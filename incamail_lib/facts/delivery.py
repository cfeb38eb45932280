"""What became of one test message that was handed to the client's own server (guide 8.3)."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.facts.smtp import Reply
from incamail_lib.record import Record, UtcDatetime


class TlsUse(StrEnum):
    """Whether the hand-over to the own server is encrypted (RFC 3207)."""

    REQUIRED = "required"
    OPPORTUNISTIC = "opportunistic"  # if offered; a login still never happens in clear
    OFF = "off"


class DeliveryOutcome(StrEnum):
    """How the hand-over ended. Accepted by the first server is not yet received."""

    ACCEPTED = "accepted"  # 250 to the whole message: the server has taken charge of it
    DEFERRED = "deferred"  # 4xx: may be tried again later
    REFUSED = "refused"  # 5xx: the same message will be refused again
    NOT_SENT = "not_sent"  # the message never left: no connection, no TLS, no login
    UNCERTAIN = "uncertain"  # handed over whole, but the answer never came (RFC 1047)


class SendingStage(StrEnum):
    """The stages of handing over one message, in order (RFC 5321 §3)."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    EHLO_IN_TLS = "ehlo_in_tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command, up to the 354
    CONTENT = "content"  # the message itself, up to the reply to the lone dot


class Cause(StrEnum):
    """Why a hand-over ended where it did. Stable tokens, kept in saved facts."""

    REPLY = "reply"  # the server's reply decided it
    NO_STARTTLS = "no_starttls"  # TLS is required and was not offered
    STARTTLS_REFUSED = "starttls_refused"  # offered, then no 220
    CERTIFICATE = "certificate"  # the server's certificate was not believed
    TLS_FAILED = "tls_failed"  # no handshake, or an alert after it
    NO_LOGIN = "no_login"  # no TLS for AUTH, or no mechanism in common
    TIMEOUT = "timeout"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"  # no such name, no route
    CLOSED = "closed"  # closed or reset by the server
    PROTOCOL_ERROR = "protocol_error"  # not SMTP, or more than the limit allows


class Delivery(Record):
    """One hand-over of one message to one server: a fact, whatever the server did."""

    message_id: str
    sender: str
    recipient: str  # of the envelope
    server: str  # "mail.muster.example:587"
    agreed_by: str  # who consented to this message to this recipient
    outcome: DeliveryOutcome
    stage: SendingStage  # where it ended
    cause: Cause
    reply: Reply | None = None  # the reply that ended it, with its enhanced code (RFC 3463)
    tls_version: str = ""  # "" when the message went, or would have gone, in clear
    certificate_verified: bool = False  # the server proved its name before anything was said
    started_at: UtcDatetime
    elapsed_s: float
    evidence: str = ""  # the library's or the server's words, printable and bounded
