"""What a finding weighs, how findings fold to a verdict, and what a saved audit says of itself."""

from __future__ import annotations

import pytest
from factories import NOW, facts

from incamail_lib.checks import judge_facts
from incamail_lib.findings import Audit, Finding, Level, Outcome, Verdict, verdict
from incamail_lib.i18n import Text

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
REQUIRED, RECOMMENDED, INFO = Level.REQUIRED, Level.RECOMMENDED, Level.INFO


def finding(outcome: Outcome, level: Level = REQUIRED) -> Finding:
    """A finding about nothing in particular."""
    texts = {"title": "t", "why": "w", "item": "6.1", "reference": "RFC 1", "subject": ""}
    nothing = Text(template="")
    return Finding(code="A01", outcome=outcome, level=level, seen=nothing, remedy=nothing, **texts)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("outcome", Outcome)
def test_a_required_failure_alone_blocks(outcome: Outcome, level: Level) -> None:
    """Neither an unknown nor a failure that is only advised against stands in the way alone."""
    assert finding(outcome, level).blocks is (outcome is FAILED and level is REQUIRED)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((PASSED,), Verdict.READY),
        ((PASSED, NOT_APPLICABLE), Verdict.READY),
        ((NOT_APPLICABLE,), Verdict.INCONCLUSIVE),
        ((UNKNOWN,), Verdict.INCONCLUSIVE),
        ((PASSED, UNKNOWN), Verdict.INCONCLUSIVE),
        ((PASSED, FAILED), Verdict.NOT_READY),
        ((PASSED, UNKNOWN, FAILED), Verdict.NOT_READY),
        ((FAILED,), Verdict.NOT_READY),
        ((), Verdict.INCONCLUSIVE),
    ],
)
def test_what_is_required_decides(outcomes: tuple[Outcome, ...], expected: Verdict) -> None:
    """A failure before an unknown before a pass; what does not apply is no evidence."""
    assert verdict(finding(o) for o in outcomes) is expected


@pytest.mark.parametrize("level", [RECOMMENDED, INFO])
@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_not_required_decides_nothing(outcome: Outcome, level: Level) -> None:
    """It neither spoils a "ready" nor makes one."""
    assert verdict([finding(PASSED), finding(outcome, level)]) is Verdict.READY
    assert verdict([finding(outcome, level)]) is Verdict.INCONCLUSIVE


def test_the_exit_code_tells_the_verdicts_apart() -> None:
    """0 for ready alone; 1 and 3 as the command line documents them."""
    assert {v: v.exit_code for v in Verdict} == {
        Verdict.READY: 0,
        Verdict.NOT_READY: 1,
        Verdict.INCONCLUSIVE: 3,
    }


def test_a_saved_audit_says_its_version_and_comes_back_whole() -> None:
    """A reader years later knows by which rules of the file it was written."""
    audit = judge_facts(facts(), NOW)
    assert '"schema_version":1' in audit.model_dump_json()
    assert Audit.model_validate_json(audit.model_dump_json()) == audit


def test_a_finding_of_a_file_that_names_no_stretch_is_of_none() -> None:
    """Stretch of the way and blocking prerequisite are absent unless they are given."""
    plain = finding(PASSED)
    assert (plain.leg, plain.blocked_by) == (None, "")
