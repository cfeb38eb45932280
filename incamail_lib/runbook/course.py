"""What the notebooks of the course call: a lesson, the progress, an exam."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

from incamail_lib.course.bench import Bench
from incamail_lib.course.lesson import Lesson, place
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.showing import aim_blocks, progress_blocks, summary_blocks
from incamail_lib.errors import UsageError
from incamail_lib.i18n import LANGUAGES, Language, environment_language, say, translator
from incamail_lib.outputs import course_folder
from incamail_lib.runbook.forms.exam import ExamForm
from incamail_lib.runbook.forms.exercise import ExerciseForm
from incamail_lib.runbook.forms.learner import Learner
from incamail_lib.runbook.forms.shape import Html, Link, Links, Note, Part
from incamail_lib.runbook.forms.view import Described
from incamail_lib.sheets.html import render_blocks
from incamail_lib.sheets.model import Block


class Shown(Described):
    """Something of the course to be read, made anew each time it is shown."""

    key = "course"

    def __init__(
        self, learner: Learner, make: Callable[[], tuple[Block, ...]], *ways: Link
    ) -> None:
        super().__init__(learner.language, interactive=False)
        self._learner, self._make, self._ways = learner, make, ways

    def parts(self) -> list[Part]:
        """What there is to say about the progress file, the content, and where one can go on."""
        page = Html(render_blocks(self._make(), self.language))
        problem = self._learner.problem
        warning = [Note(str(self._tell.told(problem)), warns=True)] if problem else []
        ways = [Links(self._tell.gettext("Lesson"), self._ways)] if self._ways else []
        return [*warning, page, *ways]


class Course:
    """The course as one learner takes it."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    @property
    def progress(self) -> Shown:
        """How far the learner is in all lessons, and the way to each."""
        learner, lessons = self.learner, tuple(LESSONS.values())
        tell = translator(learner.language)
        ways = (Link.to_notebook(f"{x.number} {tell(x.title)}", x.notebook) for x in lessons)
        return Shown(learner, lambda: progress_blocks(learner.read(), lessons), *ways)

    def _repr_mimebundle_(self, **given: object) -> object:
        return self.progress._repr_mimebundle_(**given)

    def exam(self, seed: int, questions: int, label: str = "exam") -> ExamForm:
        """The exam of a seed; the same for everybody who has it. Errors: UsageError."""
        return ExamForm(self.learner, seed, questions, label)


class OpenLesson(Course):
    """One lesson as one learner takes it."""

    def __init__(self, learner: Learner, lesson: Lesson) -> None:
        super().__init__(learner)
        self.lesson = lesson

    @property
    def aim(self) -> Shown:
        """What one can do afterwards."""
        return Shown(self.learner, lambda: aim_blocks(self.lesson))

    @property
    def summary(self) -> Shown:
        """What to remember, and where it stands in the guide and among the checks."""
        return Shown(self.learner, lambda: summary_blocks(self.lesson))

    def exercise(self, key: str) -> ExerciseForm:
        """One exercise by its key. Errors: UsageError where the lesson has none of that key."""
        try:
            found = self.lesson.exercise(key)
        except KeyError:
            raise UsageError(
                say(
                    "The lesson «{lesson}» has no exercise «{given}». It has: {known}. If this "
                    "page was changed, open it anew with «incamail course start {lesson}».",
                    lesson=self.lesson.key,
                    given=key,
                    known=", ".join(e.key for e in self.lesson.exercises),
                )
            ) from None
        return ExerciseForm(self.learner, place(self.lesson, found), found, self.learner.bench)

    def _repr_mimebundle_(self, **given: object) -> object:
        return self.aim._repr_mimebundle_(**given)


def user_name() -> str:
    """Who is logged in at this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return "learner"


def open_course(
    learner: str = "", *, language: str = "", output: str | Path, interactive: bool = True
) -> Course:
    """The course of a learner: by name, else of whoever is logged in.

    Errors: UsageError for a language or a progress file that cannot be used; OutputError.
    """
    return Course(_learner(learner, language, output, interactive))


def open_lesson(
    key: str,
    learner: str = "",
    *,
    language: str = "",
    output: str | Path,
    interactive: bool = True,
) -> OpenLesson:
    """A lesson of the course. Errors: as `open_course`, and UsageError for an unknown lesson."""
    return OpenLesson(_learner(learner, language, output, interactive), lesson_named(key))


def lesson_named(key: str) -> Lesson:
    """The lesson by its key or its number. Errors: UsageError."""
    found = {**LESSONS, **{str(lesson.number): lesson for lesson in LESSONS.values()}}.get(key)
    if found is None:
        raise UsageError(
            say(
                "There is no lesson «{given}». The lessons are: {known}.",
                given=key[:40],
                known=", ".join(f"{x.number} {x.key}" for x in LESSONS.values()),
            )
        )
    return found


def language_of(language: str) -> Language:
    """The language of that code; of this computer where none is named. Errors: UsageError."""
    if language and language not in LANGUAGES:
        raise UsageError(
            say(
                "There is no language «{given}»; choose one of {allowed}.",
                given=language[:20],
                allowed=", ".join(LANGUAGES),
            )
        )
    return next((x for x in LANGUAGES if x == language), environment_language())


def _learner(name: str, language: str, output: str | Path, interactive: bool) -> Learner:
    chosen = language_of(language)
    who = name.strip() or user_name()
    folder = course_folder(Path(output), who)
    return Learner(who, folder, chosen, interactive=interactive, bench=Bench())
