"""Messages that were handed in as files."""

from __future__ import annotations

from pathlib import Path

from incamail_lib.errors import MaterialError, reason
from incamail_lib.files import read_regular
from incamail_lib.i18n import say

MAX_MESSAGE = 1_000_000


def read_message(path: Path) -> bytes:
    """The bytes of a message file, at most MAX_MESSAGE of them (its headers are what matters)."""
    try:
        return read_regular(path, MAX_MESSAGE)
    except OSError as error:
        raise MaterialError(
            say(
                "The message {file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None
