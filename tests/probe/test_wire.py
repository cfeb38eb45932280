"""The driver of one connection: bounded, in order, and leaving nothing behind, whatever comes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
from probe.recording import told
from probe.served import (
    BACKENDS,
    FOREIGN,
    NOW,
    OWN,
    Raw,
    Script,
    asking,
    plan,
    says,
    scripted,
    settings,
    target,
    within,
)

from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.lab.gateway import serve
from incamail_lib.probe import probe_endpoint
from incamail_lib.probe.settings import Backend
from incamail_lib.probe.wire import CHUNK, Ended, Wire

T = TypeVar("T")
COUNTED = b"".join(n.to_bytes(4) for n in range(100_000))  # its order shows
SHORT_S = 0.2


def driven(
    script: Script, dialogue: Callable[[Wire], Coroutine[Any, Any, T]], max_bytes: int = 10**9
) -> T:
    """Connect to a script and hold the dialogue; afterwards the loop watches nothing of it."""

    async def run() -> T:
        loop = asyncio.get_running_loop()
        async with Raw(script).serve() as port:
            with Wire(max_bytes) as wire:

                async def whole() -> T:
                    await wire.connect("127.0.0.1", port)
                    return await dialogue(wire)

                wire.until(loop.time() + 5.0)
                result = await wire.drive(whole())
                number = wire._number
            assert not loop.remove_reader(number)
            assert not loop.remove_writer(number)
            return result

    return asyncio.run(run())


async def floods(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends in order and never reads."""
    writer.write(COUNTED)
    with suppress(ConnectionError):
        await writer.drain()
    await asyncio.sleep(10)


async def taken(wire: Wire, size: int) -> bytes:
    came = b""
    while len(came) < size:
        came += await wire.receive()
    return came


def test_what_comes_while_nobody_waits_is_kept_in_order() -> None:
    """Not more than one piece is read ahead, and none is lost or read twice."""

    async def dialogue(wire: Wire) -> bytes:
        first = await wire.receive()
        await wire.aside(asyncio.sleep(SHORT_S))
        assert wire.received == len(first) <= CHUNK
        return first + await taken(wire, len(COUNTED) - len(first))

    assert driven(floods, dialogue) == COUNTED


def test_a_peer_that_sends_and_never_reads_is_waited_for_to_the_limit() -> None:
    """What it says meanwhile is no room to send, and is still there to be read."""

    async def dialogue(wire: Wire) -> bytes:
        wire.until(asyncio.get_running_loop().time() + SHORT_S)
        with pytest.raises(TimeoutError):
            await wire.send(b"x" * 50_000_000)
        assert 0 < wire.sent < 50_000_000
        wire.until(asyncio.get_running_loop().time() + 5.0)
        return await taken(wire, len(COUNTED))

    assert driven(floods, dialogue) == COUNTED


def test_a_limit_can_be_moved_both_ways() -> None:
    """Later: the old moment passes. Earlier: the new one counts. Past: nothing is waited for."""

    async def dialogue(wire: Wire) -> list[str]:
        clock, ended = asyncio.get_running_loop().time, []
        wire.until(clock() + 0.05)
        wire.until(clock() + SHORT_S)
        begun = clock()
        for moment in (clock() + SHORT_S, clock() + SHORT_S + 0.05, clock()):
            wire.until(moment)
            try:
                await wire.receive()
            except TimeoutError:
                ended.append("early" if clock() < moment else "in time")
        assert clock() - begun >= SHORT_S
        return ended

    assert driven(says(b"", then_wait=True), dialogue) == ["in time"] * 3


def test_an_error_of_the_dialogue_reaches_who_drives_it() -> None:
    """Ours as well as the peer's; the hands are cleaned in any case."""
    cleaned = []

    async def dialogue(wire: Wire) -> None:
        try:
            await wire.receive()
            raise LookupError("ours")
        finally:
            cleaned.append("first")

    with pytest.raises(LookupError, match="ours"):
        driven(says(b"220 x\r\n"), dialogue)

    async def flooded(wire: Wire) -> bytes:
        return await taken(wire, len(COUNTED))

    with pytest.raises(Ended) as found:
        driven(floods, flooded, max_bytes=1000)
    assert found.value.reason is Reason.TOO_MUCH_DATA
    assert cleaned == ["first"]


@pytest.mark.parametrize("aside", [False, True])
def test_a_cancelled_drive_leaves_nothing(aside: bool) -> None:
    """Neither the dialogue nor what it waits for goes on; its hands are cleaned."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("work")

    async def run() -> None:
        async with Raw(says(b"")).serve() as port:
            with Wire(1000) as wire:

                async def dialogue() -> None:
                    await wire.connect("127.0.0.1", port)
                    try:
                        await (wire.aside(work()) if aside else wire.receive())
                    finally:
                        ended.append("dialogue")

                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(wire.drive(dialogue()), SHORT_S)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()} or not aside

    asyncio.run(run())
    assert ended == (["dialogue", "work"] if aside else ["dialogue"])


def test_a_line_of_a_hundred_megabytes_is_left_at_the_limit() -> None:
    """Not a piece more than the limit is read."""

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _number in range(1600):
            writer.write(b"x" * CHUNK)
            await writer.drain()

    seen = scripted(endless, settings())
    assert (seen.ended, seen.ended_in) == (Reason.TOO_MUCH_DATA, Stage.GREETING)
    assert seen.bytes_received <= settings().limits.max_bytes + CHUNK


def test_a_second_look_is_no_longer_than_the_limit() -> None:
    """A silent port is asked whether it speaks TLS, within what is left of the time for all."""
    seen = scripted(says(b""), within(total_s=SHORT_S, greeting_s=9.0))
    assert (seen.ended, seen.ended_in) == (Reason.TIMEOUT, Stage.GREETING)
    assert SHORT_S <= seen.elapsed_s < 3.0


async def carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: Callable[[], int]
) -> None:
    """All bytes up to the end, in pieces of the size that is drawn for each."""
    while data := await reader.read(CHUNK):
        while data:
            piece = size()
            writer.write(data[:piece])
            data = data[piece:]
            await writer.drain()
            await asyncio.sleep(0)
    writer.write_eof()


@asynccontextmanager
async def cut(port: int, size: Callable[[], int]) -> AsyncIterator[int]:
    """The port behind a box that cuts what the server says. What the probe says stays whole:
    whether a smuggled command is obeyed hangs on that."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            there, back = carry(reader, far_writer, lambda: CHUNK), carry(far_reader, writer, size)
            await asyncio.gather(there, back, return_exceptions=True)  # one may outlive the other
        finally:
            far_writer.transport.abort()

    async with Raw(script).serve() as near:
        yield near


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("largest", [1, 700])
def test_pieces_of_any_size_say_the_same(largest: int, backend: Backend) -> None:
    """Replies split anywhere, records of TLS too: the facts are those of whole ones."""
    chance = random.Random(largest)
    asked = settings(backend=backend, foreign=FOREIGN)

    async def run() -> list[Any]:
        async with (
            serve(plan(asking(required=True)), now=NOW) as gateway,
            cut(gateway.port, lambda: chance.randint(1, largest)) as port,
        ):
            return [
                told(await probe_endpoint(target(at), settings=asked, own=OWN, now=NOW))
                for at in (gateway.port, port)
            ]

    whole, split = asyncio.run(run())
    assert split == whole
