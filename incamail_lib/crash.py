"""What is kept of a bug: where the program was, and never what it worked on."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import platform
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from incamail_lib.i18n import Text, say

EXIT_CODE = 4
# Their words come from the interpreter and speak of types and names. The words of any other may
# repeat what was read: a passphrase, a key, somebody's mail. They are left out.
_SPEAKS_OF_CODE = frozenset(
    {
        *(AttributeError, TypeError, NameError, UnboundLocalError, IndexError, RecursionError),
        *(ImportError, ModuleNotFoundError, ZeroDivisionError, NotImplementedError),
    }
)
_MOST = 20  # exceptions of one chain or group
_FRAMES = 60  # of one exception, the innermost


def write_crash(error: BaseException, folder: Path | None = None) -> Path | None:
    """Write the record of a bug; its file, or None where none can be written.

    Without a `folder` it goes among the temporary files. Only the owner may read it.
    """
    text = crash_text(error).encode("utf-8", "backslashreplace")
    moment = dt.datetime.now(dt.UTC)
    with contextlib.suppress(OSError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f"incamail-crash-{moment:%Y%m%dT%H%M%SZ}-", suffix=".txt", dir=folder
        )
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        return Path(name)
    return None


def crash_text(error: BaseException) -> str:
    """Versions, and for each exception its type and the lines of code it came through."""
    head = [
        f"incamail-runbook {_version()}, Python {platform.python_version()}, {platform.system()}",
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Values, files read and the words of most errors are left out on purpose.",
    ]
    return "\n".join([*head, *(part for one in _chain(error) for part in ("", *_told(one)))]) + "\n"


def crash_sentence(error: BaseException, file: Path | None) -> Text:
    """One sentence for the person who met the bug."""
    kind = type(error).__name__
    if file is None:
        return say(
            "The program met a fault of its own ({kind}); no record of it could be written.",
            kind=kind,
        )
    return say(
        "The program met a fault of its own ({kind}). What is known of it stands in {file}; "
        "please report it with that file.",
        kind=kind,
        file=str(file),
    )


def _version() -> str:
    try:
        return version("incamail-runbook")
    except PackageNotFoundError:
        return "?"


def _chain(error: BaseException) -> Sequence[BaseException]:
    """The exception, then what it came from and what it holds, each once."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _MOST:
        one = waiting.pop(0)
        if not any(one is known for known in found):
            found.append(one)
            inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            waiting += [e for e in (one.__cause__, one.__context__, *inner) if e is not None]
    return found


def _told(error: BaseException) -> Iterator[str]:
    kind = type(error)
    words = str(error)[:300] if kind in _SPEAKS_OF_CODE else "(words left out)"
    yield f"{kind.__module__}.{kind.__qualname__}: {words}"
    for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]:
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        if frame.line:
            yield f"    {frame.line}"
