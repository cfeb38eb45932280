"""One connection from TCP to QUIT, as facts. What a peer does never raises here."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from incamail_lib.certificate import Credential, link, read_certificate
from incamail_lib.dialogue import (
    STEPS,
    Malformed,
    ReplyReader,
    capabilities_of,
    speaks_of_certificate,
    starttls_offer,
    why_refused,
)
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    Alert,
    Exchange,
    Purpose,
    Reply,
    SmtpFacts,
    Stage,
    Starttls,
    Target,
    TlsFacts,
)
from incamail_lib.printable import printable
from incamail_lib.probe.settings import ProbeSettings
from incamail_lib.probe.tls import ABOUT_CERTIFICATE, ALERTS, TlsEnded, TlsFailure, TlsSession
from incamail_lib.probe.tls_pyopenssl import PyOpenSslSession
from incamail_lib.probe.tls_stdlib import StdlibSession
from incamail_lib.probe.wire import Ended, Wire

SMUGGLED = b"NOOP\r\n"


async def converse(
    target: Target,
    purpose: Purpose,
    *,
    settings: ProbeSettings,
    credential: Credential | None = None,
    now: dt.datetime,
) -> SmtpFacts:
    """Talk to `target` once for `purpose`, bounded by `settings.limits`; no message is sent."""
    with Wire(settings.limits.max_bytes) as wire:
        talk = _Talk(target, purpose, settings, credential, wire)
        try:
            async with asyncio.timeout(settings.limits.total_s):
                await talk.run()
        except TimeoutError:
            talk.ended(Reason.TIMEOUT, "")
        return talk.facts(now)


@dataclass
class _Talk:
    """The state of one dialogue while it runs."""

    target: Target
    purpose: Purpose
    settings: ProbeSettings
    credential: Credential | None = field(repr=False)
    wire: Wire
    started: float = field(default_factory=time.perf_counter)
    stage: Stage = Stage.CONNECT
    reached: Stage | None = None
    reason: Reason = Reason.SEEN
    evidence: str = ""
    reader: ReplyReader = field(default_factory=ReplyReader)
    tls: TlsSession | None = None
    established: bool = False
    tls_error: str = ""
    alert_stage: Stage | None = None
    got: dict[str, Any] = field(default_factory=dict)
    transcript: list[Exchange] = field(default_factory=list)

    async def run(self) -> None:
        """All stages in order; the first that cannot be completed ends the dialogue."""
        try:
            await self._all_stages()
        except Ended as end:
            self.ended(end.reason, end.evidence)
        except Malformed as wrong:
            self.ended(wrong.reason, wrong.evidence)

    def ended(self, reason: Reason, evidence: str) -> None:
        """Note why the dialogue is over; how the goodbye went is of no interest."""
        if self.stage is not Stage.QUIT:
            self.reason, self.evidence = reason, printable(evidence)

    async def _all_stages(self) -> None:
        limits = self.settings.limits
        async with self._timed(Stage.CONNECT, limits.connect_s):
            await self.wire.connect(self.target.address, self.target.port)
        self.got["greeting"] = await self._ask(Stage.GREETING, limits.greeting_s)
        self._accept(Stage.GREETING, self.got["greeting"])
        reply = await self._ask(Stage.EHLO, limits.reply_s)
        self._accept(Stage.EHLO, reply)
        self.got["capabilities"] = capabilities_of(reply)
        if await self._start_tls():
            await self._inside_tls()
        await self._goodbye()

    async def _start_tls(self) -> bool:
        """STARTTLS; whether the handshake may begin."""
        offer = starttls_offer(self.got["greeting"], self.got["capabilities"])
        self.got["starttls"] = offer
        if offer is not Starttls.ACCEPTED:
            return False
        self.got["starttls"] = Starttls.UNKNOWN
        extra = SMUGGLED if self.purpose is Purpose.INJECTION else b""
        reply = await self._ask(Stage.STARTTLS, self.settings.limits.reply_s, extra)
        self.got["starttls_reply"] = reply
        if reply.code == 421:
            raise Ended(why_refused(reply), reply.text)
        if reply.code != STEPS[Stage.STARTTLS].completes:
            self.got["starttls"] = Starttls.REFUSED
            return False
        self.got["starttls"] = Starttls.ACCEPTED
        self.reached = Stage.STARTTLS
        # Plaintext behind the 220 was not protected by TLS: it is noted and never obeyed.
        self.got["plaintext_after_starttls"] = printable(
            self.reader.drain().decode("utf-8", "replace")
        )
        return True

    async def _inside_tls(self) -> None:
        backend = PyOpenSslSession if self.settings.backend == "pyopenssl" else StdlibSession
        legacy = self.purpose is Purpose.LEGACY_TLS
        self.tls = backend(self.target.host, self.credential, legacy)
        async with self._timed(Stage.HANDSHAKE, self.settings.limits.handshake_s):
            await self._handshake(self.tls)
        self.reader = ReplyReader()
        if legacy:
            return
        if self.purpose is Purpose.INJECTION:
            await self._count_replies()
            return
        reply = await self._ask(Stage.EHLO_IN_TLS, self.settings.limits.reply_s)
        self.got["ehlo_in_tls_reply"] = reply
        self._accept(Stage.EHLO_IN_TLS, reply)
        self.got["capabilities_in_tls"] = capabilities_of(reply)
        if self.settings.ask_mail:
            self.got["mail_reply"] = await self._ask(Stage.MAIL, self.settings.limits.reply_s)
            self.reached = Stage.MAIL

    async def _handshake(self, tls: TlsSession) -> None:
        """Our side of the handshake. In TLS 1.3 the server's verdict is still to come."""
        try:
            while not tls.handshake():
                await self._flush(tls)
                data = await self._received()
                if not data:
                    raise Ended(*self._closed())
                tls.feed(data)
            await self._flush(tls)
        except TlsFailure as failure:
            await self._last_words(tls)
            raise self._tls_end(failure) from None
        finally:
            tls.note_handshake()
        self.established = True

    async def _last_words(self, tls: TlsSession) -> None:
        """Send the alert that our own side may have produced, so that the server knows too."""
        try:
            await self.wire.send(tls.pending())
        except (TlsFailure, OSError):
            return

    async def _count_replies(self) -> None:
        """Replies before the one to QUIT: a second one answers what was smuggled in before TLS."""
        limit = self.settings.limits.reply_s
        replies = [await self._ask(Stage.EHLO_IN_TLS, limit)]
        try:
            async with self._timed(Stage.EHLO_IN_TLS, limit, "QUIT"):
                await self._transmit(b"QUIT\r\n")
                while (reply := await self._reply()).code not in (221, 421):
                    replies.append(reply)
        finally:
            self.got["tls_replies"] = len(replies)
            if len(replies) > 1:
                self.got["injected_reply"] = replies[0]
        self.stage = self.reached = Stage.QUIT

    async def _goodbye(self) -> None:
        """QUIT is sent for politeness; waiting for its answer must not hold anybody up."""
        if self.stage is Stage.QUIT:
            return
        before, self.stage = self.stage, Stage.QUIT
        command = b"RSET\r\nQUIT\r\n" if before is Stage.MAIL else b"QUIT\r\n"
        try:
            async with asyncio.timeout(self.settings.limits.goodbye_s):
                await self._transmit(command)
                while (await self._reply()).code != STEPS[Stage.QUIT].completes:
                    continue
        except (TimeoutError, Ended, Malformed):
            return
        self.reached = Stage.QUIT

    def _accept(self, stage: Stage, reply: Reply) -> None:
        if reply.code != STEPS[stage].completes:
            raise Ended(why_refused(reply), reply.text)
        self.reached = stage

    async def _ask(self, stage: Stage, limit_s: float, extra: bytes = b"") -> Reply:
        """Send the stage's command and wait for one reply."""
        command = STEPS[stage].command.format(name=self.settings.ehlo_name)
        async with self._timed(stage, limit_s, command):
            if command:
                await self._transmit(command.encode() + b"\r\n" + extra)
            reply = await self._reply()
            self.transcript[-1] = replace_received(self.transcript[-1], reply)
        return reply

    @asynccontextmanager
    async def _timed(self, stage: Stage, limit_s: float, sent: str = "") -> AsyncIterator[None]:
        self.stage = stage
        begun = time.perf_counter()
        self.transcript.append(
            Exchange(stage=stage, sent=sent, at_s=begun - self.started, elapsed_s=0.0)
        )
        place = len(self.transcript) - 1
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            raise Ended(Reason.TIMEOUT, "") from None
        finally:
            elapsed = time.perf_counter() - begun
            self.transcript[place] = self.transcript[place].model_copy(
                update={"elapsed_s": round(elapsed, 6)}
            )
        if stage in (Stage.CONNECT, Stage.HANDSHAKE):
            self.reached = stage

    async def _transmit(self, data: bytes) -> None:
        if self.tls is None:
            try:
                await self.wire.send(data)
            except ConnectionError:
                # What the server said before it closed is the answer.
                self.reader.feed(self.wire.drain())
            return
        try:
            self.tls.write(data)
            await self._flush(self.tls)
        except TlsFailure as failure:
            raise self._tls_end(failure) from None

    async def _flush(self, tls: TlsSession) -> None:
        """Send what TLS has ready. A reset here hides the alert: drain the socket first."""
        while data := tls.pending():
            try:
                await self.wire.send(data)
            except ConnectionError:
                tls.feed(self.wire.drain())
                return

    async def _received(self) -> bytes:
        try:
            return await self.wire.receive()
        except ConnectionError:
            return self.wire.drain()

    async def _reply(self) -> Reply:
        while (reply := self.reader.next()) is None:
            self.reader.feed(await self._plain_bytes())
        return reply

    async def _plain_bytes(self) -> bytes:
        """The next bytes of the dialogue, decrypted where TLS is on."""
        if self.tls is None:
            try:
                data = await self.wire.receive()
            except ConnectionError:
                raise Ended(Reason.RESET) from None
            if not data:
                raise Ended(Reason.CLOSED)
            return data
        try:
            while not (data := self.tls.read()):
                raw = await self._received()
                if not raw:
                    raise Ended(*self._closed())
                self.tls.feed(raw)
                await self._flush(self.tls)
        except TlsFailure as failure:
            raise self._tls_end(failure) from None
        except TlsEnded:
            raise Ended(*self._closed()) from None
        return data

    def _closed(self) -> tuple[Reason, str]:
        """The peer is gone; an alert seen before tells why."""
        alert = self.tls.seen.alert if self.tls else None
        if alert is None:
            return Reason.CLOSED, ""
        self.alert_stage = self.stage
        return Reason.ALERT, _alert_words(alert)

    def _tls_end(self, failure: TlsFailure) -> Ended:
        self.tls_error = str(failure)
        reason, evidence = self._closed()
        if reason is Reason.ALERT:
            return Ended(reason, evidence)
        closed = self.tls_error in ("closed", "Unexpected EOF")
        return Ended(Reason.CLOSED if closed else Reason.PROTOCOL_ERROR, self.tls_error)

    def facts(self, now: dt.datetime) -> SmtpFacts:
        """Everything seen, as a value."""
        told = {k: v for k, v in self.got.items() if k not in ("ehlo_in_tls_reply", "tls_replies")}
        return SmtpFacts(
            purpose=self.purpose,
            started_at=now,
            elapsed_s=round(time.perf_counter() - self.started, 6),
            reached=self.reached,
            ended=self.reason,
            ended_in=self.stage,
            evidence=self.evidence,
            tls=self._tls_facts(),
            tls_replies=self.got.get("tls_replies", 0),
            bytes_sent=self.wire.sent,
            bytes_received=self.wire.received,
            transcript=tuple(self.transcript),
            **told,
        )

    def _tls_facts(self) -> TlsFacts | None:
        if self.tls is None:
            return None
        seen = self.tls.seen
        chain = tuple(read_certificate(der) for der in seen.chain)
        group = seen.group
        return TlsFacts(
            established=self.established,
            version=seen.version if self.established else "",
            cipher=seen.cipher,
            cipher_bits=seen.cipher_bits,
            group=group,
            post_quantum=("MLKEM" in group.upper() or "KYBER" in group.upper()) if group else None,
            server_name=self.target.host,
            chain=chain,
            links=link(chain) if chain else None,
            certificate_requested=self._requested(),
            acceptable_cas=seen.acceptable_cas if seen.certificate_requested else (),
            offered_certificate=self.credential.sha256 if self.credential else "",
            accepted=self._accepted(),
            alert=self._alert(),
            error=self.tls_error,
        )

    def _alert(self) -> Alert | None:
        number = self.tls.seen.alert if self.tls else None
        if number is None:
            return None
        name = ALERTS.get(number, "unknown")
        return Alert(number=number, name=name, stage=self.alert_stage or self.stage)

    def _requested(self) -> Observation:
        assert self.tls is not None
        if self.tls.seen.certificate_requested:
            return yes()
        if self.established:
            return no()
        return inconclusive(Reason.NOT_REACHED, self.evidence)

    def _accepted(self) -> Observation:
        """Whether the server let us in. In TLS 1.3 only the EHLO reply tells."""
        assert self.tls is not None
        reply = self.got.get("ehlo_in_tls_reply")
        if reply is not None:
            return self._accepted_by(reply)
        if self.reason is Reason.ALERT and self.tls.seen.alert in ABOUT_CERTIFICATE:
            # Without a request no certificate was at issue: 40 then means no common ground.
            if self.tls.seen.certificate_requested:
                return no(Reason.ALERT, self.evidence)
            return inconclusive(Reason.ALERT, self.evidence)
        why = self.reason if self.reason is not Reason.SEEN else Reason.NOT_TRIED
        return inconclusive(why, self.evidence)

    def _accepted_by(self, reply: Reply) -> Observation:
        if reply.code == STEPS[Stage.EHLO_IN_TLS].completes:
            return yes(Reason.SMTP_REPLY, reply.text)
        assert self.tls is not None
        if self.tls.seen.certificate_requested and speaks_of_certificate(reply):
            return no(Reason.SMTP_REPLY, reply.text)
        return inconclusive(why_refused(reply), reply.text)


def replace_received(exchange: Exchange, reply: Reply) -> Exchange:
    """The transcript line with the reply, each line of it."""
    last = len(reply.lines) - 1
    text = "\n".join(
        f"{reply.code}{' ' if n == last else '-'}{line}" for n, line in enumerate(reply.lines)
    )
    return exchange.model_copy(update={"received": text})


def _alert_words(number: int) -> str:
    return f"alert {number} {ALERTS.get(number, 'unknown')}"
