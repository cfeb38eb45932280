"""The folder of a run: a new one, or that of the run that did not come to its end."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import ExitStack
from pathlib import Path

from incamail_lib.errors import OutputError, UsageError
from incamail_lib.files import held, not_written
from incamail_lib.i18n import say
from incamail_lib.outputs import (
    NewFolder,
    clear_unfinished,
    name_of_run,
    new_run,
    time_name,
    unfinished_runs,
)

_PATIENCE_S = 10.0  # so long the processes of a run that was killed may take to end


def folder_of_run(output: Path, stack: ExitStack, *, resume: bool) -> tuple[NewFolder, int | None]:
    """The folder, and the open file that holds its lock for as long as the stack is open.

    Of a run that is resumed, what its processes left half done is removed.
    Errors: OutputError; UsageError where the run to be resumed is still under way.
    """
    for unfinished in unfinished_runs(output)[:1] if resume else ():
        try:
            lock = _locked(unfinished, stack)
        except OutputError:
            if unfinished.part.exists():
                raise
        if unfinished.part.exists():  # else it came to its end while it was waited for
            clear_unfinished(output, name_of_run(unfinished))
            return unfinished, lock
    folder = new_run(output, time_name(dt.datetime.now(dt.UTC)))
    return folder, _locked(folder, stack)


def _locked(folder: NewFolder, stack: ExitStack) -> int | None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return stack.enter_context(held(folder.part))
        except BlockingIOError:
            if time.monotonic() > until:
                raise UsageError(
                    say(
                        "The run in {folder} is still under way. Wait for its end, or end it, "
                        "before you resume it.",
                        folder=str(folder.part),
                    )
                ) from None
            time.sleep(0.1)
        except OSError as error:
            raise not_written(folder.part, error) from None
