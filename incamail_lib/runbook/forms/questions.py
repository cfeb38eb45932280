"""The questions of the checklist: a line each, that opens to evidence, setting and answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from incamail_lib.dossier.agreed import Answer, State
from incamail_lib.dossier.contradicting import contradictions
from incamail_lib.dossier.words import term
from incamail_lib.findings import Outcome
from incamail_lib.guide import ChecklistQuestion
from incamail_lib.i18n import say_n
from incamail_lib.report.questions import QuestionView, question_html, question_view
from incamail_lib.runbook.forms.clients import PATH, client_parts, pressed
from incamail_lib.runbook.forms.fields import enter_field, entry
from incamail_lib.runbook.forms.panel import Panel
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import (
    Button,
    Card,
    Fact,
    Group,
    Html,
    Input,
    Note,
    Part,
    Row,
    Tone,
)
from incamail_lib.runbook.forms.technical import SETTINGS
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean

_TONES: dict[State, Tone] = {State.CLEAR: "good", State.TODO: "bad", State.UNCLEAR: "open"}


class Questions(Form):
    """Some questions of the checklist, one below the other; every change is written at once."""

    key = "questions"

    def __init__(self, session: Session, numbers: Sequence[str]) -> None:
        super().__init__(session)
        known = {item.number: item for item in session.guide.items}
        self.items: tuple[ChecklistQuestion, ...] = tuple(known[number] for number in numbers)
        self._open = ""  # the one that is open at first
        self._fields = {f.name: f for number in numbers for f in SETTINGS.get(number, ())}

    def parts(self) -> Sequence[Part]:
        """A card for each question, and a button to open those that need attention."""
        views = [self._view(item) for item in self.items]
        urgent = sum(self._needs_attention(view) for view in views)
        words = say_n(
            "Open the {n} that needs attention", "Open the {n} that need attention", urgent
        )
        button = Button("attention", str(self._tell.told(words)), opens=True)
        return [*([button] if urgent > 1 else []), *(self._card(view) for view in views)]

    def build(self) -> Panel:
        """The panel; the first question of a notebook that needs attention is open."""
        for item in self.items:
            if self._needs_attention(self._view(item)) and self._session.opens_first(item.number):
                self._open = item.number
        return super().build()

    def enter(self, name: str, value: str) -> None:
        """Write an answer, or a setting of a question."""
        if name in self._fields:
            enter_field(self, self._fields[name], value)
        elif name.startswith(PATH):
            self.put(name, tuple(name.split("/")), value.strip() or None, value)
        else:
            number, _, part = name.partition("/")
            self.put(name, ("answers", number, part), value or None, value)

    def press(self, name: str) -> None:
        """Add or remove a mail client."""
        clients = pressed(self._session, name)
        if clients is not None:
            self.refused.clear()
            self.put(name, (PATH,), clients, "")

    def _view(self, item: ChecklistQuestion) -> QuestionView:
        session = self._session
        return question_view(item, session.dossier, session.platform, session.audit)

    def _needs_attention(self, view: QuestionView) -> bool:
        """Whether somebody must look at it now: what is merely not answered yet can wait."""
        is_late = self._is_late(view) or view.evidence.state is State.TODO
        return is_late or view.is_contradicted or bool(self._contradictions(view.item.number))

    def _contradictions(self, number: str) -> list[Note]:
        """Where the answer in words is not what the setting says."""
        found = contradictions(self._session.dossier)
        return [Note(self._tell.told(c.text), warns=True) for c in found if c.number == number]

    def _is_late(self, view: QuestionView) -> bool:
        due = view.answer.due if view.answer else None
        return due is not None and due < dt.datetime.now(dt.UTC).date() and not view.is_clear

    def _card(self, view: QuestionView) -> Card:
        number = view.item.number
        return Card(
            name=number,
            number=number,
            title=str(self._tell.told(view.text(view.item.question))),
            facts=self._facts(view),
            parts=(
                Html(question_html(view, self.language)),
                *self._contradictions(number),
                *self._setting(number),
                *self._answer(view),
            ),
            is_open=number == self._open,
            needs_attention=self._needs_attention(view),
        )

    def _facts(self, view: QuestionView) -> tuple[Fact, ...]:
        tell, answer = self._tell, view.answer or Answer()
        return (
            Fact(tell.gettext("State"), tell.told(term(view.state)), _TONES[view.state]),
            self._evidence(view),
            Fact(tell.gettext("Responsible"), clean(answer.owner)),
            Fact(
                tell.gettext("Due"),
                tell.short_day(answer.due) if answer.due else "",
                "bad" if self._is_late(view) else "quiet",
            ),
        )

    def _evidence(self, view: QuestionView) -> Fact:
        """What the last measurement says of it, in a word."""
        label, found = self._tell.gettext("Evidence"), view.evidence
        outcomes = [row.finding.outcome for row in found.rows]
        failed, unknown = outcomes.count(Outcome.FAILED), outcomes.count(Outcome.UNKNOWN)
        if not view.item.checks:
            return Fact(label, "")
        if found.seen_at is None:
            return Fact(label, self._tell.gettext("not measured"))
        if failed:
            return Fact(label, self._tell.told(say_n("{n} failed", "{n} failed", failed)), "bad")
        if unknown:
            words = say_n("{n} not known", "{n} not known", unknown)
            return Fact(label, self._tell.told(words), "open")
        return Fact(label, self._tell.gettext("measured: good"), "good")

    def _setting(self, number: str) -> list[Part]:
        fields = SETTINGS.get(number, ())
        made: tuple[Part, ...] = tuple(self.mended(entry(f, self._session)) for f in fields)
        parts: tuple[Part, ...] = (Row(made),) if made else ()
        if number == "6.5":
            parts = client_parts(self._session, self.mended)
        return [Group(f"{number}/setting", self._tell.gettext("Setting"), parts)] if parts else []

    def _answer(self, view: QuestionView) -> list[Part]:
        tell, number = self._tell.gettext, view.item.number
        given = view.answer or Answer(state=view.state)
        states = tuple((s.value, str(self._tell.told(term(s)))) for s in State)
        people = tuple(dict.fromkeys(c.name for c in self._session.dossier.contacts))
        due = given.due.isoformat() if given.due else ""
        reason = Input(f"{number}/reason", tell("Reason"), "text", given.reason)
        found: list[Input] = [
            Input(f"{number}/state", tell("State"), "radio", given.state.value, states),
            Input(f"{number}/answer", tell("Answer"), "text", given.answer),
            *([reason] if view.is_contradicted or given.reason else []),
            Input(f"{number}/note", tell("To do, remarks"), "text", given.note),
        ]
        owner = Input(
            f"{number}/owner",
            tell("Responsible"),
            value=given.owner,
            suggestions=people,
            width="half",
        )
        day = Input(f"{number}/due", tell("Due"), "date", due, width="short")
        made = tuple(self.mended(one) for one in (*found, owner, day))
        return [*made[:-2], Row(made[-2:])]
