"""What a check is, and how facts are judged: pure, ordered, nothing assumed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.i18n import N_, Text, say


@dataclass(frozen=True)
class Context:
    """What a check may look at beside its subject."""

    facts: AuditFacts
    now: dt.datetime


@dataclass(frozen=True)
class Subject:
    """One thing to judge: a label for the finding, and the facts about it."""

    label: str
    value: Any


@dataclass(frozen=True)
class NotApplicable:
    """A selector's word that the question does not arise for this client."""

    why: Text


@dataclass(frozen=True)
class Result:
    """What a check function returns."""

    outcome: Outcome
    seen: Text
    level: Level | None = None  # None: the check's own
    remedy: Text | None = None  # None: the check's own


Subjects = Sequence[Subject] | NotApplicable
Selector = Callable[[AuditFacts], Subjects]
Judgement = Callable[[Any, Context], Result]


class SeenFrom(StrEnum):
    """From where a check must be looked at, so that what was seen counts for the client."""

    ANYWHERE = "anywhere"
    CLIENT = "client"  # what the client's own outgoing path meets (guide 8.4)
    OUTSIDE = "outside"  # what IncaMail meets when it delivers (guide 8.2)


@dataclass(frozen=True)
class Check:
    """One rule: code, texts (English sources), weight, and the function that judges."""

    code: str
    name: str
    title: str
    why: str
    remedy: str
    level: Level
    item: str
    reference: str
    requires: tuple[str, ...]
    subjects: Selector
    run: Judgement
    seen_from: SeenFrom = SeenFrom.ANYWHERE


def check(  # noqa: PLR0913 - a declaration: one argument per column of docs/checks.md
    code: str,
    *,
    on: Selector,
    title: str,
    why: str,
    remedy: str,
    item: str,
    reference: str,
    level: Level = Level.REQUIRED,
    requires: tuple[str, ...] = (),
    seen_from: SeenFrom = SeenFrom.ANYWHERE,
) -> Callable[[Judgement], Check]:
    """Declare a check; the decorated function is named for the good state it looks for."""

    def declare(function: Judgement) -> Check:
        name = getattr(function, "__name__", code)
        return Check(
            code=code,
            name=name,
            title=title,
            why=why,
            remedy=remedy,
            level=level,
            item=item,
            reference=reference,
            requires=requires,
            subjects=on,
            run=function,
            seen_from=seen_from,
        )

    return declare


def passed(seen: Text) -> Result:
    """The good state was seen."""
    return Result(Outcome.PASSED, seen)


def failed(seen: Text, *, level: Level | None = None, remedy: Text | None = None) -> Result:
    """The good state was seen not to hold."""
    return Result(Outcome.FAILED, seen, level, remedy)


def unknown(seen: Text, *, remedy: Text | None = None) -> Result:
    """It could not be seen; `seen` says why."""
    return Result(Outcome.UNKNOWN, seen, None, remedy)


def not_applicable(seen: Text) -> Result:
    """The question does not arise for this subject."""
    return Result(Outcome.NOT_APPLICABLE, seen)


NOTHING_MEASURED = N_("Nothing was measured that this check could judge.")
BLOCKED = N_("Not judged, because {code} did not pass.")


def judge(facts: AuditFacts, checks: Iterable[Check], now: dt.datetime) -> tuple[Finding, ...]:
    """Run every check on every subject, prerequisites first.

    A check without subjects yields one finding, unknown rather than silently absent. A check
    whose prerequisite did not pass for the same subject (or for the whole organisation) is
    unknown and names it; one whose prerequisite is not applicable is not applicable either.
    What was looked at from a place where it does not count becomes unknown in the end.
    """
    context = Context(facts, now.astimezone(dt.UTC))  # dates are compared in UTC
    done: dict[str, list[Finding]] = {}
    counted: list[Finding] = []
    for rule in checks:
        done[rule.code] = [_judge_one(rule, s, context, done) for s in _subjects(rule, facts)]
        counted += (as_seen(finding, rule.seen_from, facts) for finding in done[rule.code])
    return tuple(counted)


def counts(seen_from: SeenFrom, facts: AuditFacts) -> bool:
    """Whether what was seen counts. The lab plays every part, so all of it counts there.

    An undeclared place is taken for one elsewhere: it does not show the client's way out. What
    it shows of the receiving side stays, and NET08 tells that the place is not known.
    """
    if seen_from is SeenFrom.CLIENT:
        return facts.vantage.on_lab or facts.vantage.place in (Place.GATEWAY, Place.INSIDE)
    if seen_from is SeenFrom.OUTSIDE:
        vantage = facts.receiving_vantage
        return vantage.on_lab or vantage.place in (Place.ELSEWHERE, Place.UNDECLARED)
    return True


MEASURED_ELSEWHERE = N_("Measured elsewhere, not from the organisation's network. There: {seen}")
MEASURED_INSIDE = N_("Measured inside the organisation's network, not from outside. There: {seen}")


def as_seen(finding: Finding, seen_from: SeenFrom, facts: AuditFacts) -> Finding:
    """The finding as it counts for the client: unknown, if the place was the wrong one.

    What passed there is folded into NET07 or NET08, which say once what is missing; what failed
    there stays visible.
    """
    judged = finding.outcome is not Outcome.NOT_APPLICABLE and not finding.blocked_by
    if not judged or counts(seen_from, facts):
        return finding
    elsewhere = seen_from is SeenFrom.CLIENT
    gap = "NET07" if elsewhere else "NET08"
    template = MEASURED_ELSEWHERE if elsewhere else MEASURED_INSIDE
    return finding.model_copy(
        update={
            "outcome": Outcome.UNKNOWN,
            "seen": say(template, seen=finding.seen),
            "remedy": say(MEASURE_ON_THE_GATEWAY if elsewhere else MEASURE_OUTSIDE),
            "blocked_by": gap if finding.outcome is Outcome.PASSED else "",
        }
    )


MEASURE_ON_THE_GATEWAY = N_(
    "Run «incamail measure» on the sending gateway (--vantage gateway), or on a machine behind "
    "the same firewall (--vantage inside), and give its file to «incamail audit --facts»."
)
MEASURE_OUTSIDE = N_(
    "Run «incamail measure --vantage elsewhere» on a machine outside the organisation's network "
    "that may use port 25, and give its file to «incamail audit --facts» beside the other one."
)


def _subjects(rule: Check, facts: AuditFacts) -> Sequence[Subject]:
    chosen = rule.subjects(facts)
    if isinstance(chosen, NotApplicable):
        return [Subject("", Result(Outcome.NOT_APPLICABLE, chosen.why))]
    if not chosen:
        return [Subject("", Result(Outcome.UNKNOWN, say(NOTHING_MEASURED)))]
    return chosen


def _judge_one(
    rule: Check, subject: Subject, context: Context, done: dict[str, list[Finding]]
) -> Finding:
    known = subject.value if isinstance(subject.value, Result) else None
    if known is not None and known.outcome is Outcome.NOT_APPLICABLE:
        return _finding(rule, subject.label, known)
    for code in rule.requires:
        for earlier in done[code]:
            if earlier.subject not in ("", subject.label) or earlier.outcome is Outcome.PASSED:
                continue
            if earlier.outcome is Outcome.NOT_APPLICABLE:
                return _finding(rule, subject.label, not_applicable(earlier.seen))
            blocked = unknown(say(BLOCKED, code=code))
            return _finding(rule, subject.label, blocked, blocked_by=code)
    return _finding(rule, subject.label, known or rule.run(subject.value, context))


def _finding(rule: Check, subject: str, result: Result, blocked_by: str = "") -> Finding:
    return Finding(
        code=rule.code,
        subject=subject,
        outcome=result.outcome,
        level=result.level or rule.level,
        title=rule.title,
        why=rule.why,
        remedy=result.remedy or say(rule.remedy),
        seen=result.seen,
        item=rule.item,
        reference=rule.reference,
        blocked_by=blocked_by,
    )
