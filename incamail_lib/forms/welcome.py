"""Where one begins: progress, other organisations, a new one, and the way to each phase."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets

from incamail_lib.dossier import progress
from incamail_lib.errors import IncaMailError
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import LABEL, View, column, html, row, wide
from incamail_lib.i18n import LANGUAGES, N_, Language
from incamail_lib.report.language import voice
from incamail_lib.report.overview import progress_html
from incamail_lib.report.pages import render

NAMES: dict[Language, str] = {
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "it": "Italiano",
}


class ProgressView(View):
    """All phases: what is done, what comes next, who must act."""

    key = "progress"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk = desk

    def static(self) -> str:
        """The table of today."""
        today = dt.datetime.now(dt.UTC).date()
        found = progress(self._desk.dossier, self._desk.guide, today)
        return progress_html(found, self._desk.guide, self.language)

    def build(self) -> widgets.Widget:
        """The table, drawn anew when asked for and when something is measured."""
        tell = voice(self.language).gettext
        shown = html(self.framed())

        def show(*_: object) -> None:
            shown.value = self.framed()

        again = widgets.Button(description=tell("Refresh"))
        again.on_click(show)
        self._desk.listen(show)
        return column(shown, again)


@dataclass(frozen=True)
class Link:
    """A way to another notebook: relative to the one that shows it."""

    title: str
    href: str
    note: str = ""


class Links(View):
    """Ways to other notebooks."""

    key = "links"

    def __init__(self, language: Language, links: Sequence[Link]) -> None:
        super().__init__(language, interactive=False)
        self.links = tuple(links)

    def static(self) -> str:
        """A list of links."""
        return render("links", self.language, links=self.links)


PHASES: tuple[tuple[str, str], ...] = (
    ("10_planning.ipynb", N_("Planning")),
    ("20_preparation.ipynb", N_("Preparation")),
    ("30_setup.ipynb", N_("Set-up")),
    ("40_test.ipynb", N_("Test")),
    ("audit.ipynb", N_("The whole audit")),
)


def phase_links(language: Language) -> list[Link]:
    """The notebooks of the phases, which lie beside each other."""
    tell = voice(language).gettext
    return [Link(tell(title), name) for name, title in PHASES]


class OpenQuestions(View):
    """What only Swiss Post can answer."""

    key = "open_questions"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.language, interactive=False)
        self._questions = desk.guide.questions

    def static(self) -> str:
        """The numbered list, with the platform facts that each would settle."""
        return render("open_questions", self.language, questions=self._questions)


Create = Callable[[str, list[str], Language, str], Link]
"""Makes a dossier and its notebooks: organisation, domains, language, lab scenario; the way there.

Errors: IncaMailError with what is wrong.
"""


class Chooser(View):
    """The dossiers that are there, and a form for a new one."""

    key = "chooser"

    def __init__(self, desk: Desk, known: Sequence[Link], create: Create) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._known, self._create = tuple(known), create

    def static(self) -> str:
        """The dossiers that are there."""
        return render("links", self.language, links=self._known)

    def build(self) -> widgets.Widget:
        """The list, and the form below it."""
        tell = voice(self.language).gettext
        self.organisation = widgets.Text(
            description=tell("Organisation"), style=LABEL, layout=wide()
        )
        self.domains = widgets.Text(
            description=tell("Mail domains"),
            placeholder="muster.ch, muster.example",
            style=LABEL,
            layout=wide(),
        )
        self.chosen = widgets.Dropdown(
            description=tell("Language"),
            options=[(NAMES[language], language) for language in LANGUAGES],
            value=self.language,
            style=LABEL,
        )
        self.on_lab = widgets.Checkbox(
            description=tell("For training: on the embedded lab"), indent=False, layout=wide()
        )
        self.make = widgets.Button(description=tell("Create dossier"), button_style="primary")
        self.status = html()
        self.make.on_click(lambda _: self._made())
        form = (self.organisation, self.domains, row(self.chosen, self.on_lab), self.make)
        return column(html(self.framed()), *form, self.status)

    def _made(self) -> None:
        domains = self.domains.value.replace(",", " ").split()
        scenario = "sound" if self.on_lab.value else ""
        try:
            link = self._create(
                self.organisation.value.strip(), domains, self.chosen.value, scenario
            )
        except IncaMailError as error:
            text = voice(self.language).told(error.text)
            self.status.value = render("status", self.language, text=text)
            return
        self.status.value = Links(self.language, [link]).framed()


def dossiers_below(folder: Path) -> list[Path]:
    """The dossiers in a folder, by name."""
    return sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml"))
