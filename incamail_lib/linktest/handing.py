"""The dialogue that hands one message to one server; every way it can end is a fact.

smtplib has no asyncio, so the dialogue runs in a thread. Its time is bounded as a whole.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import re
import smtplib
import ssl
import time
from dataclasses import dataclass, field

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage, TlsUse
from incamail_lib.facts.smtp import Reply
from incamail_lib.linktest.client import Client
from incamail_lib.linktest.server import Mta, SendLimits
from incamail_lib.printable import printable
from incamail_lib.probe.dialogue import Malformed

_OF_OPENSSL = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")  # where in its source, for programmers
_ECHO = 8  # so many characters of a secret in a reply make it unfit to be kept


@dataclass(frozen=True)
class Order:
    """What is to be handed over, for whom, and to which server."""

    content: bytes = field(repr=False)
    sender: str
    recipient: str
    server: Mta
    context: ssl.SSLContext | None  # None: no TLS
    message_id: str = ""
    agreed_by: str = ""  # who consented to a test message; servers ask nobody


async def hand_over(
    order: Order, limits: SendLimits | None = None, *, now: dt.datetime | None = None
) -> Delivery:
    """Hand the message over; what the server does, or does not do, is told by the Delivery.

    A cancelled call breaks the connection off; what the server had taken by then stays taken.
    """
    talk = _Talk(order, limits or SendLimits())
    started, clock = now or dt.datetime.now(dt.UTC), time.monotonic()
    try:
        end = await asyncio.to_thread(talk.run)
    except asyncio.CancelledError:
        talk.abandon()
        raise
    return Delivery(
        message_id=order.message_id,
        sender=order.sender,
        recipient=order.recipient,
        server=order.server.label,
        agreed_by=order.agreed_by,
        outcome=end.outcome,
        stage=talk.stage,
        cause=end.cause,
        reply=end.reply,
        tls_version=talk.tls_version,
        certificate_verified=bool(talk.tls_version) and order.server.verify,
        started_at=started,
        elapsed_s=round(time.monotonic() - clock, 3),
        evidence=printable(end.evidence),
    )


class _End(Exception):
    """How the hand-over ended."""

    def __init__(
        self,
        outcome: DeliveryOutcome,
        cause: Cause,
        reply: Reply | None = None,
        evidence: str = "",
    ) -> None:
        super().__init__(evidence)
        self.outcome = outcome
        self.cause = cause
        self.reply = reply
        self.evidence = evidence


class _Talk:
    """One dialogue, stage by stage; `stage` is where it stands, or where it ended."""

    def __init__(self, order: Order, limits: SendLimits) -> None:
        self._order = order
        self._server = order.server
        name = order.server.ehlo_name or order.sender.rpartition("@")[2]
        self._client = Client(name, limits)
        self._handed_over = False
        self.stage = SendingStage.CONNECT
        self.tls_version = ""

    def run(self) -> _End:
        """Hand the message over, or say why not."""
        try:
            return self._hand_over()
        except _End as end:
            return end
        except (OSError, smtplib.SMTPException, Malformed, UnicodeError) as error:
            # Whether a message that went out whole was taken, nobody knows now (RFC 1047).
            lost = self._handed_over
            outcome = DeliveryOutcome.UNCERTAIN if lost else DeliveryOutcome.NOT_SENT
            return _End(outcome, _cause_of(error), evidence=_words_of(error))
        finally:
            self._client.close()

    def abandon(self) -> None:
        """Break the dialogue off, from another thread."""
        self._client.abandon()

    def _hand_over(self) -> _End:
        self._client.open(self._server.host, self._server.port)
        self.stage = SendingStage.GREETING
        self._wanted(self._client.reply(), 220)
        self._hello(SendingStage.EHLO)
        if self._order.context is not None:
            self._secure(self._order.context)
        if self._server.user:
            self._log_in()
        self._command(SendingStage.MAIL, f"MAIL FROM:<{self._order.sender}>", 250)
        self._command(SendingStage.RCPT, f"RCPT TO:<{self._order.recipient}>", 250)
        self._command(SendingStage.DATA, "DATA", 354)
        self.stage = SendingStage.CONTENT
        self._client.hand_over(self._order.content)
        self._handed_over = True
        reply = self._wanted(self._client.reply(), 250)
        self._client.goodbye()
        return _End(DeliveryOutcome.ACCEPTED, Cause.REPLY, reply)

    def _hello(self, stage: SendingStage) -> None:
        self.stage = stage
        self._client.ehlo()
        if self._client.last is not None:
            self._wanted(self._client.last, 250)

    def _secure(self, context: ssl.SSLContext) -> None:
        """STARTTLS and the handshake; in clear only where that is allowed."""
        self.stage = SendingStage.STARTTLS
        required = self._server.starttls is TlsUse.REQUIRED
        if not self._client.has_extn("starttls"):
            if required:
                raise _End(DeliveryOutcome.NOT_SENT, Cause.NO_STARTTLS, self._client.last)
            return
        reply = self._client.ask("STARTTLS")
        if reply.code != 220:
            if required:
                raise _End(DeliveryOutcome.NOT_SENT, Cause.STARTTLS_REFUSED, reply)
            return
        self.stage = SendingStage.HANDSHAKE
        name = self._server.name or self._server.host
        self.tls_version = self._client.start_tls(context, name)
        self._hello(SendingStage.EHLO_IN_TLS)

    def _log_in(self) -> None:
        """AUTH PLAIN (RFC 4616), or LOGIN where a server knows nothing else; in TLS only."""
        self.stage = SendingStage.AUTH
        offered = self._client.esmtp_features.get("auth", "").upper().split()
        known = [name for name in ("PLAIN", "LOGIN") if name in offered]
        if not self.tls_version or not known or self._server.password is None:
            raise _End(DeliveryOutcome.NOT_SENT, Cause.NO_LOGIN, self._client.last)
        user, password = self._server.user, self._server.password()
        if known[0] == "PLAIN":
            answers = ["AUTH PLAIN " + _base64(f"\0{user}\0{password}")]
        else:
            answers = ["AUTH LOGIN", _base64(user), _base64(password)]
        secrets = (password, *answers[-1:], answers[-1].rpartition(" ")[2])
        for answer in answers[:-1]:
            self._wanted(_fit(self._client.ask(answer), secrets), 334)
        self._wanted(_fit(self._client.ask(answers[-1]), secrets), 235)

    def _command(self, stage: SendingStage, command: str, wanted: int) -> None:
        self.stage = stage
        self._wanted(self._client.ask(command), wanted)

    def _wanted(self, reply: Reply, wanted: int) -> Reply:
        """The reply if it lets the dialogue go on: 251 is as good as 250 (RFC 5321 §4.2.2)."""
        if reply.code == wanted or (wanted == 250 and reply.code == 251):
            return reply
        outcomes = {4: DeliveryOutcome.DEFERRED, 5: DeliveryOutcome.REFUSED}
        outcome = outcomes.get(reply.code // 100)
        if outcome is not None:
            raise _End(outcome, Cause.REPLY, reply)
        unclear = DeliveryOutcome.UNCERTAIN if self._handed_over else DeliveryOutcome.NOT_SENT
        raise _End(unclear, Cause.PROTOCOL_ERROR, reply)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _fit(reply: Reply, secrets: tuple[str, ...]) -> Reply:
    """The reply without its words, where a server repeats a secret in them."""
    repeats = any(secret[:_ECHO] in line for secret in secrets for line in reply.lines)
    return reply.model_copy(update={"lines": ()}) if repeats else reply


_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    # the first that fits: the special before the general
    (ssl.SSLCertVerificationError, Cause.CERTIFICATE),
    (ssl.SSLError, Cause.TLS_FAILED),
    (TimeoutError, Cause.TIMEOUT),
    (ConnectionRefusedError, Cause.CONNECTION_REFUSED),
    (ConnectionError, Cause.CLOSED),
    (smtplib.SMTPServerDisconnected, Cause.CLOSED),
    (smtplib.SMTPException, Cause.PROTOCOL_ERROR),
    (Malformed, Cause.PROTOCOL_ERROR),
)


def _cause_of(error: Exception) -> Cause:
    found = (cause for kind, cause in _CAUSES if isinstance(error, kind))
    return next(found, Cause.UNREACHABLE)


def _words_of(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    words = str(getattr(error, "strerror", None) or error)
    if isinstance(error, ssl.SSLError):
        words = _OF_OPENSSL.sub("", words)
    return words or type(error).__name__
