"""Exercises of the course to click, or to answer in a line of code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import (
    Enter,
    Exercise,
    Given,
    Mark,
    Option,
    Rule,
    Sort,
    options_of,
)
from incamail_lib.course.marking import OPEN, Marking, NoAnswer, State
from incamail_lib.course.rule_words import FIELDS, METHODS
from incamail_lib.course.showing import marking_blocks, question_blocks
from incamail_lib.i18n import Text, say
from incamail_lib.runbook.forms.learner import Learner
from incamail_lib.runbook.forms.shape import Button, Html, Input, Part, Row
from incamail_lib.runbook.forms.view import Described
from incamail_lib.sheets.html import render_blocks
from incamail_lib.sheets.language import Formatter
from incamail_lib.sheets.model import Paragraph


class Answering:
    """The inputs of one exercise, and the answer that is entered in them so far."""

    def __init__(self, exercise: Exercise, seed: str, tell: Formatter, prefix: str = "") -> None:
        self.exercise, self._tell, self._prefix = exercise, tell, prefix
        self.options = options_of(exercise, seed)
        self.entered: dict[str, str] = {}

    def parts(self) -> list[Part]:
        """What can be entered."""
        match self.exercise:
            case Mark():
                return [self._input(f"mark-{o.key}", self._text(o), "tick") for o in self.options]
            case Sort():
                return [self._place(number) for number in range(1, len(self.options) + 1)]
            case Enter():
                return [self._input("value", self._tell.gettext("Your answer"))]
            case Rule():
                return [self._field(name) for name in self.exercise.fields]
        choices = tuple((o.key, self._text(o)) for o in self.options)
        return [self._input("choice", self._tell.gettext("Your answer"), "radio", choices)]

    def enter(self, name: str, value: str) -> bool:
        """Take an entry, if it is one of this exercise's."""
        own = name.removeprefix(self._prefix)
        if own == name and self._prefix:
            return False
        self.entered[own] = value
        return True

    def take(self, given: Given) -> None:
        """Enter an answer that was given before."""
        if isinstance(given, dict):
            self.entered = dict(given)
        elif isinstance(self.exercise, Mark):
            keys = (given,) if isinstance(given, str) else given
            self.entered = {f"mark-{key}": "true" for key in keys}
        elif isinstance(given, str):
            self.entered = {"value" if isinstance(self.exercise, Enter) else "choice": given}
        else:
            self.entered = {f"place-{n}": key for n, key in enumerate(given, start=1)}

    @property
    def given(self) -> Given | None:
        """The answer as it stands; None where nothing was entered."""
        if not any(self.entered.values()):
            return None
        match self.exercise:
            case Mark():
                return tuple(o.key for o in self.options if self._value(f"mark-{o.key}") == "true")
            case Sort():
                places = (self._value(f"place-{n}") for n in range(1, len(self.options) + 1))
                return tuple(key for key in places if key)
            case Enter():
                return self._value("value")
            case Rule():
                return {
                    name: self._value(name) for name in self.exercise.fields if self._value(name)
                }
        return self._value("choice")

    def meant(self, words: Sequence[str], fields: Mapping[str, str]) -> Given:
        """The answer of a line of code: letters as they stand beside the options, or keys."""
        if isinstance(self.exercise, Rule):
            return dict(fields)
        if isinstance(self.exercise, Enter):
            return " ".join(words)
        letters = {chr(ord("a") + n): o.key for n, o in enumerate(self.options)}
        keys = tuple(letters.get(word.strip().lower(), word) for word in words)
        return keys if isinstance(self.exercise, Mark | Sort) else " ".join(keys)

    def _value(self, name: str) -> str:
        return self.entered.get(name, "")

    def _text(self, option: Option) -> str:
        return self._tell.gettext(option.text)

    def _input(
        self,
        name: str,
        label: str,
        kind: str = "line",
        options: tuple[tuple[str, str], ...] = (),
    ) -> Input:
        return Input(
            self._prefix + name,
            label,
            kind=kind,  # type: ignore[arg-type]
            value=self._value(name),
            options=options,
            width="column" if kind == "radio" else "full",
        )

    def _place(self, number: int) -> Input:
        choices = (("", "–"), *((o.key, self._text(o)) for o in self.options))
        return self._input(f"place-{number}", f"{number}.", "choice", choices)

    def _field(self, name: str) -> Input:
        tell = self._tell.gettext
        label = tell(FIELDS[name])
        if name == "method":
            choices = tuple((key, tell(text)) for key, text in METHODS.items())
            return self._input(name, label, "choice", (("", "–"), *choices))
        if name == "refuses_tag_without_suffix":
            return self._input(
                name, label, "choice", (("", "–"), ("yes", tell("yes")), ("no", tell("no")))
            )
        return self._input(name, label)


class ExerciseForm(Described):
    """One exercise: answered, marked with its reason, as often as one likes; hints one by one."""

    key = "exercise"

    def __init__(self, learner: Learner, place: str, exercise: Exercise, bench: Bench) -> None:
        super().__init__(learner.language, interactive=learner.interactive)
        self._learner, self._place, self._bench = learner, place, bench
        self.exercise = exercise
        self.answering = Answering(exercise, learner.seed, self._tell)
        self.hints = 0
        self.marking: Marking = OPEN
        self._warning: Text | None = None  # of the progress file, when this answer met it
        last = learner.last(place)
        if last is not None:
            self.answering.take(last.given)
            self.marking = learner.marked(exercise, last.given)

    def parts(self) -> Sequence[Part]:
        """The question, what can be entered, the buttons, the reason."""
        tell = self._tell.gettext
        left = len(self.exercise.hints) - self.hints
        hint = Button("hint", tell("Show a hint"), is_off=left == 0)
        return [
            Html(render_blocks(question_blocks(self.exercise, self._bench), self.language)),
            *self.answering.parts(),
            Row((Button("check", tell("Check the answer"), is_main=True), hint)),
            Html(self._told()),
        ]

    def static(self) -> str:
        """The question with its options, to be read, and what the last answer is worth."""
        question = question_blocks(self.exercise, self._bench, self._learner.seed)
        return render_blocks(question, self.language) + "\n" + self._told()

    def enter(self, name: str, value: str) -> None:
        """Keep what was chosen or typed, until it is checked."""
        self.answering.enter(name, value)

    def press(self, name: str) -> None:
        """Check the answer, or unfold one more hint."""
        if name == "hint":
            self.hints += 1
            return
        given = self.answering.given
        if given is None:
            self.say(say("Give an answer first."))
            return
        self._check(given)

    def answer(self, *words: str, **fields: str) -> ExerciseForm:
        """The exercise with this answer checked: letters or keys, a value, or fields of a rule."""
        given = self.answering.meant(words, fields)
        self._check(given)
        return self

    def hint(self) -> ExerciseForm:
        """The exercise with one more hint unfolded."""
        self.hints = min(self.hints + 1, len(self.exercise.hints))
        self.show()
        return self

    def _check(self, given: Given) -> None:
        before = self._learner.problem
        try:
            self.marking = self._learner.answered(
                self._place, self.exercise, given, hints=self.hints
            )
        except NoAnswer as error:
            self.marking = Marking(State.OPEN)
            self.say(error.text)
            if self.panel is None:
                raise
            return
        found = self._learner.problem
        self._warning = found if found is not before else None
        self.answering.take(given)
        self.said = ""
        self.show()

    def _told(self) -> str:
        shown = self.exercise.hints[: self.hints]
        blocks = marking_blocks(self.exercise, self.marking, shown)
        warned = (Paragraph(self._warning, "warning"),) if self._warning else ()
        return render_blocks((*blocks, *warned), self.language)
