"""How messages flow through this organisation's set-up, with what the last audit saw of it."""

from __future__ import annotations

import ipywidgets as widgets

from incamail_lib.dossier.progress import Direction
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import View, column, html
from incamail_lib.report.flow import flow
from incamail_lib.report.flow_chart import chart
from incamail_lib.report.pages import render


class FlowView(View):
    """The drawing of one direction (guide 8.1, 8.2)."""

    key = "flow"

    def __init__(self, desk: Desk, direction: Direction) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk, self._direction = desk, direction

    def static(self) -> str:
        """The drawing and its text, as declared and measured now."""
        platform = self._desk.platform
        declared = self._desk.dossier.declared(
            suffix=platform.suffix.value, smart_host=platform.smart_host.value
        )
        drawn = chart(flow(self._direction, declared, self._desk.audit), self.language)
        return render("flow", self.language, title="", charts=[drawn])

    def build(self) -> widgets.Widget:
        """The drawing, made anew when something is measured or declared."""
        shown = html(self.framed())

        def show() -> None:
            shown.value = self.framed()

        self._desk.listen(show)
        return column(shown)
