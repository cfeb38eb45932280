"""Whom the course is taken by: where the answers go, and what they are worth."""

from __future__ import annotations

from pathlib import Path

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Exercise, Given
from incamail_lib.course.marking import OPEN, Marking, NoAnswer, State, check
from incamail_lib.course.progress import (
    PROGRESS,
    Attempt,
    Progress,
    moment,
    open_progress,
    record,
)
from incamail_lib.i18n import Language, Text


class Learner:
    """One learner at work: language, lab and progress file."""

    def __init__(
        self, name: str, folder: Path, language: Language, *, interactive: bool, bench: Bench
    ) -> None:
        self.name, self.folder = name, folder
        self.language: Language = language
        self.interactive = interactive
        self.bench = bench
        self.problem: Text | None = None
        self.progress, self.problem = open_progress(self.file, name)

    @property
    def file(self) -> Path:
        """The one file of the learner's progress."""
        return self.folder / PROGRESS

    @property
    def seed(self) -> str:
        """What shuffles the options: another order for each learner, always the same for one."""
        return self.name

    def last(self, place: str) -> Attempt | None:
        """The last answer to an exercise."""
        return self.progress.last(place)

    def marked(self, exercise: Exercise, given: Given) -> Marking:
        """What an older answer is worth today; open where the exercise has changed since."""
        try:
            return check(exercise, given, self.bench)
        except NoAnswer:
            return OPEN

    def answered(self, place: str, exercise: Exercise, given: Given, *, hints: int) -> Marking:
        """Check an answer and write it down; one that could not be checked stays open, and is
        not written. Errors: NoAnswer, then nothing is written."""
        marking = check(exercise, given, self.bench)
        if marking.state is State.OPEN:
            return marking
        attempt = Attempt(
            at=moment(),
            exercise=place,
            given=given,
            state=marking.state,
            beliefs=marking.beliefs,
            hints=hints,
        )
        self.progress, problem = record(self.file, self.name, attempt, self.progress)
        self.problem = problem or self.problem
        return marking

    def read(self) -> Progress:
        """The progress as it stands in the file now: another lesson may have written to it."""
        self.progress, problem = open_progress(self.file, self.name, self.progress)
        self.problem = problem or self.problem
        return self.progress
