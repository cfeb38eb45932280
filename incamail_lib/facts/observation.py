"""Three-valued answers: yes, no or inconclusive, always with how that is known."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from incamail_lib.record import Record


class Answer(StrEnum):
    """What an observation says; inconclusive is never read as yes or no."""

    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """How an answer is known, or why there is none. Stable tokens, kept in saved facts."""

    SEEN = "seen"  # directly seen on the wire or in the data
    NOT_SEEN = "not_seen"  # the exchange was complete and it did not occur
    ALERT = "alert"  # the peer sent a fatal TLS alert
    SMTP_REPLY = "smtp_reply"  # the peer answered so in SMTP
    TIMEOUT = "timeout"
    REFUSED = "refused"  # TCP connection refused
    UNREACHABLE = "unreachable"  # no route, network or host unreachable
    RESET = "reset"  # connection reset and no alert came with it
    CLOSED = "closed"  # closed without a reason
    GREYLISTED = "greylisted"  # 450/451: come back later
    RATE_LIMITED = "rate_limited"  # too many connections
    UNAVAILABLE = "unavailable"  # 421 or another 4xx: service not available now
    REJECTED = "rejected"  # 5xx greeting or 5xx to EHLO: we are not welcome
    TOO_MUCH_DATA = "too_much_data"  # the byte limit was reached
    PROTOCOL_ERROR = "protocol_error"  # not SMTP, or not TLS
    TLS_AT_ONCE = "tls_at_once"  # the port speaks TLS from the first byte, without STARTTLS
    NOT_ASKED = "not_asked"  # the server never asked, so the question does not arise
    NOT_SHOWN = "not_shown"  # asked for a certificate, but for none with a key of our type
    NOT_TRIED = "not_tried"  # this measurement was not requested
    NOT_CONTACTED = "not_contacted"  # an address that the operator did not allow
    OPTED_OUT = "opted_out"  # whoever runs it does not want to be probed
    NOT_REACHED = "not_reached"  # an earlier stage ended the exchange
    UNSUPPORTED = "unsupported"  # this machine's library cannot do it
    DNS_FAILURE = "dns_failure"  # SERVFAIL, REFUSED or a lame server


class Observation(Record):
    """One answer with its reason and the raw evidence (printable, at most a few hundred chars)."""

    answer: Answer
    reason: Reason
    evidence: str = ""

    @property
    def is_yes(self) -> bool:
        """True only for a yes that was seen."""
        return self.answer is Answer.YES

    @property
    def is_no(self) -> bool:
        """True only for a no that was seen."""
        return self.answer is Answer.NO

    @property
    def is_known(self) -> bool:
        """True for yes and no."""
        return self.answer is not Answer.INCONCLUSIVE


def yes(reason: Reason = Reason.SEEN, evidence: str = "") -> Observation:
    """A yes."""
    return _observed(Answer.YES, reason, evidence)


def no(reason: Reason = Reason.NOT_SEEN, evidence: str = "") -> Observation:
    """A no."""
    return _observed(Answer.NO, reason, evidence)


def inconclusive(reason: Reason, evidence: str = "") -> Observation:
    """No answer, and why."""
    return _observed(Answer.INCONCLUSIVE, reason, evidence)


@lru_cache(maxsize=1024)  # they never change, and most are alike
def _observed(answer: Answer, reason: Reason, evidence: str) -> Observation:
    return Observation(answer=answer, reason=reason, evidence=evidence)
