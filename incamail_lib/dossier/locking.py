"""One writer at a time at a dossier: a lock file beside it that names who writes."""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from incamail_lib.errors import OutputError, reason
from incamail_lib.files import read_regular
from incamail_lib.i18n import say

WAIT_S = 5.0
MAX_OWNER = 200  # characters of the lock file that are told


def lock_of(path: Path) -> Path:
    """The lock file of a dossier. It stays when nobody writes; only the lock on it counts."""
    return path.with_name(f".{path.name}.lock")


@contextmanager
def only_writer(path: Path, *, who: str, wait_s: float = WAIT_S) -> Iterator[None]:
    """Keep other programs from writing the dossier at `path` meanwhile.

    The lock goes with the process that holds it, even when that is killed.
    Errors: OutputError after `wait_s` seconds, or when no lock file can be made.
    """
    place = lock_of(path)
    lock = FileLock(place, timeout=wait_s, mode=0o664)
    try:
        _refuse_odd(place)
        lock.acquire()
    except Timeout:
        raise OutputError(
            say(
                "{file} is being written by {who}. Nothing was written; the change is kept and "
                "goes with the next one that can be saved. Try again in a moment.",
                file=str(path),
                who=_owner(place),
            )
        ) from None
    except OSError as error:
        raise OutputError(
            say(
                "{file}: the lock file {lock} beside it cannot be made ({cause}). The change is "
                "kept for the next time. Make the folder writable for you.",
                file=str(path),
                lock=place.name,
                cause=reason(error),
            )
        ) from None
    try:
        _name_owner(place, who)
        yield
    finally:
        lock.release()


def _refuse_odd(place: Path) -> None:
    """Refuse what somebody put in the place of the lock: a link would be written through, and a
    pipe be waited for. Errors: OSError."""
    try:
        found = place.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found):
        raise OSError(errno.EINVAL, "not a regular file")


def _name_owner(place: Path, who: str) -> None:
    """Say in the lock file who writes. It only serves others' messages: a full disk is no error."""
    try:
        place.write_text(f"{who} ({socket.gethostname()})\n", encoding="utf-8")
    except OSError:
        return


def _owner(place: Path) -> str:
    try:
        told = read_regular(place, 4 * MAX_OWNER).decode("utf-8", "replace")[:MAX_OWNER].strip()
    except OSError:
        told = ""
    return told or "?"
