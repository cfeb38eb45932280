"""Measure from the notebook: with progress, cancellable, the kernel stays free for other forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from incamail_lib.errors import IncaMailError
from incamail_lib.findings import Audit
from incamail_lib.i18n import N_, say
from incamail_lib.report.first_page import verdict_sentence
from incamail_lib.report.pages import render
from incamail_lib.report.words import VERDICT_STATES
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Bar, Button, Html, Link, Links, Note, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.model import SIGNS

Progress = Callable[[str, int, int], None]
Measure = Callable[[Progress], Awaitable[Audit]]
_STAGES = {"dns": N_("DNS look-ups"), "probe": N_("SMTP and TLS probes")}
WHOLE = "audit.ipynb"


class Measuring(Form):
    """The last audit's verdict in a line, and a button that measures anew."""

    key = "measuring"

    def __init__(self, session: Session, measure: Measure) -> None:
        super().__init__(session)
        self._measure = measure
        self.bars: dict[str, tuple[int, int]] = {}
        self.task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether something is being measured."""
        return self.task is not None and not self.task.done()

    def parts(self) -> Sequence[Part]:
        """The verdict, the way to all of it, and what can be done."""
        tell, audit = self._tell.gettext, self._session.audit
        notes = [Note(str(self._tell.told(note)), warns=True) for note in self._session.notes]
        running = self.is_running
        buttons = Row(
            (
                Button("start", tell("Measure now"), is_main=audit is None, is_off=running),
                *([Button("cancel", tell("Cancel"))] if running else []),
            )
        )
        bars = [Bar(tell(_STAGES[stage]), *count) for stage, count in self.bars.items()]
        return [*notes, *self._verdict(audit), buttons, *(bars if running else [])]

    def _verdict(self, audit: Audit | None) -> list[Part]:
        if audit is None:
            return [Html(render("unmeasured", self.language))]
        line = render(
            "verdict_line",
            self.language,
            audit=audit,
            sentence=verdict_sentence(audit),
            mark=VERDICT_STATES[audit.verdict],
            signs=SIGNS,
        )
        way = Link.to_notebook(self._tell.gettext("The whole audit"), WHOLE)
        return [Html(line), Links(self._tell.gettext("The whole audit"), (way,))]

    def press(self, name: str) -> None:
        """Measure, or leave it."""
        if name == "start":
            self.begin()
        elif name == "cancel" and self.task:
            self.task.cancel()

    def begin(self) -> None:
        """Start measuring in the background of the kernel's own loop."""
        if not self.is_running:
            self.bars = dict.fromkeys(_STAGES, (0, 1))
            self.task = asyncio.get_running_loop().create_task(self._run())
            self.task.add_done_callback(lambda _: self.show())

    async def _run(self) -> None:
        self.say(say("Measuring. No message is sent."))
        try:
            self._session.take_audit(await self._measure(self._progress))
            self.say(say("Measured. The evidence stands beside the questions."))
        except asyncio.CancelledError:
            self.say(say("Cancelled. Nothing was changed."))
        except IncaMailError as error:
            self.say(error.text)

    def _progress(self, stage: str, done: int, whole: int) -> None:
        if stage in self.bars:
            self.bars[stage] = (done, max(whole, 1))
            self.show()
