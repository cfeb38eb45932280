"""Findings put in order: by chapter, by weight, and equal ones on several subjects as one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from incamail_lib.findings import Audit, Finding, Leg, Level, Outcome
from incamail_lib.report.words import FAMILIES, family

_OUTCOMES = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.NOT_APPLICABLE)
_LEVELS = (Level.REQUIRED, Level.RECOMMENDED, Level.INFO)
_BY_FAMILY = {"ROUT": "routing", "DNS": "dns", "CERT": "certificates", "PLAT": "identity"}


@dataclass(frozen=True)
class Row:
    """One line of a findings table: a finding, and every subject it holds for alike."""

    finding: Finding
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Checks that one prerequisite kept from being judged, for one subject."""

    prerequisite: str
    subject: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Sorted:
    """The findings of one chapter, ready for its table."""

    open: tuple[Row, ...]  # failed and unknown
    passed: tuple[Row, ...]
    blocks: tuple[Block, ...]
    not_applicable: tuple[Row, ...]


def sort_findings(findings: Iterable[Finding]) -> Sorted:
    """Rows by weight; blocked ones collapsed by prerequisite; not applicable ones apart."""
    every = list(findings)
    judged = [f for f in every if not f.blocked_by]
    rows = rows_of(judged)
    return Sorted(
        open=tuple(r for r in rows if r.finding.outcome in (Outcome.FAILED, Outcome.UNKNOWN)),
        passed=tuple(r for r in rows if r.finding.outcome is Outcome.PASSED),
        blocks=_blocks(f for f in every if f.blocked_by),
        not_applicable=tuple(r for r in rows if r.finding.outcome is Outcome.NOT_APPLICABLE),
    )


def next_steps(audit: Audit) -> tuple[Row, ...]:
    """What must or should be done: failures and unknowns that weigh, heaviest first."""
    return tuple(
        row
        for row in rows_of(f for f in audit.findings if not f.blocked_by)
        if row.finding.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
        and row.finding.level is not Level.INFO
    )


def decisive(audit: Audit) -> tuple[Row, ...]:
    """What decides a verdict other than ready: required failures, else required unknowns."""
    required = [f for f in audit.findings if f.level is Level.REQUIRED and not f.blocked_by]
    failed = [f for f in required if f.outcome is Outcome.FAILED]
    return rows_of(failed or [f for f in required if f.outcome is Outcome.UNKNOWN])


def waiting(audit: Audit) -> tuple[Row, ...]:
    """Required unknowns beside required failures: with the failures mended, these decide."""
    required = [f for f in audit.findings if f.level is Level.REQUIRED and not f.blocked_by]
    if not any(f.outcome is Outcome.FAILED for f in required):
        return ()
    return rows_of(f for f in required if f.outcome is Outcome.UNKNOWN)


def chapter_of(finding: Finding) -> str:
    """The key of the chapter that shows the finding: "routing", "gateways", "outgoing", ..."""
    by_family = _BY_FAMILY.get(family(finding.code))
    return by_family or ("outgoing" if finding.leg is Leg.LINK else "gateways")


def by_weight(finding: Finding) -> tuple[int, int, tuple[int, ...], str]:
    """Sort key: outcome and level (required failures first), then guide item, then code."""
    weight = _LEVELS.index(finding.level)
    outcome = _OUTCOMES.index(finding.outcome)
    if finding.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        return weight * 2 + outcome, 0, item_key(finding.item), finding.code
    return 10 + outcome, weight, item_key(finding.item), finding.code


@lru_cache(maxsize=1024)
def item_key(item: str) -> tuple[int, ...]:
    """The guide item as numbers, so that 6.10 follows 6.9; items without number come last."""
    parts = [part for part in item.replace(",", ".").split(".") if part.strip().isdigit()]
    return tuple(int(part) for part in parts) or (99,)


def counts(audit: Audit) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Per family: required failed, other failed, unknown, passed, not applicable."""
    table: dict[str, list[int]] = {}
    for finding in audit.findings:
        column = _column(finding)
        table.setdefault(family(finding.code), [0] * 5)[column] += 1
    known = [*FAMILIES, *sorted(set(table) - set(FAMILIES))]
    return tuple((name, tuple(table[name])) for name in known if name in table)


def _column(finding: Finding) -> int:
    if finding.outcome is Outcome.FAILED:
        return 0 if finding.level is Level.REQUIRED else 1
    return {Outcome.UNKNOWN: 2, Outcome.PASSED: 3, Outcome.NOT_APPLICABLE: 4}[finding.outcome]


def rows_of(findings: Iterable[Finding]) -> tuple[Row, ...]:
    """Findings by weight; those that say the same of several subjects are one row."""
    ordered = sorted(findings, key=by_weight)
    times = Counter(map(_judgement, ordered))
    groups: dict[object, list[Finding]] = {}
    for finding in ordered:
        alike: object = _judgement(finding)
        if times[_judgement(finding)] > 1:  # else there is nothing to compare it with
            alike = finding.model_copy(update={"subject": ""}).model_dump_json()
        groups.setdefault(alike, []).append(finding)
    return tuple(Row(group[0], _subjects(group)) for group in groups.values())


def _judgement(finding: Finding) -> tuple[str, Outcome, Level]:
    return finding.code, finding.outcome, finding.level


def _subjects(group: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.subject for f in group if f.subject))


def _blocks(findings: Iterable[Finding]) -> tuple[Block, ...]:
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        groups.setdefault((finding.blocked_by, finding.subject), []).append(finding.code)
    return tuple(Block(*key, tuple(dict.fromkeys(codes))) for key, codes in groups.items())
