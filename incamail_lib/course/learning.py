"""What was learnt between two exams of one learner: marks, and pictures of mail that are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from incamail_lib.course.exam import Graded, Question
from incamail_lib.course.exercises import Option, Slip
from incamail_lib.course.marking import State


@dataclass(frozen=True)
class Learnt:
    """A later exam beside the first that its learner handed in."""

    before: Graded
    after: Graded

    @property
    def points(self) -> int:
        """How many points of a hundred more are right; fewer: negative."""
        return self.after.percent - self.before.percent

    @property
    def overcome(self) -> tuple[tuple[Question, str], ...]:
        """Pictures that misled before, and were offered again and not taken: a question that
        offers one was answered rightly, and none of that picture wrongly. Where no question
        offered it again, nothing is claimed."""
        taken = {_belief(q, key) for q, marking in self.after.marks for key in marking.beliefs}
        refuted = {
            _belief(q, key)
            for q, marking in self.after.marks
            if marking.state is State.RIGHT
            for key in _offered(q)
        }
        return tuple((q, key) for q, key in _met(self.before) if _belief(q, key) in refuted - taken)

    @property
    def stayed(self) -> tuple[tuple[Question, str], ...]:
        """Pictures that misled before, and again."""
        taken = {_belief(q, key) for q, key in _met(self.after)}
        return tuple((q, key) for q, key in _met(self.before) if _belief(q, key) in taken)


def learnt(papers: Iterable[Graded], later: Graded) -> Learnt | None:
    """`later` beside the first exam that its learner handed in before; None where there is none,
    or where `later` was not handed in."""
    own = [g for g in papers if g.paper.learner == later.paper.learner and g.paper.handed_in_at]
    at = later.paper.handed_in_at
    before = [g for g in own if at and g.paper.handed_in_at and g.paper.handed_in_at < at]
    if not before:
        return None
    return Learnt(min(before, key=_handed_in), later)


def _handed_in(graded: Graded) -> float:
    at = graded.paper.handed_in_at
    assert at is not None
    return at.timestamp()


def _belief(question: Question, key: str) -> str:
    return f"{question.lesson.key}/{key}"


def _met(graded: Graded) -> tuple[tuple[Question, str], ...]:
    """Each picture behind a wrong answer, once, with the first question that met it."""
    found: dict[str, tuple[Question, str]] = {}
    for question, marking in graded.marks:
        for key in marking.beliefs:
            found.setdefault(_belief(question, key), (question, key))
    return tuple(found.values())


def _offered(question: Question) -> frozenset[str]:
    options: tuple[Option, ...] = getattr(question.exercise, "options", ())
    slips: tuple[Slip, ...] = getattr(question.exercise, "slips", ())
    beliefs = (*(o.belief for o in options), *(s.belief for s in slips))
    return frozenset(belief for belief in beliefs if belief)
