"""All organisations of a run on one page: in the run's own folder, and as a notebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from incamail_lib.audit import Progress
from incamail_lib.batch.execute import run_notebook
from incamail_lib.batch.results import CaseOutcome
from incamail_lib.errors import RunError
from incamail_lib.files import make_folder
from incamail_lib.history import digests_of, record
from incamail_lib.i18n import Language
from incamail_lib.notebooks import NOTEBOOKS, PORTFOLIO
from incamail_lib.outputs import NewFolder
from incamail_lib.portfolio import Portfolio, open_portfolio, portfolio_of
from incamail_lib.portfolio.writing import write_page, write_tables


def write_overview(
    new: NewFolder,
    outcomes: Sequence[CaseOutcome],
    *,
    started: dt.datetime,
    language: Language,
    history: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Page, tables and calendar of a run, into its folder; the page, as it will be called.

    Each outcome is read once more, and its record where it is kept: the stage "overview" of
    `progress`.
    With a file of runs the run is kept there, once, and compared with the one before it.
    Errors: OutputError, HistoryError; MaterialError for an audit that was changed meanwhile.
    """
    read = _told(outcomes, progress) if progress else outcomes
    portfolio = _portfolio(new.final, read, started, language, history)
    (page,) = write_page(portfolio, new.part, with_pdf=False)
    write_tables(portfolio, new.part)
    return new.final / page.name


def _told(outcomes: Sequence[CaseOutcome], progress: Progress) -> Iterator[CaseOutcome]:
    for done, outcome in enumerate(outcomes, 1):
        yield outcome
        progress("overview", done, len(outcomes))


def _portfolio(
    final: Path,
    outcomes: Iterable[CaseOutcome],
    started: dt.datetime,
    language: Language,
    history: Path | None,
) -> Portfolio:
    if history is None:
        digests = digests_of(outcomes)
        return portfolio_of(digests, started=started, language=language, folder=final)
    number = record(history, outcomes, started=started, place=final.resolve())
    return open_portfolio(history, run=number, language=language, folder=final)


def write_portfolio(
    history: Path,
    folder: Path,
    *,
    run: int = 0,
    before: int = 0,
    language: Language = "en",
    with_pdf: bool = True,
) -> tuple[Path, ...]:
    """Execute the notebook and write everything into `folder`; the files, the page first.

    Errors: HistoryError, OutputError; RunError where the notebook did not get to its end.
    """
    make_folder(folder)
    portfolio = open_portfolio(history, run=run, before=before, language=language, folder=folder)
    files = [*write_page(portfolio, folder, with_pdf=with_pdf), *write_tables(portfolio, folder)]
    notebook = folder / PORTFOLIO
    given = {
        "history": str(history.resolve()),
        "run": str(portfolio.run.number if portfolio.run else 0),
        "before": str(portfolio.before.number if portfolio.before else 0),
        "language": language,
    }
    problem = run_notebook(NOTEBOOKS / PORTFOLIO, notebook, given, language)
    if problem is not None:
        raise RunError(problem)
    return (*files, notebook)
