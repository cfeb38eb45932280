"""One connection from TCP to QUIT, as facts. What a peer does never raises here."""

from __future__ import annotations

import asyncio
import datetime as dt

from incamail_lib.certificate import Credential
from incamail_lib.dialogue import (
    STEPS,
    Malformed,
    ReplyReader,
    capabilities_of,
    starttls_offer,
    why_refused,
)
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Purpose, Reply, SmtpFacts, Stage, Starttls, Target
from incamail_lib.printable import printable
from incamail_lib.probe.notes import Notes, not_tls
from incamail_lib.probe.settings import ProbeSettings
from incamail_lib.probe.tls import (
    TlsEnded,
    TlsFailure,
    TlsSession,
    TlsUnsupported,
    server_name_of,
)
from incamail_lib.probe.tls_pyopenssl import PyOpenSslSession
from incamail_lib.probe.tls_stdlib import StdlibSession
from incamail_lib.probe.wire import Ended, Wire

SMUGGLED = b"NOOP\r\n"
NO_SUCH_COMMAND = frozenset({500, 502})  # RFC 5321 §4.2.4: not recognised, not implemented
_BACKENDS: dict[str, type[PyOpenSslSession] | type[StdlibSession]] = {
    "pyopenssl": PyOpenSslSession,
    "ssl": StdlibSession,
}


async def converse(
    target: Target,
    purpose: Purpose,
    *,
    settings: ProbeSettings,
    credential: Credential | None = None,
    now: dt.datetime,
) -> SmtpFacts:
    """Talk to `target` once for `purpose`, bounded by `settings.limits`; no message is sent."""
    clock = asyncio.get_running_loop().time
    offered = credential.sha256 if credential else ""
    notes = Notes(purpose, server_name_of(target.host), offered, clock())
    with Wire(settings.limits.max_bytes) as wire:
        try:
            async with asyncio.timeout(settings.limits.total_s) as limit:
                await _Talk(target, settings, credential, wire, notes, limit).run()
        except TimeoutError:
            notes.ended(Reason.TIMEOUT, "")
        return notes.facts(now, ended_at=clock(), sent=wire.sent, received=wire.received)


class _Talk:
    """One dialogue while it runs.

    There is one time limit, moved forward from stage to stage: cheaper than one for each, and
    what was reached when it expires stands in the notes.
    """

    def __init__(
        self,
        target: Target,
        settings: ProbeSettings,
        credential: Credential | None,
        wire: Wire,
        notes: Notes,
        limit: asyncio.Timeout,
    ) -> None:
        self._target = target
        self._settings = settings
        self._credential = credential
        self._wire = wire
        self._notes = notes
        self._limit = limit
        self._clock = asyncio.get_running_loop().time
        self._last_moment = notes.started + settings.limits.total_s
        self._reader = ReplyReader()
        self._tls: TlsSession | None = None

    async def run(self) -> None:
        """All stages in order; the first that cannot be completed ends the dialogue."""
        try:
            await self._all_stages()
        except Ended as end:
            self._notes.ended(end.reason, end.evidence)
        except Malformed as wrong:
            self._notes.ended(wrong.reason, wrong.evidence)

    async def _all_stages(self) -> None:
        notes, limits = self._notes, self._settings.limits
        self._begin(Stage.CONNECT, limits.connect_s)
        await self._wire.connect(self._target.address, self._target.port)
        self._done()
        notes.greeting = await self._ask(Stage.GREETING, limits.greeting_s)
        self._accept(notes.greeting)
        if await self._say_hello() and await self._start_tls():
            await self._inside_tls()
        await self._goodbye()

    async def _say_hello(self) -> bool:
        """EHLO; whether the server has extensions, of which STARTTLS may be one.

        A server that does not know EHLO is not tried with HELO: HELO offers no STARTTLS.
        """
        notes = self._notes
        reply = await self._ask(Stage.EHLO, self._settings.limits.reply_s)
        if reply.code in NO_SUCH_COMMAND:
            notes.ehlo_refusal, notes.capabilities = reply, ()
            notes.starttls = Starttls.NOT_OFFERED
            return False
        self._accept(reply)
        notes.capabilities = capabilities_of(reply)
        return True

    async def _start_tls(self) -> bool:
        """STARTTLS; whether the handshake may begin."""
        notes = self._notes
        offer = starttls_offer(notes.greeting, notes.capabilities or ())
        if offer is not Starttls.ACCEPTED:
            notes.starttls = offer
            return False
        extra = SMUGGLED if notes.purpose is Purpose.INJECTION else b""
        reply = await self._ask(Stage.STARTTLS, self._settings.limits.reply_s, extra)
        notes.starttls_reply = reply
        if reply.code == 421:
            raise Ended(why_refused(reply), reply.text)
        if reply.code != STEPS[Stage.STARTTLS].completes:
            notes.starttls = Starttls.REFUSED
            return False
        notes.starttls, notes.reached = Starttls.ACCEPTED, Stage.STARTTLS
        # Plaintext behind the 220 was not protected by TLS: it is noted and never obeyed.
        notes.plaintext_after_starttls = printable(self._reader.drain().decode("utf-8", "replace"))
        return True

    async def _inside_tls(self) -> None:
        notes, limit_s = self._notes, self._settings.limits.reply_s
        await self._handshake()
        if notes.purpose is Purpose.LEGACY_TLS:
            return
        if notes.purpose is Purpose.INJECTION:
            await self._count_replies()
            return
        notes.reply_in_tls = await self._ask(Stage.EHLO_IN_TLS, limit_s)
        self._accept(notes.reply_in_tls)
        notes.capabilities_in_tls = capabilities_of(notes.reply_in_tls)
        if self._settings.ask_mail:
            notes.mail_reply = await self._ask(Stage.MAIL, limit_s)
            notes.reached = Stage.MAIL
            if notes.mail_reply.code == 421:
                raise Ended(why_refused(notes.mail_reply), notes.mail_reply.text)

    async def _handshake(self) -> None:
        """Our side of the handshake. In TLS 1.3 the server's verdict is still to come."""
        self._begin(Stage.HANDSHAKE, self._settings.limits.handshake_s)
        tls, first = self._session(), b""
        self._notes.tls = tls.seen
        try:
            while not tls.handshake():
                await self._flush(tls)
                data = await self._received()
                first = first or data
                tls.feed(data)
            await self._flush(tls)
        except TlsFailure as failure:
            await self._flush(tls)  # the alert of our own side, so that the server knows too
            if not first:
                raise Ended(Reason.UNSUPPORTED, str(failure)) from None
            raise self._failed(failure, not_tls(first)) from None
        finally:
            tls.note_handshake()
        self._notes.established = True
        self._tls, self._reader = tls, ReplyReader()
        self._done()

    def _session(self) -> TlsSession:
        """Our side of TLS, not begun. Errors: Ended where our library cannot do it."""
        legacy = self._notes.purpose is Purpose.LEGACY_TLS
        backend = _BACKENDS[self._settings.backend]
        try:
            return backend(self._notes.server_name, self._credential, legacy)
        except TlsUnsupported as error:
            raise Ended(Reason.UNSUPPORTED, str(error)) from None

    async def _count_replies(self) -> None:
        """Replies before the one to QUIT: a second one answers what was smuggled in before TLS."""
        notes, limit_s = self._notes, self._settings.limits.reply_s
        replies = [await self._ask(Stage.EHLO_IN_TLS, limit_s)]
        self._begin(Stage.EHLO_IN_TLS, limit_s, "QUIT")
        await self._transmit(b"QUIT\r\n")
        try:
            while (reply := await self._reply()).code not in (221, 421):
                replies.append(reply)
        finally:
            notes.tls_replies = len(replies)
            notes.injected_reply = replies[0] if len(replies) > 1 else None
        if reply.code == 421:  # perhaps to EHLO, and what came before answered the smuggled bytes
            raise Ended(why_refused(reply), reply.text)
        self._done(reply)
        notes.stage = notes.reached = Stage.QUIT

    async def _goodbye(self) -> None:
        """QUIT is sent for politeness; waiting for its answer must not hold anybody up."""
        before = self._notes.stage
        if before is Stage.QUIT:
            return
        command = "RSET\r\nQUIT" if before is Stage.MAIL else "QUIT"
        self._begin(Stage.QUIT, self._settings.limits.goodbye_s, command.replace("\r\n", "\n"))
        await self._transmit(f"{command}\r\n".encode())
        while (reply := await self._reply()).code != STEPS[Stage.QUIT].completes:
            continue
        self._done(reply)

    def _begin(self, stage: Stage, limit_s: float, sent: str = "") -> None:
        now = self._clock()
        self._limit.reschedule(min(now + limit_s, self._last_moment))
        self._notes.begin(stage, now, sent)

    def _done(self, reply: Reply | None = None) -> None:
        """What the stage waited for has come; a reply may still be the wrong one."""
        self._notes.done(self._clock(), reply)
        if reply is None or self._notes.stage is Stage.QUIT:
            self._notes.reached = self._notes.stage

    async def _ask(self, stage: Stage, limit_s: float, extra: bytes = b"") -> Reply:
        """Send the stage's command and wait for one reply."""
        command = STEPS[stage].command.format(name=self._settings.ehlo_name)
        self._begin(stage, limit_s, command)
        if command:
            await self._transmit(command.encode() + b"\r\n" + extra)
        reply = await self._reply()
        self._done(reply)
        return reply

    def _accept(self, reply: Reply) -> None:
        if reply.code != STEPS[self._notes.stage].completes:
            raise Ended(why_refused(reply), reply.text)
        self._notes.reached = self._notes.stage

    async def _transmit(self, data: bytes) -> None:
        if self._tls is None:
            await self._wire.send(data)
            return
        try:
            self._tls.write(data)
        except TlsFailure as failure:
            raise self._failed(failure) from None
        await self._flush(self._tls)

    async def _flush(self, tls: TlsSession) -> None:
        if data := tls.pending():
            await self._wire.send(data)

    async def _reply(self) -> Reply:
        while (reply := self._reader.next()) is None:
            self._reader.feed(
                await self._decrypted(self._tls) if self._tls else await self._received()
            )
        return reply

    async def _received(self) -> bytes:
        """The next bytes from the peer. Errors: Ended when there are none any more."""
        data = await self._wire.receive()
        if not data:
            raise self._over()
        return data

    async def _decrypted(self, tls: TlsSession) -> bytes:
        try:
            while not (data := tls.read()):
                tls.feed(await self._received())
                await self._flush(tls)
        except TlsFailure as failure:
            raise self._failed(failure) from None
        except TlsEnded:
            raise self._over() from None
        return data

    def _over(self) -> Ended:
        """The peer is gone; an alert seen before tells why."""
        alert = self._notes.alerted()
        return Ended(Reason.ALERT, alert) if alert else Ended(self._wire.gone)

    def _failed(self, failure: TlsFailure, instead: str = "") -> Ended:
        """TLS broke: by an alert, or by bytes that are no TLS."""
        self._notes.tls_error = str(failure)
        alert = self._notes.alerted()
        if alert:
            return Ended(Reason.ALERT, alert)
        return Ended(Reason.PROTOCOL_ERROR, f"{failure} {instead}".strip())
