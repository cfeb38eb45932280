"""One object, two views: a live widget at the session, static HTML for report, print and diff."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

from incamail_lib.i18n import Language, Text, say
from incamail_lib.runbook.forms.drawing import drawn
from incamail_lib.runbook.forms.panel import Panel
from incamail_lib.runbook.forms.shape import Button, Input, Part, all_parts, inputs
from incamail_lib.sheets.html import fragment
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.plain import plain_text
from incamail_lib.sheets.style import chapter_style

if TYPE_CHECKING:
    from incamail_lib.runbook.forms.session import Session

_NUMBERS = count(1)
WIDGET = "application/vnd.jupyter.widget-view+json"


class Described(ABC):
    """What a cell shows: a description of what is there now, and what to do with what people
    enter."""

    key = ""

    def __init__(self, language: Language, *, interactive: bool) -> None:
        self.language: Language = language
        self.interactive = interactive
        self._tell = formatter(language)
        self.said = ""
        self._id = f"im{next(_NUMBERS)}"
        self.panel: Panel | None = None
        self._is_hearing = False  # then it is drawn once, at the end

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """What the form shows now."""

    def enter(self, name: str, value: str) -> None:
        """Take what was entered into an input of that name."""
        raise NotImplementedError(name, value)

    def press(self, name: str) -> None:
        """Do what a button of that name says."""
        raise NotImplementedError(name)

    def inputs(self) -> dict[str, Input]:
        """The inputs there are now, by name."""
        return inputs(self.parts())

    def buttons(self) -> set[str]:
        """What can be pressed now."""
        found = (part for part in all_parts(self.parts()) if isinstance(part, Button))
        return {button.name for button in found if not button.is_off}

    def static(self) -> str:
        """The same, to be read."""
        return drawn(self.parts(), self.language)

    @cached_property
    def widget(self) -> Panel:
        """The one widget of this object."""
        return self.build()

    def framed(self) -> str:
        """The static content with style and language."""
        return chapter_style() + fragment(self.static(), self.key, self.language)

    def __str__(self) -> str:
        return plain_text(self.framed())

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """HTML and text always; the widget beside them where somebody can use it."""
        framed = self.framed()
        data: dict[str, Any] = {"text/html": framed, "text/plain": plain_text(framed)}
        if self.interactive:
            data[WIDGET] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.widget.model_id,
            }
        return data, {"incamail": {"key": self.key}}

    def build(self) -> Panel:
        """The panel in the browser, drawn anew whenever something changes."""
        lost = self._tell.gettext(
            "There is no answer: what was entered last is not saved. Reload the page; in "
            "JupyterLab, run all cells again."
        )
        self.panel = Panel(self._hear, lost)
        self.show()
        return self.panel

    def show(self) -> None:
        """Let the browser show what is there now."""
        if self.panel is not None and not self._is_hearing:
            self.panel.content = drawn(
                self.parts(), self.language, form=self._id, live=True, said=self.said
            )

    def say(self, text: Text | str) -> None:
        """Say what has just happened, which screen readers tell."""
        self.said = self._tell.told(text) if isinstance(text, Text) else text
        self.show()

    def _hear(self, message: dict[str, Any]) -> None:
        """An event of the browser: what does not fit the form as it is now is none."""
        field, pressed = str(message.get("field", "")), str(message.get("press", ""))
        self._is_hearing = True
        try:
            if field in self.inputs():
                self.enter(field, str(message.get("value", "")))
            elif pressed in self.buttons():
                self.press(pressed)
        finally:
            self._is_hearing = False
        self.show()


class Form(Described):
    """What is filled in of a dossier. State lies there; a form keeps only what was refused, until
    it is mended."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.language, interactive=session.interactive)
        self._session = session
        self.refused: dict[str, tuple[str, Text]] = {}  # what was entered, and what is wrong

    def build(self) -> Panel:
        """The panel, drawn anew also when another form changes the dossier."""
        self._session.listen(self.show)
        return super().build()

    def mended(self, made: Input) -> Input:
        """The input with what was refused of it, and why."""
        if made.name not in self.refused:
            return made
        value, problem = self.refused[made.name]
        return replace(made, value=value, problem=str(self._tell.told(problem)))

    def refuse(self, name: str, value: str, problem: Text) -> None:
        """Keep what was entered, and say at the input what is wrong with it."""
        inner = problem.values.get("problem")  # without file and field: one sits before the field
        told = inner if isinstance(inner, Text) else problem
        self.refused[name] = (value, told)
        self.say(say("Not saved: {problem}", problem=told))

    def put(self, name: str, path: tuple[str, ...], value: Any, entered: str) -> None:
        """Write what was entered under `name`; what is not possible stays in its input."""
        before = self._session.value_at(path)
        problem = self._session.put(path, value)
        self.refused.pop(name, None)
        if problem and self._session.value_at(path) == before:
            self.refuse(name, entered, problem)
        else:
            self.say(problem or self._tell.gettext("Saved."))
        self._session.tell()
