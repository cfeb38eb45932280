"""What the trainer's page calls: the class's lab, and the results of the class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from incamail_lib.course.grading import graded_rows
from incamail_lib.course.telling_gains import class_blocks
from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import Language, Text, say
from incamail_lib.runbook.course import language_of
from incamail_lib.runbook.forms.shape import Html, Note, Part
from incamail_lib.runbook.forms.switching import SwitchForm
from incamail_lib.runbook.forms.view import Described
from incamail_lib.sheets.html import render_blocks


class Results(Described):
    """The exams of a class, marked anew each time that they are shown."""

    key = "results"

    def __init__(self, papers: str, language: Language) -> None:
        super().__init__(language, interactive=False)
        self._papers = papers

    def parts(self) -> Sequence[Part]:
        """A row for each exam, and the pictures to talk about; or what to do first."""
        if not self._papers.strip():
            return [self._note(_NO_FOLDER)]
        try:
            rows = graded_rows(Path(self._papers), self.language)
        except IncaMailError as error:
            return [self._note(error.text, warns=True)]
        return [Html(render_blocks(class_blocks(rows), self.language))]

    def _note(self, text: Text, *, warns: bool = False) -> Note:
        return Note(str(self._tell.told(text)), warns=warns)


_NO_FOLDER = say(
    "No folder is named yet. Collect the learners' files exam-….json in one, then begin with "
    "«incamail course teach --papers FOLDER»."
)


class Trainer:
    """The page of whoever teaches."""

    def __init__(self, papers: str, language: Language, *, interactive: bool) -> None:
        self.lab = SwitchForm(language, interactive=interactive)
        self.results = Results(papers, language)


def open_trainer(papers: str = "", *, language: str = "", interactive: bool = True) -> Trainer:
    """The trainer's page for a folder of papers. Errors: UsageError for an unknown language."""
    return Trainer(papers, language_of(language), interactive=interactive)
