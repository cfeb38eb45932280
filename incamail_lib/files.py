"""Files read within bounds, and written whole or not at all, with errors that name the file."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from incamail_lib.errors import OutputError
from incamail_lib.i18n import say

_BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has text files


def read_regular(path: Path, limit: int) -> bytes:
    """What a file holds, `limit` bytes at most; never waits, as a pipe or a terminal would.

    Errors: OSError, also for whatever is no regular file (folder, device, pipe, socket).
    """
    try:
        # Without O_NONBLOCK opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except ValueError:  # a zero byte in the name
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "not a regular file")
        with open(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> Path:
    """Write beside the final name, then rename: neither a reader nor a full disk meets half a file.

    Folders above are made. A device or a pipe is refused: the new file would take its place.
    Errors: OutputError.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OSError(errno.EINVAL, "not a regular file")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)  # else a power cut may leave the new name with nothing in it
            os.chmod(name, mode)
            os.replace(name, path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_written(path, error) from None
    return path


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Errors: OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path, error) from None


def not_written(path: Path, error: OSError) -> OutputError:
    """The error for a file or folder that could not be written."""
    return OutputError(
        say(
            "{file} could not be written ({cause}). Free some space or choose another folder.",
            file=str(path),
            cause=error.strerror or type(error).__name__,
        )
    )
