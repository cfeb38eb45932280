"""Findings: what facts mean. One finding per check and subject, folded into a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from incamail_lib.facts.audit import AuditFacts
from incamail_lib.i18n import Text
from incamail_lib.record import Record, UtcDatetime


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
    title: str  # English source texts of the check, translated when told
    why: str
    remedy: Text
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


class Audit(Record):
    """Facts and what they mean: the machine-readable record of one audit (`audit.json`)."""

    schema_version: Literal[1] = 1
    judged_at: UtcDatetime
    verdict: Verdict
    findings: tuple[Finding, ...]
    facts: AuditFacts
