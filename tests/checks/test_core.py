"""Judging: nothing measured is unknown, a failed prerequisite silences, unknown never passes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from incamail_lib.checks._core import (
    Check,
    Context,
    NotApplicable,
    Result,
    Subject,
    Subjects,
    check,
    failed,
    judge,
    passed,
    unknown,
)
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Finding, Level, Outcome, Verdict, verdict
from incamail_lib.i18n import say

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
FACTS: Any = None  # the rules below look at their subject alone


def rule(code: str, subjects: Subjects, result: Result, **more: Any) -> Check:
    def on(_: AuditFacts) -> Subjects:
        return subjects

    @check(code, on=on, title="t", why="w", remedy="r", item="6.1", reference="RFC 1", **more)
    def good_state(_: Any, __: Context) -> Result:
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
