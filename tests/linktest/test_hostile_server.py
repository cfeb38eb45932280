"""No mail server holds a person, fills the memory, or is told by more than one clear text."""

from __future__ import annotations

import asyncio
import tracemalloc
import unicodedata
from collections.abc import Awaitable, Callable

import pytest
from linktest.test_sending import AGREED, TEST

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage, TlsUse
from incamail_lib.i18n import LANGUAGES, translator
from incamail_lib.linktest import Mta, SendLimits, delivery_text, send

QUICK = SendLimits(connect_s=2.0, reply_s=0.3, total_s=1.5)
MEGABYTE = b"x" * 1_000_000
Plays = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *replies: bytes
) -> None:
    """One reply for each command, the greeting first."""
    for reply in replies:
        writer.write(reply + b"\r\n")
        await writer.drain()
        await reader.readline()


async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def a_megabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 " + MEGABYTE + b"\r\n")
    await reader.read()


async def lines_of_a_megabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _talk(reader, writer, b"220 mx")
    writer.write(b"250-mx\r\n" + b"250-SIZE\r\n" * 100_000)
    await reader.read()


async def closes_after_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _talk(reader, writer, b"220 mx", b"250 mx", b"250 ok", b"250 ok")
    writer.write(b"354 go on\r\n")
    await writer.drain()


async def drops_behind_250(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _talk(reader, writer, b"220 mx", b"250 mx", b"250 ok", b"250 ok")
    writer.write(b"354 go on\r\n")
    await reader.readuntil(b"\r\n.\r\n")
    writer.write(b"250 2.0.0 queued\r\n")
    await writer.drain()
    writer.transport.abort()


async def a_megabyte_for_the_message(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await _talk(reader, writer, b"220 mx", b"250 mx", b"250 ok", b"250 ok")
    writer.write(b"354 go on\r\n")
    await reader.readuntil(b"\r\n.\r\n")
    writer.write(b"250 " + MEGABYTE + b"\r\n")
    await reader.read()


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.05)


async def escape_codes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _talk(reader, writer, b"554 5.7.1 \x1b[2J\x07{recipient} \xff\xfe no")


def handed(plays: Plays) -> tuple[Delivery, int]:
    """The hand-over to such a server, and how much memory it took at most."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await plays(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def run() -> Delivery:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await send(
                TEST.message,
                recipient=TEST.recipient,
                server=Mta("127.0.0.1", port, starttls=TlsUse.OFF),
                consent=AGREED,
                limits=QUICK,
            )

    tracemalloc.start()
    try:
        done = asyncio.run(run())
        return done, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


NOT, LOST, TAKEN = DeliveryOutcome.NOT_SENT, DeliveryOutcome.UNCERTAIN, DeliveryOutcome.ACCEPTED
HOSTILE: list[tuple[Plays, DeliveryOutcome, SendingStage, Cause]] = [
    (never, NOT, SendingStage.GREETING, Cause.TIMEOUT),
    (drips, NOT, SendingStage.GREETING, Cause.TIMEOUT),
    (a_megabyte, NOT, SendingStage.GREETING, Cause.PROTOCOL_ERROR),
    (lines_of_a_megabyte, NOT, SendingStage.EHLO, Cause.PROTOCOL_ERROR),
    (closes_after_data, LOST, SendingStage.CONTENT, Cause.CLOSED),
    (a_megabyte_for_the_message, LOST, SendingStage.CONTENT, Cause.PROTOCOL_ERROR),
    (drops_behind_250, TAKEN, SendingStage.CONTENT, Cause.REPLY),
    (escape_codes, DeliveryOutcome.REFUSED, SendingStage.GREETING, Cause.REPLY),
]


@pytest.mark.parametrize(
    ("plays", "outcome", "stage", "cause"), HOSTILE, ids=lambda x: getattr(x, "__name__", "")
)
def test_time_bytes_and_words_are_bounded(
    plays: Plays, outcome: DeliveryOutcome, stage: SendingStage, cause: Cause
) -> None:
    """Each way is told apart; what may have been taken is never called unsent, and a 250 stays one
    whatever follows. Nothing is kept of a flood, and nothing of it acts on a terminal."""
    done, peak = handed(plays)
    assert (done.outcome, done.stage, done.cause) == (outcome, stage, cause)
    assert done.elapsed_s < QUICK.total_s + 2.5  # a goodbye has two seconds of its own
    assert peak < 6_000_000
    assert len(done.model_dump_json()) < 4000
    for language in LANGUAGES:
        told = translator(language).text(delivery_text(done))
        assert not any(unicodedata.category(character) == "Cc" for character in told)
        assert len(told) < 2000
