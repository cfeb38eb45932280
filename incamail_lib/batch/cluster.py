"""Reports written by the workers of a Dask cluster.

Measuring stays where the command runs: politeness to a server is a matter of one place, and so are
keys. To a worker goes what one report is made of – the facts, the dossier's text, the waivers and
the last record of that organisation – and back come its files. A worker has a warm process of its
own, keeps nothing, and seals nothing. The folder of an audit is filled, sealed and named here,
once, whatever becomes of workers meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

from distributed import Client, KilledWorker

from incamail_lib.batch.job import (
    DOSSIER,
    LENT,
    PREVIOUS,
    Done,
    Order,
    attempted,
    complete,
    crashed,
)
from incamail_lib.batch.rendering import Renderer, local
from incamail_lib.errors import LostError, RunError, UsageError
from incamail_lib.files import private_folder, write_whole
from incamail_lib.forked.processes import can_fork
from incamail_lib.i18n import say
from incamail_lib.outputs import FACTS
from incamail_lib.seal import Keys

_WORKERS_S = 60  # so long there may be none
_LOOK_S = 5.0
_OURS = frozenset({FACTS, *LENT})  # what went there need not come back


class Cluster:
    """The workers behind a scheduler; whether the way there is encrypted is in its address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None

    async def __aenter__(self) -> Self:
        """Connect, and wait for the first worker. Errors: UsageError."""
        for name in ("distributed", "distributed.client"):  # its tracebacks: we tell in a sentence
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            client: Any = Client  # without types of its own
            self._client = client(self._address, asynchronous=True)
            await self._client  # kept before: one that never connected has to be closed too
            await self._client.wait_for_workers(1, timeout=_WORKERS_S)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            await self.__aexit__()
            raise UsageError(
                say(
                    "The scheduler {address} cannot be used ({cause}). Check its address, its "
                    "workers and, for tls://, the certificates in Dask's settings.",
                    address=self._address,
                    cause=str(error)[:200] or type(error).__name__,
                )
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()

    async def render(self, order: Order) -> Done:
        """Let a worker do the work of an order. Errors: OutputError, RunError, LostError."""
        parcel = await asyncio.to_thread(_parcel, order)
        future = self._client.submit(worked_off, parcel, pure=False)
        try:
            answer = await self._answer(future)
        except KilledWorker:
            return crashed(order.folder, order.final, "KilledWorker", "Each worker died on it.\n")
        except CancelledError:  # so Dask tells of a scheduler that is gone
            raise LostError(
                say(
                    "The connection to the scheduler {address} is lost. What is complete stays: "
                    "start it again, then go on with --resume.",
                    address=self._address,
                )
            ) from None
        finally:
            future.release()
        if "version" in answer:
            raise RunError(
                say(
                    "A worker has version {theirs} of this program, and here is {ours}. Install "
                    "the same everywhere.",
                    theirs=answer["version"],
                    ours=version("incamail-runbook"),
                )
            )
        await asyncio.to_thread(_unpack, order.folder, answer["files"])
        return Done.model_validate_json(answer["done"])

    async def _answer(self, future: Any) -> Any:
        """What a worker says. Errors: LostError where there was none for a while."""
        waiting = asyncio.ensure_future(_awaited(future))
        clock = asyncio.get_running_loop().time
        seen = clock()
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK_S))[0]:
                with suppress(OSError):  # of a scheduler that is gone the future tells
                    if await self._client.nthreads():
                        seen = clock()
                if clock() - seen > _WORKERS_S:
                    raise LostError(
                        say(
                            "The scheduler {address} has no worker any more. What is complete "
                            "stays: start some, then go on with --resume.",
                            address=self._address,
                        )
                    )
            return waiting.result()
        finally:
            waiting.cancel()

    async def complete(self, folders: Sequence[Path], digest: str) -> tuple[Path, Done] | None:
        """The first of these folders that is whole; they lie here."""
        for folder in folders:
            done = await asyncio.to_thread(complete, folder, digest, Keys.of_user())
            if done is not None:
                return folder, done
        return None


async def _awaited(future: Any) -> Any:
    return await future


def _parcel(order: Order) -> dict[str, Any]:
    """What one report is made of, and nothing else."""
    names = (FACTS, DOSSIER, *((PREVIOUS,) if order.previous else ()))
    return {
        "version": version("incamail-runbook"),
        "order": order.model_dump_json(),
        "files": {name: (order.folder / name).read_bytes() for name in names},
    }


def _unpack(folder: Path, files: dict[str, bytes]) -> None:
    for name in LENT:
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        if Path(name).name == name:  # a worker is trusted with a report, not with our disk
            write_whole(folder / name, data)


async def worked_off(parcel: dict[str, Any]) -> dict[str, Any]:
    """On a worker: the report of one parcel, in a folder that is gone afterwards."""
    ours = version("incamail-runbook")
    if parcel["version"] != ours:
        return {"version": ours}
    order = Order.model_validate_json(parcel["order"])
    with private_folder("incamail-job-") as place:
        folder = place / "audit"
        folder.mkdir()
        for name, data in parcel["files"].items():
            write_whole(folder / name, data)
        done = await _done(order.model_copy(update={"folder": folder}))
        files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name not in _OURS}
        return {"done": done.model_dump_json(), "files": files}


async def _done(order: Order) -> Done:
    """As where the command runs; how many at once is for Dask to say, by its threads."""
    if not can_fork():  # nor may a worker below a nanny start processes by multiprocessing
        return await asyncio.to_thread(attempted, order)
    loop = asyncio.get_running_loop()
    if loop not in _renderers:
        _renderers[loop] = local()
    return await _renderers[loop].render(order)


_renderers: WeakKeyDictionary[asyncio.AbstractEventLoop, Renderer] = WeakKeyDictionary()
"""One for each worker, while it runs: connections belong to its loop."""
