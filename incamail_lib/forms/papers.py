"""A deliverable: seen as it stands, and written as HTML, PDF and Word when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from incamail_lib.errors import IncaMailError
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import View, column, html
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

Preview = Callable[[], str]
Write = Callable[[], tuple[Path, ...]]


class Paper(View):
    """One kind of document of one organisation."""

    key = "paper"

    def __init__(self, desk: Desk, *, preview: Preview, write: Write) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk, self._preview, self._write = desk, preview, write

    def static(self) -> str:
        """The document as it would be written now."""
        return self._preview()

    def build(self) -> widgets.Widget:
        """The document, and the button that writes its files."""
        tell = voice(self.language).gettext
        self.make = widgets.Button(
            description=tell("Write HTML, PDF and Word"),
            button_style="primary",
            layout=widgets.Layout(width="auto"),
        )
        self.status, shown = html(), html(self.framed())
        self.make.on_click(lambda _: self._made())

        def show() -> None:
            shown.value = self.framed()

        self._desk.listen(show)
        return column(self.make, self.status, shown)

    def _made(self) -> None:
        tell = voice(self.language)
        try:
            files = ", ".join(str(path) for path in self._write())
        except IncaMailError as error:
            text = tell.told(error.text)
        else:
            text = tell.say("Written: {files}", files=files)
        self.status.value = render("status", self.language, text=text)
