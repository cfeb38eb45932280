"""Enter a run into the history: what became of each dossier, beside what became of it before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from incamail_lib.audit import load_audit, read_unchanged
from incamail_lib.changes import Change, compare
from incamail_lib.dossier import Dossier, read_dossier
from incamail_lib.dossier.agreed import Role
from incamail_lib.errors import IncaMailError
from incamail_lib.findings import Verdict
from incamail_lib.guide import contents
from incamail_lib.history.digest import Digest, Judged, phases_of
from incamail_lib.history.store import History
from incamail_lib.i18n import Text
from incamail_lib.outputs import RECORD


class Recorded(Protocol):
    """What became of one dossier, as a batch tells it."""

    @property
    def dossier(self) -> Path:
        """The dossier's file."""

    @property
    def organisation(self) -> str:
        """Whose it is."""

    @property
    def exit_code(self) -> int:
        """What the command would end with for this one alone."""

    @property
    def verdict(self) -> Verdict | None:
        """None where there is a problem instead."""

    @property
    def folder(self) -> Path | None:
        """Where its audit lies."""

    @property
    def judged(self) -> Judged | None:
        """What its audit says; None where there is a problem instead."""

    @property
    def problem(self) -> Text | None:
        """Why there is no verdict."""


def record(
    path: Path,
    outcomes: Iterable[Recorded],
    *,
    started: dt.datetime,
    place: Path | None = None,
) -> int:
    """Keep a run in the file of runs, which is made where there is none; the run's number.

    One organisation after the other is read and let go of. The run counts once all are kept; the
    run of a folder `place` is kept once, however often it is recorded.
    Errors: HistoryError; MaterialError for an audit that was changed meanwhile.
    """
    with History.open(path, create=True) as history:
        run = history.begin(started, place)
        for outcome in outcomes:
            _keep(history, run, outcome)
        history.finish(run, dt.datetime.now(dt.UTC))
    return run


def digests_of(outcomes: Iterable[Recorded]) -> tuple[Digest, ...]:
    """What the overview says of each, of a run that is not kept."""
    return tuple(digest_of(outcome) for outcome in outcomes)


def _keep(history: History, run: int, outcome: Recorded) -> None:
    digest, record = digest_of(outcome), b""
    if outcome.judged is not None and outcome.folder is not None:
        path = outcome.folder / RECORD
        record = read_unchanged(path, outcome.judged.record)
        digest = _compared(history, run, digest, path)
    history.add(run, digest, record)


def _compared(history: History, run: int, digest: Digest, record: Path) -> Digest:
    """With what changed since the run before; most nights that is nothing."""
    before = history.before(run, digest.organisation, digest.dossier)
    if before is None:
        return digest
    number, then = before
    changes: tuple[Change, ...] = ()
    if then.fingerprint != digest.fingerprint:
        old = history.audit(number, digest.organisation, digest.dossier)
        changes = compare(old, load_audit(record)) if old is not None else ()
    return digest.model_copy(update={"changes": changes, "compared_with": number})


def digest_of(outcome: Recorded) -> Digest:
    """What the overview says of one organisation by itself."""
    told = Digest(
        organisation=outcome.organisation,
        dossier=outcome.dossier.name,
        exit_code=outcome.exit_code,
        verdict=outcome.verdict,
        problem=outcome.problem,
        folder=str(outcome.folder.resolve()) if outcome.folder else "",  # read from anywhere
    )
    dossier = _dossier(outcome.dossier)
    if dossier is not None:
        today = dt.datetime.now(dt.UTC).date()
        leads = (c.name for c in dossier.contacts if c.role is Role.PROJECT_LEAD)
        known = {
            "go_live": dossier.go_live,
            "owner": next(leads, ""),
            "phases": phases_of(dossier, contents(), today),
        }
        told = told.model_copy(update=known)
    return told.model_copy(update=dict(outcome.judged)) if outcome.judged else told


def _dossier(path: Path) -> Dossier | None:
    """The dossier; none where it cannot be read, which the problem tells."""
    try:
        return read_dossier(path)
    except IncaMailError:
        return None
