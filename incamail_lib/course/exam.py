"""An exam: drawn by a seed, alike for everybody; kept without solutions; graded by the reader.

What a learner hands in are answers. Marks are made anew from them each time, by the library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Exercise, Given, Repair
from incamail_lib.course.lesson import Lesson, place
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import OPEN, Marking, NoAnswer, State, check
from incamail_lib.errors import MaterialError, UsageError
from incamail_lib.files import read_json, write_whole
from incamail_lib.i18n import say
from incamail_lib.outputs import slug
from incamail_lib.record import OurTime, Record

_BYTES = 1_000_000
_REPAIRS = 0.6  # of an exam


@dataclass(frozen=True)
class Question:
    """One exercise of an exam."""

    lesson: Lesson
    exercise: Exercise

    @property
    def place(self) -> str:
        """By what name it is known in records."""
        return place(self.lesson, self.exercise)


class Paper(Record):
    """What a learner handed in, or is still writing. No solution and no mark stands in it."""

    schema_version: Literal[1] = 1
    learner: str = Field(min_length=1, max_length=200)
    label: str = Field(default="exam", max_length=40)  # such as before, after
    seed: int
    questions: int
    answers: dict[str, str | tuple[str, ...] | dict[str, str]] = Field(default_factory=dict)
    handed_in_at: OurTime | None = None

    @property
    def file(self) -> str:
        """The name of its file in the learner's folder."""
        return f"exam-{self.seed}-{self.questions}-{slug(self.label)}.json"


@dataclass(frozen=True)
class Graded:
    """A paper with what each answer is worth."""

    paper: Paper
    marks: tuple[tuple[Question, Marking], ...]

    def count(self, state: State) -> int:
        """How many answers are of that state."""
        return sum(1 for _, marking in self.marks if marking.state is state)

    @property
    def percent(self) -> int:
        """How much of it is right."""
        return 100 * self.count(State.RIGHT) // len(self.marks)


def draw(seed: int, count: int, lessons: Mapping[str, Lesson] = LESSONS) -> tuple[Question, ...]:
    """`count` questions, mostly repairs, that everybody with this seed gets, in this order.

    Errors: UsageError for more questions than there are, or none.
    """
    every = [Question(lesson, e) for lesson in lessons.values() for e in lesson.exercises]
    if not 1 <= count <= len(every):
        raise UsageError(
            say(
                "An exam has from 1 to {most} questions; {given} were asked for.",
                most=len(every),
                given=count,
            )
        )
    drawn = sorted(every, key=lambda question: _lot(seed, question))
    repairs = [q for q in drawn if isinstance(q.exercise, Repair)]
    others = [q for q in drawn if not isinstance(q.exercise, Repair)]
    wanted = max(round(count * _REPAIRS), count - len(others))
    chosen = (*repairs[:wanted], *others[: count - min(wanted, len(repairs))])
    return tuple(sorted(chosen, key=lambda question: _lot(seed, question)))


def _lot(seed: int, question: Question) -> str:
    """Where a question comes in the draw of a seed, on every machine and version."""
    return hashlib.sha256(f"{seed}/{question.place}".encode()).hexdigest()


def grade(paper: Paper, bench: Bench) -> Graded:
    """What the answers are worth. Errors: UsageError for a number of questions that cannot be."""
    questions = draw(paper.seed, paper.questions)
    return Graded(paper, tuple((q, _mark(q, paper.answers.get(q.place), bench)) for q in questions))


def _mark(question: Question, given: Given | None, bench: Bench) -> Marking:
    if given is None:
        return OPEN
    try:
        return check(question.exercise, given, bench)
    except NoAnswer as error:
        return Marking(State.WRONG, (error.text,))


def read_paper(path: Path) -> Paper:
    """A paper that was written or handed in. Errors: MaterialError with file and remedy."""
    try:
        held = read_json(path, _BYTES)
        return Paper.model_validate(held)
    except (OSError, ValueError, ValidationError) as error:
        raise MaterialError(
            say(
                "{file} is no exam that can be read ({cause}). Ask for the file anew, as the "
                "program wrote it.",
                file=str(path),
                cause=type(error).__name__,
            )
        ) from None


def write_paper(folder: Path, paper: Paper) -> Path:
    """Write a paper into its learner's folder. Errors: OutputError."""
    return write_whole(folder / paper.file, paper.model_dump_json(indent=1).encode() + b"\n")


def papers_below(folder: Path) -> tuple[Path, ...]:
    """The files of exams in a folder and below. Errors: MaterialError where there are none."""
    found = tuple(sorted(folder.rglob("exam-*.json")))
    if not found:
        raise MaterialError(
            say(
                "No exam was found in {folder}. Collect the learners' files exam-….json there.",
                folder=str(folder),
            )
        )
    return found


def row(graded: Graded) -> dict[str, str | int]:
    """A line of the trainer's table."""
    paper = graded.paper
    return {
        "learner": paper.learner,
        "label": paper.label,
        "seed": paper.seed,
        "questions": paper.questions,
        "right": graded.count(State.RIGHT),
        "wrong": graded.count(State.WRONG),
        "open": graded.count(State.OPEN),
        "percent": graded.percent,
        "handed_in_at": paper.handed_in_at.isoformat() if paper.handed_in_at else "",
        "beliefs": " ".join(_beliefs(graded.marks)),
    }


def _beliefs(marks: Iterable[tuple[Question, Marking]]) -> list[str]:
    """What may have stood behind the wrong answers, each once: what to talk about in class."""
    met = (f"{q.lesson.key}/{belief}" for q, marking in marks for belief in marking.beliefs)
    return list(dict.fromkeys(met))
