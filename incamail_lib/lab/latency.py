"""A TCP proxy on loopback that adds distance: a round-trip time, with order and pipelining kept.

What is simulated: every byte, the end of a stream and a reset need half the round-trip time each
way. A connect to the proxy itself succeeds at once, which no proxy can change; so that the whole
still takes as long as over a real path, the onward connection opens 1.5 round trips later (SYN,
SYN-ACK and ACK), and a greeting arrives after 2 – only the boundary between connecting and
waiting for the greeting is shifted. Bandwidth, loss and slow start are not simulated.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from incamail_lib.lab.listening import LOOPBACK, listen

CHUNK_BYTES = 65_536
END = b""


class _Broken(Exception):
    """One side has reset its connection."""


@contextlib.asynccontextmanager
async def delayed(port: int, *, round_trip_s: float, own: int = 0) -> AsyncIterator[int]:
    """Give the port of a proxy in front of `port` that adds `round_trip_s`; `own` if that is free.

    On leaving, every connection through it is cut and no task or socket remains.
    """
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_relay(reader, writer, port, round_trip_s))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await listen(connected, own)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, round_trip_s: float
) -> None:
    """Carry one connection both ways until both ends are closed or one breaks."""
    writers = [writer]
    try:
        await asyncio.sleep(1.5 * round_trip_s)
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, port)
        writers.append(far_writer)
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(reader, far_writer, round_trip_s / 2))
            group.create_task(_carry(far_reader, writer, round_trip_s / 2))
    except* (_Broken, OSError):
        for side in writers:
            _reset(side)
    finally:
        for side in writers:
            side.transport.abort() if side.transport.is_closing() else side.close()
        for side in writers:
            await _closed(side)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """Move bytes one way; each piece leaves `delay_s` after it came, in order."""
    clock = asyncio.get_running_loop()
    underway: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()

    async def take_in() -> None:
        while True:
            try:
                piece: bytes | None = await reader.read(CHUNK_BYTES)
            except OSError:
                piece = None
            underway.put_nowait((clock.time() + delay_s, piece))
            if not piece:
                return

    async def give_out() -> None:
        while True:
            due, piece = await underway.get()
            await asyncio.sleep(max(0.0, due - clock.time()))
            if piece is None:
                raise _Broken
            if piece == END:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    async with asyncio.TaskGroup() as group:
        group.create_task(take_in())
        group.create_task(give_out())


def _reset(writer: asyncio.StreamWriter) -> None:
    handle = writer.get_extra_info("socket")
    if handle is not None and handle.fileno() >= 0:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _closed(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # it was reset; it is closed all the same
        await writer.wait_closed()
