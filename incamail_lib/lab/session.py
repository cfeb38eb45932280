"""One SMTP session of a lab gateway: commands in, replies out, everything noted."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from OpenSSL import SSL

from incamail_lib.facts.smtp import Stage
from incamail_lib.lab.channel import Channel, ClientGoneError
from incamail_lib.lab.message import Message, Taker, keeps
from incamail_lib.lab.plan import AfterReply, ClientAuth, GatewayPlan, HangUp, Manner, Refusal
from incamail_lib.lab.tls_context import judge_by

TOO_LARGE = "552 5.3.4 Error: message size exceeds fixed limit"
GARBAGE = b"<html>400 Bad Request</html>\r\n" * 4


@dataclass
class Record:
    """What one client did, for tests and for the transcript of a training session."""

    number: int
    commands: list[str] = field(default_factory=list)
    commands_in_tls: list[str] = field(default_factory=list)
    tls_version: str = ""
    server_name: str = ""  # SNI
    client_subject: str = ""
    client_problems: tuple[int, ...] = ()  # X509_V_ERR numbers
    handshake_error: str = ""
    user: str = ""  # who logged in
    messages: list[Message] = field(default_factory=list)
    bytes_received: int = 0
    bytes_sent: int = 0


class _End(Exception):
    """The session is over, as the plan wants it."""


class Session:
    """Plays a plan for one connection."""

    def __init__(
        self,
        plan: GatewayPlan,
        context: SSL.Context | None,
        channel: Channel,
        record: Record,
        *,
        takes: Taker = keeps,
    ) -> None:
        self._plan = plan
        self._takes = takes
        self._helo_name = ""
        self._context = context
        self._channel = channel
        self._record = record
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._tls: SSL.Connection | None = None
        self._asked_late = False
        self._too_large = False
        self._answers: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
        }

    async def run(self) -> None:
        """Talk until the client or the plan ends it."""
        try:
            if self._plan.tls_at_once:
                await self._shake_hands()
            await self._greet()
            while True:
                await self._obey((await self._channel.line()).decode("utf-8", "replace"))
        except (ClientGoneError, _End):
            pass
        finally:
            self._record.bytes_received = self._channel.bytes_received
            self._record.bytes_sent = self._channel.bytes_sent

    async def _greet(self) -> None:
        greeting = self._plan.greeting
        self._maybe_reset(Stage.CONNECT)
        await asyncio.sleep(greeting.delay_s)
        self._maybe_reset(Stage.GREETING)
        if greeting.manner is Manner.SILENT:
            await self._channel.hang()
        while greeting.manner is Manner.ENDLESS:
            await self._say("220-please wait")
            await asyncio.sleep(greeting.pause_s)
        for line in greeting.lines:
            await self._say_slowly(line)
        if greeting.then_close:
            raise _End

    async def _say_slowly(self, line: str) -> None:
        greeting = self._plan.greeting
        if greeting.manner is not Manner.DRIP:
            await self._say(line)
            await asyncio.sleep(greeting.pause_s)
            return
        for byte in line.format(host=self._plan.host).encode() + b"\r\n":
            await self._channel.send(bytes([byte]))
            await asyncio.sleep(greeting.pause_s)

    async def _obey(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        noted = self._record.commands_in_tls if self._channel.in_tls else self._record.commands
        # What proves a user is no matter for transcripts.
        noted.append(" ".join(line.split()[:2]) if verb.upper() == "AUTH" else line)
        answer = self._answers.get(verb.upper())
        if answer is None:
            await self._say("500 5.5.2 Error: command not recognized")
        else:
            await answer(rest.strip())

    async def _ehlo(self, name: str) -> None:
        self._helo_name = name
        inside = self._channel.in_tls
        self._maybe_reset(Stage.EHLO_IN_TLS if inside else Stage.EHLO)
        if inside:
            await self._refuse(Refusal.AT_EHLO, "421 4.7.1 {host} Error: {why}", end=True)
        if self._plan.ehlo_reply:
            await self._say(self._plan.ehlo_reply)
            return
        offered = [
            c for c in self._plan.capabilities if not (inside and c in ("STARTTLS", "XXXXXXXA"))
        ]
        if inside and self._plan.account:
            offered.append(f"AUTH {' '.join(self._plan.account.mechanisms)}")
        lines = [self._plan.host, *offered]
        marks = ["-"] * (len(lines) - 1) + [" "]
        await self._say("\r\n".join(f"250{m}{t}" for m, t in zip(marks, lines, strict=True)))

    async def _helo(self, name: str) -> None:
        self._helo_name = name
        await self._say("250 {host}")

    async def _starttls(self, _: str) -> None:
        self._maybe_reset(Stage.STARTTLS)
        plan = self._plan.starttls
        if self._channel.in_tls:
            await self._say("554 5.5.1 Error: TLS already active")
            return
        if not plan.reply:
            await self._channel.hang()
        await self._channel.send(f"{plan.reply}\r\n{plan.trailing}".encode())
        if not plan.reply.startswith("220"):
            return
        await self._after_220()

    async def _after_220(self) -> None:
        plan = self._plan.starttls
        if plan.then is AfterReply.CLOSE:
            raise _End
        if plan.then is AfterReply.SILENCE:
            await self._channel.hang()
        if plan.then is AfterReply.GARBAGE:
            await self._channel.await_bytes()  # the client's first TLS record
            await self._channel.send(GARBAGE)
            raise _End
        if self._plan.reset_at is Stage.HANDSHAKE:
            await self._channel.await_bytes()
            self._maybe_reset(Stage.HANDSHAKE)
        await asyncio.sleep(plan.handshake_delay_s)
        await self._maybe_drop()
        await self._shake_hands()

    async def _maybe_drop(self) -> None:
        """Reset the connection where the client's hello is too long for the box in between."""
        limit = self._plan.drops_hello_over
        if limit and await self._channel.hello_bytes() > limit:
            self._channel.reset()
            raise _End

    async def _shake_hands(self) -> None:
        assert self._context is not None, "a plan that answers 220 needs its TlsPlan"
        problems: list[int] = []
        tls = None

        def begun(connection: SSL.Connection) -> None:
            nonlocal tls
            tls = connection
            connection.set_app_data(problems)

        try:
            tls = await self._channel.start_tls(
                self._context, keep_plaintext=self._plan.starttls.keeps_plaintext, begun=begun
            )
        except SSL.Error as error:
            self._record.handshake_error = str(error)
            raise _End from error
        finally:
            self._record.client_problems = tuple(problems)
            if tls is not None:
                self._note(tls)
        self._tls = tls
        self._sender, self._recipients = None, []

    async def _ask_late(self) -> None:
        """Ask for the client's certificate now, in a second handshake."""
        tls, wanted = self._tls, self._plan.tls.client if self._plan.tls else None
        if tls is None or wanted is None or not wanted.asks_late or self._asked_late:
            return
        self._asked_late = True
        mode = SSL.VERIFY_PEER
        mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT if wanted.required else 0
        tls.set_verify(mode, judge_by(wanted))
        try:
            await self._channel.shake_hands_again()
        except SSL.Error as error:
            self._record.handshake_error = str(error)
            raise _End from error
        self._note(tls)

    def _note(self, tls: SSL.Connection) -> None:
        certificate = tls.get_peer_certificate(as_cryptography=True)
        name = tls.get_servername()
        self._record.tls_version = tls.get_protocol_version_name()
        self._record.server_name = name.decode("ascii", "replace") if name else ""
        if certificate is not None:
            self._record.client_subject = certificate.subject.rfc4514_string()

    async def _auth(self, argument: str) -> None:
        account = self._plan.account
        mechanism, _, initial = argument.partition(" ")
        if account is None:
            await self._say("500 5.5.2 Error: command not recognized")
            return
        if mechanism.upper() not in account.mechanisms:
            await self._say("504 5.5.4 Error: mechanism not known")
            return
        if not self._channel.in_tls:
            await self._say("538 5.7.11 Error: encryption required")
            return
        if mechanism.upper() == "PLAIN":
            _, user, password = (_decoded(initial) + b"\0\0").split(b"\0")[:3]
        else:
            user, password = await self._asked("Username:"), await self._asked("Password:")
        if (user, password) != (account.user.encode(), account.password.encode()):
            told = password.decode("utf-8", "replace") if account.echoes else "failed"
            await self._say(f"535 5.7.8 Error: authentication {told}")
            return
        self._record.user = account.user
        await self._say("235 2.7.0 Authentication successful")

    async def _asked(self, question: str) -> bytes:
        """The answer to one question of AUTH LOGIN."""
        await self._say(f"334 {base64.b64encode(question.encode()).decode()}")
        return _decoded((await self._channel.line()).decode("ascii", "replace"))

    async def _mail(self, argument: str) -> None:
        self._maybe_reset(Stage.MAIL)
        await self._ask_late()
        account = self._plan.account
        if account and account.required and not self._record.user:
            await self._say("530 5.7.0 Authentication required")
        elif self._plan.demands_tls and not self._channel.in_tls:
            await self._say("530 5.7.0 Must issue a STARTTLS command first")
        elif self._channel.in_tls and self._wants(Refusal.AT_MAIL_530):
            await self._refuse(Refusal.AT_MAIL_530, "530 5.7.0 {why}")
        elif self._channel.in_tls and self._wants(Refusal.AT_MAIL_454):
            await self._refuse(Refusal.AT_MAIL_454, "454 4.7.0 {why}")
        elif self._plan.mail_reply:
            await self._say(self._plan.mail_reply)
        else:
            self._sender = _path(argument)
            await self._say("250 2.1.0 Ok")

    async def _rcpt(self, argument: str) -> None:
        if self._sender is None:
            await self._say("503 5.5.1 Error: need MAIL command")
            return
        if self._plan.rcpt_reply:
            await self._say(self._plan.rcpt_reply)
            return
        self._recipients.append(_path(argument))
        await self._say("250 2.1.5 Ok")

    async def _data(self, _: str) -> None:
        if self._sender is None or not self._recipients:
            await self._say("503 5.5.1 Error: need RCPT command")
            return
        self._maybe_hang_up(HangUp.AT_DATA)
        if self._plan.data_reply:
            await self._say(self._plan.data_reply)
            return
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        sender, recipients = self._sender, tuple(self._recipients)
        self._sender, self._recipients = None, []
        if self._too_large or self._plan.content_reply:
            await self._say(TOO_LARGE if self._too_large else self._plan.content_reply)
            return
        message = Message(
            sender,
            recipients,
            content,
            in_tls=self._channel.in_tls,
            client=self._record.client_subject,
            helo=self._helo_name,
            tls_version=self._record.tls_version,
        )
        if refusal := self._takes(message):
            await self._say(refusal)
            return
        self._record.messages.append(message)
        self._maybe_hang_up(HangUp.AFTER_CONTENT)
        await self._say("250 2.0.0 Ok: queued")

    async def _content(self) -> bytes:
        """The message up to the lone dot, which and its doubles are taken out (RFC 5321 §4.5.2)."""
        lines, size = [], 0
        while (line := await self._channel.line()) != b".":
            self._maybe_hang_up(HangUp.IN_CONTENT)
            size += len(line) + 2
            if size <= self._plan.largest:  # what is more is read, and kept by nobody
                lines.append(line.removeprefix(b"."))
        self._too_large = size > self._plan.largest
        return b"\r\n".join([*lines, b""])

    async def _rset(self, _: str) -> None:
        self._sender, self._recipients = None, []
        await self._say("250 2.0.0 Ok")

    async def _noop(self, _: str) -> None:
        await self._say("250 2.0.0 Ok")

    async def _quit(self, _: str) -> None:
        await self._say("221 2.0.0 Bye")
        raise _End

    def _wants(self, where: Refusal) -> bool:
        return bool(self._reason(where))

    def _reason(self, where: Refusal) -> str:
        """Why the client is refused at this place; "" if it is not."""
        wanted: ClientAuth | None = self._plan.tls.client if self._plan.tls else None
        if wanted is None or wanted.refusal is not where:
            return ""
        if not self._record.client_subject:
            return "No client certificate presented" if wanted.required else ""
        return "Client certificate not trusted" if self._record.client_problems else ""

    async def _refuse(self, where: Refusal, template: str, *, end: bool = False) -> None:
        why = self._reason(where)
        if not why:
            return
        await self._say(template.replace("{why}", why))
        if end:
            raise _End

    def _maybe_reset(self, stage: Stage) -> None:
        if self._plan.reset_at is stage:
            self._channel.reset()
            raise _End

    def _maybe_hang_up(self, where: HangUp) -> None:
        if self._plan.hangs_up is where:
            raise _End

    async def _say(self, text: str) -> None:
        await self._channel.send(text.replace("{host}", self._plan.host).encode() + b"\r\n")


def _path(argument: str) -> str:
    """The address in "FROM:<a@b> SIZE=1"."""
    return argument.partition("<")[2].partition(">")[0]


def _decoded(text: str) -> bytes:
    """What base64 stands for; nothing if it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
