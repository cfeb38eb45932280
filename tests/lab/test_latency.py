"""The delay proxy costs what a distant path costs, keeps order, and leaves nothing behind."""

import asyncio
import contextlib
import datetime as dt
import struct
from socket import SO_LINGER, SOL_SOCKET

import pytest

from incamail_lib.lab import pki
from incamail_lib.lab.gateway import serve
from incamail_lib.lab.latency import delayed
from incamail_lib.lab.plan import GatewayPlan, TlsPlan

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0, second=0, minute=0)
RTT_S = 0.05
HOST = "mx1.muster.example"


def plan() -> GatewayPlan:
    return GatewayPlan(HOST, TlsPlan(pki.build(NOW).platform(HOST)))


def test_the_greeting_and_each_answer_take_their_round_trips() -> None:
    """Greeting after 2 RTT, three pipelined commands 1 RTT later, in order, in one flight."""

    async def run() -> tuple[float, float, list[bytes]]:
        clock = asyncio.get_running_loop().time
        async with (
            serve(plan(), now=NOW) as gateway,
            delayed(gateway.port, round_trip_s=RTT_S) as port,
        ):
            begun = clock()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
            greeted = clock()
            writer.write(b"NOOP\r\nHELO x\r\nQUIT\r\n")
            lines = [await reader.readline() for _ in range(3)]
            answered = clock()
            writer.close()
            await writer.wait_closed()
        return greeted - begun, answered - greeted, lines

    greeting_s, answer_s, lines = asyncio.run(run())
    assert 2 * RTT_S <= greeting_s < 4 * RTT_S
    assert RTT_S <= answer_s < 3 * RTT_S  # one flight; three would take three
    assert [line[:3] for line in lines] == [b"250", b"250", b"221"]


def test_the_end_of_the_stream_comes_through() -> None:
    """After QUIT the client sees the end; with no server behind, it sees no greeting at all."""

    async def run() -> tuple[bytes, bytes]:
        async with (
            serve(plan(), now=NOW) as gateway,
            delayed(gateway.port, round_trip_s=0.002) as port,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"QUIT\r\n")
            good = await reader.read()
            writer.close()
            await writer.wait_closed()
            nothing_there = gateway.port
        async with delayed(nothing_there, round_trip_s=0.002) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            bad = b""
            with contextlib.suppress(ConnectionError):
                bad = await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        return good, bad

    good, bad = asyncio.run(run())
    assert good.endswith(b"221 2.0.0 Bye\r\n")
    assert bad == b""


def test_a_reset_stays_a_reset() -> None:
    """A server that resets is seen as a reset through the proxy, not as an orderly end."""

    async def run() -> None:
        def hit(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handle = writer.get_extra_info("socket")
            handle.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        server = await asyncio.start_server(hit, "127.0.0.1", 0)
        async with server, delayed(server.sockets[0].getsockname()[1], round_trip_s=0.002) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    asyncio.run(run())


def test_stopping_cuts_what_is_underway() -> None:
    """Leaving the proxy with a connection open leaves no task behind."""

    async def run() -> set[asyncio.Task[object]]:
        before = asyncio.all_tasks()
        async with (
            serve(plan(), now=NOW) as gateway,
            delayed(gateway.port, round_trip_s=RTT_S) as port,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return asyncio.all_tasks() - before

    assert asyncio.run(run()) == set()
