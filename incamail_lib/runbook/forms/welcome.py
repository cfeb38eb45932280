"""Where one begins: progress, other organisations, a new one, and the way to each phase."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from incamail_lib.dossier import progress
from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import LANGUAGES, N_, Language, say, say_n
from incamail_lib.notebooks import headings
from incamail_lib.report.overview import progress_html
from incamail_lib.report.pages import render
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Card, Html, Input, Link, Links, Note, Part
from incamail_lib.runbook.forms.view import Form

NAMES: dict[Language, str] = {
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "it": "Italiano",
}
PHASES: tuple[tuple[str, str], ...] = (
    ("10_planning.ipynb", N_("Planning")),
    ("20_preparation.ipynb", N_("Preparation")),
    ("30_setup.ipynb", N_("Set-up")),
    ("40_test.ipynb", N_("Test")),
    ("audit.ipynb", N_("The whole audit")),
)


class ProgressView(Form):
    """All phases: what is done, what comes next, who must act."""

    key = "progress"

    def parts(self) -> Sequence[Part]:
        """The table of today."""
        today = dt.datetime.now(dt.UTC).date()
        found = progress(self._session.dossier, self._session.guide, today)
        return [Html(progress_html(found, self._session.guide, self.language))]


class Contents(Form):
    """The way to each phase; the notebooks lie beside each other."""

    key = "links"

    def parts(self) -> Sequence[Part]:
        """A link to each notebook."""
        tell = self._tell.gettext
        links = tuple(Link.to_notebook(tell(title), name) for name, title in PHASES)
        return [Links(tell("Phases"), links)]


class JumpList(Form):
    """The way to each heading of this notebook."""

    key = "jump"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session)
        self._name = name

    def parts(self) -> Sequence[Part]:
        """The headings on one line; the ids are those of JupyterLab and of its exporters."""
        found = headings(self._name, self.language)
        links = tuple(Link(title, "#" + title.replace(" ", "-")) for title in found)
        return [Links(self._tell.gettext("On this page"), links, on_one_line=True)]


class OpenQuestions(Form):
    """What only Swiss Post can answer."""

    key = "open_questions"

    def parts(self) -> Sequence[Part]:
        """The numbered list, with the platform facts that each would settle."""
        questions = self._session.guide.questions
        words = say_n("{n} question to Swiss Post", "{n} questions to Swiss Post", len(questions))
        listed = Html(render("open_questions", self.language, questions=questions))
        return [Card("post", str(self._tell.told(words)), (listed,))]


Create = Callable[[str, list[str], Language, str], Link]
"""Makes a dossier and its notebooks: organisation, domains, language, lab scenario; the way there.

Errors: IncaMailError with what is wrong.
"""


class Chooser(Form):
    """The dossiers that are there, and a form for a new one."""

    key = "chooser"

    def __init__(self, session: Session, known: Sequence[Link], create: Create) -> None:
        super().__init__(session)
        self._known, self._create = tuple(known), create
        self._entered = {"organisation": "", "domains": "", "language": self.language, "lab": ""}

    def parts(self) -> Sequence[Part]:
        """The list, and the form below it."""
        tell, entered = self._tell.gettext, self._entered
        names = tuple((language, NAMES[language]) for language in LANGUAGES)
        known: Part = Links(tell("Organisations"), self._known)
        if not self._known:
            known = Note(tell("There is none yet."))
        return [
            known,
            Input(
                "organisation", tell("Organisation"), value=entered["organisation"], width="half"
            ),
            Input(
                "domains",
                tell("Mail domains"),
                value=entered["domains"],
                placeholder="muster.ch, muster.example",
                width="half",
            ),
            Input(
                "language", tell("Language"), "choice", entered["language"], names, width="short"
            ),
            Input("lab", tell("For training: on the embedded lab"), "tick", entered["lab"]),
            Button("make", tell("Create dossier"), is_main=True),
        ]

    def enter(self, name: str, value: str) -> None:
        """Keep it until the dossier is to be made."""
        self._entered[name] = value

    def press(self, name: str) -> None:
        """Make the dossier and its notebooks; what was entered stays where that fails."""
        if name == "make":
            self._make()

    def _make(self) -> None:
        entered = self._entered
        domains = entered["domains"].replace(",", " ").split()
        language = next(one for one in LANGUAGES if one == entered["language"])
        scenario = "sound" if entered["lab"] else ""
        try:
            link = self._create(entered["organisation"].strip(), domains, language, scenario)
        except IncaMailError as error:
            self.say(error.text)
            return
        self._known = (*self._known, link)
        self._entered = {**entered, "organisation": "", "domains": ""}
        self.say(say("The dossier is there: open it above."))


class Alone(Form):
    """In place of the chooser, where the runbook may be shown to a client."""

    key = "chooser"

    def parts(self) -> Sequence[Part]:
        """That this organisation alone is open, and how others are reached."""
        text = say(
            "This runbook is open for {organisation} alone, so that it can be shown to a client. "
            "Start it with «incamail start --others» to see other organisations or to begin a new "
            "one.",
            organisation=self._session.dossier.organisation,
        )
        return [Note(str(self._tell.told(text)))]


def dossiers_below(folder: Path) -> list[Path]:
    """The dossiers in a folder, by name."""
    return sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml"))
