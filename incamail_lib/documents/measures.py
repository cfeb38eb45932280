"""What must be done up to going live: the guide's measures and what the answers leave to do.

The laws:

1. A measure's day is counted back from going live, unless another was arranged; without a date of
   going live its distance stands in weeks.
2. A measure is done when somebody noted it, when all its questions are clear and none of them
   contradicts its setting, or when the dossier or an audit shows it; never because its day has
   passed.
3. It is overdue from the day after its day.
4. An answer "to do" is a measure too, with the owner and the date it has; it counts back from
   nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from incamail_lib.documents.filling import answer_field
from incamail_lib.documents.parts import (
    Basis,
    lines,
    or_missing,
    responsible,
    source,
    titled,
    words,
)
from incamail_lib.documents.timing import counted_day, counted_text
from incamail_lib.dossier.agreed import Answer, Arranged, Role, State
from incamail_lib.dossier.contradicting import contradictions
from incamail_lib.dossier.phases import PhaseKey, StepKind, progress
from incamail_lib.dossier.words import term
from incamail_lib.findings import Outcome, Verdict
from incamail_lib.guide.contents import Measure
from incamail_lib.i18n import Text, say
from incamail_lib.sheets.model import Cell, Mark

INNER_HOP = "NET10"  # the check of the way between mail server and gateway
NEEDED = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.NETWORK_ADMIN, Role.SUPPORT, Role.POST)


@dataclass(frozen=True)
class Task:
    """One thing to do, and where it stands."""

    key: str  # of the measure, or the number of the question
    phase: PhaseKey
    title: Text
    owner: Cell
    day: dt.date | None
    counted: Text | None  # the distance from going live; None where the day was arranged
    done: bool
    overdue: bool
    measure: Measure | None = None
    remarks: Cell = ()


def tasks(basis: Basis) -> tuple[Task, ...]:
    """Every task, phase by phase, in the order in which they can be done."""
    found = [*_measures(basis), *_left_by_answers(basis)]
    phases: list[PhaseKey] = [phase.key for phase in basis.guide.phases]
    last = dt.date.max
    return tuple(sorted(found, key=lambda t: (phases.index(t.phase), t.day or last)))


def told_tasks(basis: Basis) -> tuple[Task, ...]:
    """Those by which somebody is told something, in the order of their days."""
    told = (task for task in _measures(basis) if task.measure and task.measure.audience)
    return tuple(sorted(told, key=lambda t: t.measure.days if t.measure else 0))


def when(task: Task) -> Cell:
    """The day of a task, with its distance from going live, and a warning where it has passed."""
    counted = (task.counted,) if task.counted else ()
    if task.day is None:
        return counted
    if task.overdue:
        return (Mark("bad", say("{day} – overdue", day=task.day)), *counted)
    return (task.day, *counted)


def _measures(basis: Basis) -> list[Task]:
    return [_task(basis, m) for m in basis.guide.measures if not _is_needless(basis, m)]


def _is_needless(basis: Basis, measure: Measure) -> bool:
    gateway = basis.dossier.components.get("mail_gateway")
    return measure.key == "inner_hop" and gateway is not None and gateway.present is False


def _task(basis: Basis, measure: Measure) -> Task:
    go_live = basis.dossier.go_live
    arranged = basis.dossier.measures.get(measure.key, Arranged())
    day = arranged.due or (counted_day(go_live, measure.days) if go_live else None)
    done = _is_done(basis, measure, arranged)
    return Task(
        key=measure.key,
        phase=measure.phase,
        title=source(measure.title),
        owner=lines(arranged.owner) or _responsible(basis, Role(measure.by)),
        day=day,
        counted=None if arranged.due else counted_text(measure.days),
        done=done,
        overdue=not done and day is not None and day < basis.today,
        measure=measure,
    )


def _responsible(basis: Basis, role: Role) -> Cell:
    """Who has the role, else the project lead; Swiss Post needs no name."""
    roles = {contact.role for contact in basis.dossier.contacts}
    if role is Role.POST and role not in roles:
        return (term(role),)
    if role not in roles and Role.PROJECT_LEAD in roles:
        return responsible(basis, Role.PROJECT_LEAD)
    return responsible(basis, role)


def _is_done(basis: Basis, measure: Measure, arranged: Arranged) -> bool:
    if arranged.done is not None and arranged.done <= basis.today:
        return True
    answers = [basis.answer(number) for number in measure.items]
    doubted = {c.number for c in contradictions(basis.dossier)}
    if doubted & set(measure.items):
        return False
    if answers and all(answer and answer.state is State.CLEAR for answer in answers):
        return True
    shown = _SHOWN.get(measure.key)
    return shown(basis) if shown else False


def _people(basis: Basis) -> bool:
    return set(NEEDED) <= {contact.role for contact in basis.dossier.contacts}


def _components(basis: Basis) -> bool:
    planning = progress(basis.dossier, basis.guide, basis.today).phases[0]
    return all(step.is_done for step in planning.steps if step.kind is StepKind.COMPONENT)


def _inner_hop(basis: Basis) -> bool:
    found = basis.audit.findings if basis.audit else ()
    measured = [f for f in found if f.code == INNER_HOP]
    if any(f.outcome is Outcome.FAILED for f in measured):
        return False
    seen = any(f.outcome is Outcome.PASSED for f in measured)
    return seen or basis.dossier.inner_hop is not None


def _audit(basis: Basis) -> bool:
    return basis.audit is not None and basis.audit.verdict is Verdict.READY


def _signed(*documents: str) -> Callable[[Basis], bool]:
    def signed(basis: Basis) -> bool:
        return set(documents) <= {signature.document for signature in basis.dossier.signatures}

    return signed


_SHOWN: dict[str, Callable[[Basis], bool]] = {
    "people": _people,
    "components": _components,
    "inner_hop": _inner_hop,
    "audit": _audit,
    "link_test": _signed("link", "identity"),
    "acceptance": _signed("outgoing", "incoming"),
}


def _left_by_answers(basis: Basis) -> list[Task]:
    """What is "to do" of a question, in the phase in which it is decided or carried out."""
    found = []
    for item in basis.guide.items:
        answer = basis.answer(item.number)
        if answer is not None and answer.state is State.TODO:
            phase = _phase_of(item.number, basis)
            found.append(_left(basis, item.number, answer, phase))
    return found


def _phase_of(number: str, basis: Basis) -> PhaseKey:
    phases = progress(basis.dossier, basis.guide, basis.today).phases
    return next(p.phase for p in phases if any(step.key == number for step in p.steps))


def _left(basis: Basis, number: str, answer: Answer, phase: PhaseKey) -> Task:
    note = " ".join(answer.note.split())
    return Task(
        key=number,
        phase=phase,
        title=titled(number, words(note) if note else basis.asked(number)),
        owner=or_missing(lines(answer.owner), say("owner"), *answer_field(number, "owner")),
        day=answer.due,
        counted=None,
        done=False,
        overdue=answer.due is not None and answer.due < basis.today,
    )
