"""The measures of the implementation plan: who does which until when, and what is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from incamail_lib.documents.measures import Task
from incamail_lib.dossier.agreed import Arranged
from incamail_lib.i18n import say, say_n
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Input, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.telling import told


class Measures(Form):
    """A card for each measure, within one line that says how many are open; what was arranged goes
    before what the guide proposes."""

    key = "measures"

    def __init__(self, session: Session, tasks: Callable[[], tuple[Task, ...]]) -> None:
        super().__init__(session)
        self._tasks = tasks

    def parts(self) -> Sequence[Part]:
        """One line for all of them, so that the page stays short."""
        tell, tasks = self._tell, [task for task in self._tasks() if task.measure]
        late = sum(task.overdue for task in tasks)
        words = say("{done} of {all} done", done=sum(task.done for task in tasks), all=len(tasks))
        overdue = tell.told(say_n("{n} overdue", "{n} overdue", late)) if late else ""
        return [
            Card(
                name="all",
                title=tell.gettext("Measures"),
                parts=tuple(self._card(task) for task in tasks),
                facts=(
                    Fact(tell.gettext("State"), tell.told(words)),
                    Fact(tell.gettext("Overdue"), overdue, "bad"),
                ),
                needs_attention=late > 0,
            )
        ]

    def _card(self, task: Task) -> Card:
        tell = self._tell
        day = tell.short_day(task.day) if task.day else ""
        if not day and task.counted:
            day = tell.told(task.counted)
        state = Fact(tell.gettext("State"), tell.gettext("open"))
        if task.done:
            state = Fact(tell.gettext("State"), tell.gettext("done"), "good")
        return Card(
            name=task.key,
            title=str(tell.told(task.title)),
            parts=(Row(tuple(self._inputs(task))),),
            facts=(
                Fact(tell.gettext("Responsible"), self._proposed(task)),
                Fact(tell.gettext("Due"), day, "bad" if task.overdue else "quiet"),
                state,
            ),
            needs_attention=task.overdue,
        )

    def _proposed(self, task: Task) -> str:
        return ", ".join(told(line, self.language) for line in task.owner)

    def _inputs(self, task: Task) -> list[Input]:
        tell, key = self._tell.gettext, task.key
        given = self._session.dossier.measures.get(key, Arranged())
        people = tuple(dict.fromkeys(c.name for c in self._session.dossier.contacts))
        due, done = (day.isoformat() if day else "" for day in (given.due, given.done))
        counted = self._tell.told(task.counted) if task.counted else ""
        found = (
            Input(
                f"{key}/owner",
                tell("Responsible"),
                value=given.owner,
                suggestions=people,
                width="half",
            ),
            Input(f"{key}/due", tell("Due"), "date", due, hint=counted, width="short"),
            Input(f"{key}/done", tell("Done on"), "date", done, width="short"),
        )
        return [self.mended(one) for one in found]

    def enter(self, name: str, value: str) -> None:
        """Write what was arranged for a measure; what is emptied is as the guide proposes."""
        self.put(name, ("measures", *name.split("/")), value.strip() or None, value)
