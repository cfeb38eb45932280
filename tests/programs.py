"""Other programs in tests: none outlives its test, none is waited for without a limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], *, limit_s: float = 60.0, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """A program while it runs; what it prints is text.

    It is killed with all that it started when the block is left, however that happens, and when
    `limit_s` is over: whoever reads from it then meets the end of its output.
    """
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)
    watchdog = threading.Timer(limit_s, kill, (process,))
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        kill(process)
        process.communicate(timeout=10)


def kill(process: subprocess.Popen[str]) -> None:
    """End a program of `running` and everything it started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Whether a process is over, also one that nobody has waited for yet; it may end, and its
    parent may wait for it, while it is looked at."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
