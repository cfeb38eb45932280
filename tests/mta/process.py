"""Starting, watching and ending real mail servers; reading their logs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

START_S = 20.0
STOP_S = 10.0
PACE_S = 0.02  # between two looks at what another program does


@dataclass(frozen=True)
class Log:
    """A log file that another program writes."""

    path: Path

    @property
    def text(self) -> str:
        """What it says so far."""
        return self.path.read_text("utf-8", "replace") if self.path.exists() else ""

    def await_line(self, pattern: str, *, number: int = 1, timeout_s: float = 30.0) -> str:
        """The line `number` that matches `pattern`; fails with the whole log if none comes."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = self.lines(pattern)
            if len(found) >= number:
                return found[number - 1]
            time.sleep(PACE_S)
        raise AssertionError(f"no line matches {pattern!r} in:\n{self.text}")

    def lines(self, pattern: str) -> list[str]:
        """All lines so far that match `pattern`."""
        return [line for line in self.text.splitlines() if re.search(pattern, line)]


def free_port() -> int:
    """A port of 127.0.0.1 that is free now.

    It is taken below the range that the kernel gives to outgoing connections, so that no client
    of a test running beside this one can be given the same port before the server binds it.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    start = 10_000 + (os.getpid() * 97 + time.monotonic_ns() // 1000) % (low - 10_100)
    for port in range(start, start + 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port on 127.0.0.1")


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], *, port: int, log: Log, timeout_s: float = START_S
) -> Iterator[int]:
    """Run a server until it listens on `port`; gives the id of its process and process group.

    Fails with the server's own words if it ends before. On leaving, every process is gone.
    """
    said = log.path.with_name(f"{log.path.name}.stderr")
    with said.open("wb") as file:
        # A session of its own makes all its children one group.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        if not _listens(process, port, time.monotonic() + timeout_s):
            words = f"{said.read_text('utf-8', 'replace')}\n{log.text}"
            raise AssertionError(f"the server does not listen on port {port}:\n{words}")
        yield process.pid
    finally:
        stop_group(process)


def _listens(process: subprocess.Popen[bytes], port: int, deadline: float) -> bool:
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return True
        time.sleep(PACE_S)
    return False


def members(group: int) -> list[psutil.Process]:
    """The living processes of one process group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End the server and everything it started; what does not obey in time is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        _, alive = psutil.wait_procs(members(process.pid), STOP_S)
        if not alive:
            break
