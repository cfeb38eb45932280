"""Who writes the reports dies: it is told of that one, and the others get theirs."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path

import psutil
import pytest
from factories import facts

from incamail_lib.audit import save_record
from incamail_lib.batch import rendering
from incamail_lib.batch.job import CRASH, DOSSIER, Done, Order
from incamail_lib.batch.rendering import Renderer, local
from incamail_lib.forked.processes import can_fork
from incamail_lib.outputs import FACTS

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")


def order(folder: Path, name: str) -> Order:
    part = folder / f"{name}.part"
    part.mkdir()
    about = facts().declared
    text = f"organisation: {about.organisation}\ndomains: [{about.domains[0]}]\n"
    (part / DOSSIER).write_text(text, encoding="utf-8")
    save_record(facts(), part / FACTS)
    return Order(
        folder=part,
        final=folder / name,
        shown=folder / "muster.yaml",
        digest="0",
        organisation=about.organisation,
        language="en",
        with_pdf=False,
    )


def forks(server: psutil.Process) -> list[psutil.Process]:
    """The children that were asked for, the oldest first; a program that an import runs is none."""
    return [one for one in server.children() if leads_a_session(one.pid)]


def leads_a_session(number: int) -> bool:
    try:
        return os.getsid(number) == number
    except ProcessLookupError:
        return False


async def killed(
    renderer: Renderer, asked: Order, others: Collection[psutil.Process], *, warm: bool
) -> Done:
    """What comes of an order when, while it is worked on, the process that writes reports is
    killed, or the warm process of all; `others` were there before."""
    (server,) = set(psutil.Process().children()) - set(others)
    there = forks(server)
    work = asyncio.ensure_future(renderer.render(asked))
    until = time.monotonic() + 60
    while len(now := forks(server)) < len(there) + 1 and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    (server if warm else (there or now)[0]).kill()
    return await work


def test_a_process_that_dies_is_told_and_the_next_one_works(tmp_path: Path) -> None:
    """Of its first order: a crash, told. A job whose folder is gone is the fault of nobody."""
    others = psutil.Process().children()

    async def run() -> None:
        for warm in (False, True):
            async with local(1) as renderer:
                asked = order(tmp_path, f"killed-{warm}")
                done = await killed(renderer, asked, others, warm=warm)
                assert (done.verdict, done.exit_code) == (None, 4)
                assert "ended with" in (asked.folder / CRASH).read_text(encoding="utf-8")
                assert (await renderer.render(order(tmp_path, f"after-{warm}"))).verdict
                gone = order(tmp_path, f"gone-{warm}")
                shutil.rmtree(gone.folder)
                assert (await renderer.render(gone)).verdict is None
                assert (await renderer.render(order(tmp_path, f"last-{warm}"))).verdict

    asyncio.run(run())
    assert set(psutil.Process().children()) <= set(others)


def test_a_process_that_dies_after_other_orders_costs_nobody_his_report(tmp_path: Path) -> None:
    """It may have died of those: a new one does the order anew, in the same folder. One that was
    killed while it had nothing to do is missed by nobody either."""
    others = psutil.Process().children()

    async def run() -> None:
        async with local(1) as renderer:
            first = await renderer.render(order(tmp_path, "first"))
            assert (first.verdict, first.cpu_s > 0.1) == (first.verdict, True)
            for warm in (False, True):
                asked = order(tmp_path, f"killed-{warm}")
                done = await killed(renderer, asked, others, warm=warm)
                assert (done.verdict, done.files) == (first.verdict, first.files)
                assert not (asked.folder / CRASH).exists()
            (server,) = set(psutil.Process().children()) - set(others)
            for idle in forks(server):
                idle.kill()
            assert (await renderer.render(order(tmp_path, "idle"))).verdict is first.verdict

    asyncio.run(run())
    assert set(psutil.Process().children()) <= set(others)


def test_a_process_is_replaced_after_many_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it might have kept of them goes with it; each notebook has a process of its own."""
    monkeypatch.setattr(rendering, "_MOST_ANSWERS", 2)
    others = psutil.Process().children()
    seen = []

    async def run() -> None:
        async with local(1) as renderer:
            for number in range(4):
                assert (await renderer.render(order(tmp_path, str(number)))).verdict
                (server,) = set(psutil.Process().children()) - set(others)
                seen.append({one.pid for one in forks(server)})

    asyncio.run(run())
    first, second, third, fourth = seen
    assert first
    assert third
    assert first & second == first
    assert not first & (third | fourth)
