"""The file of runs: one SQLite database, safe for several programs at once.

Everything is written in small transactions, and a run counts from the moment it is finished: what
was killed on the way leaves a run without an end, which is told and never taken for one that was.
A file of another program, of a newer version or that is damaged is refused with one sentence, and
nothing in it is changed.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from incamail_lib.audit.saving import audit_of
from incamail_lib.errors import IncaMailError
from incamail_lib.files import json_of, make_folder
from incamail_lib.findings import Audit
from incamail_lib.history.digest import Digest
from incamail_lib.i18n import N_, Text, say

SCHEMA = 1
APPLICATION = 0x494D5248  # "IMRH" in the file's head: whose it is
WAIT_S = 10.0  # for another program that is just writing
_MOST_BYTES = 200_000_000  # of one audit, as of a file of one
_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started TEXT NOT NULL,
    finished TEXT,
    program TEXT NOT NULL,
    place TEXT UNIQUE
);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL,
    dossier TEXT NOT NULL,
    digest TEXT NOT NULL,
    audit BLOB,
    UNIQUE (run, organisation, dossier)
);
CREATE INDEX outcome_of ON outcome (organisation, run);
"""


class HistoryError(IncaMailError):
    """The file of runs cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True)
class Run:
    """One run over the clients; without an end it is still going on, or was killed."""

    number: int
    started: dt.datetime
    finished: dt.datetime | None
    program: str  # version
    organisations: int


class History:
    """An open file of runs. Errors of every method: HistoryError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, create: bool = False) -> Iterator[Self]:
        """The history in a file, made where there is none if that is wanted."""
        if not create and not path.exists():
            raise HistoryError(
                say(
                    "There is no file of runs {file}. «incamail batch» makes it.",
                    file=str(path),
                )
            )
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise HistoryError(say("{file} is no file of runs.", file=str(path)))
        if create:
            make_folder(path.parent)
        with _told(path):
            connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        try:
            with _told(path):
                _prepare(connection, path)
            yield cls(path, connection)
        finally:
            connection.close()

    def begin(self, started: dt.datetime, place: Path | None = None) -> int:
        """Enter a run; its number.

        `place` is the folder of the run: entered again, after it was killed and resumed, it is
        the same run, and begins anew.
        """
        program, where = version("incamail-runbook"), str(place) if place else None
        with _told(self.path), self._at_once():
            known = self._connection.execute("SELECT id FROM run WHERE place = ?", (where,))
            number = int((known.fetchone() or (0,))[0])
            if number:
                self._connection.execute("DELETE FROM outcome WHERE run = ?", (number,))
                self._connection.execute("UPDATE run SET finished = NULL WHERE id = ?", (number,))
                return number
            added = self._connection.execute(
                "INSERT INTO run (started, program, place) VALUES (?, ?, ?)",
                (_kept(started), program, where),
            )
        return int(added.lastrowid or 0)

    def add(self, run: int, digest: Digest, record: bytes = b"") -> None:
        """Keep what became of one organisation, and the JSON of its audit if there is one; a second
        time takes the place of the first."""
        packed = zlib.compress(to_json(from_json(record)), 6) if record else None  # no indentation
        with _told(self.path):
            self._connection.execute(
                "INSERT OR REPLACE INTO outcome (run, organisation, dossier, digest, audit) "
                "VALUES (?, ?, ?, ?, ?)",
                (run, digest.organisation, digest.dossier, digest.model_dump_json(), packed),
            )

    def finish(self, run: int, finished: dt.datetime) -> None:
        """From now on the run counts. With this, all of it is on the disk."""
        with _told(self.path):
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(
                "UPDATE run SET finished = ? WHERE id = ?", (_kept(finished), run)
            )

    def runs(self) -> tuple[Run, ...]:
        """Every run, the newest first; those without an end too."""
        with _told(self.path):
            rows = self._connection.execute(
                "SELECT run.id, started, finished, program, count(outcome.id) FROM run "
                "LEFT JOIN outcome ON outcome.run = run.id GROUP BY run.id ORDER BY run.id DESC"
            ).fetchall()
            return tuple(
                Run(number, _moment(started), finished and _moment(finished), program, count)
                for number, started, finished, program, count in rows
            )

    def run(self, number: int) -> Run:
        """A finished run by its number; 0 is the newest, -1 the one before it, and so on."""
        done = [run for run in self.runs() if run.finished is not None]
        if number <= 0:
            if -number >= len(done):
                raise HistoryError(_too_few(self.path, done))
            return done[-number]
        found = next((run for run in done if run.number == number), None)
        if found is None:
            known = ", ".join(str(run.number) for run in done[:5]) or "–"
            raise HistoryError(
                say(
                    "{file} holds no finished run {number}. The newest are: {known}.",
                    file=str(self.path),
                    number=number,
                    known=known,
                )
            )
        return found

    def digests(self, run: int) -> Iterator[Digest]:
        """What became of each organisation of a run, by name."""
        query = "SELECT digest FROM outcome WHERE run = ? ORDER BY organisation, dossier"
        with _told(self.path):
            for (text,) in self._connection.execute(query, (run,)):
                yield Digest.model_validate_json(text)

    def audit(self, run: int, organisation: str, dossier: str) -> Audit | None:
        """The audit of an organisation in a run; None where there was none, or it is kept no
        longer."""
        query = "SELECT audit FROM outcome WHERE run = ? AND organisation = ? AND dossier = ?"
        with _told(self.path):
            row = self._connection.execute(query, (run, organisation, dossier)).fetchone()
            return self._unpacked(row[0]) if row and row[0] is not None else None

    def before(self, run: int, organisation: str, dossier: str) -> tuple[int, Digest] | None:
        """What became of an organisation in the newest finished run before this one that has its
        whole audit, and that run."""
        query = (
            "SELECT run.id, digest FROM outcome JOIN run ON run.id = outcome.run "
            "WHERE run.id < ? AND finished IS NOT NULL AND organisation = ? AND dossier = ? "
            "AND audit IS NOT NULL ORDER BY run.id DESC LIMIT 1"
        )
        with _told(self.path):
            row = self._connection.execute(query, (run, organisation, dossier)).fetchone()
            return (int(row[0]), Digest.model_validate_json(row[1])) if row else None

    def _unpacked(self, packed: bytes) -> Audit:
        reader = zlib.decompressobj()
        data = reader.decompress(packed, _MOST_BYTES)
        if reader.unconsumed_tail:
            raise zlib.error("too large")
        return audit_of(json_of(data), self.path)

    def thin(self, keep: int) -> int:
        """Drop whole audits but those of the newest finished runs, and runs without an end that
        are a week old; what was told of each run stays. How many runs lost something."""
        done = [run for run in self.runs() if run.finished is not None]
        old = [run.number for run in done[keep:]]
        week = dt.datetime.now(dt.UTC) - dt.timedelta(days=7)
        dead = [r.number for r in self.runs() if r.finished is None and r.started < week]
        with _told(self.path), self._at_once():
            self._connection.executemany(
                "UPDATE outcome SET audit = NULL WHERE run = ?", [(n,) for n in old]
            )
            self._connection.executemany("DELETE FROM run WHERE id = ?", [(n,) for n in dead])
        with _told(self.path):
            self._connection.execute("VACUUM")
        return len(old) + len(dead)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # which commits, or rolls back
            yield


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not ours; make the tables of a new file. Errors: HistoryError."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut costs a run without an end
    if _is_new(connection):
        # The head first: of two programs at once one makes the tables, the other finds them.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if _is_new(connection):
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    if _number(connection, "application_id") != APPLICATION:
        raise HistoryError(
            say(
                "{file} is a database of another program. Nothing in it was changed; name another "
                "file.",
                file=str(path),
            )
        )
    schema = _number(connection, "user_version")
    if schema != SCHEMA:
        raise HistoryError(
            say(
                "{file} was written by a newer version of this program (format {given}; known "
                "here is {known}). Nothing in it was changed. Update the program.",
                file=str(path),
                given=schema,
                known=SCHEMA,
            )
        )


def _is_new(connection: sqlite3.Connection) -> bool:
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return empty and not _number(connection, "application_id")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What SQLite or a damaged row says, as one sentence. Errors: HistoryError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise HistoryError(_could_not(path, error)) from None
    except (sqlite3.Error, ValidationError, zlib.error, ValueError, TypeError):
        raise HistoryError(say(_DAMAGED, file=str(path))) from None


_DAMAGED = N_(
    "{file} is damaged, or no file of runs. Nothing in it was changed. Put it aside and take a "
    "copy, or begin a new one: the audits lie in their folders."
)


def _too_few(path: Path, done: Sequence[Run]) -> Text:
    """What is said where the newest run, or the one before it, is asked for in vain."""
    if not done:
        return say("{file} holds no finished run yet. «incamail batch» makes one.", file=str(path))
    return say(
        "{file} holds one finished run only ({number}): there is nothing to compare it with. Run "
        "«incamail batch» again, then ask anew.",
        file=str(path),
        number=done[0].number,
    )


_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def _could_not(path: Path, error: sqlite3.OperationalError) -> Text:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the bits says it finer
    if code == sqlite3.SQLITE_FULL:
        return say(
            "There is no room left for {file}. What was kept before is whole; free some space and "
            "begin again.",
            file=str(path),
        )
    if code in _READ_ONLY:
        return say(
            "{file} cannot be opened. The file and its folder must be writable, also to read it, "
            "since the database locks it there. Nothing was changed; ask for the permission, or "
            "copy it to a folder of yours.",
            file=str(path),
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return say(
            "{file} is being written by another program. Nothing was lost; try again in a moment.",
            file=str(path),
        )
    return say(
        "{file} cannot be read or written ({cause}). Check its folder, permissions and free space.",
        file=str(path),
        cause=str(error),
    )


def _kept(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def finished(runs: Sequence[Run]) -> dt.datetime | None:
    """When the newest run that came to its end did so."""
    return max((run.finished for run in runs if run.finished is not None), default=None)
