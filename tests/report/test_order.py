"""Findings in order: the heaviest first, chapters apart, equal ones on several subjects once."""

from __future__ import annotations

from typing import Any

import pytest
from factories import NOW, facts

from incamail_lib.findings import Audit, Finding, Leg, Level, Outcome, Verdict
from incamail_lib.i18n import Text, say
from incamail_lib.report.order import (
    Block,
    by_weight,
    chapter_of,
    counts,
    decisive,
    item_key,
    next_steps,
    rows_of,
    sort_findings,
)

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
REQUIRED, RECOMMENDED, INFO = Level.REQUIRED, Level.RECOMMENDED, Level.INFO


def finding(code: str, outcome: Outcome = PASSED, level: Level = REQUIRED, **more: Any) -> Finding:
    """A finding of a check."""
    texts = {"title": "t", "why": "w", "item": "6.1", "reference": "RFC 1", "subject": ""}
    blank = {"seen": Text(template=""), "remedy": Text(template="")}
    return Finding(code=code, outcome=outcome, level=level, **(texts | blank | more))


def audit(*findings: Finding) -> Audit:
    return Audit(judged_at=NOW, verdict=Verdict.NOT_READY, findings=findings, facts=facts())


def codes(rows: Any) -> list[str]:
    return [row.finding.code for row in rows]


# Heaviest first, as a reader shall see them.
WEIGHTS = [
    finding("DNS01", FAILED, REQUIRED),
    finding("DNS02", UNKNOWN, REQUIRED),
    finding("DNS03", FAILED, RECOMMENDED),
    finding("DNS04", UNKNOWN, RECOMMENDED),
    finding("DNS05", FAILED, INFO),
    finding("DNS06", UNKNOWN, INFO),
    finding("DNS07", PASSED, REQUIRED),
    finding("DNS08", PASSED, RECOMMENDED),
    finding("DNS09", PASSED, INFO),
    finding("DNS10", NOT_APPLICABLE, REQUIRED),
    finding("DNS11", NOT_APPLICABLE, RECOMMENDED),
    finding("DNS12", NOT_APPLICABLE, INFO),
]


def test_the_heaviest_comes_first() -> None:
    """What keeps from ready, what may keep, what is advised, remarks; then what is well."""
    # Codes that run the other way, so that the order is not that of the codes.
    rows = [f.model_copy(update={"code": f"DNS{90 - n}"}) for n, f in enumerate(WEIGHTS)]
    assert sorted(reversed(rows), key=by_weight) == rows
    assert codes(rows_of(reversed(rows))) == [f.code for f in rows]


@pytest.mark.parametrize("outcome", Outcome)
def test_among_equals_the_guides_item_decides_then_the_code(outcome: Outcome) -> None:
    """6.10 follows 6.9, and what has no item comes last."""
    rows = [
        finding("NET09", outcome, item="2"),
        finding("NET05", outcome, item="6.9"),
        finding("NET03", outcome, item="6.10"),
        finding("NET04", outcome, item="6.10"),
        finding("NET01", outcome, item=""),
    ]
    assert sorted(reversed(rows), key=by_weight) == rows


@pytest.mark.parametrize(
    ("item", "key"),
    [("6.1", (6, 1)), ("6.10", (6, 10)), ("6.3, 6.4", (6, 3, 6, 4)), ("", (99,)), ("–", (99,))],
)
def test_an_item_is_ordered_by_its_numbers(item: str, key: tuple[int, ...]) -> None:
    """Parts between dots and commas are numbers; words are not."""
    assert item_key(item) == key


def test_findings_are_sorted_into_what_is_open_well_blocked_and_no_question() -> None:
    """Each is in one place; a blocked one in none but its block."""
    blocked = finding("DNS20", UNKNOWN, blocked_by="DNS02")
    found = sort_findings([*WEIGHTS, blocked])
    assert codes(found.open) == ["DNS01", "DNS02", "DNS03", "DNS04", "DNS05", "DNS06"]
    assert codes(found.passed) == ["DNS07", "DNS08", "DNS09"]
    assert codes(found.not_applicable) == ["DNS10", "DNS11", "DNS12"]
    assert found.blocks == (Block("DNS02", "", ("DNS20",)),)


def test_blocked_checks_are_told_by_prerequisite_and_subject() -> None:
    """One line says what must pass first, for which address, and which questions hang on it."""
    blocked = [
        finding("TLS01", UNKNOWN, blocked_by="SMTP03", subject="mx1"),
        finding("TLS02", UNKNOWN, blocked_by="SMTP03", subject="mx1"),
        finding("TLS02", UNKNOWN, blocked_by="SMTP03", subject="mx1"),
        finding("TLS01", UNKNOWN, blocked_by="SMTP03", subject="mx2"),
        finding("CERT02", UNKNOWN, blocked_by="CERT01", subject="mx1"),
    ]
    assert sort_findings(blocked).blocks == (
        Block("SMTP03", "mx1", ("TLS01", "TLS02")),
        Block("SMTP03", "mx2", ("TLS01",)),
        Block("CERT01", "mx1", ("CERT02",)),
    )


def test_next_steps_are_what_fails_or_is_open_and_weighs() -> None:
    """No remark, nothing that is well, and nothing that waits for another step."""
    waiting = finding("DNS20", UNKNOWN, blocked_by="DNS02")
    steps = next_steps(audit(*reversed(WEIGHTS), waiting))
    assert codes(steps) == ["DNS01", "DNS02", "DNS03", "DNS04"]


def test_required_failures_decide_and_nothing_else() -> None:
    """Neither an open question nor a recommended failure stands beside them."""
    assert codes(decisive(audit(*WEIGHTS))) == ["DNS01"]


def test_without_a_required_failure_the_required_unknowns_decide() -> None:
    """What waits for another check decides nothing: the other one does."""
    waiting = finding("DNS20", UNKNOWN, blocked_by="DNS02")
    assert codes(decisive(audit(*WEIGHTS[1:], waiting))) == ["DNS02"]
    silenced = finding("DNS21", FAILED, blocked_by="DNS02")
    assert codes(decisive(audit(*WEIGHTS[1:], silenced))) == ["DNS02"]
    assert decisive(audit(*WEIGHTS[2:])) == ()


def test_one_finding_on_several_subjects_is_one_row() -> None:
    """Each subject is named once, in order; what differs in a word is a row of its own."""
    same = [finding("TLS02", FAILED, subject=s) for s in ("mx1", "mx2", "mx1")]
    other = finding("TLS02", FAILED, subject="mx3", seen=say("TLS 1.0"))
    rows = rows_of([*same, other])
    assert [row.subjects for row in rows] == [("mx1", "mx2"), ("mx3",)]
    assert rows[0].finding == same[0]


def test_a_finding_on_the_organisation_has_no_subject() -> None:
    """An empty label is none to be listed."""
    assert rows_of([finding("NET05")])[0].subjects == ()


@pytest.mark.parametrize(
    ("code", "leg", "chapter"),
    [
        ("ROUT01", Leg.ROUTE, "routing"),
        ("DNS17", Leg.ROUTE, "dns"),
        ("CERT01", Leg.ARRIVAL, "certificates"),
        ("CERT20", Leg.LINK, "certificates"),
        ("PLAT01", Leg.LINK, "identity"),
        ("NET01", Leg.ARRIVAL, "gateways"),
        ("NET10", Leg.INSIDE, "gateways"),
        ("SMTP01", None, "gateways"),
        ("NET02", Leg.LINK, "outgoing"),
        ("TLS12", Leg.LINK, "outgoing"),
    ],
)
def test_each_finding_has_its_chapter(code: str, leg: Leg | None, chapter: str) -> None:
    """By its family, or by the direction of the way it is about."""
    assert chapter_of(finding(code, leg=leg)) == chapter


def test_findings_are_counted_by_family() -> None:
    """Required failed, other failed, unknown, passed, not applicable; families in their order."""
    strangers = [finding("ZZZ01"), finding("MON01", FAILED, INFO)]
    mixed = [finding("TLS01", UNKNOWN), finding("TLS02", UNKNOWN), *strangers, *WEIGHTS]
    assert counts(audit(*mixed)) == (
        ("DNS", (1, 2, 3, 3, 3)),
        ("TLS", (0, 0, 2, 0, 0)),
        ("MON", (0, 1, 0, 0, 0)),
        ("ZZZ", (0, 0, 0, 1, 0)),
    )
