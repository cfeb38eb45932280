"""Judging: nothing measured is unknown, a failed prerequisite silences, unknown never passes."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from incamail_lib import checks
from incamail_lib.checks._core import (
    Check,
    Context,
    NotApplicable,
    Registry,
    Result,
    Settled,
    Subject,
    Subjects,
    failed,
    judge,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Finding, Leg, Level, Outcome, Verdict, verdict
from incamail_lib.i18n import say

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
FACTS: Any = None  # the rules below look at their subject alone


TEXTS: dict[str, Any] = {
    **{"passes": "it is", "fails": "it is not", "asks": "is it?", "why": "w", "remedy": "mend"},
    **{"clarify": "look again", "item": "6.1", "reference": "RFC 1", "leg": Leg.LINK},
}


def rule(
    code: str,
    subjects: Subjects[int],
    result: Result,
    registry: Registry | None = None,
    **more: Any,
) -> Check[int]:
    def on(_: AuditFacts) -> Subjects[int]:
        return subjects

    @(registry or Registry()).check(code, on=on, **TEXTS, **more)
    def good_state(_: int, __: Context) -> Result:
        return result

    return good_state


ONE = [Subject("mx1", 1)]
PASS, FAIL, WONDER = passed(say("yes")), failed(say("no")), unknown(say("?"))


def test_a_check_without_subjects_is_unknown_not_absent() -> None:
    """Nothing measured must never look like nothing wrong."""
    (finding,) = judge(FACTS, [rule("A01", [], PASS)], NOW)
    assert finding.outcome is Outcome.UNKNOWN
    assert verdict([finding]) is Verdict.INCONCLUSIVE


def test_a_selector_can_say_that_the_question_does_not_arise() -> None:
    """Not applicable is said by a reason, not by silence."""
    (finding,) = judge(FACTS, [rule("A01", NotApplicable(say("none")), PASS)], NOW)
    assert (finding.outcome, finding.seen.english()) == (Outcome.NOT_APPLICABLE, "none")


@pytest.mark.parametrize("earlier", [FAIL, WONDER])
def test_a_prerequisite_that_did_not_pass_blocks(earlier: Result) -> None:
    """The dependent check is unknown and names what blocks it, for the same subject only."""
    first = rule("A01", ONE, earlier)
    then = rule("A02", [Subject("mx1", 1), Subject("mx2", 2)], PASS, requires=("A01",))
    _, blocked, free = judge(FACTS, [first, then], NOW)
    assert (blocked.outcome, blocked.blocked_by) == (Outcome.UNKNOWN, "A01")
    assert free.outcome is Outcome.PASSED


def test_a_prerequisite_of_the_whole_organisation_blocks_every_subject() -> None:
    """A finding without subject speaks for all of them."""
    first = rule("A01", [Subject("", 0)], FAIL)
    then = rule("A02", ONE, PASS, requires=("A01",))
    assert judge(FACTS, [first, then], NOW)[1].blocked_by == "A01"


def test_a_prerequisite_that_does_not_apply_takes_the_dependent_with_it() -> None:
    """What hangs on a question that does not arise does not arise either."""
    first = rule("A01", NotApplicable(say("none")), PASS)
    then = rule("A02", ONE, FAIL, requires=("A01",))
    assert judge(FACTS, [first, then], NOW)[1].outcome is Outcome.NOT_APPLICABLE


def findings(*results: tuple[Result, Level]) -> list[Finding]:
    rules = [rule(f"A{n:02}", ONE, r, level=level) for n, (r, level) in enumerate(results)]
    return list(judge(FACTS, rules, NOW))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([(PASS, Level.REQUIRED)], Verdict.READY),
        ([(PASS, Level.REQUIRED), (FAIL, Level.RECOMMENDED)], Verdict.READY),
        ([(PASS, Level.REQUIRED), (WONDER, Level.RECOMMENDED)], Verdict.READY),
        ([(PASS, Level.REQUIRED), (WONDER, Level.REQUIRED)], Verdict.INCONCLUSIVE),
        ([(WONDER, Level.REQUIRED), (FAIL, Level.REQUIRED)], Verdict.NOT_READY),
        ([(PASS, Level.RECOMMENDED)], Verdict.INCONCLUSIVE),
        ([], Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_folds_required_findings(
    results: list[tuple[Result, Level]], expected: Verdict
) -> None:
    """A required failure decides, then a required unknown; without evidence there is no ready."""
    assert verdict(findings(*results)) is expected


def test_a_result_may_weigh_less_than_its_check() -> None:
    """A failure softened by the evidence does not decide the verdict."""
    soft = failed(say("soon"), level=Level.RECOMMENDED)
    assert verdict(findings((PASS, Level.REQUIRED), (soft, Level.REQUIRED))) is Verdict.READY


@pytest.mark.parametrize(
    ("result", "title", "remedy"),
    [
        (PASS, "it is", ""),
        (FAIL, "it is not", "mend"),
        (WONDER, "is it?", "look again"),
        (not_applicable(say("none")), "is it?", ""),
        (failed(say("no"), title="it is masked", remedy=say("unmask")), "it is masked", "unmask"),
    ],
)
def test_title_and_remedy_fit_the_outcome(result: Result, title: str, remedy: str) -> None:
    """A failed check reads as failed, and nobody is told to mend what is only unknown."""
    (finding,) = judge(FACTS, [rule("A01", ONE, result)], NOW)
    assert (finding.title, finding.remedy.english()) == (title, remedy)


def test_a_settled_subject_waits_for_what_comes_before() -> None:
    """What is known of a subject beforehand is told, unless a prerequisite silences it."""
    settled = [Settled("mx1", FAIL)]
    alone, silenced = rule("A01", settled, PASS), rule("A03", settled, PASS, requires=("A02",))
    findings = judge(FACTS, [alone, rule("A02", ONE, WONDER), silenced], NOW)
    assert [f.outcome for f in findings] == [Outcome.FAILED, Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert findings[2].blocked_by == "A02"


def test_checks_enter_themselves_prerequisites_first() -> None:
    """To declare a check is to have it judged; its place follows from what it requires."""
    registry = Registry()
    rule("SMTP01", ONE, PASS, registry, requires=("PLAT01",))
    rule("PLAT01", ONE, PASS, registry)
    rule("ROUT02", ONE, PASS, registry)
    assert [c.code for c in registry.ordered()] == ["ROUT02", "PLAT01", "SMTP01"]


def test_a_code_is_given_once() -> None:
    """Two checks of one code would hide each other."""
    registry = Registry()
    rule("A01", ONE, PASS, registry)
    with pytest.raises(ValueError, match="A01 is taken by good_state"):
        rule("A01", ONE, PASS, registry)


@pytest.mark.parametrize(
    ("requires", "complaint"),
    [
        ((("A01", ("A09",)),), "A01 requires A09"),
        ((("A01", ("A02",)), ("A02", ("A01",))), "circle"),
    ],
)
def test_a_prerequisite_must_exist_and_end(
    requires: tuple[tuple[str, tuple[str, ...]], ...], complaint: str
) -> None:
    """A check that could never be judged is a mistake of the declaration."""
    registry = Registry()
    for code, needs in requires:
        rule(code, ONE, PASS, registry, requires=needs)
    with pytest.raises(ValueError, match=complaint):
        registry.ordered()


def test_every_declared_check_is_judged() -> None:
    """No module of the folder is left out: what the files declare is what an audit judges."""
    folder = Path(checks.__file__).parent
    declared = re.findall(
        r'^@check\(\n    "([A-Z]+\d+)",',
        "\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.py"))),
        re.MULTILINE,
    )
    assert sorted(c.code for c in checks.ALL_CHECKS) == sorted(declared)
    assert len(declared) > 100
