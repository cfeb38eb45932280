"""A deliverable: its gaps, and its files when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import Language, say, say_n
from incamail_lib.report.pages import render
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Card, Fact, Html, Note, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import Cleaned
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.model import Document, Missing, gaps

Make = Callable[[], tuple[Document, ...]]
Write = Callable[[], tuple[Path, ...]]


def written(files: Sequence[Path], language: Language) -> str:
    """Which files were written, and where."""
    names = Cleaned(", ".join(path.name for path in files))  # ours, and all of them matter
    return formatter(language).say(
        "Written to {folder}: {names}", folder=str(files[0].parent), names=names
    )


class DocumentForm(Form):
    """One kind of document of one organisation: what it lacks, and its files to take along."""

    key = "document"

    def __init__(self, session: Session, *, make: Make, write: Write) -> None:
        super().__init__(session)
        self._make, self._write = make, write
        self.files: tuple[Path, ...] = ()

    def parts(self) -> Sequence[Part]:
        """A card for each document, and buttons that write the files and hand them over."""
        tell = self._tell.gettext
        write = Button("write", tell("Write HTML, PDF and Word"), is_main=not self.files)
        files = tuple(Button(f"file/{path.name}", path.name) for path in self.files)
        note = Note(tell("Press a file's name to have it downloaded."))
        shown: list[Part] = [note, Row(files)] if files else []
        return [*(self._card(document) for document in self._make()), write, *shown]

    def _card(self, document: Document) -> Card:
        tell, missing = self._tell, gaps(document)
        words = say_n("{n} gap", "{n} gaps", len(missing))
        whole = tell.gettext("complete")
        fact = tell.told(words) if missing else whole
        return Card(
            name=document.key,
            title=str(tell.told(document.title)),
            parts=(
                Html(
                    render(
                        "gaps", self.language, gaps=tuple(dict.fromkeys(map(self._gap, missing)))
                    )
                ),
            ),
            facts=(Fact(tell.gettext("Gaps"), fact, "open" if missing else "good"),),
        )

    def _gap(self, missing: Missing) -> str:
        if missing.place is None:
            return self._tell.told(missing.text)
        return self._tell.told(say("{what} ({place})", what=missing.text, place=missing.place))

    def press(self, name: str) -> None:
        """Write the files, or hand one over to the browser."""
        if name == "write":
            self._written()
        for path in self.files:
            if name == f"file/{path.name}":
                self._handed_over(path)

    def _written(self) -> None:
        try:
            self.files = self._write()
            self.say(written(self.files, self.language))
        except IncaMailError as error:
            self.say(error.text)

    def _handed_over(self, path: Path) -> None:
        try:
            if self.panel is not None:
                self.panel.hand_over(path.name, path.read_bytes())
        except OSError as error:
            self.say(
                self._tell.say(
                    "{file} cannot be read ({cause}). Write it anew.",
                    file=str(path),
                    cause=type(error).__name__,
                )
            )
