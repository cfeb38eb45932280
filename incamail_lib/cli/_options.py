"""Options that several commands have, and what their words mean."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from incamail_lib.errors import UsageError
from incamail_lib.i18n import say

Lang = Annotated[
    str | None, typer.Option("--lang", help="Language of the output: en, fr, de or it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
At = Annotated[str | None, typer.Option(help="Judge as of this date (2027-01-15); default: now.")]


def moment_of(text: str | None) -> dt.datetime:
    """The moment that --at names, in UTC where it names no zone; else now. Errors: UsageError."""
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):  # a zone may lead beyond the years 1 to 9999
        raise UsageError(
            say("--at: «{given}» is not a date such as 2027-01-15.", given=text)
        ) from None
