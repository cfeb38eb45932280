"""The warm process: `python -m incamail_lib.forked.warm`, and what asks it for children.

It reads requests from the socket that is its standard input. Each is the name of a function and
brings one end of a connection; the child calls the function with that end. When the connection is
closed from outside, the child is killed with all that it started, and when the warm process loses
its owner, all children are. A child that did not end well is told of as {"died": exit code}.

Children that the owner asked for can ask for others in turn, who know nothing of them
(`incamail_lib.forked.sibling`).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incamail_lib.forked import sibling
from incamail_lib.forked.channel import Channel
from incamail_lib.forked.processes import (
    adopt_orphans,
    fork,
    freeze,
    kill_group,
    kill_strays,
)
from incamail_lib.kernels import needed

if TYPE_CHECKING:
    import resource

_LONGEST = 4096  # bytes of one request: a name
_FORKS_OF_A_PRESS = 3  # processors whose children one press can serve
_ONE_THREAD = {"RAYON_NUM_THREADS": "1"}  # Typst's: beside the children there is no idle processor
_SOON_S, _EARLY_ENDS = 10.0, 5  # so often in a row a press may end badly so soon


class Warm:
    """A warm process of our own, from its start until `close`."""

    def __init__(self, *, preload: str, keep: Iterable[int] = (), secrets: Iterable[str] = ()):
        """`preload` is called as the process starts: "module:function". `keep` are open files
        that its children inherit, `secrets` variables that they may know."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = tuple(keep)
        command = [sys.executable, "-m", "incamail_lib.forked.warm", preload, *map(str, kept)]
        self._control = ours
        self._asking = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                pass_fds=kept,
                env=_environment(os.environ, secrets),
                start_new_session=True,
            )

    def call(self, function: str) -> Channel:
        """The connection to a new child that runs "module:function". Errors: OSError."""
        ours, theirs = socket.socketpair()
        with theirs, self._asking:
            socket.send_fds(self._control, [json.dumps(function).encode()], [theirs.fileno()])
        return Channel(ours)

    @property
    def is_alive(self) -> bool:
        """Whether it still takes requests."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and all its children."""
        self._control.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment(environment: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """What children need of ours, and our own way of finding modules."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # a debugger that nobody uses would complain
    return {**needed(environment, secrets), **quiet, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


_shared: dict[tuple[int, str], Warm] = {}
_sharing = threading.Lock()


def shared(preload: str) -> Warm:
    """The one warm process of this process for that purpose; it ends with it."""
    key = os.getpid(), preload  # a fork of ours needs its own
    with _sharing:
        if key not in _shared or not _shared[key].is_alive:
            _shared[key] = Warm(preload=preload)
            atexit.register(_shared[key].close)
        return _shared[key]


@dataclass(frozen=True)
class _Child:
    """Its end of the connection, and where its end is told to whoever asked for it."""

    connection: socket.socket
    told: socket.socket | None

    def bury(self, used: resource.struct_rusage) -> None:
        """Tell what it spent."""
        if self.told is not None:
            with self.told, suppress(OSError):
                self.told.setblocking(False)
                self.told.sendall(b'{"cpu_s": %.4f}\n' % (used.ru_utime + used.ru_stime))


class _Server:
    """The warm process itself: one thread, and nothing of any child's."""

    def __init__(self, control: socket.socket, keep: Iterable[int]) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._asked, asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._presses = _Presses()
        self._keep = (self._presses.way, sibling.WAY.lead_to(asking), *keep)
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner decides

    def run(self) -> None:
        """Serve until the owner is gone."""
        while True:
            waiting = select.poll()
            waiting.register(self._control, select.POLLIN)
            waiting.register(self._asked, select.POLLIN)
            waiting.register(self._woken, select.POLLIN)
            if (way := self._presses.unwatched) is not None:
                waiting.register(way, select.POLLIN)
            for one in self._children.values():
                waiting.register(one.connection, 0)  # only its end is told
            ready = {handle for handle, _ in waiting.poll()}
            if self._woken in ready:
                os.read(self._woken, 512)
            self._bury()
            if way in ready:
                self._presses.start()
            for child, one in self._children.items():
                if one.connection.fileno() in ready:
                    kill_group(child)
            if self._asked.fileno() in ready:
                self._take(self._asked)
            if self._control.fileno() in ready and not self._take(self._control):
                break
        for child in self._children:
            kill_group(child)
        kill_strays(())

    def _take(self, where: socket.socket) -> bool:
        """Fork for one request; whether there may be another one."""
        try:
            data, handles, _, _ = socket.recv_fds(where, _LONGEST, 2)
        except OSError:
            return False
        if not data:
            return False
        connection, *told = [socket.socket(fileno=handle) for handle in handles]
        name = json.loads(data)

        def work() -> None:
            if where is self._asked:
                sibling.WAY.forget()
            _named(name)(Channel(connection))

        child = fork(work, keep=(connection.fileno(), *self._keep))
        self._children[child] = _Child(connection, told[0] if told else None)
        return True

    def _bury(self) -> None:
        """Take leave of children that ended, and end what they left."""
        gone = []
        for child in list(self._children):
            with suppress(ChildProcessError):
                found, status, used = os.wait4(child, os.WNOHANG)
                if not found:
                    continue
                kill_group(child)
                one = self._children.pop(child)
                self._tell(one.connection, os.waitstatus_to_exitcode(status))
                gone.append((one, used))
        if self._presses.bury() or gone:
            kill_strays((*self._children, *self._presses.numbers))
        for one, used in gone:
            one.bury(used)

    def _tell(self, connection: socket.socket, code: int) -> None:
        with connection, suppress(OSError):
            connection.setblocking(False)
            if code:
                connection.sendall(b'\n{"died": %d}\n' % code)


class _Presses:
    """What sets PDFs for the children: started when somebody waits, and anew when it ended."""

    def __init__(self) -> None:
        from incamail_lib.forked.press import WAY  # late: only the warm process needs it

        asking, self._served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.way = WAY.lead_to(asking)  # children keep it open
        self._running: list[subprocess.Popen[bytes]] = []
        self._started = 0.0
        self._early_ends = 0

    @property
    def unwatched(self) -> int | None:
        """The file where requests come in, if nobody is there to take them."""
        file = self._served.fileno()
        return None if self._running or file < 0 else file

    @property
    def numbers(self) -> list[int]:
        """The processes."""
        return [one.pid for one in self._running]

    def start(self) -> None:
        """Start as many as the processors need."""
        self._started = time.monotonic()
        command = [sys.executable, "-m", "incamail_lib.forked.press", str(os.getpid())]
        for _ in range(-(-(os.cpu_count() or 1) // _FORKS_OF_A_PRESS)):
            with suppress(OSError):
                one = subprocess.Popen(  # noqa: S603 - this very program
                    command,
                    stdin=self._served.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | _ONE_THREAD,
                    start_new_session=True,
                )
                self._running.append(one)
        if not self._running:
            self._give_up()

    def bury(self) -> bool:
        """Take leave of those that ended; whether there were any."""
        ended = [one for one in self._running if one.poll() is not None]
        for one in ended:
            self._running.remove(one)
            soon = time.monotonic() < self._started + _SOON_S
            self._early_ends = self._early_ends + 1 if one.returncode and soon else 0
        if self._early_ends >= _EARLY_ENDS:
            self._give_up()
        return bool(ended)

    def _give_up(self) -> None:
        """Nobody will ever take a request: whoever waits sees it, and sets its own document."""
        self._served.close()


def _named(name: str):  # type: ignore[no-untyped-def] # whatever stands there
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    """The process: import everything, then wait for requests."""
    preload, *keep = sys.argv[1:]
    _named(preload)()
    adopt_orphans()
    freeze()
    control = socket.socket(fileno=os.dup(0))
    _Server(control, map(int, keep)).run()


if __name__ == "__main__":
    main()
