"""How far a learner is: one file, written after every answer, that nothing is ever lost from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from incamail_lib.course.keeping import put_aside
from incamail_lib.course.lesson import Lesson, place
from incamail_lib.course.marking import State
from incamail_lib.dossier.locking import only_writer
from incamail_lib.errors import UsageError
from incamail_lib.files import not_written, read_json, write_whole
from incamail_lib.i18n import Text, say
from incamail_lib.record import OurTime, Record

PROGRESS = "progress.json"
_BYTES = 20_000_000


class Attempt(Record):
    """One answer of a learner's, right or wrong."""

    at: OurTime
    exercise: str  # travel/addin
    given: str | tuple[str, ...] | dict[str, str]
    state: State
    beliefs: tuple[str, ...] = ()  # what the learner may have had in mind
    hints: int = 0  # that were unfolded before


class Progress(Record):
    """All answers of one learner, in their order."""

    schema_version: Literal[1] = 1
    learner: str
    attempts: tuple[Attempt, ...] = ()

    def state(self, exercise: str) -> State:
        """Right once is right for good; else wrong, else open."""
        states = {a.state for a in self.attempts if a.exercise == exercise}
        return next((s for s in (State.RIGHT, State.WRONG) if s in states), State.OPEN)

    def last(self, exercise: str) -> Attempt | None:
        """The last answer to an exercise."""
        found = [a for a in self.attempts if a.exercise == exercise]
        return found[-1] if found else None


@dataclass(frozen=True)
class Standing:
    """How far a learner is in one lesson."""

    lesson: Lesson
    right: int
    wrong: int
    all: int
    beliefs: tuple[str, ...]  # texts of what stood behind answers that are still wrong

    @property
    def percent(self) -> int:
        """How much of it is right."""
        return 100 * self.right // self.all


def standing(progress: Progress, lessons: Iterable[Lesson]) -> tuple[Standing, ...]:
    """Where each lesson stands."""
    return tuple(_standing(progress, lesson) for lesson in lessons)


def _standing(progress: Progress, lesson: Lesson) -> Standing:
    places = [place(lesson, exercise) for exercise in lesson.exercises]
    states = {name: progress.state(name) for name in places}
    texts = {belief.key: belief.text for belief in lesson.beliefs}
    lasts = [progress.last(name) for name, state in states.items() if state is State.WRONG]
    met = [key for attempt in lasts if attempt for key in attempt.beliefs]
    return Standing(
        lesson=lesson,
        right=sum(1 for state in states.values() if state is State.RIGHT),
        wrong=sum(1 for state in states.values() if state is State.WRONG),
        all=len(places),
        beliefs=tuple(texts[key] for key in dict.fromkeys(met) if key in texts),
    )


def open_progress(
    path: Path, learner: str, remembered: Progress | None = None
) -> tuple[Progress, Text | None]:
    """What is there, and what must be said about it: a damaged file is kept aside under another
    name. What this page remembers counts on; where it remembers nothing, a new one is begun.

    Errors: UsageError for a file of a newer version, which is left as it is; OutputError.
    """
    try:
        held = read_json(path, _BYTES)
        _refuse_newer(path, held)
        return Progress.model_validate_json(path.read_bytes()), None
    except FileNotFoundError:
        return remembered or Progress(learner=learner), None
    except (ValidationError, ValueError):
        aside = put_aside(path, "damaged")
    except OSError as error:
        raise not_written(path, error) from None
    if remembered is not None and remembered.attempts:
        kept = say(
            "{file} is damaged. It is kept as {aside}; your answers were still known here, and "
            "nothing of them is lost.",
            file=path.name,
            aside=aside.name,
        )
        return remembered, kept
    return Progress(learner=learner), say(
        "{file} is damaged. It is kept as {aside}; your progress is counted anew from here.",
        file=path.name,
        aside=aside.name,
    )


def _refuse_newer(path: Path, held: object) -> None:
    version = held.get("schema_version") if isinstance(held, dict) else None
    if isinstance(version, int) and version > 1:
        raise UsageError(
            say(
                "{file} was written by a newer version of this program. Update the program; the "
                "file was left as it is.",
                file=str(path),
            )
        )


def record(
    path: Path, learner: str, attempt: Attempt, remembered: Progress | None = None
) -> tuple[Progress, Text | None]:
    """Add an answer to the file; two programs at once lose none of theirs, and what a page
    remembers outlives a file that is damaged or gone. Errors: OutputError."""
    with only_writer(path, who=learner):
        known, problem = open_progress(path, learner, remembered)
        before = _merged(known.attempts, remembered.attempts if remembered else ())
        grown = known.model_copy(update={"attempts": (*before, attempt)})
        write_whole(path, grown.model_dump_json(indent=1).encode() + b"\n")
    return grown, problem


def _merged(known: tuple[Attempt, ...], remembered: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """What the file holds, and what only a page still knows, in the order of time."""
    missing = [attempt for attempt in remembered if attempt not in known]
    return tuple(sorted((*missing, *known), key=lambda a: a.at)) if missing else known


def moment() -> dt.datetime:
    """Now, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
