"""One dossier that is edited by people and by the program, and in which nothing is lost."""

from __future__ import annotations

import datetime as dt
import stat
import threading
from pathlib import Path
from typing import Any

from incamail_lib.dossier.agreed import Change
from incamail_lib.dossier.editing import rewritten
from incamail_lib.dossier.fields import FieldPath, as_plain, field_path, value_at, with_value
from incamail_lib.dossier.history import Writing, changed, digest, read_history
from incamail_lib.dossier.locking import WAIT_S, only_writer
from incamail_lib.dossier.merging import Conflict, in_words, merge
from incamail_lib.dossier.migrating import migrated
from incamail_lib.dossier.model import Dossier
from incamail_lib.dossier.reading import (
    MAX_BYTES,
    Source,
    parsed,
    read_source,
    read_text,
    validated,
)
from incamail_lib.errors import DossierError, OutputError, UsageError
from incamail_lib.files import write_whole
from incamail_lib.i18n import say

_WRITTEN_BY_THE_PROGRAM = frozenset({"history", "schema"})
_SECRET = "PRIVATE KEY-----"  # noqa: S105  # the mark of a key, not a key


class DossierStore:
    """A dossier's file and what is to be changed in it. Made by `open_store`.

    Each change is saved at once. A change that cannot be saved is kept here and written with the
    next one that can be. What others wrote into the file meanwhile is taken along. Threads may
    share it: JupyterLab handles what is entered in another thread than what a cell does.
    """

    def __init__(self, source: Source, *, wait_s: float = WAIT_S) -> None:
        self.path = source.path
        self._wait_s = wait_s
        self._read = source  # as last read or written
        self._data = _own(source)  # the same with every change that is not saved yet
        self._dossier = source.dossier
        self._unsaved: list[Change] = []
        self._one_at_a_time = threading.RLock()

    @property
    def dossier(self) -> Dossier:
        """The dossier as it is now, changes that are not saved yet included."""
        return self._dossier

    @property
    def is_saved(self) -> bool:
        """Whether every change is in the file."""
        return self._data == _own(self._read)

    @property
    def history(self) -> tuple[Change, ...]:
        """Every change, oldest first, those that are not saved yet included."""
        older = self._read.dossier.history  # of a dossier not saved since schema 2
        saved = read_history(self.path).changes
        return (*(c for c in older if c not in saved), *saved, *self._unsaved)

    def put(self, field: FieldPath, value: Any, *, who: str) -> tuple[Conflict, ...]:
        """Set one field, note it in the history, and save; None removes the field.

        `field` is written with dots ("answers.6.3.state") or as a tuple of its parts; "contacts.2"
        after two contacts appends a third. `value` may be a record.

        Gives the fields in which somebody else was faster: theirs stays in the file, both values
        stand in the history. Errors: DossierError for a value that is not possible – nothing is
        changed then; UsageError for a field that is not edited by hand; OutputError or
        DossierError when the change cannot be saved – it is kept.
        """
        path, plain = field_path(field), as_plain(value)
        _refuse_reserved(path, who)
        _refuse_secret(path, plain, self.path)
        with self._one_at_a_time:
            before = value_at(self._data, path)
            if before == plain:
                return () if self.is_saved else self.save(who=who)
            data = migrated(with_value(self._data, path, plain))
            self._dossier = validated(data, self.path)
            self._data = data
            self._unsaved += changed(who.strip(), path, before, plain, _now())
            return self.save(who=who)

    def save(self, *, who: str) -> tuple[Conflict, ...]:
        """Write the changes that are not saved yet, and read what others wrote meanwhile."""
        with self._one_at_a_time, only_writer(self.path, who=who, wait_s=self._wait_s):
            return self._save(who)

    def _save(self, who: str) -> tuple[Conflict, ...]:
        target = self.path.resolve()  # a link stays a link
        disk = self._on_disk()
        merged = merge(_own(self._read), self._data, _own(disk))
        lost = [_in_conflict(who.strip(), conflict) for conflict in merged.conflicts]
        lines = [*self._unsaved, *lost]
        if merged.value != _own(disk) or lines:
            disk = self._written(target, disk, migrated(merged.value), lines)
        self._read, self._data, self._dossier = disk, _own(disk), disk.dossier
        self._unsaved = []
        return merged.conflicts

    def _written(
        self, target: Path, disk: Source, data: dict[str, Any], lines: list[Change]
    ) -> Source:
        """The dossier with other data, its history first: each change has its line."""
        edited = _edited(disk, data)
        ends = {"found": digest(disk.text), "left": digest(edited.text)}
        if ends["found"] == ends["left"]:
            ends = {}
        mode = stat.S_IMODE(target.stat().st_mode)
        history = Writing(self.path, mode)
        known = read_history(self.path).changes if disk.dossier.history else ()
        older = [change for change in disk.dossier.history if change not in known]
        undone = history.undone(disk.text, _now())
        history.add([*older, *undone, *(c.model_copy(update=ends) for c in lines)])
        try:
            write_whole(target, edited.text.encode(), mode=mode)
        except OutputError:
            history.take_back()
            raise
        return edited

    def _on_disk(self) -> Source:
        try:
            text = read_text(self.path)
            # Reading takes the most time of a change; a file that nobody touched is known.
            return self._read if text == self._read.text else parsed(text, self.path)
        except DossierError as error:
            raise DossierError(
                say(
                    "{problem} The change is kept for the next time; it is saved as soon as the "
                    "file is in order again.",
                    problem=error.text,
                )
            ) from None


def open_store(path: Path | str, *, wait_s: float = WAIT_S) -> DossierStore:
    """Open a dossier to be edited; `wait_s` seconds are waited for another writer.

    A dossier of an older schema is left as it is until something is saved.
    Errors: DossierError, as `read_dossier`.
    """
    return DossierStore(read_source(Path(path)), wait_s=wait_s)


def _edited(disk: Source, data: dict[str, Any]) -> Source:
    """The file with other data, read again before it is written: it must say just that."""
    validated(data, disk.path)
    text = rewritten(disk.text, disk.root, data)
    if len(text.encode()) > MAX_BYTES:
        raise OutputError(
            say(
                "{file} would become larger than 1 MB; nothing was written. Shorten its longest "
                "answers.",
                file=str(disk.path),
            )
        )
    try:
        edited = parsed(text, disk.path)
    except DossierError:
        edited = None
    if edited is None or edited.data != data:
        raise DossierError(
            say(
                "{file} is written in a form that cannot be changed without touching what stands "
                "around it; nothing was written. Write one field per line, without tags and "
                "question marks, and try again.",
                file=str(disk.path),
            )
        )
    return edited


def _own(source: Source) -> dict[str, Any]:
    """What people decide; the history of an older dossier is the program's."""
    return {key: value for key, value in source.data.items() if key != "history"}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _in_conflict(who: str, conflict: Conflict) -> Change:
    return Change(
        at=_now(),
        who=who,
        what=conflict.field,
        before=in_words(conflict.theirs),
        after=in_words(conflict.ours),
        conflict=True,
    )


def _refuse_reserved(path: tuple[str, ...], who: str) -> None:
    if path[0] in _WRITTEN_BY_THE_PROGRAM:
        raise UsageError(
            say("«{field}» is written by the program itself and cannot be set.", field=path[0])
        )
    if not who.strip():
        raise UsageError(say("Say who makes the change: the history names everybody."))


def _refuse_secret(path: tuple[str, ...], value: Any, file: Path) -> None:
    if _SECRET in in_words(value):
        raise DossierError(
            say(
                "{file}, field «{field}»: a private key never belongs into a dossier. Keep it in "
                "its own file and name that file.",
                file=str(file),
                field=".".join(path),
            )
        )
