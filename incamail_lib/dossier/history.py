"""Who changed what in a dossier, and when: a file beside it to which lines are only ever added.

One change is one line of JSON. The laws:

1. The line is written, and is on the disk, before the dossier is: a change without its line does
   not exist. The dossier's writer holds the lock meanwhile, so lines of several people follow one
   another and none is lost.
2. Each line names the text of the dossier before and after it by a digest. Where a dossier still
   has the text from before the last lines, they never reached it – the program was killed, or
   somebody put the old text back – and lines that say so are added; nothing is taken away.
3. A line cut off by a power failure ends where the next one begins and is left out in reading.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from incamail_lib.dossier.agreed import Change
from incamail_lib.dossier.merging import differences, in_words
from incamail_lib.errors import DossierError, reason
from incamail_lib.files import not_written, read_regular
from incamail_lib.i18n import say

MAX_BYTES = 50_000_000  # some 200,000 changes
_TAIL = 262_144  # bytes, longer than any line
BY_FILE = "file"  # who, of a change that was found in the dossier and made by nobody we know


@dataclass(frozen=True)
class History:
    """Every change that can be read, oldest first, and the numbers of the lines that cannot."""

    changes: tuple[Change, ...] = ()
    damaged: tuple[int, ...] = ()


def history_of(dossier: Path) -> Path:
    """The file that keeps the history of a dossier, e.g. `muster.yaml.history`."""
    target = dossier.resolve()  # a link has the history of what it leads to
    return target.with_name(f"{target.name}.history")


def read_history(dossier: Path) -> History:
    """The history of a dossier; empty where there is none. Errors: DossierError."""
    path = history_of(dossier)
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise DossierError(
            say(
                "The history {file} cannot be read ({cause}). Check the name and the permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None
    if len(data) > MAX_BYTES:
        raise DossierError(
            say(
                "The history {file} is larger than 50 MB. Put it aside under another name: a new "
                "one begins with the next change.",
                file=str(path),
            )
        )
    found = [(number, _read(line)) for number, line in enumerate(data.splitlines(), 1) if line]
    return History(
        changes=tuple(change for _, change in found if change is not None),
        damaged=tuple(number for number, change in found if change is None),
    )


def changed(who: str, path: tuple[str, ...], before: Any, after: Any, at: Any) -> list[Change]:
    """One line for each value that differs below the field `path`."""
    field = ".".join(path)
    nested = [{field: side} if side is not None else {} for side in (before, after)]
    return [
        Change(at=at, who=who, what=d.field, before=in_words(d.before), after=in_words(d.after))
        for d in differences(*nested)
    ]


def digest(text: str) -> str:
    """What tells one text of a dossier from another in its history."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Writing:
    """Lines added to a history while its dossier is locked; taken back where the dossier fails."""

    def __init__(self, dossier: Path, mode: int) -> None:
        self._path = history_of(dossier)
        self._mode = mode
        self._length: int | None = None

    def undone(self, text: str, at: Any) -> list[Change]:
        """Lines for the last changes, if the dossier has the text from before them."""
        last = [change for change in map(_read, self._tail().splitlines()) if change is not None]
        batch = [c for c in last if last[-1].left and (c.found, c.left) == _ends(last[-1])]
        if not batch or batch[-1].found != digest(text):
            return []
        return [
            Change(at=at, who=BY_FILE, what=c.what, before=c.after, after=c.before)
            for c in reversed(batch)
            if not c.conflict
        ]

    def add(self, changes: Iterable[Change]) -> None:
        """Write lines behind the others and wait until they are on the disk. Errors: OutputError,
        and then nothing was added."""
        lines = [change.model_dump_json(exclude_defaults=True) for change in changes]
        if not lines:
            return
        try:
            handle = self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                self._length = os.fstat(handle).st_size
                torn = self._length > 0 and _last_byte(handle, self._length) != b"\n"
                text = ("\n" if torn else "") + "".join(f"{line}\n" for line in lines)
                _write_all(handle, text.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            self.take_back()
            raise not_written(self._path, error) from None

    def take_back(self) -> None:
        """Take away what `add` wrote, because the dossier could not be written."""
        if self._length is None:
            return
        try:
            if self._length:
                os.truncate(self._path, self._length)
            else:
                self._path.unlink()
        except OSError:  # the lines stay: the next change tells that they never reached the file
            return

    def _tail(self) -> bytes:
        try:
            handle = self._opened(os.O_RDONLY)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise not_written(self._path, error) from None
        with os.fdopen(handle, "rb") as file:
            begin = max(0, os.fstat(handle).st_size - _TAIL)
            file.seek(begin)
            data = file.read(_TAIL)
        return data.partition(b"\n")[2] if begin else data

    def _opened(self, flags: int) -> int:
        # Without O_NONBLOCK a pipe in the place of the file would be waited for.
        handle = os.open(self._path, flags | getattr(os, "O_NONBLOCK", 0), self._mode)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "not a regular file")
        return handle


def _ends(change: Change) -> tuple[str, str]:
    return change.found, change.left


def _last_byte(handle: int, length: int) -> bytes:
    os.lseek(handle, length - 1, os.SEEK_SET)
    return os.read(handle, 1)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _read(line: bytes) -> Change | None:
    try:
        return Change.model_validate_json(line)
    except ValidationError:
        return None
