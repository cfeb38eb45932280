"""Measure from the notebook: with progress, cancellable, the kernel stays free for other forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import ipywidgets as widgets

from incamail_lib.errors import IncaMailError
from incamail_lib.findings import Audit
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import LABEL, View, column, html, row
from incamail_lib.i18n import N_
from incamail_lib.report.chapters import Report
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

Progress = Callable[[str, int, int], None]
Measure = Callable[[Progress], Awaitable[Audit]]
_STAGES = {"dns": N_("DNS look-ups"), "probe": N_("SMTP and TLS probes")}


class Measuring(View):
    """The last audit's verdict, and a button that measures anew."""

    key = "measuring"

    def __init__(self, desk: Desk, measure: Measure) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk, self._measure = desk, measure
        self.task: asyncio.Task[None] | None = None

    def static(self) -> str:
        """The verdict of the last audit, or that there is none."""
        audit = self._desk.audit
        if audit is None:
            return render("unmeasured", self.language)
        return Report(audit, self.language).summary.html

    def build(self) -> widgets.Widget:
        """Buttons, a bar for each stage, and the verdict."""
        tell = voice(self.language).gettext
        fit = {"width": "fit-content"}
        self.start = widgets.Button(
            description=tell("Measure now"), button_style="primary", layout=widgets.Layout(**fit)
        )
        self.cancel = widgets.Button(
            description=tell("Cancel"), disabled=True, layout=widgets.Layout(**fit)
        )
        self.bars = {  # shown while something is measured
            stage: widgets.IntProgress(
                description=tell(text), min=0, max=1, style=LABEL, layout={"display": "none"}
            )
            for stage, text in _STAGES.items()
        }
        self.status, self.verdict = html(), html(self.framed())
        self.start.on_click(lambda _: self.begin())
        self.cancel.on_click(lambda _: self.task.cancel() if self.task else None)
        self._desk.listen(self._show)
        buttons = row(self.start, self.cancel)
        return column(buttons, *self.bars.values(), self.status, self.verdict)

    def begin(self) -> None:
        """Start measuring in the background of the kernel's own loop."""
        if self.task is None or self.task.done():
            self.start.disabled, self.cancel.disabled = True, False
            self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        tell = voice(self.language)
        for bar in self.bars.values():
            bar.value, bar.layout.display = 0, ""
        self._say(tell.gettext("Measuring. No message is sent."))
        try:
            self._desk.take_audit(await self._measure(self._progress))
            self._say(tell.gettext("Measured. The evidence stands beside the questions."))
        except asyncio.CancelledError:
            self._say(tell.gettext("Cancelled. Nothing was changed."))
        except IncaMailError as error:
            self._say(tell.told(error.text))
        finally:
            self.start.disabled, self.cancel.disabled = False, True

    def _progress(self, stage: str, done: int, whole: int) -> None:
        bar = self.bars.get(stage)
        if bar is not None:
            bar.max, bar.value = max(whole, 1), done

    def _say(self, text: str) -> None:
        self.status.value = render("status", self.language, text=text)

    def _show(self) -> None:
        self.verdict.value = self.framed()
