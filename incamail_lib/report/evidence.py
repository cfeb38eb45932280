"""What the last audit says about a question of the checklist, and about an answer to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incamail_lib.dossier.agreed import Answer, State
from incamail_lib.findings import Audit, Finding, Level, Outcome
from incamail_lib.guide import ChecklistQuestion
from incamail_lib.report.order import Row, rows_of


@dataclass(frozen=True)
class Evidence:
    """Findings that belong to one question; `state` only where they decide it."""

    number: str
    rows: tuple[Row, ...]  # open points first
    passed: int
    state: State | None
    seen_at: dt.datetime | None


def evidence_for(item: ChecklistQuestion, audit: Audit | None) -> Evidence:
    """The evidence for a question, from an audit or from none.

    Failed required checks mean that there is something to do; unknown ones that it is not clear.
    Passed ones make it clear only where measuring answers the whole question: that a port is open
    to us does not prove that it is open to IncaMail.
    """
    found = [f for f in audit.findings if f.item == item.number] if audit else []
    judged = [f for f in found if f.outcome is not Outcome.NOT_APPLICABLE]
    open_points = [f for f in judged if f.outcome is not Outcome.PASSED and not f.blocked_by]
    return Evidence(
        number=item.number,
        rows=rows_of(open_points),
        passed=sum(f.outcome is Outcome.PASSED for f in judged),
        state=_decided(judged, item),
        seen_at=audit.facts.measured_at if audit and judged else None,
    )


def _decided(findings: list[Finding], item: ChecklistQuestion) -> State | None:
    required = [f.outcome for f in findings if f.level is Level.REQUIRED]
    if Outcome.FAILED in required:
        return State.TODO
    if Outcome.UNKNOWN in required:
        return State.UNCLEAR
    return State.CLEAR if required and item.decided_by_evidence else None


def contradicts(answer: Answer | None, evidence: Evidence) -> bool:
    """Whether the question is said to be clear while the evidence says that it is not.

    "To do" beside good evidence contradicts nothing: a question holds more than what is measured.
    """
    claims = answer is not None and answer.state is State.CLEAR
    return claims and evidence.state in (State.TODO, State.UNCLEAR)
