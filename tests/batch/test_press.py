"""Paper by a process that stays: the same bytes, and whatever ends it costs no other document."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from batch.test_rendering_apart import order
from programs import has_ended, running
from pypdf import PdfReader
from sheets.test_pdf import document, words

from incamail_lib.batch.job import Order
from incamail_lib.batch.rendering import local
from incamail_lib.errors import RunError
from incamail_lib.forked import press
from incamail_lib.forked.processes import can_fork
from incamail_lib.i18n import Language
from incamail_lib.outputs import PAPER
from incamail_lib.sheets.model import Paragraph, Picture, Table
from incamail_lib.sheets.pdf import data_of, pdf_from

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
SMALL = document(Paragraph(words("One sentence.")))
HURRIED = "from incamail_lib.forked import press; press.LONGEST_S = 1; press.main()"


@dataclass(frozen=True)
class Spoilt:
    """A drawing that is none."""

    width: int = 10
    height: int = 10

    def shapes(self, _language: Language) -> str:
        return "<rect"


def with_paper(asked: Order) -> Order:
    """The same with paper."""
    return asked.model_copy(update={"with_pdf": True})


def presses(of: psutil.Process) -> list[psutil.Process]:
    """The presses below a process that run."""
    found = []
    for one in of.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a zombie is one of these too
            if "incamail_lib.forked.press" in one.cmdline():
                found.append(one)
    return found


def soon(true: Callable[[], object]) -> bool:
    """Whether something becomes true within some time."""
    until = time.monotonic() + 30
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(true())


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, code: str, number: int) -> Iterator[None]:
    """So many presses for the documents of this very process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(press.WAY, "socket", ours)
    command = [sys.executable, "-c", code, str(os.getpid())]
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(running(command, stdin=theirs, stderr=subprocess.PIPE))
        theirs.close()  # as the kernel does for a press that died
        with ours:
            yield


def test_a_press_makes_the_same_paper_and_tells_what_cannot_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Byte by byte, one after the other; a document that Typst refuses is an error of its own."""
    refused = document(Picture(Spoilt(), words("Spoilt"), (words("Nothing."),)))
    with served(monkeypatch, HURRIED.replace("1;", "60;"), 1):
        for language in ("en", "fr"):
            assert press.pdf_of(SMALL, language) == pdf_from(data_of(SMALL, language))
        with pytest.raises(RunError, match="PDF could not be made"):
            press.pdf_of(refused, "en")
        assert press.pdf_of(SMALL, "de") == pdf_from(data_of(SMALL, "de"))
    monkeypatch.setattr(press.WAY, "socket", None)  # without a press it is no different
    with pytest.raises(RunError, match="PDF could not be made"):
        press.pdf_of(refused, "en")


def test_a_document_that_takes_too_long_ends_who_sets_it_twice_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bounded by the clock: tried with two presses, then told as an error. Where there is none any
    more, the next document is set here."""
    row = ((words("a"),), (words("word " * 40),))
    endless = document(Table(widths=(1, 1), headings=(), rows=(row,) * 20_000))
    with served(monkeypatch, HURRIED, 2):
        with pytest.raises(RunError, match="ended or took too long"):
            press.pdf_of(endless, "en")
        assert press.pdf_of(SMALL, "en").startswith(b"%PDF")


def test_a_press_that_is_killed_costs_nobody_his_paper(tmp_path: Path) -> None:
    """Killed between two reports: the next one has its paper from another press; at the end of the
    run there is none. A run without paper starts none."""
    us = psutil.Process()

    async def run() -> None:
        async with local(1) as renderer:
            assert (await renderer.render(order(tmp_path, "page"))).verdict
            assert presses(us) == []
            seen = set()
            for name in ("first", "second"):
                asked = order(tmp_path, name)
                done = await renderer.render(with_paper(asked))
                assert done.verdict, done.problem
                assert PAPER in done.files
                assert PdfReader(asked.folder / PAPER).pages
                (running_now,) = presses(us)
                seen.add(running_now.pid)
                running_now.kill()
                assert soon(lambda: presses(us) == [])
            assert len(seen) == 2

    asyncio.run(run())
    assert presses(us) == []


def test_a_press_ends_with_its_warm_process(tmp_path: Path) -> None:
    """kill -9 of the warm process leaves none behind."""
    us = psutil.Process()

    async def run() -> None:
        async with local(1) as renderer:
            before = set(us.children())
            assert (await renderer.render(with_paper(order(tmp_path, "first")))).verdict
            (alone,) = presses(us)
            warm = alone.parent()
            assert warm in before
            os.kill(warm.pid, signal.SIGKILL)
            assert soon(lambda: has_ended(alone.pid))

    asyncio.run(run())
