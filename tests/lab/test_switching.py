"""A lab that runs is switched from another terminal, by its own user alone."""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import kill, running

from incamail_lib.errors import OutputError, UsageError
from incamail_lib.lab import SCENARIOS, Running, switching
from incamail_lib.lab.switching import SwitchedLab

COMMAND = Path(sys.executable).with_name("incamail")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of its own, with a short name: names of sockets are short."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def told(process: subprocess.Popen[str]) -> Any:
    """The next thing that a lab says of itself, as JSON."""
    assert process.stdout is not None
    lines: list[str] = []
    while line := process.stdout.readline():
        lines.append(line)
        if line == "}\n":
            break
    return json.loads("".join(lines))


def offers_starttls(port: int) -> bool:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo()
        return client.has_extn("starttls")


def test_a_lab_is_switched_while_it_runs_and_a_killed_one_is_told(runtime: Path) -> None:
    """Whoever connects next to the same port meets the other scenario; what cannot be switched to
    is told, and the lab plays on. The socket is the user's alone; when the lab was killed, the
    sentence says what to do, and the socket is cleared away."""
    command: list[str | Path] = [COMMAND, "lab", "sound", "--json"]
    with running(command, stdout=subprocess.PIPE) as process:
        first = told(process)
        port = first["ports"]["mx1.muster.example"]
        assert offers_starttls(port)
        assert switching.switch("starttls_missing") == "starttls_missing"
        second = told(process)
        assert second["scenario"] == "starttls_missing"
        assert second["ports"] == first["ports"]
        assert second["submission"] == first["submission"]
        assert second["nameserver"] == first["nameserver"]
        assert not offers_starttls(port)
        with pytest.raises(UsageError, match="--list"):
            switching.switch("no_such")
        (path,) = runtime.rglob("lab-*.sock")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        kill(process)
        process.wait(timeout=10)
        assert path.exists()
        with pytest.raises(UsageError, match="Start one"):
            switching.switch("expired")
        assert not path.exists()


@pytest.mark.parametrize("latency_s", [0.0, 0.01])
def test_a_lab_keeps_its_ports_and_leaves_nothing(
    runtime: Path, tmp_path: Path, latency_s: float
) -> None:
    """Through scenarios with other machines, with and without added time; files of a scenario do
    not outlive it; at the end neither socket nor folder remains. A second lab makes it unclear
    which one is meant."""
    played: list[Running] = []

    async def play() -> None:
        begun = asyncio.Event()

        @asynccontextmanager
        async def announce(running: Running, _: dict[str, int]) -> AsyncIterator[None]:
            played.append(running)
            begun.set()
            yield

        lab = SwitchedLab(
            SCENARIOS["sound"],
            domains=("muster.example",),
            directory=tmp_path,
            latency_s=latency_s,
            played=announce,
        )
        task = asyncio.create_task(lab.play())
        await begun.wait()
        for name in ("no_client_certificate", "sound_two_gateways", "gateway_closed", "sound"):
            assert await asyncio.to_thread(switching.switch, name) == name
            assert (tmp_path / "sending.pem").exists() is (name != "no_client_certificate")
        own = switching.control_folder() / f"lab-{os.getpid()}.sock"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(own.parent / "lab-1.sock"))
            other.listen()
            with pytest.raises(UsageError, match="Several labs"):
                await asyncio.to_thread(switching.switch, "sound")
        (own.parent / "lab-1.sock").unlink()
        lab.end()
        await task

    asyncio.run(play())
    names = [running.scenario.name for running in played]
    assert names == [
        "sound",
        "no_client_certificate",
        "sound_two_gateways",
        "gateway_closed",
        "sound",
    ]
    first = dict(played[0].ports)
    assert all({**first, **running.ports} == {**running.ports, **first} for running in played)
    assert len({running.nameserver for running in played}) == 1
    assert list(runtime.iterdir()) == []


def test_a_folder_that_others_can_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else may write there could answer in the lab's place."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = switching.control_folder()
    assert folder.is_relative_to(tmp_path)
    folder.chmod(0o770)
    with pytest.raises(OutputError, match="not yours alone"):
        switching.control_folder()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(OutputError, match="not yours alone"):
        switching.control_folder()
