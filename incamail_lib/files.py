"""Files read within bounds, and written whole or not at all, with errors that name the file."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from incamail_lib.errors import NOT_REGULAR, DiskFullError, OutputError, reason
from incamail_lib.i18n import say

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PART_S = 3600.0
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NESTED = "nested too deeply"
_MARK = ".incamail-temporary"  # in a folder that we made and may remove
_DEEPEST = 200  # levels of JSON; what we write has some twenty
PART = ".part"  # what a file is called that is not whole yet
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
            raise OSError(errno.EINVAL, NOT_REGULAR)
        with open(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)


def read_bounded(path: Path, limit: int) -> bytes:
    """What a file holds, if that is no more than `limit` bytes; never waits.

    Errors: OSError, also for whatever is no regular file, and EFBIG for a longer one.
    """
    data = read_regular(path, limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def read_json(path: Path, limit: int) -> object:
    """The JSON value of a file of `limit` bytes at most.

    Where Python's own bound on nesting lies depends on its version and on the stack that is left,
    and writing what was read, or comparing it, may need more of it than reading: so ours is fixed.
    Errors: OSError as `read_bounded`; ValueError for what is no JSON, or more than 200 levels deep.
    """
    return json_of(read_bounded(path, limit))


def json_of(data: bytes) -> object:
    """The JSON value of some bytes. Errors: ValueError as `read_json`."""
    try:
        found: object = json.loads(data)
    except RecursionError:
        raise ValueError(_NESTED) from None
    level = [found]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _parts(one)]
        if not level:
            return found
    raise ValueError(_NESTED)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def write_whole(path: Path, data: bytes, *, mode: int | None = None) -> Path:
    """Write beside the final name, then rename: neither a reader nor a full disk meets half a file.

    Folders above are made. A device or a pipe is refused: the new file would take its place.
    Without `mode` a file keeps the one it has, and a new one has what the user's umask leaves.
    Errors: OutputError.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OSError(errno.EINVAL, NOT_REGULAR)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _mode_of(path) if mode is None else mode
        handle, name = _new_beside(path, 0o666 if kept is None else 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)  # else a power cut may leave the new name with nothing in it
            if kept is not None:
                os.chmod(name, kept)
            os.replace(name, path)
        except OSError:
            name.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_written(path, error) from None
    return path


def write_new(path: Path, data: bytes, *, mode: int = 0o666) -> bool:
    """Write a file of that name whole, unless there is one; whether this call wrote it.

    It has the permissions of `mode` that the user's umask leaves.
    Errors: OutputError.
    """
    try:
        handle, name = _new_beside(path, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            try:
                os.link(name, path)  # unlike a renaming, never takes another file's place
            except FileExistsError:
                return False
            except OSError:  # a file system without second names
                new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
                with os.fdopen(new, "wb") as file:
                    file.write(data)
        finally:
            name.unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise not_written(path, error) from None
    return True


def _new_beside(path: Path, mode: int) -> tuple[int, Path]:
    """A new file of a name that nobody knows, in the folder of `path`.

    The system takes the umask off the mode: reading it here would change it for every thread.
    Errors: OSError.
    """
    name = path.with_name(f".incamail-{os.getpid()}-{secrets.token_hex(8)}{PART}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _BINARY
    return os.open(name, flags, mode), name


def _mode_of(path: Path) -> int | None:
    """The permissions of a regular file; None where there is none, or only a link to one."""
    try:
        found = path.lstat().st_mode
    except OSError:
        return None
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None


@contextmanager
def private_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder that only this user can enter; gone afterwards.

    What a killed program left of that kind is cleared first: nobody holds its lock any more.
    """
    _clear_left(prefix)
    # ignore_cleanup_errors: a kernel that is just ending may still write there.
    with (
        tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder,
        held(Path(folder)),
    ):
        (Path(folder) / _MARK).touch()
        yield Path(folder)


@contextmanager
def held(folder: Path) -> Iterator[int | None]:
    """Hold a lock on a folder, where the system has locks that end with their process.

    What is given is the open file that holds it: a child that inherits it holds the lock as well.
    Errors: BlockingIOError where another process holds it, OSError.
    """
    if fcntl is None:
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    finally:
        os.close(handle)


def _clear_left(prefix: str) -> None:
    """Remove our own folders that no living process holds; what else is called so is let alone."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            found = folder.lstat()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            # The mark is made when the lock is held, so a new folder is not taken for a left one.
            if is_ours and (folder / _MARK).is_file():
                with held(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def clear_parts(folder: Path, *, of_the_dead: bool = False) -> None:
    """Remove what killed programs left half written in a folder, an hour ago or more.

    `of_the_dead`: at once what a process of this machine wrote that is no more.
    """
    for part in folder.glob(f".incamail-*{PART}"):
        with suppress(OSError):
            is_old = time.time() - part.lstat().st_mtime > _PART_S
            if is_old or (of_the_dead and not _is_alive(part.name.split("-")[1])):
                part.unlink()


def _is_alive(process: str) -> bool:
    """Whether a process of that number runs."""
    import psutil  # late: hardly ever needed

    return not process.isdecimal() or psutil.pid_exists(int(process))


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power cut, where the system can. Errors: OSError."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Errors: OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(
            say(
                "{file} could not be written (it, or what it is to lie in, is no folder). Choose "
                "another folder.",
                file=str(path),
            )
        ) from None
    except OSError as error:
        raise not_written(path, error) from None


def not_written(path: Path, error: OSError) -> OutputError:
    """The error for a file or folder that could not be written."""
    if error.errno in _FULL:
        return DiskFullError(
            say(
                "{file} could not be written ({cause}). Free some space or choose another folder.",
                file=str(path),
                cause=reason(error),
            )
        )
    return OutputError(
        say(
            "{file} could not be written ({cause}). Choose another name or folder, or ask for the "
            "permission.",
            file=str(path),
            cause=reason(error),
        )
    )
