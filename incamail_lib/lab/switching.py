"""A lab that another terminal can switch to another scenario while it runs.

It listens on a Unix socket of the user's own: in a folder of mode 0700 that belongs to the user,
with mode 0600. Nothing else can be asked of it than to play another scenario, on loopback.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import socket
import stat
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import platformdirs

from incamail_lib.errors import OutputError, UsageError
from incamail_lib.files import not_written
from incamail_lib.i18n import Text, say
from incamail_lib.lab.running import NAMESERVER, Running, run
from incamail_lib.lab.scenario import Scenario
from incamail_lib.lab.scenarios import SCENARIOS

_LINE = 1000  # bytes of a request or an answer
_PATIENCE_S = 20.0
Heard = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Played = Callable[[Running, dict[str, int]], AbstractAsyncContextManager[None]]
"""What belongs to a scenario as long as it plays; it may keep ports of its own among the ports."""
_PLAYED = (".pem", ".key")  # files of a scenario, which the next one may not have


class SwitchedLab:
    """A lab that plays one scenario after the other, on the same ports, until it is ended."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        domains: tuple[str, ...],
        directory: Path,
        latency_s: float,
        played: Played,
    ) -> None:
        self._scenario, self._played = scenario, played
        self._domains, self._directory, self._latency_s = domains, directory, latency_s
        self._orders: asyncio.Queue[tuple[Scenario | None, asyncio.Future[None] | None]]
        self._orders = asyncio.Queue()

    def end(self) -> None:
        """Stop playing."""
        self._orders.put_nowait((None, None))

    async def play(self) -> None:
        """Run until the end, with the control beside it where the system has Unix sockets.

        Errors: OutputError where the socket cannot be made.
        """
        async with _control(self._heard):
            await self._play_all()

    async def _play_all(self) -> None:
        ports: dict[str, int] = {}
        moment = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
        scenario: Scenario | None = self._scenario
        done: asyncio.Future[None] | None = None
        while scenario is not None:
            self._clear()
            async with (
                run(
                    scenario,
                    domains=self._domains,
                    directory=self._directory,
                    latency_s=self._latency_s,
                    now=moment,  # the same authorities throughout
                    ports=ports,
                ) as running,
                self._played(running, ports),
            ):
                ports |= {**running.ports, NAMESERVER: running.nameserver[1]}
                if done is not None and not done.done():
                    done.set_result(None)
                scenario, done = await self._orders.get()

    def _clear(self) -> None:
        """Remove what the last scenario wrote: the next may have no such file."""
        for file in self._directory.iterdir():
            if file.suffix in _PLAYED:
                file.unlink()

    async def _heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: the name of a scenario on a line."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                name = (await reader.readline()).decode("utf-8", "replace").strip()
                answer = await self._switched(name)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass  # who asked is gone, or never said what
        finally:
            writer.close()

    async def _switched(self, name: str) -> dict[str, str]:
        """Switch, and answer when the new scenario plays."""
        found = SCENARIOS.get(name)
        if found is None:
            return {}
        done = asyncio.get_running_loop().create_future()
        self._orders.put_nowait((found, done))
        await done
        return {"scenario": found.name}


@asynccontextmanager
async def _control(heard: Heard) -> AsyncIterator[None]:
    if not hasattr(socket, "AF_UNIX"):
        yield
        return
    path = control_folder() / f"lab-{os.getpid()}.sock"
    path.unlink(missing_ok=True)  # of a process that was killed, and had our number
    try:
        server = await asyncio.start_unix_server(heard, path, limit=_LINE)
    except OSError as error:
        raise not_written(path, error) from None
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)
        with suppress(OSError):  # another lab is there
            path.parent.rmdir()


def switch(name: str) -> str:
    """Have the lab that runs play another scenario; gives its name once it plays.

    Errors: UsageError where no lab runs, several do, or there is no such scenario.
    """
    if name not in SCENARIOS:
        raise UsageError(
            say(
                "The lab has no scenario «{name}». «incamail lab --list» shows them all.",
                name=name,
            )
        )
    labs = _running_labs()
    if len(labs) != 1:
        for lab in labs:
            lab.close()
        raise UsageError(_none_or_several(len(labs)))
    with labs[0] as lab:
        try:
            lab.sendall(name.encode() + b"\n")
            answer = json.loads(lab.makefile("rb").readline(_LINE) or b"{}")
        except (OSError, ValueError):
            answer = {}
    if answer.get("scenario") != name:
        raise UsageError(say("The lab did not answer. End it, then start it anew."))
    return name


def _none_or_several(count: int) -> Text:
    if count:
        return say("Several labs are running. End all but the one to switch.")
    return say("No lab is running. Start one in another terminal: incamail lab")


def _running_labs() -> list[socket.socket]:
    """A connection to each lab of this user; what a killed one left is removed."""
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError(
            say("This system has no Unix sockets: end the lab, then start it with the scenario.")
        )
    found = []
    for path in sorted(control_folder().glob("lab-*.sock")):
        lab = socket.socket(socket.AF_UNIX)
        lab.settimeout(_PATIENCE_S)
        try:
            lab.connect(str(path))
        except OSError:
            lab.close()
            path.unlink(missing_ok=True)
            continue
        found.append(lab)
    return found


def control_folder() -> Path:
    """The user's own folder for sockets, made where it is missing.

    Errors: OutputError where it is somebody else's, or open to others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a folder that it then does not take
        folder = platformdirs.user_runtime_path("incamail-runbook")
    if not folder.parent.is_dir():  # a folder made above it would stay behind
        folder = Path(tempfile.gettempdir()) / f"incamail-runbook-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise not_written(folder, error) from None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise OutputError(
            say(
                "The folder {folder} is not yours alone, so that no lab can be switched there. "
                "Remove it, then start again.",
                folder=str(folder),
            )
        )
    return folder
