"""Who does the work of a job on this machine: forks of a warm process, else kernels."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from incamail_lib.batch.children import PRELOAD
from incamail_lib.batch.job import Done, Order, attempted, complete, died
from incamail_lib.forked.channel import Channel
from incamail_lib.forked.processes import can_fork
from incamail_lib.forked.warm import Warm
from incamail_lib.seal import Keys

_JOB = "incamail_lib.batch.job:serve"
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
    """One fork of a warm process for each order."""

    def __init__(self, workers: int, keep: Iterable[int]) -> None:
        self._free = asyncio.Semaphore(workers)
        self._keep = tuple(keep)
        self._warm = Warm(preload=PRELOAD, keep=self._keep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._warm.close)

    async def render(self, order: Order) -> Done:
        answer = await self._ask({"order": order.model_dump_json()})
        if "done" in answer:
            return Done.model_validate_json(str(answer["done"]))
        return died(order, answer)

    async def complete(self, folders: Sequence[Path], digest: str) -> tuple[Path, Done] | None:
        answer = await self._ask({"complete": [str(path) for path in folders], "digest": digest})
        if not answer.get("done"):
            return None
        return Path(str(answer["folder"])), Done.model_validate_json(str(answer["done"]))

    def _child(self) -> Channel:
        """A new child; of a new warm process where somebody killed the old one. Errors: OSError."""
        if not self._warm.is_alive:
            self._warm.close()
            self._warm = Warm(preload=PRELOAD, keep=self._keep)
        return self._warm.call(_JOB)

    async def _ask(self, request: dict[str, object]) -> dict[str, object]:
        """What a child answers; {"died": …} or nothing where it did not come to that."""
        async with self._free:
            connection = self._child().socket
            connection.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=connection, limit=_LINE)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                async with asyncio.timeout(_LONGEST_S):
                    while line := await reader.readline():
                        if line.strip():
                            answer: dict[str, object] = json.loads(line)
                            return answer
            except (TimeoutError, OSError, ValueError):
                pass
            finally:
                writer.close()  # where it still runs, it ends now
        return {}


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
