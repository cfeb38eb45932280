"""A runbook that runs, as an attacker on the same machine sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from programs import running

COMMAND = Path(sys.executable).with_name("incamail")

T = TypeVar("T")


@dataclass(frozen=True)
class Started:
    """The address that was told, and the processes behind it."""

    url: str
    process: psutil.Process

    @property
    def token(self) -> str:
        return self.url.rpartition("token=")[2]

    @property
    def root(self) -> str:
        return re.split(r"/lab/|/voila/", self.url)[0]

    def everybody(self) -> list[psutil.Process]:
        """Our process and all that it started."""
        return [self.process, *self.process.children(recursive=True)]

    def of_everybody(self, ask: Callable[[psutil.Process], T]) -> list[T]:
        """What each process says of itself; one that ends meanwhile says nothing."""
        told: list[T] = []
        for process in self.everybody():
            with suppress(psutil.NoSuchProcess):
                told.append(ask(process))
        return told

    def kernels(self) -> list[psutil.Process]:
        commands = self.of_everybody(lambda p: (p, " ".join(p.cmdline())))
        return [process for process, command in commands if "ipykernel_launcher" in command]

    def start_kernel(self) -> None:
        """JupyterLab starts one when asked, Voilà for each visitor."""
        if "/voila/" in self.url:
            with urllib.request.urlopen(self.url, timeout=100) as page:
                page.read()
            return
        headers = {"Authorization": f"token {self.token}"}
        asked = urllib.request.Request(f"{self.root}/api/kernels", b"{}", headers)
        with urllib.request.urlopen(asked, timeout=60) as reply:
            assert json.load(reply)["id"]
        self._wait_until_started()

    def _wait_until_started(self) -> None:
        """Until every kernel answers: as one starts, ipykernel binds a port of loopback for an
        instant (`get_host_port` of its debugger)."""
        for kernel in self.kernels():
            client = BlockingKernelClient(connection_file=kernel.cmdline()[-1])
            client.load_connection_file()
            client.start_channels()
            try:
                client.wait_for_ready(timeout=60)
            finally:
                client.stop_channels()

    def status(self, path: str, **headers: str) -> int:
        """The status of a request with the right token and these headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = urllib.request.Request(f"{self.root}{path}?token={self.token}", headers=named)
        try:
            with urllib.request.urlopen(asked, timeout=60) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@contextmanager
def started(
    output: Path, *options: str | Path, folder: Path | None = None, **environment: str
) -> Iterator[Started]:
    """`incamail start`, ended by SIGTERM when the block is left."""
    command: Sequence[str | Path] = [COMMAND, "start", "--output", output, "--no-browser", *options]
    given = os.environ | environment
    with running(command, stdout=-1, env=given, cwd=folder, limit_s=150) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\S+", process.stdout.readline())
        assert found
        yield Started(found.group(0), psutil.Process(process.pid))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
