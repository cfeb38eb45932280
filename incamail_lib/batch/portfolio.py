"""One dossier or ten thousand in one run: each is measured, judged, written and let go of.

One that fails stops no other. What is complete is so for good: the folder of an audit gets its
name when everything lies in it, sealed. A run that was killed can be resumed.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from incamail_lib.audit import Progress
from incamail_lib.batch.one import One, Options
from incamail_lib.batch.overview import write_overview
from incamail_lib.batch.results import OUTCOMES, CaseOutcome, Journal, PortfolioRun
from incamail_lib.batch.resuming import folder_of_run
from incamail_lib.dossier.waivers import WAIVERS, read_waivers
from incamail_lib.files import make_folder
from incamail_lib.history import History, HistoryError, record
from incamail_lib.i18n import Text, say
from incamail_lib.outputs import name_of_run, time_name, time_of


def audit_all(
    paths: Sequence[Path],
    *,
    output: Path,
    options: Options | None = None,
    progress: Progress | None = None,
    wrong: Sequence[tuple[Path, Text]] = (),
) -> PortfolioRun:
    """Measure, judge and render every dossier; `wrong` is what a list of them got wrong.

    A single wrong dossier raises DossierError; among several it becomes an outcome of its own.
    Errors: OutputError where nothing can be written any more; what is complete by then stays.
    """
    options = options or Options()
    _prepare(paths, output, options)
    run = _Run(options, progress)
    if options.is_batch or len(paths) + len(wrong) > 1:
        return _of_many(run, paths, output, options, wrong)
    started = dt.datetime.now(dt.UTC)
    one = One(output, time_name(started), options, is_only=True)
    outcomes = run.of(one, paths)
    if options.history:
        record(options.history, outcomes, started=started)
    return PortfolioRun(outcomes)


def _prepare(paths: Sequence[Path], output: Path, options: Options) -> None:
    """Whatever would stop the run at its end stops it before anything is measured.

    Errors: OutputError, HistoryError, WaiverError.
    """
    make_folder(output)
    today = dt.datetime.now(dt.UTC).date()
    for folder in dict.fromkeys(path.parent for path in paths):
        read_waivers(folder / WAIVERS, today)
    if options.history and options.history.exists():
        with History.open(options.history):
            pass


def _of_many(
    run: _Run,
    paths: Sequence[Path],
    output: Path,
    options: Options,
    wrong: Sequence[tuple[Path, Text]],
) -> PortfolioRun:
    """A run with a folder of its own, which can be resumed."""
    with ExitStack() as stack:
        folder, lock = folder_of_run(output, stack, resume=options.resume)
        journal = Journal(folder.part / OUTCOMES)
        for number, (path, problem) in enumerate(wrong, len(paths)):
            told = CaseOutcome(dossier=path, organisation=path.stem, exit_code=2, problem=problem)
            journal.add(number, told)
        one = One(output, name_of_run(folder), options, lock=lock)
        try:
            run.of(one, paths, journal)
        except BaseException:
            if not len(journal):  # nothing to resume
                folder.give_up()
            raise
        try:
            index = write_overview(
                folder,
                journal,
                started=time_of(name_of_run(folder)),
                language=options.language or "en",
                history=options.history,
                progress=run.progress,
            )
        except HistoryError as error:
            raise HistoryError(
                say(
                    "{problem} Every audit of this run is complete: go on with --resume then.",
                    problem=error.text,
                )
            ) from None
        folder.finish()
    journal.moved(folder.final / OUTCOMES)
    return PortfolioRun(journal, index, folder.final)


class _Run:
    """Many dossiers side by side: so many under way that waiting for one is not waiting for all."""

    def __init__(self, options: Options, progress: Progress | None) -> None:
        self._options = options
        self.progress = progress

    def of(
        self, one: One, paths: Sequence[Path], journal: Journal | None = None
    ) -> tuple[CaseOutcome, ...]:
        """Every dossier; the outcomes are in the journal, or without one are given."""
        try:
            return asyncio.run(self._all(one, paths, journal))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _all(
        self, one: One, paths: Sequence[Path], journal: Journal | None
    ) -> tuple[CaseOutcome, ...]:
        kept: list[CaseOutcome] = []
        done = 0

        async def work(number: int, path: Path) -> None:
            nonlocal done
            try:
                inner = self.progress if len(paths) == 1 else None
                outcome = await one.outcome(path, progress=inner)
            finally:
                one.places.release()
            if journal is None:
                kept.append(outcome)
            else:
                journal.add(number, outcome)
            done += 1
            if self.progress:
                self.progress("audit", done, len(paths))

        async with one, asyncio.TaskGroup() as group:
            for number, path in enumerate(paths):
                await one.places.acquire()
                group.create_task(work(number, path))
        return tuple(kept)
