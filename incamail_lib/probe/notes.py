"""What one connection has shown so far, and its facts at the end. No I/O, no clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from incamail_lib.certificate import link, read_certificate
from incamail_lib.facts.certificate import CertificateFacts, ChainFacts
from incamail_lib.facts.ehlo import offers
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    Alert,
    Purpose,
    Reply,
    SmtpFacts,
    Stage,
    Starttls,
)
from incamail_lib.printable import printable
from incamail_lib.probe.dialogue import STEPS, demands_certificate, why_refused
from incamail_lib.probe.flight import Flight
from incamail_lib.probe.tls import ABOUT_CERTIFICATE, ALERTS, Seen

MAX_CHAIN = 20  # certificates that are kept of what a server shows; four are usual
_TLS_RECORDS = frozenset({20, 21, 22, 23})  # content types of RFC 9846 §5.1


@dataclass(slots=True)
class _Line:
    """One line of the transcript while it is written; times in seconds of the loop's clock."""

    stage: Stage
    sent: str
    begun: float
    done: float | None = None
    received: str = ""


@dataclass(slots=True)
class Notes:
    """The notes of one connection. The driver fills them, `facts` tells them."""

    purpose: Purpose
    server_name: str
    offered_certificate: str  # sha256 of the certificate that was ready to be shown; "" for none
    started: float
    stage: Stage = Stage.CONNECT
    reached: Stage | None = None
    reason: Reason = Reason.SEEN
    evidence: str = ""
    greeting: Reply | None = None
    capabilities: tuple[str, ...] | None = None
    ehlo_refusal: Reply | None = None
    starttls: Starttls = Starttls.UNKNOWN
    starttls_reply: Reply | None = None
    plaintext_after_starttls: str = ""
    tls: Seen | None = None
    established: bool = False
    tls_error: str = ""
    alert_stage: Stage | None = None
    reply_in_tls: Reply | None = None  # to EHLO
    capabilities_in_tls: tuple[str, ...] | None = None
    mail_reply: Reply | None = None
    rcpt_reply: Reply | None = None
    hello_bytes: int = 0
    injected_reply: Reply | None = None
    tls_replies: int = 0
    _lines: list[_Line] = field(default_factory=list)

    def begin(self, stage: Stage, at: float, sent: str = "") -> None:
        """A stage begins; whatever ends the dialogue from now on ends it there."""
        self.stage = stage
        self._lines.append(_Line(stage, sent, at))

    def done(self, at: float, reply: Reply | None = None) -> None:
        """The stage got what it waited for."""
        line = self._lines[-1]
        line.done = at
        line.received = _as_received(reply) if reply else ""

    def note_reply(self, stage: Stage, reply: Reply) -> None:
        """The reply to MAIL or RCPT."""
        if stage is Stage.MAIL:
            self.mail_reply = reply
        else:
            self.rcpt_reply = reply

    def freeze_tls(self) -> None:
        """What TLS does from now on, in the goodbye, is of no interest any more."""
        self.tls = replace(self.tls) if self.tls else None

    def ended(self, reason: Reason, evidence: str) -> None:
        """Why the dialogue is over; how the goodbye went is of no interest."""
        if self.stage is not Stage.QUIT:
            self.reason, self.evidence = reason, printable(evidence)

    def out_of_step(self, stage: Stage) -> None:
        """Replies and commands inside TLS do not pair: which answered what is not known, so none
        counts, and the dialogue was good up to `stage` at best."""
        self.reply_in_tls = self.mail_reply = self.rcpt_reply = self.capabilities_in_tls = None
        self.stage = stage

    def alerted(self) -> str:
        """The alert that ended the dialogue, in words; "" if none was seen."""
        if self.tls is None or self.tls.alert is None:
            return ""
        self.alert_stage = self.stage
        return f"alert {self.tls.alert} {ALERTS.get(self.tls.alert, 'unknown')}"

    def warned(self) -> str:
        """The warning that came before, in words; "" if none was seen. It is no refusal."""
        if self.tls is None or self.tls.warning is None:
            return ""
        return f"warning {self.tls.warning} {ALERTS.get(self.tls.warning, 'unknown')}"

    def note_flight(self, flight: Flight) -> None:
        """What the handshake said in clear, where the library did not get far enough to tell."""
        seen = self.tls
        if seen is None:
            return
        if not seen.version:
            seen.version, seen.cipher = flight.version, flight.cipher
        seen.group = seen.group or flight.group
        seen.chain = seen.chain or flight.chain
        seen.answered = flight.is_tls
        seen.dh_bits = flight.dh_bits
        seen.secure_renegotiation = flight.secure_renegotiation
        seen.certificate_requested = seen.certificate_requested or flight.requested

    def facts(self, now: dt.datetime, *, ended_at: float, sent: int, received: int) -> SmtpFacts:
        """Everything seen, as a value; `sent` and `received` in bytes."""
        # Exchanges and TLS as plain fields: one check of all costs half of one for each.
        return SmtpFacts(
            purpose=self.purpose,
            started_at=now,
            elapsed_s=_seconds(self.started, ended_at),
            reached=self.reached,
            ended=self.reason,
            ended_in=self.stage,
            evidence=self.evidence,
            greeting=self.greeting,
            capabilities=self.capabilities,
            ehlo_refusal=self.ehlo_refusal,
            starttls=self.starttls,
            starttls_reply=self.starttls_reply,
            tls=self._tls_facts(self.tls) if self.tls else None,
            capabilities_in_tls=self.capabilities_in_tls,
            mail_reply=self.mail_reply,
            rcpt_reply=self.rcpt_reply,
            injected_reply=self.injected_reply,
            plaintext_after_starttls=self.plaintext_after_starttls,
            tls_replies=self.tls_replies,
            bytes_sent=sent,
            bytes_received=received,
            transcript=tuple([self._exchange(line, ended_at) for line in self._lines]),
        )

    def _exchange(self, line: _Line, ended_at: float) -> Any:
        """The fields of an `Exchange`."""
        return {
            "stage": line.stage,
            "sent": line.sent,
            "received": line.received,
            "at_s": _seconds(self.started, line.begun),
            "elapsed_s": _seconds(line.begun, ended_at if line.done is None else line.done),
        }

    def _tls_facts(self, seen: Seen) -> Any:
        """The fields of `TlsFacts`."""
        chain, links = _chain_of(seen.chain[:MAX_CHAIN])
        group = seen.group
        return dict(
            established=self.established,
            version=seen.version,
            cipher=seen.cipher,
            cipher_bits=seen.cipher_bits,
            group=group,
            post_quantum=("MLKEM" in group.upper() or "KYBER" in group.upper()) if group else None,
            dh_bits=seen.dh_bits,
            secure_renegotiation=seen.secure_renegotiation,
            renegotiated=seen.renegotiated,
            hello_bytes=self.hello_bytes,
            answered=seen.answered,
            server_name=self.server_name,
            chain=chain,
            links=links,
            certificate_requested=self._requested(seen),
            acceptable_cas=seen.acceptable_cas if seen.certificate_requested else (),
            acceptable_cas_left_out=seen.acceptable_cas_left_out,
            offered_certificate=self.offered_certificate,
            certificate_sent=seen.certificate_sent if self.offered_certificate else None,
            accepted=self._accepted(seen),
            alert=self._alert(seen.alert),
            warning=self._alert(seen.warning),
            error=self.tls_error,
        )

    def _alert(self, number: int | None) -> Alert | None:
        if number is None:
            return None
        name = ALERTS.get(number, "unknown")
        return Alert(number=number, name=name, stage=self.alert_stage or self.stage)

    def _requested(self, seen: Seen) -> Observation:
        if seen.certificate_requested:
            return yes()
        # Up to TLS 1.2 a server may still ask in a second handshake, as it answers EHLO or MAIL.
        if seen.unfinished or (seen.renegotiated and self.reason is not Reason.SEEN):
            why = Reason.NOT_REACHED if self.reason is Reason.SEEN else self.reason
            return inconclusive(why, self.evidence)
        if self.established and (seen.version == "TLSv1.3" or self.reply_in_tls is not None):
            return no()
        return inconclusive(Reason.NOT_REACHED, self.evidence)

    def _accepted(self, seen: Seen) -> Observation:
        """Whether the server let us in. In TLS 1.3 only the EHLO reply tells."""
        if self.reply_in_tls is not None:
            return self._accepted_by(self.reply_in_tls, seen)
        if self.reason is Reason.ALERT and seen.alert in ABOUT_CERTIFICATE:
            # Without a request no certificate was at issue: 40 then means no common ground.
            if seen.certificate_requested:
                return no(Reason.ALERT, self.evidence)
            return inconclusive(Reason.ALERT, self.evidence)
        why = self.reason if self.reason is not Reason.SEEN else Reason.NOT_TRIED
        return inconclusive(why, self.evidence)

    def _accepted_by(self, reply: Reply, seen: Seen) -> Observation:
        if reply.code == STEPS[Stage.EHLO_IN_TLS].completes:
            return yes(Reason.SMTP_REPLY, reply.text)
        auth = offers(self.capabilities or (), "AUTH")
        asked = seen.certificate_requested
        if asked and demands_certificate(reply, asked=asked, offers_auth=auth):
            return no(Reason.SMTP_REPLY, reply.text)
        return inconclusive(why_refused(reply), reply.text)


def not_tls(first: bytes) -> str:
    """What came in place of the first TLS record, to be shown; "" if it was one."""
    if not first or first[0] in _TLS_RECORDS:
        return ""
    return f"«{printable(first[:120].decode('utf-8', 'replace'))}»"


@lru_cache(maxsize=512)
def _chain_of(
    ders: tuple[bytes, ...],
) -> tuple[tuple[CertificateFacts, ...], ChainFacts | None]:
    """A chain read and linked, once for all connections and addresses that show it."""
    chain = tuple(read_certificate(der) for der in ders)
    return chain, link(chain) if chain else None


def _as_received(reply: Reply) -> str:
    """Every line of the reply as it came."""
    *more, last = reply.lines
    return "\n".join([*[f"{reply.code}-{line}" for line in more], f"{reply.code} {last}"])


def _seconds(start: float, end: float) -> float:
    return round(end - start, 6)
