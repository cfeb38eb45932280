"""A mail server of the lab that passes on what it took, once, and keeps a log of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path

from incamail_lib.facts.delivery import Delivery, DeliveryOutcome, TlsUse
from incamail_lib.i18n import Text, say
from incamail_lib.lab.mailbox import message_id_of
from incamail_lib.lab.message import Message, Taker, keeps
from incamail_lib.linktest.handing import Order, hand_over
from incamail_lib.linktest.server import Mta, SendLimits
from incamail_lib.linktest.words import outcome_text

LOOPBACK = "127.0.0.1"
MOST_RECIPIENTS = 100
MOST_LINES = 1000  # of the log
LIMITS = SendLimits(connect_s=5.0, reply_s=5.0, total_s=15.0)


@dataclass(frozen=True)
class Way:
    """One host that mail is handed to, and how."""

    host: str  # what its certificate must prove, where that is asked
    port: int
    tls: TlsUse = TlsUse.REQUIRED
    verify: bool = True


@dataclass(frozen=True)
class NoWay:
    """Nowhere to hand a message to, and why."""

    why: Text


Found = Sequence[Way] | NoWay | None
"""The ways in the order in which they are tried; None: the mailbox is here."""
Decides = Callable[[Message, str], Awaitable[tuple[Found, str]]]
"""Where a message goes for one recipient, and to which address from there."""


@dataclass(frozen=True)
class LogLine:
    """One try of one server to pass a message on."""

    server: str
    message_id: str
    recipient: str
    text: Text
    delivery: Delivery | None = None  # None: there was no host to ask

    @property
    def passed_on(self) -> bool:
        """Whether the next server took it."""
        return self.delivery is not None and self.delivery.outcome is DeliveryOutcome.ACCEPTED


@dataclass(frozen=True)
class Identity:
    """What a server shows as client, and whom it believes."""

    roots: Path
    certificate: Path | None = None
    key: Path | None = None
    passphrase: str = field(default="", repr=False)

    def context(self, *, verify: bool) -> ssl.SSLContext:
        """TLS as a mail server does it: every key that loads is shown, and no rule of our own day
        is added to what the other side judges."""
        context = ssl.create_default_context(cafile=self.roots)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.certificate is not None:
            # A file that does not load leaves a server without a certificate, as Postfix is then.
            with suppress(ssl.SSLError, OSError):
                context.load_cert_chain(
                    self.certificate, self.key, password=lambda: self.passphrase
                )
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass
class Queue:
    """What the servers of one lab are passing on at the moment, and what they noted."""

    heard: Callable[[LogLine], None] = lambda _: None
    log: list[LogLine] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, work: Awaitable[None]) -> None:
        """Let one message travel on by itself."""
        task = asyncio.ensure_future(_awaited(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def note(self, line: LogLine) -> None:
        """Write a line into the log; the oldest go."""
        self.log = [*self.log, line][-MOST_LINES:]
        self.heard(line)

    async def settled(self) -> None:
        """Wait until nothing travels any more; each hand-over has its own limit."""
        while running := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(running)
        for task in self._tasks:  # what stayed had an error that is ours
            task.result()

    async def stop(self) -> None:
        """Let everything drop that is still on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)


@dataclass(frozen=True)
class Forwarder:
    """One server behind its listener."""

    name: str
    identity: Identity
    queue: Queue
    decides: Decides
    delivers: Callable[[bytes, str, str], None]  # content, sender, recipient: into a mailbox here
    refuses: Taker = keeps

    def take(self, message: Message) -> str:
        """Take charge of a message, which is passed on behind the reply to the client; or the
        reply that refuses it."""
        if len(message.recipients) > MOST_RECIPIENTS:
            return "452 4.5.3 Error: too many recipients"
        if not all(_is_plain(address) for address in (message.sender, *message.recipients)):
            return "553 5.1.3 Error: address not taken"
        if refusal := self.refuses(message):
            return refusal
        for recipient in message.recipients:
            self.queue.begin(self._pass_on(message, recipient))
        return ""

    async def _pass_on(self, message: Message, recipient: str) -> None:
        content = received(message, self.name, recipient) + message.content
        found, onward = await self.decides(message, recipient)
        if found is None:
            self.delivers(content, message.sender, onward)
        elif isinstance(found, NoWay):
            why = say(
                "{server} knows no way for {recipient}: {why}.",
                server=self.name,
                recipient=recipient,
                why=found.why,
            )
            self._note(message, recipient, why)
        else:
            await self._try(message, onward, content, found)

    async def _try(
        self, message: Message, recipient: str, content: bytes, ways: Sequence[Way]
    ) -> None:
        """One host after the other, until one takes it or refuses it for good."""
        for way in ways:
            server = Mta(
                LOOPBACK,
                way.port,
                starttls=way.tls,
                name=way.host,
                ehlo_name=self.name,
                verify=way.verify,
                only_here=True,
            )
            context = None
            if way.tls is not TlsUse.OFF:
                context = self.identity.context(verify=way.verify)
            order = Order(
                content,
                message.sender,
                recipient,
                server,
                context,
                message_id=message_id_of(message.content),
            )
            done = (await hand_over(order, LIMITS)).model_copy(update={"server": way.host})
            self._note(message, recipient, _told(done), done)
            if done.outcome in (DeliveryOutcome.ACCEPTED, DeliveryOutcome.REFUSED):
                return

    def _note(
        self, message: Message, recipient: str, text: Text, delivery: Delivery | None = None
    ) -> None:
        identity = message_id_of(message.content)
        self.queue.note(LogLine(self.name, identity, recipient, text, delivery))


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _told(delivery: Delivery) -> Text:
    """One hand-over between servers, as a log has it."""
    if delivery.outcome is DeliveryOutcome.ACCEPTED:
        return say(
            "{server} took the message for {recipient}.",
            server=delivery.server,
            recipient=delivery.recipient,
        )
    return outcome_text(delivery)


def _is_plain(address: str) -> bool:
    """Whether it can stand in a command as it is; the sender of a notice is empty."""
    return address.isascii() and address.isprintable() and not set(address) & set(" <>")


def received(message: Message, by: str, recipient: str) -> bytes:
    """The line that a server writes above a message that it took (RFC 5321 §4.4)."""
    version = message.tls_version.replace("v", "") if message.in_tls else ""
    with_ = f"ESMTPS ({version})" if version else "ESMTP"
    lines = (
        f"Received: from {_word(message.helo)} ([{LOOPBACK}])",
        f" by {by} with {with_} id {secrets.token_hex(6)}",
        f" for <{recipient}>; {format_datetime(dt.datetime.now(dt.UTC))}",
        "",
    )
    return "\r\n".join(lines).encode("utf-8", "replace")


def _word(helo: str) -> str:
    """A greeting as one word: it is the client's, and may hold anything."""
    return "".join(c for c in helo if c.isascii() and (c.isalnum() or c in ".-_[]:"))[:255] or "-"
