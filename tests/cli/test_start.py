"""`incamail start`: a real JupyterLab or Voilà, its address whole, its end complete."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from programs import running

COMMAND = Path(sys.executable).with_name("incamail")
IGNORING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def started(tmp_path: Path, *options: str, **environment: str) -> Iterator[tuple[str, int]]:
    """The address that a started runbook tells, and its process, begun with SIGINT ignored."""
    given = os.environ | environment
    command = [sys.executable, "-c", IGNORING, str(COMMAND), "start", "--output", f"{tmp_path}/out"]
    with running([*command, "--no-browser", *options], stdout=-1, env=given) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\S+", process.stdout.readline())
        assert found, (tmp_path / "out").exists()
        yield found.group(0), process.pid
        assert process.wait(timeout=30) == 0


def start_kernel(url: str) -> None:
    """Have the server start a kernel."""
    root, token = re.split(r"/lab/|/voila/", url)[0], url.rpartition("token=")[2]
    headers = {"Authorization": f"token {token}"}
    asked = urllib.request.Request(f"{root}/api/kernels", b"{}", headers)
    with urllib.request.urlopen(asked, timeout=30) as reply:
        assert json.load(reply)["id"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_started_runbook_ends_with_all_it_started(tmp_path: Path, number: int) -> None:
    """By either signal, also where a shell began it with SIGINT ignored; nothing is left behind.

    A kernel is reached by sockets of the file system, in a folder that is gone afterwards.
    """
    with (
        tempfile.TemporaryDirectory() as short,  # the name of a socket has about 100 characters
        started(tmp_path, TMPDIR=short) as (url, process),
    ):
        start_kernel(url)
        [place] = Path(short).glob("incamail-*")
        assert place.stat().st_mode & 0o077 == 0
        deadline = time.monotonic() + 30
        while not list(place.glob("kernel-*-ipc-1")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(place.glob("kernel-*-ipc-1"))
        os.kill(process, number)
        while list(Path(short).iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(Path(short).iterdir()) == []


def test_the_first_page_has_its_kernel_before_it_is_opened(tmp_path: Path) -> None:
    """JupyterLab drops a run that is asked for sooner; no other page has one that nobody needs."""
    with started(tmp_path) as (url, process):
        root, token = url.split("/lab/")[0], url.rpartition("token=")[2]
        asked = urllib.request.Request(
            f"{root}/api/sessions", headers={"Authorization": f"token {token}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as reply:
            found = [session["path"] for session in json.load(reply)]
        assert found == ["00_welcome.ipynb"]
        os.kill(process, signal.SIGINT)


def test_a_home_that_is_not_there_is_no_obstacle(tmp_path: Path) -> None:
    """What Jupyter keeps while it runs lies in a folder of ours."""
    with started(tmp_path, "--app", HOME="/nonexistent") as (url, process):
        with urllib.request.urlopen(url, timeout=60) as page:
            assert page.status == 200
        os.kill(process, signal.SIGTERM)


def test_a_narrow_terminal_does_not_break_the_address(tmp_path: Path) -> None:
    """On a terminal of 80 columns the address stands on one line, token and all."""
    ours, theirs = pty.openpty()
    command: list[str | Path] = [COMMAND, "start", "--output", tmp_path / "out", "--no-browser"]
    given = os.environ | {"COLUMNS": "80", "TERM": "dumb"}
    with running(command, stdout=theirs, env=given) as process:
        os.close(theirs)
        said = b""
        while b"Ctrl-C" not in said:
            said += os.read(ours, 10_000)
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
    os.close(ours)
    [line] = [line for line in said.decode().splitlines() if "http" in line]
    assert re.search(r"token=[\w-]{32}$", line)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The cause is the server's own, not a guess; exit code 2."""
    with (
        started(tmp_path) as (url, process),
        running(
            [COMMAND, "start", "--output", tmp_path / "other", "--no-browser", "--port", port(url)],
            stderr=-1,
        ) as second,
    ):
        assert second.stderr is not None
        told = second.stderr.read()
        assert second.wait(timeout=30) == 2
        os.kill(process, signal.SIGTERM)
    assert "The notebook server did not start" in told
    assert "port" in told
    assert "Traceback" not in told


def port(url: str) -> str:
    """The port of an address."""
    found = re.search(r":(\d+)/", url)
    assert found
    return found.group(1)
