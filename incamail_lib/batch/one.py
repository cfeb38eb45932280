"""One dossier of a run, from its file to its folder."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from incamail_lib.audit import Progress, save_record
from incamail_lib.audit.case import Among, Case, bind, measure_dossier
from incamail_lib.audit.evidence import Latest, latest_audit
from incamail_lib.audit.passphrases import Passphrases
from incamail_lib.batch.job import (
    DOSSIER,
    PREVIOUS,
    Done,
    Fate,
    Order,
    crashed,
    digest_of,
    dossier_of,
)
from incamail_lib.batch.rendering import Renderer, local
from incamail_lib.batch.results import CRASHED, CaseOutcome, Cost
from incamail_lib.crash import crash_text
from incamail_lib.dossier.reading import MAX_BYTES
from incamail_lib.errors import DiskFullError, DossierError, IncaMailError, LostError
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.files import read_bounded, write_whole
from incamail_lib.i18n import Language, Text, say
from incamail_lib.lookup.resolving import ask_at_most
from incamail_lib.outputs import FACTS, NewFolder, audits_called, new_audit
from incamail_lib.probe.traffic import Bounds, Traffic, Visitor
from incamail_lib.reach import Spared
from incamail_lib.seal import Keys, sealed

QUESTIONS_AT_ONCE = 100  # to name servers
LABS_AT_ONCE = 4  # each has servers of its own
_READINGS = 5  # of a dossier that is being written


@dataclass(frozen=True)
class Options:
    """How a run is made."""

    language: Language | None = None  # None: each dossier's own
    facts: Sequence[Path] = ()  # saved ones to report on, of the only dossier
    place: Place | None = None  # where the machine that measures stands
    with_pdf: bool = True
    passphrases: Passphrases | None = None
    history: Path | None = None  # the file of runs that keeps what became of each
    workers: int | None = None  # processes that render; None: one for each processor
    at_once: int = 50  # organisations under way
    is_batch: bool = False  # a run of its own even if it is about one dossier
    resume: bool = False
    spared: Spared = field(default_factory=Spared)
    bounds: Bounds = field(default_factory=Bounds)
    # Makes who renders; given the open file that every process of the run must hold. None: here.
    renderer: Callable[[int | None], Renderer] | None = None


class One:
    """What the dossiers of a run share, and what is done with each."""

    def __init__(
        self,
        output: Path,
        name: str,
        options: Options,
        *,
        lock: int | None = None,
        is_only: bool = False,
    ) -> None:
        """`name` is what the folder of each audit is called; `lock` is held by the run."""
        self._output = output
        self._name = name
        self._options = options
        self._is_only = is_only
        self._traffic = Traffic(options.bounds)
        self._labs = asyncio.Semaphore(LABS_AT_ONCE)
        self.places = asyncio.Semaphore(options.at_once)
        keep = () if lock is None else (lock,)
        if options.renderer:
            self._renderer = options.renderer(lock)
        else:
            self._renderer = local(options.workers, keep=keep)

    async def __aenter__(self) -> Self:
        ask_at_most(QUESTIONS_AT_ONCE)
        await self._renderer.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._renderer.__aexit__(None, None, None)

    async def outcome(self, path: Path, *, progress: Progress | None = None) -> CaseOutcome:
        """What became of one dossier.

        Errors: DiskFullError, LostError; DossierError for the only one.
        """
        started = dt.datetime.now(dt.UTC)
        try:
            case, text = self._read(path)
        except DossierError as error:
            if self._is_only:
                raise
            return _without(path, path.stem or str(path), error)
        work = _Work(case, text, started)
        with Fate() as fate:
            outcome = await self._complete(work) or await self._audited(work, progress)
        if isinstance(fate.error, DiskFullError | LostError):
            raise fate.error
        if isinstance(fate.error, IncaMailError):
            outcome = _without(path, case.dossier.organisation, fate.error)
        elif fate.error is not None:
            outcome = self._crashed(work, fate.error)
        ended = dt.datetime.now(dt.UTC)
        return outcome.model_copy(update={"started_at": started, "ended_at": ended})

    def _read(self, path: Path) -> tuple[Case, bytes]:
        """The dossier and its text, which belong together even where somebody writes it just now.

        Errors: DossierError.
        """
        options = self._options
        language = options.language or ""
        for _ in range(_READINGS):
            before = _text(path)
            case = bind(path, language=language, facts=options.facts, place=options.place)
            if before == _text(path):
                return case, before
        raise DossierError(
            say("{file} is being written all the time. Save it, then start again.", file=str(path))
        )

    async def _complete(self, work: _Work) -> CaseOutcome | None:
        """What an earlier part of this run did already."""
        if not self._options.resume:
            return None
        folders = audits_called(self._output, work.organisation, self._name)
        found = await self._renderer.complete(folders, work.digest) if folders else None
        return work.told(found[1], found[0], resumed=True) if found else None

    async def _audited(self, work: _Work, progress: Progress | None) -> CaseOutcome:
        begun = time.monotonic()
        facts, connections = await self._measured(work.case, progress)
        measured_s = time.monotonic() - begun
        new = new_audit(self._output, work.organisation, self._name)
        with Fate() as fate:
            save_record(facts, new.part / FACTS)
            del facts  # only the file is needed from here on
            write_whole(new.part / DOSSIER, work.text)
            latest = await asyncio.to_thread(self._lent, work, new)
            previous = latest.record and latest.record.resolve()
            begun = time.monotonic()
            done = await self._renderer.render(self._order(work, new, previous))
            cost = Cost(
                measured_s=round(measured_s, 3),
                rendered_s=round(time.monotonic() - begun, 3),
                cpu_s=done.cpu_s,
                connections=connections,
            )
            outcome = await asyncio.to_thread(_finished, work, new, done)
            notes = (*latest.notes, *outcome.notes)
            return outcome.model_copy(update={"cost": cost, "notes": notes})
        new.give_up()
        assert fate.error is not None
        raise fate.error

    async def _measured(self, case: Case, progress: Progress | None) -> tuple[AuditFacts, int]:
        """The facts, and how many connections were made for them."""
        now = dt.datetime.now(dt.UTC)
        if case.facts_files:
            return case.saved_facts(now), 0
        options = self._options
        if case.dossier.platform == "lab":
            async with self._labs:
                facts = await measure_dossier(
                    case.dossier, now=now, progress=progress, passphrases=options.passphrases
                )
            ends = (*facts.receiving, *facts.platform_endpoints)
            return facts, sum(len(end.connections) for end in ends)
        visitor = Visitor(self._traffic, self.places)
        among = Among(visitor, options.spared)
        facts = await measure_dossier(
            case.dossier,
            now=now,
            progress=progress,
            passphrases=options.passphrases,
            among=among,
        )
        return facts, visitor.made

    def _lent(self, work: _Work, new: NewFolder) -> Latest:
        """The audit of that dossier before, where a trusted key sealed one; a copy of its record
        lies there. An organisation may have several dossiers."""
        latest = latest_audit(
            self._output,
            work.organisation,
            Keys.of_user(),
            counts=lambda folder: dossier_of(folder) in ("", work.case.path.resolve().name),
        )
        if latest.record is not None:
            write_whole(new.part / PREVIOUS, latest.record.read_bytes())
        return latest

    def _order(self, work: _Work, new: NewFolder, previous: Path | None) -> Order:
        return Order(
            folder=new.part.resolve(),
            final=new.final.resolve(),
            shown=work.case.path.resolve(),
            digest=work.digest,
            organisation=work.organisation,
            language=work.case.language,
            waivers=work.case.waivers,
            previous=previous,
            with_pdf=self._options.with_pdf,
        )

    def _crashed(self, work: _Work, error: Exception) -> CaseOutcome:
        """A bug outside of what has a process of its own. Errors: DiskFullError."""
        try:
            new = new_audit(self._output, work.organisation, self._name)
            done = crashed(new.part, new.final, type(error).__name__, crash_text(error))
            return work.told(done, new.finish())
        except DiskFullError:
            raise
        except IncaMailError as unwritten:
            return _without(work.case.path, work.organisation, unwritten)


@dataclass(frozen=True)
class _Work:
    """A dossier as it was read."""

    case: Case
    text: bytes
    started: dt.datetime

    @property
    def organisation(self) -> str:
        return self.case.dossier.organisation

    @property
    def digest(self) -> str:
        return digest_of(self.text, self.case.waivers)

    def told(self, done: Done, folder: Path | None, *, resumed: bool = False) -> CaseOutcome:
        """The outcome that the result of a job is."""
        return CaseOutcome(
            dossier=self.case.path,
            organisation=self.organisation,
            exit_code=done.exit_code,
            verdict=done.verdict,
            folder=folder,
            files=tuple(folder / name for name in done.files) if folder else (),
            decisive=done.decisive,
            notes=done.notes,
            problem=done.problem,
            judged=done.judged,
            resumed=resumed,
        )


def _text(path: Path) -> bytes:
    """What the file holds; nothing where it cannot be read, which `bind` tells."""
    try:
        return read_bounded(path, MAX_BYTES)
    except OSError:
        return b""


def _finished(work: _Work, new: NewFolder, done: Done) -> CaseOutcome:
    """The folder sealed and called as it will be for good, where there is anything to keep.

    Errors: OutputError.
    """
    if done.is_full:
        assert done.problem is not None
        raise DiskFullError(done.problem)
    if not done.keeps:
        new.give_up()
        return work.told(done, None)
    notes: tuple[Text, ...] = ()
    if done.verdict:
        notes = sealed(new.part, Keys.of_user(), called=new.final.name)
    outcome = work.told(done, new.finish())
    if _text(work.case.path) != work.text:
        notes = (*notes, _changed(work))
    return outcome.model_copy(update={"notes": (*outcome.notes, *notes)})


def _changed(work: _Work) -> Text:
    return say(
        "{file} was changed while the audit ran; the audit is of what it said at {time}. Audit "
        "it again.",
        file=str(work.case.path),
        time=f"{work.started:%H:%M:%S} UTC",
    )


def _without(path: Path, organisation: str, error: IncaMailError) -> CaseOutcome:
    """The outcome without a verdict, for something that a user can mend."""
    return CaseOutcome(
        dossier=path,
        organisation=organisation,
        exit_code=error.exit_code or CRASHED,
        problem=error.text,
    )
