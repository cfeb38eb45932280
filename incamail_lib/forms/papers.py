"""A deliverable: seen as it stands, and written as HTML, PDF and Word when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as widgets

from incamail_lib.errors import IncaMailError
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import View, column, html
from incamail_lib.i18n import Language
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

Preview = Callable[[], str]
Write = Callable[[], tuple[Path, ...]]


def written(files: Sequence[Path], language: Language) -> str:
    """Which files were written, and where."""
    where = voice(language).say("Written to {folder}:", folder=str(files[0].parent))
    return f"{where} {', '.join(path.name for path in files)}"


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
            layout=widgets.Layout(width="fit-content"),
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
            text = written(self._write(), self.language)
        except IncaMailError as error:
            text = tell.told(error.text)
        self.status.value = render("status", self.language, text=text)
