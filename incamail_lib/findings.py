"""Findings: what facts mean. One finding per check and subject, folded into a verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from incamail_lib.facts.audit import AuditFacts
from incamail_lib.i18n import Text
from incamail_lib.record import Record, UtcDatetime

ACCEPTED = 5
"""The exit code for failures that are all accepted for a time: not ready, and nobody's surprise."""


class Outcome(StrEnum):
    """What a check found. Unknown is never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Level(StrEnum):
    """How much a check weighs."""

    REQUIRED = "required"  # the link cannot or must not go live without it
    RECOMMENDED = "recommended"
    INFO = "info"


class Leg(StrEnum):
    """A stretch of a message's way, as the drawings show it, that a check is about."""

    ROUTE = "route"  # the client's rule that sends a message towards IncaMail
    INSIDE = "inside"  # between the client's mail server and its gateway, either way
    LINK = "link"  # from the client's gateway to IncaMail
    LOOK_UP = "look_up"  # how IncaMail finds the client's gateway
    ARRIVAL = "arrival"  # from IncaMail to the client's gateway


class Verdict(StrEnum):
    """The fold of all findings of one audit."""

    READY = "ready"
    NOT_READY = "not_ready"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """The command line's exit code: 0, 1 or 3."""
        return {Verdict.READY: 0, Verdict.NOT_READY: 1, Verdict.INCONCLUSIVE: 3}[self]


class Finding(Record):
    """What one check says about one subject."""

    code: str
    subject: str  # e.g. "mx1.muster.example [192.0.2.1]:25"; "" for the organisation
    outcome: Outcome
    level: Level
    leg: Leg | None = None  # None: of no stretch of the way
    title: str  # English source text for this outcome, translated when told
    why: str
    remedy: Text  # what to do about this outcome
    seen: Text
    item: str  # number in Post's guide
    reference: str  # RFC clause or other source
    blocked_by: str = ""  # the prerequisite that kept this check from being judged

    @property
    def blocks(self) -> bool:
        """Whether this finding alone makes the verdict "not ready"."""
        return self.outcome is Outcome.FAILED and self.level is Level.REQUIRED


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Fold findings: a required failure decides, then a required unknown; no evidence, no ready."""
    required = [f for f in findings if f.level is Level.REQUIRED]
    if any(f.outcome is Outcome.FAILED for f in required):
        return Verdict.NOT_READY
    if any(f.outcome is Outcome.UNKNOWN for f in required):
        return Verdict.INCONCLUSIVE
    if not any(f.outcome is Outcome.PASSED for f in required):
        return Verdict.INCONCLUSIVE
    return Verdict.READY


class Person(Record):
    """Who answers for something: a name in full and an address."""

    name: str
    email: str


class Waiver(Record):
    """A failure that somebody answers for, for a time. It never makes anything pass."""

    organisation: str
    check: str  # code
    subject: str = ""  # as findings name it, or the host alone; "": wherever the check fails
    reason: str
    requested_by: Person
    approved_by: Person
    approved_on: dt.date
    expires: dt.date  # the last day

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding. What is unknown cannot be accepted: nobody knows what
        they would answer for."""
        named = self.subject in ("", finding.subject)
        at_host = bool(self.subject) and finding.subject.startswith(f"{self.subject} [")
        failed = finding.outcome is Outcome.FAILED
        return failed and finding.code == self.check and (named or at_host)

    def holds_on(self, day: dt.date) -> bool:
        """Whether that day lies within its time."""
        return self.approved_on <= day <= self.expires


def accepted_until(
    findings: Iterable[Finding], waivers: Iterable[Waiver], day: dt.date
) -> dt.date | None:
    """The last day on which every required failure is accepted; None if one is not, or if
    anything else keeps the verdict from being ready."""
    every = tuple(findings)
    holding = [w for w in waivers if w.holds_on(day)]
    ends = [[w.expires for w in holding if w.covers(f)] for f in every if f.blocks]
    if not ends or not all(ends):
        return None
    rest = verdict(f for f in every if not f.blocks)
    return min(max(days) for days in ends) if rest is Verdict.READY else None


class Until(Record):
    """A day from which on a verdict may be another one, and why."""

    at: UtcDatetime
    verdict: Verdict | None  # what it is from then on; None: what it rests on must be verified anew
    code: str = ""  # of the check that decides it then
    subject: str = ""
    why: Text


class Audit(Record):
    """Facts and what they mean: the machine-readable record of one audit (`audit.json`)."""

    schema_version: Literal[1] = 1  # when it rises: incamail_lib/audit/migrating.py
    judged_at: UtcDatetime
    verdict: Verdict
    findings: tuple[Finding, ...]
    until: tuple[Until, ...] = ()  # the first days on which the verdict may change, in order
    waivers: tuple[Waiver, ...] = ()  # of failures among the findings, ended ones too
    facts: AuditFacts

    @property
    def accepted_until(self) -> dt.date | None:
        """Until when everything that keeps it from being ready is accepted; None if not all is."""
        return accepted_until(self.findings, self.waivers, self.judged_at.date())

    @property
    def exit_code(self) -> int:
        """The command line's exit code: that of the verdict, or 5 for what is accepted."""
        return self.verdict.exit_code if self.accepted_until is None else ACCEPTED
