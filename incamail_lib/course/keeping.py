"""A file that must make room is kept under another name: nothing of a learner's is ever lost."""

from __future__ import annotations

import os
from pathlib import Path

from incamail_lib.files import not_written

_MOST = 1000  # files that are kept of one name


def put_aside(path: Path, mark: str) -> Path:
    """Give a file another name, `<stem>.<mark>-<n>`, which no file has yet. Errors: OutputError."""
    names = (path.with_name(f"{path.stem}.{mark}-{n}{path.suffix}") for n in range(1, _MOST))
    aside = next((name for name in names if not name.exists()), None)
    if aside is None:
        raise not_written(path, FileExistsError())
    try:
        os.replace(path, aside)
    except OSError as error:
        raise not_written(aside, error) from None
    return aside
