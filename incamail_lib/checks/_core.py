"""What a check is, and how facts are judged: pure, ordered, nothing assumed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from incamail_lib.facts.audit import AuditFacts
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
) -> Callable[[Judgement], Check]:
    """Declare a check; the decorated function is named for the good state it looks for."""

    def declare(function: Judgement) -> Check:
        name = getattr(function, "__name__", code)
        return Check(code, name, title, why, remedy, level, item, reference, requires, on, function)

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
    """
    context = Context(facts, now.astimezone(dt.UTC))  # dates are compared in UTC
    done: dict[str, list[Finding]] = {}
    for rule in checks:
        done[rule.code] = [_judge_one(rule, s, context, done) for s in _subjects(rule, facts)]
    return tuple(finding for group in done.values() for finding in group)


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
