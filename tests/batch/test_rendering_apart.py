"""Who writes the reports dies: it is told of that one, and the others get theirs."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Collection
from pathlib import Path

import psutil
import pytest
from factories import facts

from incamail_lib.audit import save_record
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


async def killed(
    renderer: Renderer, asked: Order, others: Collection[psutil.Process], *, warm: bool
) -> Done:
    """What comes of an order whose process, or the warm process itself, is killed; `others` were
    there before."""
    (server,) = set(psutil.Process().children()) - set(others)
    earlier = set(server.children())  # a job that is done may not be cleared away yet
    work = asyncio.ensure_future(renderer.render(asked))
    until = time.monotonic() + 60
    while not (new := set(server.children()) - earlier) and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    (server if warm else new.pop()).kill()
    return await work


def test_a_process_that_dies_is_told_and_the_next_one_works(tmp_path: Path) -> None:
    """The process of one job, then the warm process of all: each time one crash, then a report;
    a job whose folder is gone is the fault of nobody else either."""

    others = psutil.Process().children()

    async def run() -> None:
        async with local(1) as renderer:
            assert (await renderer.render(order(tmp_path, "warm-up"))).verdict
            for warm in (False, True):
                asked = order(tmp_path, f"killed-{warm}")
                done = await killed(renderer, asked, others, warm=warm)
                assert (done.verdict, done.exit_code) == (None, 4)
                assert "ended with" in (asked.folder / CRASH).read_text(encoding="utf-8")
                after = await renderer.render(order(tmp_path, f"after-{warm}"))
                assert after.verdict is not None
            gone = order(tmp_path, "gone")
            shutil.rmtree(gone.folder)
            assert (await renderer.render(gone)).verdict is None
            assert (await renderer.render(order(tmp_path, "last"))).verdict

    asyncio.run(run())
    assert set(psutil.Process().children()) <= set(others)
