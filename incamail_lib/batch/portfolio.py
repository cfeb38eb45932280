"""Several dossiers in one run: measure all, then render each; one that fails stops no other."""

from __future__ import annotations

import asyncio
import datetime as dt
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from incamail_lib.audit import Progress, load_audit, save_record
from incamail_lib.audit.planning import Passphrases
from incamail_lib.batch.execute import RunRecord, case_folder, new_folder, render_audit
from incamail_lib.batch.index import IndexEntry, write_index
from incamail_lib.binding import Case, bind, measure_dossier
from incamail_lib.errors import DossierError, IncaMailError, RunError, UsageError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.files import make_folder, write_whole
from incamail_lib.findings import Verdict
from incamail_lib.i18n import Language, Text, say
from incamail_lib.report.order import Row, decisive

AT_ONCE = 4  # organisations measured at the same time
CRASHED = 4
# Worst first: a crash and a wrong dossier leave an organisation without any verdict.
_SEVERITY = (CRASHED, 2, 1, 3, 0)


@dataclass(frozen=True)
class CaseOutcome:
    """What became of one dossier."""

    dossier: Path
    organisation: str
    exit_code: int
    verdict: Verdict | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    decisive: tuple[Row, ...] = ()
    notes: tuple[Text, ...] = ()
    problem: Text | None = None

    def summary(self) -> dict[str, Any]:
        """The outcome as plain data for --json."""
        return {
            "dossier": str(self.dossier),
            "organisation": self.organisation,
            "verdict": self.verdict.value if self.verdict else None,
            "exit_code": self.exit_code,
            "files": [str(file) for file in self.files],
            "decisive": [row.finding.code for row in self.decisive],
            "problem": self.problem.english() if self.problem else None,
        }


@dataclass(frozen=True)
class PortfolioRun:
    """All outcomes of one run, and the overview written for more than one dossier."""

    outcomes: tuple[CaseOutcome, ...]
    index: Path | None = None
    exit_code: int = field(init=False)

    def __post_init__(self) -> None:
        worst = min((_SEVERITY.index(o.exit_code) for o in self.outcomes), default=4)
        object.__setattr__(self, "exit_code", _SEVERITY[worst])


class _Fate(AbstractContextManager["_Fate"]):
    """What went wrong for one client, as a value: recorded there, it stops no other."""

    error: Exception | None = None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, Exception):  # Ctrl-C and the like end the run
            self.error = error
        return self.error is not None


def dossiers_in(arguments: Sequence[str]) -> tuple[Path, ...]:
    """The dossier files that files, folders and globs name, each once, in order.

    Errors: UsageError when an argument names nothing.
    """
    found: dict[Path, Path] = {}
    for argument in arguments:
        matches = _matches(argument)
        if not matches:
            raise UsageError(
                say("«{given}» names no dossier. Give a .yaml file or a folder.", given=argument)
            )
        for path in matches:
            found.setdefault(path.resolve(), path)
    return tuple(found.values())


def _matches(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml"))
    if path.exists():
        return [path]
    return sorted(Path(p) for p in glob(argument)) if has_magic(argument) else []


def audit_all(
    paths: Sequence[Path],
    *,
    output: Path,
    language: Language | None = None,
    facts: Path | None = None,
    with_pdf: bool = True,
    progress: Progress | None = None,
    passphrases: Passphrases | None = None,
) -> PortfolioRun:
    """Measure, judge and render every dossier.

    A single wrong dossier raises DossierError; among several it becomes an outcome of its own.
    """
    make_folder(output)  # before anything is measured in vain
    started = dt.datetime.now(dt.UTC)
    cases, wrong = _bound(paths, language, facts)
    measured = asyncio.run(_measure_all(cases, started, progress, passphrases))
    outcomes = list(wrong)
    for done, (case, result) in enumerate(zip(cases, measured, strict=True), 1):
        with _Fate() as fate:
            outcomes.append(_rendered(case, result, output, started, with_pdf))
        if fate.error is not None:
            outcomes.append(_failed(case, fate.error, output, started))
        if progress:
            progress("render", done, len(cases))
    index = None
    if len(paths) > 1:
        index = _overview(outcomes, output, started, language or "en")
    return PortfolioRun(tuple(outcomes), index)


def _bound(
    paths: Sequence[Path], language: Language | None, facts: Path | None
) -> tuple[list[Case], list[CaseOutcome]]:
    cases: list[Case] = []
    wrong: list[CaseOutcome] = []
    for path in paths:
        try:
            cases.append(bind(path, language=language or "", facts=facts))
        except DossierError as error:
            if len(paths) == 1:
                raise
            wrong.append(CaseOutcome(path, path.stem, error.exit_code, problem=error.text))
    return cases, wrong


async def _measure_all(
    cases: Sequence[Case],
    now: dt.datetime,
    progress: Progress | None,
    passphrases: Passphrases | None,
) -> list[AuditFacts | BaseException]:
    gate = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(case: Case) -> AuditFacts:
        nonlocal done
        async with gate:
            if case.facts_file:
                return case.saved_facts(case.facts_file)
            inner = progress if len(cases) == 1 else None
            facts = await measure_dossier(
                case.dossier, now=now, progress=inner, passphrases=passphrases
            )
        done += 1
        if progress and len(cases) > 1:
            progress("measure", done, len(cases))
        return facts

    # return_exceptions: a bug met by one client is recorded there and stops no other.
    return list(await asyncio.gather(*(one(c) for c in cases), return_exceptions=True))


def _rendered(
    case: Case,
    measured: AuditFacts | BaseException,
    output: Path,
    started: dt.datetime,
    with_pdf: bool,
) -> CaseOutcome:
    if isinstance(measured, BaseException):
        return _failed(case, measured, output, started)
    name = case.dossier.organisation
    folder = case_folder(output, name, started)
    try:
        facts_file = save_record(measured, folder / "facts.json")
        record = render_audit(
            case.path,
            facts_file,
            folder,
            organisation=name,
            language=case.language,
            with_pdf=with_pdf,
        )
    except RunError as error:
        return CaseOutcome(case.path, name, CRASHED, folder=folder, problem=error.text)
    return _told(case, record, folder)


def _told(case: Case, record: RunRecord, folder: Path) -> CaseOutcome:
    audit = load_audit(record.audit)
    return CaseOutcome(
        dossier=case.path,
        organisation=case.dossier.organisation,
        exit_code=audit.verdict.exit_code,
        verdict=audit.verdict,
        folder=folder,
        files=record.files,
        decisive=() if audit.verdict is Verdict.READY else decisive(audit),
        notes=record.notes,
    )


def _failed(case: Case, error: BaseException, output: Path, started: dt.datetime) -> CaseOutcome:
    """An error of the user's becomes its sentence; a bug becomes a crash record in a folder."""
    name = case.dossier.organisation
    if not isinstance(error, Exception):
        raise error  # Ctrl-C and the like end the run
    if isinstance(error, IncaMailError):
        return CaseOutcome(case.path, name, error.exit_code, problem=error.text)
    folder = case_folder(output, name, started)
    crash = folder / "crash.txt"
    write_whole(crash, "".join(traceback.format_exception(error)).encode())
    problem = say(
        "The audit crashed ({kind}). This is a fault of the program; the details are in {file}.",
        kind=type(error).__name__,
        file=str(crash),
    )
    return CaseOutcome(case.path, name, CRASHED, folder=folder, problem=problem)


def _overview(
    outcomes: Sequence[CaseOutcome], output: Path, started: dt.datetime, language: Language
) -> Path:
    entries = [
        IndexEntry(
            organisation=o.organisation,
            folder=o.folder,
            audit=o.folder / "audit.json" if o.folder and o.verdict else None,
            problem=o.problem,
        )
        for o in outcomes
    ]
    run_folder = new_folder(output / f"run-{started:%Y%m%dT%H%M%SZ}")
    return write_index(run_folder, entries, language=language)
