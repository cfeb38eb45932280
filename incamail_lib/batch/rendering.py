"""Who does the work of a job on this machine: forks of a warm process, else kernels."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from incamail_lib.batch.children import PRELOAD
from incamail_lib.batch.job import DOSSIER, Done, Order, attempted, complete, died
from incamail_lib.forked.processes import can_fork
from incamail_lib.forked.warm import Warm
from incamail_lib.seal import Keys

_JOB = "incamail_lib.batch.job:serve"
_MOST_ANSWERS = 100  # of one child, which keeps nothing of them that we know of
_LONGEST_S = 4 * 3600.0  # of one job; its cells have limits of their own
_LINE = 64_000_000


class Renderer(Protocol):
    """Takes orders; how many at once is its own affair."""

    async def render(self, order: Order) -> Done:
        """Do the work of an order. Errors: OutputError."""
        ...

    async def complete(self, folders: Sequence[Path], digest: str) -> tuple[Path, Done] | None:
        """The first of these folders that is whole, and of a dossier of that content."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def local(workers: int | None = None, *, keep: Iterable[int] = ()) -> Renderer:
    """The renderer of this machine: a process for each of its processors."""
    number = workers or processors()
    return _Forks(number, keep) if can_fork() else _Kernels(number)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Forks:
    """Children of a warm process, each of which does one order after the other."""

    def __init__(self, workers: int, keep: Iterable[int]) -> None:
        self._free = asyncio.Semaphore(workers)
        self._keep = tuple(keep)
        self._warm = Warm(preload=PRELOAD, keep=self._keep)
        self._idle: list[_Worker] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._idle:
            worker.close()
        await asyncio.to_thread(self._warm.close)

    async def render(self, order: Order) -> Done:
        lent = order.folder / DOSSIER
        answer = await self._ask({"order": order.model_dump_json()}, is_whole=lent.exists)
        if "done" in answer:
            return Done.model_validate_json(str(answer["done"]))
        return died(order, answer)

    async def complete(self, folders: Sequence[Path], digest: str) -> tuple[Path, Done] | None:
        asked: dict[str, object] = {"complete": [str(path) for path in folders], "digest": digest}
        answer = await self._ask(asked, is_whole=lambda: True)
        if not answer.get("done"):
            return None
        return Path(str(answer["folder"])), Done.model_validate_json(str(answer["done"]))

    async def _ask(
        self, request: dict[str, object], *, is_whole: Callable[[], bool]
    ) -> dict[str, object]:
        """What a child answers; {"died": …} or nothing where it did not come to that.

        One that had done others before may have died of them: if all that the request needs
        `is_whole`, a new one is asked.
        """
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._new()
            answer = await worker.ask(request)
            if "done" not in answer and worker.answers and is_whole():
                worker = await self._new()
                answer = await worker.ask(request)
            if "done" in answer and worker.answers < _MOST_ANSWERS:
                self._idle.append(worker)
            else:
                worker.close()
            return answer

    async def _new(self) -> _Worker:
        """A new child; of a new warm process where somebody killed the old one. Errors: OSError."""
        if not self._warm.is_alive:
            self._warm.close()
            self._warm = Warm(preload=PRELOAD, keep=self._keep)
        connection = self._warm.call(_JOB).socket
        connection.setblocking(False)
        return _Worker(*await asyncio.open_connection(sock=connection, limit=_LINE))


class _Worker:
    """The connection to one child."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.answers = 0

    async def ask(self, request: dict[str, object]) -> dict[str, object]:
        """What it answers; nothing where it is gone, or takes too long. One that does not answer is
        closed."""
        answer: dict[str, object] = {}
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(_LONGEST_S):
                while not answer and (line := await self._reader.readline()):
                    answer = json.loads(line) if line.strip() else {}
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            if "done" not in answer:
                self.close()
        self.answers += "done" in answer
        return answer

    def close(self) -> None:
        """Where it still runs, it ends now."""
        self._writer.close()


class _Kernels:
    """Processes that start a kernel for each order, where nothing can be forked."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        # Started anew, as nothing else can be; kernels of one process get in each other's way.
        return ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def render(self, order: Order) -> Done:
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, attempted, order)
        except BrokenProcessPool:
            if pool is self._pool:
                self._pool = self._new()
            return died(order, {})

    async def complete(self, folders: Sequence[Path], digest: str) -> tuple[Path, Done] | None:
        for folder in folders:
            done = await asyncio.to_thread(complete, folder, digest, Keys.of_user())
            if done is not None:
                return folder, done
        return None
