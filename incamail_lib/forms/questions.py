"""The questions of the checklist as forms: evidence first, then what people decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from incamail_lib.dossier.progress import Answer, State
from incamail_lib.dossier.words import state_text
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import LABEL, View, column, half, html, row, wide
from incamail_lib.guide import Item
from incamail_lib.i18n import Text
from incamail_lib.report.chapters import fragment
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render
from incamail_lib.report.questions import question_html, question_view
from incamail_lib.report.style import chapter_style


class Questions(View):
    """Some questions of the checklist, one below the other."""

    key = "questions"

    def __init__(self, desk: Desk, numbers: Sequence[str]) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk = desk
        known = {item.number: item for item in desk.guide.items}
        self.items: tuple[Item, ...] = tuple(known[number] for number in numbers)

    def static(self) -> str:
        """Questions, answers and evidence as they stand in the dossier."""
        desk = self._desk
        views = (question_view(i, desk.dossier, desk.platform, desk.audit) for i in self.items)
        return "\n".join(question_html(view, self.language) for view in views)

    def build(self) -> widgets.Widget:
        """A form for each question."""
        return column(*(QuestionForm(self._desk, item).box for item in self.items))


class QuestionForm:
    """One question with its inputs; every change is written to the dossier at once."""

    def __init__(self, desk: Desk, item: Item) -> None:
        self._desk, self._item = desk, item
        self._quiet = False  # while the form shows what the dossier holds, nothing is written
        tell = voice(desk.language).gettext
        self.head = html()
        self.state = widgets.RadioButtons(
            options=[(voice(desk.language).told(state_text(s)), s.value) for s in State],
            description=tell("State"),
            orientation="horizontal",
            style=LABEL,
            layout=wide(),
        )
        self.answer = _area(tell("Answer"))
        self.note = _area(tell("To do, remarks"))
        self.reason = _area(tell("Reason"))
        self.owner = widgets.Text(
            description=tell("Responsible"), continuous_update=False, style=LABEL, layout=half()
        )
        self.due = widgets.DatePicker(description=tell("Due"), style=LABEL, layout=half())
        self.status = html()
        self.box = column(
            self.head,
            self.state,
            self.answer,
            self.reason,
            self.note,
            row(self.owner, self.due),
            self.status,
        )
        self.show()
        for name in ("state", "answer", "note", "reason", "owner", "due"):
            getattr(self, name).observe(self._writer(name), "value")
        desk.listen(self.show)

    def show(self) -> None:
        """Show what the dossier and the last audit hold now."""
        desk = self._desk
        view = question_view(self._item, desk.dossier, desk.platform, desk.audit)
        body = question_html(view, desk.language, with_answer=False)
        self.head.value = chapter_style() + fragment(body, "questions", desk.language)
        given = view.answer or Answer(state=view.state)
        self._quiet = True
        self.state.value = given.state.value
        self.answer.value, self.note.value = given.answer, given.note
        self.reason.value, self.owner.value = given.reason, given.owner
        self.due.value = given.due
        self._quiet = False
        shown = view.is_contradicted or bool(given.reason)
        self.reason.layout.display = "" if shown else "none"

    def _writer(self, name: str) -> Callable[[dict[str, Any]], None]:
        def write(change: dict[str, Any]) -> None:
            if self._quiet:
                return
            value = change["new"]
            if isinstance(value, dt.date):
                value = value.isoformat()
            problem = self._desk.put(("answers", self._item.number, name), value)
            self.show()
            self._report(problem)

        return write

    def _report(self, problem: Text | None) -> None:
        tell = voice(self._desk.language)
        text = tell.told(problem) if problem else tell.gettext("Saved.")
        self.status.value = render("status", self._desk.language, text=text)


def _area(label: str) -> widgets.Textarea:
    return widgets.Textarea(
        description=label, continuous_update=False, rows=2, style=LABEL, layout=wide()
    )
