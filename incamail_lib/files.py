"""Files written whole or not at all, with errors that name the file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from incamail_lib.errors import OutputError
from incamail_lib.i18n import say


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> Path:
    """Write beside the final name, then rename: neither a reader nor a full disk meets half a file.

    Folders above are made. Errors: OutputError.
    """
    try:
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
