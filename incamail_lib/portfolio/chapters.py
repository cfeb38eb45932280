"""The portfolio of a run, chapter by chapter: in a notebook, on a page, on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from incamail_lib.errors import UsageError
from incamail_lib.history import Digest, History, Run
from incamail_lib.history.differing import Between, difference
from incamail_lib.history.digest import apart
from incamail_lib.i18n import LANGUAGES, Language, Text, say, say_n
from incamail_lib.portfolio import sections
from incamail_lib.sheets.html import fragment, render_section
from incamail_lib.sheets.model import Document, Section
from incamail_lib.sheets.plain import plain_text
from incamail_lib.sheets.style import chapter_style
from incamail_lib.sheets.telling import told

_DIGITS = 12  # of a number of a run


@dataclass(frozen=True)
class Shown:
    """One chapter in one language; Jupyter shows the HTML, terminals the text."""

    section: Section
    language: Language

    @property
    def _html(self) -> str:
        body = render_section(self.section, self.language)
        return fragment(body, self.section.key, self.language)

    def __str__(self) -> str:
        return plain_text(self._html)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        data = {"text/html": chapter_style() + self._html, "text/plain": str(self)}
        title = told(self.section.title, self.language)
        return data, {"incamail": {"key": self.section.key, "title": title}}


@dataclass(frozen=True)
class Portfolio:
    """What became of every organisation in one run, and since the run before it."""

    language: Language
    run: Run | None  # None: none is kept yet
    before: Run | None
    digests: tuple[Digest, ...]
    changed: tuple[Between, ...]
    today: dt.date
    folder: Path | None = None  # where its pages go, so that links lead to reports

    @property
    def verdicts(self) -> Shown:
        """Organisations by verdict, and what decides it."""
        return self._shown(sections.verdicts(self.digests, self.folder))

    @property
    def changes(self) -> Shown:
        """What got worse, better or otherwise since the run before."""
        return self._shown(sections.changes(self.changed, self.before))

    @property
    def certificates(self) -> Shown:
        """Every certificate by the days that are left, and whether it can serve as a client."""
        return self._shown(sections.certificates(self.digests, self.today))

    @property
    def renewals(self) -> Shown:
        """What must be renewed within 30, 60 and 90 days."""
        return self._shown(sections.renewals(self.digests, self.today))

    @property
    def failures(self) -> Shown:
        """Which checks fail most often."""
        return self._shown(sections.failures(self.digests))

    @property
    def phases(self) -> Shown:
        """How far each organisation is, by its dossier."""
        return self._shown(sections.phases(self.digests))

    @property
    def document(self) -> Document:
        """All chapters as one document."""
        chapters = (
            *(self.verdicts, self.changes, self.certificates, self.renewals),
            *(self.failures, self.phases),
        )
        return Document(
            key="portfolio",
            title=say("All organisations"),
            subtitle=self.subtitle,
            sections=tuple(shown.section for shown in chapters),
            organisation="",
            made_on=self.today,
            remarks=() if self.run else (sections.NO_RUN,),
        )

    @property
    def subtitle(self) -> Text:
        """Of which run this is."""
        if self.run is None:
            return sections.NO_RUN
        if not self.run.number:
            return say_n(
                "Run of {day}, {n} organisation",
                "Run of {day}, {n} organisations",
                len(self.digests),
                day=self.run.started,
            )
        return say_n(
            "Run {number} of {day}, {n} organisation",
            "Run {number} of {day}, {n} organisations",
            len(self.digests),
            number=self.run.number,
            day=self.run.started,
        )

    def _shown(self, section: Section) -> Shown:
        return Shown(section, self.language)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Which run this is about: shown first in the notebook."""
        text = told(self.subtitle, self.language)
        return {"text/plain": text}


def open_portfolio(
    history: Path | str,
    *,
    run: int | str = 0,
    before: int | str = 0,
    language: str = "en",
    today: dt.date | None = None,
    folder: Path | None = None,
) -> Portfolio:
    """A run (0: the newest) beside an earlier one (0: the one before it).

    Empty where there is no file of runs yet. Errors: HistoryError for one that cannot be used;
    UsageError for a language or a number that is none.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    tongue, number, other = _language(language), _number(run), _number(before)
    if not Path(history).exists():
        return Portfolio(tongue, None, None, (), (), day, folder)
    with History.open(Path(history)) as kept:
        runs = [one for one in kept.runs() if one.finished is not None]
        if not runs and not number:
            return Portfolio(tongue, None, None, (), (), day, folder)
        chosen = kept.run(number)
        earlier = kept.run(other) if other else _before(runs, chosen)
        digests = apart(kept.digests(chosen.number))
        changed = tuple(difference(kept, earlier, chosen)) if earlier else ()
    return Portfolio(tongue, chosen, earlier, digests, changed, day, folder)


def portfolio_of(
    digests: Sequence[Digest],
    *,
    started: dt.datetime,
    language: Language = "en",
    folder: Path | None = None,
) -> Portfolio:
    """A run that no file keeps, so there is none before it."""
    now = dt.datetime.now(dt.UTC)
    run = Run(0, started, now, version("incamail-runbook"), len(digests))
    return Portfolio(language, run, None, apart(digests), (), now.date(), folder)


def _number(given: int | str) -> int:
    """The number of a run; none is the newest. Errors: UsageError."""
    text = str(given or 0)
    if not (text.isascii() and text.isdecimal() and len(text) < _DIGITS):
        raise UsageError(say("«{given}» is no number of a run.", given=text))
    return int(text)


def _language(given: str) -> Language:
    """The language asked for, else English. Errors: UsageError."""
    found = next((known for known in LANGUAGES if known == (given or "en")), None)
    if found is None:
        raise UsageError(
            say(
                "There is no language «{given}»; choose one of {allowed}.",
                given=given[:20],
                allowed=", ".join(LANGUAGES),
            )
        )
    return found


def _before(runs: Sequence[Run], chosen: Run) -> Run | None:
    return next((one for one in runs if one.number < chosen.number), None)
