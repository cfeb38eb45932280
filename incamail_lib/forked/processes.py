"""Processes that are forked: what they leave behind of their parent, and how they end for good."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

FORBIDDEN = "INCAMAIL_NO_FORK"
CRASHED = 70  # exit status of a child whose work raised (EX_SOFTWARE)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def can_fork() -> bool:
    """Whether a process may be forked and used: on macOS its system libraries forbid it.

    The variable INCAMAIL_NO_FORK forbids it anywhere.
    """
    wanted = not os.environ.get(FORBIDDEN)
    return wanted and hasattr(os, "fork") and hasattr(os, "setsid") and sys.platform != "darwin"


def fork(work: Callable[[], None], *, keep: Iterable[int]) -> int:
    """Run `work` in a child that is a session of its own; the child's number.

    Of the open files only `keep` stay open beside the three standard ones. The child ends with its
    parent, and ends without the parent's clean-up: files and folders there belong to the parent.
    """
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = CRASHED
    try:
        _begin(parent, keep)
        work()
        status = 0
    finally:
        _end(status)


def _begin(parent: int, keep: Iterable[int]) -> None:
    os.setsid()
    end_with_parent(parent)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    close_others(keep)
    random.seed()  # else all children draw the same numbers
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def end_with_parent(parent: int) -> None:
    """Let the system kill this process when its parent ends, where it can."""
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked
        os._exit(CRASHED)


def _end(status: int) -> NoReturn:
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def close_others(keep: Iterable[int]) -> None:
    """Close every file but the three standard ones and those in `keep`."""
    kept = sorted({0, 1, 2, *keep})
    for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)


def silence(*streams: int) -> None:
    """Let standard streams lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nowhere, stream)
    if nowhere > 2:
        os.close(nowhere)


def freeze() -> None:
    """Make what is there now cheap to share: the collector of a child does not touch it."""
    gc.collect()
    gc.freeze()


def adopt_orphans() -> None:
    """Become the parent of whatever a child of ours leaves running, where the system can."""
    _control(_PR_SET_CHILD_SUBREAPER, 1)


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def kill_group(leader: int) -> None:
    """Kill a session's processes at once; that there are none is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_strays(known: Iterable[int]) -> None:
    """Kill the children of this process that are not `known`: orphans that it was left."""
    ours = set(known)
    while strays := [pid for pid in _children() if pid not in ours]:
        for pid in strays:
            kill_group(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # no such file in this kernel: then there are no orphans here either
        return []
    return [int(pid) for pid in text.split()]
