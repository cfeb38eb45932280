"""A class: course sessions at once on one machine, each with server, kernel and lab of its own.

python -m benchmarks.classroom [--learners 1 12] [--lesson 3]

A session is what `incamail course start` opens. Its page is run from the first cell to the last, as
Run All does, then one repair is answered: the lab is started, measured and ended. Seconds by the
clock; memory is what a session adds to the machine (PSS: what several share counts in parts).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import nbformat
import psutil
from jupyter_client.blocking.client import BlockingKernelClient

from incamail_lib.course.exercises import Repair
from incamail_lib.course.lesson import Lesson
from incamail_lib.runbook.course import lesson_named

START_S, CELL_S = 300, 300


@dataclass(frozen=True)
class Figures:
    """What one learner met."""

    usable_s: float  # from Run All to the last cell, kernel's start included
    repair_s: float  # from a click on an answer to its reason, the lab measured twice
    server_mb: float
    kernel_mb: float


@dataclass(frozen=True)
class Seat:
    """A session that is open: the process of its server, its address, its pages."""

    process: psutil.Process
    url: str
    folder: Path


@contextmanager
def seat(number: int, lesson: Lesson, output: Path) -> Iterator[Seat]:
    """`incamail course start` for one learner, ended afterwards as by Ctrl-C."""
    learner = f"learner {number}"
    program = str(Path(sys.executable).with_name("incamail"))
    command = [program, "course", "start", lesson.key]
    command += ["--learner", learner, "--output", str(output), "--no-browser", "--lang", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            url = next(m.group() for x in lines if (m := re.search(r"http://127\.0\.0\.1\S+", x)))
            folder = output / "course" / learner.replace(" ", "-")
            yield Seat(psutil.Process(process.pid), url, folder)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def taken(at: Seat, lesson: Lesson, together: Barrier) -> Figures:
    """Run All, then the first repair; all begin each of the two at the same time."""
    pages = nbformat.read(at.folder / lesson.notebook, as_version=4).cells
    together.wait(START_S)
    begun = time.monotonic()
    client = _kernel(at, lesson.notebook)
    try:
        for cell in (c for c in pages if c.cell_type == "code"):
            _run(client, cell.source)
        usable = time.monotonic() - begun
        together.wait(CELL_S)
        repair = next(e for e in lesson.exercises if isinstance(e, Repair))
        begun = time.monotonic()
        _run(client, f'lesson.exercise("{repair.key}").answer("{repair.options[0].key}")')
        answered = time.monotonic() - begun
        together.wait(CELL_S)
        kernel, server = _memory(at.process)
        together.wait(CELL_S)  # nobody leaves before all are weighed
    finally:
        client.stop_channels()
    return Figures(usable, answered, server, kernel)


def _kernel(at: Seat, notebook: str) -> BlockingKernelClient:
    """A kernel of the session's own server, as its page asks for one."""
    root, token = at.url.split("/lab/", maxsplit=1)[0], at.url.rpartition("token=")[2]
    body = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    request = urllib.request.Request(
        f"{root}/api/sessions",
        json.dumps(body).encode(),
        {"Authorization": f"token {token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=START_S) as reply:
        known = json.loads(reply.read())["kernel"]["id"]
    found = [p for p in at.process.children(recursive=True) if known in " ".join(_words(p))]
    words = _words(found[-1])
    client = BlockingKernelClient(connection_file=words[words.index("-f") + 1])
    client.load_connection_file()
    client.start_channels(hb=False)  # on a busy machine a late heartbeat would count as death
    client.wait_for_ready(timeout=START_S)
    return client


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _run(client: BlockingKernelClient, source: str) -> None:
    reply: dict[str, Any] = client.execute_interactive(
        source, timeout=CELL_S, output_hook=lambda _: None
    )
    if reply["content"]["status"] != "ok":
        raise SystemExit(f"{source}: {reply['content']}")


def _memory(process: psutil.Process) -> tuple[float, float]:
    """MB of the kernel with all that it started, and of the rest of the session."""
    kernel = server = 0.0
    for one in (process, *process.children(recursive=True)):
        size = one.memory_full_info().pss / 1e6
        is_kernel = any("ipykernel" in w for p in (one, *one.parents()) for w in _words(p))
        kernel, server = (kernel + size, server) if is_kernel else (kernel, server + size)
    return kernel, server


def class_of(number: int, lesson: Lesson) -> list[Figures]:
    """So many learners at once."""
    together = Barrier(number)
    with (
        tempfile.TemporaryDirectory() as output,
        ExitStack() as seats,
        ThreadPoolExecutor(number) as pool,
    ):
        made = [seat(n, lesson, Path(output)) for n in range(number)]
        open_ = list(pool.map(seats.enter_context, made))
        try:
            return list(pool.map(lambda at: taken(at, lesson, together), open_))
        finally:
            together.abort()  # nobody waits for one who is gone


def main() -> None:
    """A table, a row for each size of class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", nargs="+", type=int, default=[1, 12])
    parser.add_argument("--lesson", default="3")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no session is left behind
    print(
        "| learners at once | Run All to usable, median | slowest | a repair, median | slowest "
        "| MB a learner, server | MB a learner, kernel and lab | load before | load after |"
    )
    print("|" + " --- |" * 9)
    for number in given.learners:
        before = os.getloadavg()[0]
        found = class_of(number, lesson_named(given.lesson))
        usable, repair = [f.usable_s for f in found], [f.repair_s for f in found]
        print(
            f"| {number} | {statistics.median(usable):.1f} s | {max(usable):.1f} s "
            f"| {statistics.median(repair):.1f} s | {max(repair):.1f} s "
            f"| {statistics.mean(f.server_mb for f in found):.0f} "
            f"| {statistics.mean(f.kernel_mb for f in found):.0f} "
            f"| {before:.1f} | {os.getloadavg()[0]:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
