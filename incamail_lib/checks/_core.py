"""What a check is, and how facts are judged: pure, ordered, nothing assumed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.findings import Finding, Leg, Level, Outcome
from incamail_lib.i18n import N_, Text, say

S = TypeVar("S")


class Context:
    """What a check may look at beside its subject; it is noted whether one looks at the date."""

    def __init__(self, facts: AuditFacts, now: dt.datetime) -> None:
        self.facts = facts
        self._now = now.astimezone(dt.UTC)  # dates are compared in UTC
        self.asked_for_date = False

    @property
    def now(self) -> dt.datetime:
        """The moment as of which is judged."""
        self.asked_for_date = True
        return self._now


@dataclass(frozen=True)
class Subject(Generic[S]):
    """One thing to judge: a label for the finding, and the facts about it."""

    label: str
    value: S


@dataclass(frozen=True)
class Settled:
    """A subject whose result is known before any check looks at it, such as a host without address.

    Not applicable holds whatever came before; any other result waits for the prerequisites.
    """

    label: str
    result: Result


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
    remedy: Text | None = None  # None: the check's own for this outcome
    title: str = ""  # English source text; "": the check's own for this outcome


Subjects = Sequence[Subject[S] | Settled] | NotApplicable
Selector = Callable[[AuditFacts], Subjects[S]]
Judgement = Callable[[S, Context], Result]


class SeenFrom(StrEnum):
    """From where a check must be looked at, so that what was seen counts for the client."""

    ANYWHERE = "anywhere"
    CLIENT = "client"  # what the client's own outgoing path meets (guide 8.4)
    OUTSIDE = "outside"  # what IncaMail meets when it delivers (guide 8.2)


@dataclass(frozen=True)
class Check(Generic[S]):
    """One rule: code, texts (English sources), weight, and the function that judges."""

    code: str
    name: str
    passes: str  # the title where it passed: the good state
    fails: str  # the title where it failed: what is wrong
    asks: str  # the title where it is unknown or not applicable: the question
    why: str
    remedy: str  # what to do where it failed
    clarify: str  # what to do where it is unknown
    level: Level
    leg: Leg | None
    item: str
    reference: str
    requires: tuple[str, ...]
    subjects: Selector[S]
    run: Judgement[S]
    seen_from: SeenFrom = SeenFrom.ANYWHERE

    @property
    def family(self) -> str:
        """The family of the code, e.g. "CERT" of "CERT03"."""
        return self.code.rstrip("0123456789")

    def title(self, outcome: Outcome) -> str:
        """What a finding with this outcome is called, as English source text."""
        return {Outcome.PASSED: self.passes, Outcome.FAILED: self.fails}.get(outcome, self.asks)

    def advice(self, outcome: Outcome) -> Text:
        """What to do about this outcome; nothing where all is well or the question is none."""
        texts = {Outcome.FAILED: self.remedy, Outcome.UNKNOWN: self.clarify}
        return Text(template=texts.get(outcome, ""))


class Registry:
    """Checks by code: each enters itself where it is declared, and none can be forgotten."""

    def __init__(self) -> None:
        self._checks: dict[str, Check[Any]] = {}

    def check(  # noqa: PLR0913 - a declaration: one argument per column of docs/checks.md
        self,
        code: str,
        *,
        on: Selector[S],
        passes: str,
        fails: str,
        asks: str,
        why: str,
        remedy: str,
        clarify: str,
        item: str,
        reference: str,
        leg: Leg | None,
        level: Level = Level.REQUIRED,
        requires: tuple[str, ...] = (),
        seen_from: SeenFrom = SeenFrom.ANYWHERE,
    ) -> Callable[[Judgement[S]], Check[S]]:
        """Declare a check; the decorated function is named for the good state it looks for.

        Raises ValueError for a code that is taken: codes are never used twice.
        """

        def declare(function: Judgement[S]) -> Check[S]:
            declared = Check(
                code=code,
                name=getattr(function, "__name__", code),
                passes=passes,
                fails=fails,
                asks=asks,
                why=why,
                remedy=remedy,
                clarify=clarify,
                level=level,
                leg=leg,
                item=item,
                reference=reference,
                requires=requires,
                subjects=on,
                run=function,
                seen_from=seen_from,
            )
            if code in self._checks:
                raise ValueError(f"{code} is taken by {self._checks[code].name}")
            self._checks[code] = declared
            return declared

        return declare

    def ordered(self, family: str = "") -> tuple[Check[Any], ...]:
        """Every check, prerequisites first, otherwise by family and code.

        Of one family alone, whatever its prerequisites in others are: those need not be loaded.
        Raises ValueError for a prerequisite that does not exist or hangs on itself.
        """
        known = [c for c in self._checks.values() if family in ("", c.family)]
        graph = {c.code: c.requires for c in sorted(known, key=_by_family)}
        if family:
            graph = {c: tuple(r for r in needed if r in graph) for c, needed in graph.items()}
        for code, requires in graph.items():
            if missing := set(requires) - set(graph):
                raise ValueError(f"{code} requires {', '.join(sorted(missing))}, which is no check")
        done: dict[str, Check[Any]] = {}
        while len(done) < len(graph):
            free = [c for c in graph if c not in done and all(r in done for r in graph[c])]
            if not free:
                raise ValueError(f"in a circle: {', '.join(c for c in graph if c not in done)}")
            done[free[0]] = self._checks[free[0]]
        return tuple(done.values())


def _by_family(rule: Check[Any]) -> tuple[int, str]:
    place = FAMILIES.index(rule.family) if rule.family in FAMILIES else len(FAMILIES)
    return place, rule.code


FAMILIES = ("ROUT", "DNS", "NET", "SMTP", "TLS", "CERT", "PLAT")
REGISTRY = Registry()
check = REGISTRY.check


def passed(seen: Text, *, title: str = "") -> Result:
    """The good state was seen; `title` where the check's own says more, or another thing."""
    return Result(Outcome.PASSED, seen, title=title)


def failed(
    seen: Text, *, level: Level | None = None, remedy: Text | None = None, title: str = ""
) -> Result:
    """The good state was seen not to hold; `title` where the check's own does not fit."""
    return Result(Outcome.FAILED, seen, level, remedy, title)


def unknown(seen: Text, *, remedy: Text | None = None, level: Level | None = None) -> Result:
    """It could not be seen; `seen` says why."""
    return Result(Outcome.UNKNOWN, seen, level, remedy)


def not_applicable(seen: Text) -> Result:
    """The question does not arise for this subject."""
    return Result(Outcome.NOT_APPLICABLE, seen)


NOTHING_MEASURED = N_("Nothing was measured that this check could judge.")
BLOCKED = N_("Not judged: first {code} must be shown to pass.")


@dataclass(frozen=True)
class Judged:
    """What checks said, each before and after it was settled whether it counts for the client."""

    found: Mapping[str, list[Finding]]  # by code, as seen
    dated: frozenset[str]  # the checks that looked at the date
    counted: Mapping[str, list[Finding]]  # by code, as it counts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that counts, in the order of the checks."""
        return tuple(finding for findings in self.counted.values() for finding in findings)


def judge(facts: AuditFacts, checks: Iterable[Check[Any]], now: dt.datetime) -> tuple[Finding, ...]:
    """Run every check on every subject, prerequisites first.

    A check without subjects yields one finding, unknown rather than silently absent. A check
    whose prerequisite did not pass for the same subject (or for the whole organisation) is
    unknown and names it; one whose prerequisite is not applicable is not applicable either.
    What was looked at from a place where it does not count becomes unknown in the end.
    """
    return judge_as_of(facts, checks, now).findings


def judge_as_of(
    facts: AuditFacts, checks: Iterable[Check[Any]], now: dt.datetime, known: Judged | None = None
) -> Judged:
    """As `judge`. With `known`, what was judged of the same facts as of another date, only those
    checks are run again that looked at the date, or hang on one that says something else now."""
    found: dict[str, list[Finding]] = {}
    counted: dict[str, list[Finding]] = {}
    dated: set[str] = set()
    for rule in checks:
        if known is not None and not _may_differ(rule, known, found):
            found[rule.code], counted[rule.code] = known.found[rule.code], known.counted[rule.code]
            continue
        context = Context(facts, now)
        found[rule.code] = _judge_all(rule, context, found)
        counted[rule.code] = [as_seen(finding, rule, facts) for finding in found[rule.code]]
        if context.asked_for_date:
            dated.add(rule.code)
    return Judged(found, frozenset(dated), counted)


def _may_differ(rule: Check[Any], known: Judged, found: Mapping[str, list[Finding]]) -> bool:
    if rule.code in known.dated:
        return True
    return any(found[code] != known.found[code] for code in rule.requires)


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


def as_seen(finding: Finding, rule: Check[Any], facts: AuditFacts) -> Finding:
    """The finding as it counts for the client: unknown, if the place was the wrong one.

    What passed there is folded into NET07 or NET08, which say once what is missing; what failed
    there stays visible.
    """
    judged = finding.outcome is not Outcome.NOT_APPLICABLE and not finding.blocked_by
    if not judged or counts(rule.seen_from, facts):
        return finding
    elsewhere = rule.seen_from is SeenFrom.CLIENT
    gap = "NET07" if elsewhere else "NET08"
    template = MEASURED_ELSEWHERE if elsewhere else MEASURED_INSIDE
    return finding.model_copy(
        update={
            "outcome": Outcome.UNKNOWN,
            "title": rule.title(Outcome.UNKNOWN),
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


def _judge_all(
    rule: Check[S], context: Context, done: Mapping[str, list[Finding]]
) -> list[Finding]:
    chosen = rule.subjects(context.facts)
    if isinstance(chosen, NotApplicable):
        return [_finding(rule, "", not_applicable(chosen.why))]
    subjects = chosen or [Settled("", unknown(say(NOTHING_MEASURED)))]
    return [_judge_one(rule, subject, context, done) for subject in subjects]


def _judge_one(
    rule: Check[S],
    subject: Subject[S] | Settled,
    context: Context,
    done: Mapping[str, list[Finding]],
) -> Finding:
    settled = subject.result if isinstance(subject, Settled) else None
    if settled is not None and settled.outcome is Outcome.NOT_APPLICABLE:
        return _finding(rule, subject.label, settled)
    for code in rule.requires:
        for earlier in done[code]:
            if earlier.subject not in ("", subject.label) or earlier.outcome is Outcome.PASSED:
                continue
            if earlier.outcome is Outcome.NOT_APPLICABLE:
                return _finding(rule, subject.label, not_applicable(earlier.seen))
            blocked = unknown(say(BLOCKED, code=code))
            return _finding(rule, subject.label, blocked, blocked_by=code)
    if isinstance(subject, Settled):
        return _finding(rule, subject.label, subject.result)
    return _finding(rule, subject.label, rule.run(subject.value, context))


def _finding(rule: Check[Any], subject: str, result: Result, blocked_by: str = "") -> Finding:
    return Finding(
        code=rule.code,
        subject=subject,
        outcome=result.outcome,
        level=result.level or rule.level,
        leg=rule.leg,
        title=result.title or rule.title(result.outcome),
        why=rule.why,
        remedy=result.remedy or rule.advice(result.outcome),
        seen=result.seen,
        item=rule.item,
        reference=rule.reference,
        blocked_by=blocked_by,
    )
