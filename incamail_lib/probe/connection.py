"""One connection from TCP to QUIT, as facts. What a peer does never raises here."""

from __future__ import annotations

import asyncio
import datetime as dt

from incamail_lib.certificate import Credential
from incamail_lib.facts.ehlo import offers
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Purpose, Reply, SmtpFacts, Stage, Starttls, Target
from incamail_lib.printable import printable
from incamail_lib.probe.at_once import AT_ONCE_PORT, SMTP_PORT, is_tls, spoken_at_once
from incamail_lib.probe.dialogue import (
    STEPS,
    Malformed,
    ReplyReader,
    capabilities_of,
    starttls_offer,
    why_refused,
)
from incamail_lib.probe.hello import OldHello
from incamail_lib.probe.notes import Notes
from incamail_lib.probe.settings import ProbeSettings
from incamail_lib.probe.stream import Stream
from incamail_lib.probe.tls import USUAL, Offer, TlsSession, TlsUnsupported, server_name_of
from incamail_lib.probe.tls_pyopenssl import PyOpenSslSession
from incamail_lib.probe.tls_stdlib import StdlibSession
from incamail_lib.probe.wire import Ended, Wire

SMUGGLED = b"NOOP\r\n"
NO_SUCH_COMMAND = frozenset({500, 502})  # RFC 5321 §4.2.4: not recognised, not implemented
OLD_VERSIONS = {Purpose.LEGACY_TLS: 0x0302, Purpose.LEGACY_TLS_1_0: 0x0301}
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
    offer: Offer = USUAL,
    now: dt.datetime,
) -> SmtpFacts:
    """Talk to `target` once for `purpose`, bounded by `settings.limits`; no message is sent."""
    clock = asyncio.get_running_loop().time
    offered = credential.sha256 if credential else ""
    notes = Notes(purpose, server_name_of(target.host), offered, clock())
    with Wire(settings.limits.max_bytes) as wire:
        talk = _Talk(target, settings, credential, wire, notes, offer)
        await wire.drive(talk.run())
        talk.stream.note_end()
        return notes.facts(now, ended_at=clock(), sent=wire.sent, received=wire.received)


class _Talk:
    """One dialogue while it runs.

    There is one time limit, the wire's, moved forward from stage to stage: cheaper than one for
    each, and what was reached when it expires stands in the notes.
    """

    def __init__(
        self,
        target: Target,
        settings: ProbeSettings,
        credential: Credential | None,
        wire: Wire,
        notes: Notes,
        offer: Offer,
    ) -> None:
        self._target = target
        self._settings = settings
        self._credential = credential
        self._wire = wire
        self._notes = notes
        self._offer = offer
        self._clock = asyncio.get_running_loop().time
        self._last_moment = self._limit = notes.started + settings.limits.total_s
        self._reader = ReplyReader()
        self.stream = Stream(wire, notes)

    async def run(self) -> None:
        """All stages in order; the first that cannot be completed ends the dialogue."""
        try:
            await self._all_stages()
        except Ended as end:
            self._notes.ended(end.reason, end.evidence)
        except Malformed as wrong:
            self._notes.ended(wrong.reason, wrong.evidence)
        except TimeoutError:
            self._notes.ended(Reason.TIMEOUT, "")

    async def _all_stages(self) -> None:
        notes, limits = self._notes, self._settings.limits
        self._begin(Stage.CONNECT, limits.connect_s)
        await self._wire.connect(self._target.address, self._target.port)
        self._done()
        notes.greeting = await self._greeting()
        self._accept(notes.greeting)
        if await self._say_hello() and await self._start_tls():
            await self._inside_tls()
        if notes.purpose not in OLD_VERSIONS or notes.starttls is not Starttls.ACCEPTED:
            await self._goodbye()

    async def _greeting(self) -> Reply:
        """The first reply. A port that says nothing may wait for TLS: that is looked after once,
        on a second connection, and never on port 25, where nobody may speak first."""
        limits, port = self._settings.limits, self._target.port
        self._begin(Stage.GREETING, limits.greeting_s)
        if self._notes.purpose is Purpose.SURVEY and port != SMTP_PORT:
            # Both waits leave a third of the time for a greeting that is only late.
            third_s = limits.greeting_s / 3
            if await self._is_silent(min(third_s, 1.0 if port == AT_ONCE_PORT else 10.0)):
                longest_s = min(third_s, 5.0, self._limit - self._clock())
                second = spoken_at_once(self._target, limits.max_bytes, longest_s)
                answer = await self._wire.aside(second)
                if answer:
                    raise Ended(Reason.TLS_AT_ONCE, answer)
        reply = await self._reply()
        self._done(reply)
        return reply

    async def _is_silent(self, patience_s: float) -> bool:
        patient_until = self._clock() + patience_s
        self._wire.until(min(patient_until, self._limit))
        try:
            data = await self.stream.receive()
        except TimeoutError:
            if patient_until >= self._limit:
                raise
            return True
        finally:
            self._wire.until(self._limit)
        if is_tls(data):
            raise Ended(Reason.TLS_AT_ONCE, "")
        self._reader.feed(data)
        return False

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
        notes, limits = self._notes, self._settings.limits
        self._begin(Stage.HANDSHAKE, limits.handshake_s)
        await self.stream.shake_hands(self._session())
        self._reader = ReplyReader()
        self._done()
        if notes.purpose in OLD_VERSIONS or notes.purpose is Purpose.OTHER_KEY:
            return
        if notes.purpose is Purpose.INJECTION:
            await self._count_replies()
            return
        notes.reply_in_tls = await self._ask(Stage.EHLO_IN_TLS, limits.reply_s)
        self._accept(notes.reply_in_tls)
        notes.capabilities_in_tls = capabilities_of(notes.reply_in_tls)
        if self._settings.ask_mail:
            await self._ask_for_mail()

    async def _ask_for_mail(self) -> None:
        """MAIL, and the postmaster where the operator wants it; a message never follows."""
        stages = (Stage.MAIL, Stage.RCPT) if self._settings.ask_postmaster else (Stage.MAIL,)
        for stage in stages:
            if self._reader.leftover:  # a reply that came before the command answers nothing
                self._begin(stage, self._settings.limits.reply_s)
                raise Ended(Reason.PROTOCOL_ERROR, self._reader.leftover.decode("utf-8", "replace"))
            reply = await self._ask(stage, self._settings.limits.reply_s)
            self._notes.reached = stage
            self._notes.note_reply(stage, reply)
            if reply.code == 421:
                raise Ended(why_refused(reply), reply.text)
            if reply.code != STEPS[stage].completes:
                return

    def _session(self) -> TlsSession:
        """Our side of TLS, not begun. Errors: Ended where our library cannot do it."""
        name, purpose = self._notes.server_name, self._notes.purpose
        if purpose in OLD_VERSIONS:
            return OldHello(name, OLD_VERSIONS[purpose])
        try:
            return _BACKENDS[self._settings.backend](name, self._credential, self._offer)
        except TlsUnsupported as error:
            raise Ended(Reason.UNSUPPORTED, str(error)) from None

    async def _count_replies(self) -> None:
        """Replies before the one to QUIT: a second one answers what was smuggled in before TLS.

        Only where the goodbye came to its end, so that no other reply is taken for it; and only
        250, which is what the smuggled command gets (RFC 5321 §4.1.1.9): some servers greet again.
        """
        notes, limit_s = self._notes, self._settings.limits.reply_s
        replies = [await self._ask(Stage.EHLO_IN_TLS, limit_s)]
        self._begin(Stage.EHLO_IN_TLS, limit_s, "QUIT")
        await self.stream.send(b"QUIT\r\n")
        while (reply := await self._reply()).code not in (221, 421):
            replies.append(reply)
        notes.tls_replies = len(replies)
        if len(replies) > 1 and replies[0].code == 250:
            notes.injected_reply = replies[0]
        if reply.code == 421:  # perhaps to EHLO, and what came before answered the smuggled bytes
            raise Ended(why_refused(reply), reply.text)
        self._done(reply)
        notes.stage = notes.reached = Stage.QUIT

    async def _goodbye(self) -> None:
        """QUIT is sent for politeness; waiting for its answer must not hold anybody up.

        Both commands in one packet only where the server offers that (RFC 2920 §3): to others it
        is the mark of a spammer.
        """
        notes, before, last = self._notes, self._notes.stage, None
        if before is Stage.QUIT:
            return
        self.stream.note_end()
        notes.freeze_tls()
        command = "QUIT"
        if before in (Stage.MAIL, Stage.RCPT):
            piped = offers(notes.capabilities_in_tls or (), "PIPELINING")
            await self._part("RSET\r\nQUIT" if piped else "RSET")
            notes.done(self._clock(), await self._reply_to_reset(before))
            command = "" if piped else command
        if command:
            await self._part(command)
        while (reply := await self._reply()).code != STEPS[Stage.QUIT].completes:
            last = reply
        self._done(reply)
        if last is not None and notes.reply_in_tls is not None:
            self._out_of_step(before, last)

    async def _reply_to_reset(self, before: Stage) -> Reply:
        """RSET always gets 250 (RFC 5321 §4.1.1.5): anything else answers the command before."""
        notes, reply = self._notes, await self._reply()
        let_on = all(r.code < 300 for r in (notes.mail_reply, notes.rcpt_reply) if r)
        if let_on and reply.code not in (250, 421):
            self._out_of_step(before, reply)
        return reply

    def _out_of_step(self, before: Stage, reply: Reply) -> None:
        self._notes.out_of_step(before)
        raise Ended(Reason.PROTOCOL_ERROR, reply.text)

    async def _part(self, command: str) -> None:
        """Send a command of the goodbye."""
        limit_s = self._settings.limits.goodbye_s
        self._begin(Stage.QUIT, limit_s, command.replace("\r\n", "\n"))
        await self.stream.send(f"{command}\r\n".encode())

    def _begin(self, stage: Stage, limit_s: float, sent: str = "") -> None:
        now = self._clock()
        self._limit = min(now + limit_s, self._last_moment)
        self._wire.until(self._limit)
        self._notes.begin(stage, now, sent)

    def _done(self, reply: Reply | None = None) -> None:
        """What the stage waited for has come; a reply may still be the wrong one."""
        self._notes.done(self._clock(), reply)
        if reply is None or self._notes.stage is Stage.QUIT:
            self._notes.reached = self._notes.stage

    async def _ask(self, stage: Stage, limit_s: float, extra: bytes = b"") -> Reply:
        """Send the stage's command and wait for one reply."""
        command = STEPS[stage].command.format(
            name=self._settings.ehlo_name or self._wire.own_literal,
            domain=self._settings.ask_postmaster,
        )
        self._begin(stage, limit_s, command)
        await self.stream.send(command.encode() + b"\r\n" + extra)
        reply = await self._reply()
        self._done(reply)
        return reply

    def _accept(self, reply: Reply) -> None:
        if reply.code != STEPS[self._notes.stage].completes:
            raise Ended(why_refused(reply), reply.text)
        self._notes.reached = self._notes.stage

    async def _reply(self) -> Reply:
        while (reply := self._reader.next()) is None:
            self._reader.feed(await self.stream.receive())
        return reply
