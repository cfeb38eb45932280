"""A behaviour of a hostile, broken or odd server: what it does, and all that may be concluded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from OpenSSL import SSL
from probe.served import Raw

from incamail_lib.lab.channel import Channel, ClientGoneError
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.tls_context import server_context

GREETS = b"220 mx1.muster.example ESMTP\r\n"
OFFERS = b"250-mx1.muster.example\r\n250 STARTTLS\r\n"
GO = b"220 2.0.0 go\r\n"
YES, NO = "yes", "no"


class Do(Enum):
    """Steps without a value."""

    ASK = "wait for a line"
    HELLO = "wait for the first bytes of TLS"
    WAIT = "say nothing more"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class Drip:
    """Bytes, one by one."""

    data: bytes
    pause_s: float = 0.02


@dataclass(frozen=True)
class Endless:
    """The same bytes over and over."""

    data: bytes
    pause_s: float = 0.0


@dataclass(frozen=True)
class Tls:
    """A handshake as server."""

    served: GatewayPlan


@dataclass(frozen=True)
class Call:
    """Anything else."""

    act: Callable[[Channel, SSL.Connection | None], Awaitable[None]]


Step = bytes | Do | Drip | Endless | Tls | Call
CLEAR: tuple[Step, ...] = (GREETS, Do.ASK, OFFERS, Do.ASK)
STARTED: tuple[Step, ...] = (*CLEAR, GO)


@dataclass(frozen=True)
class Behaviour:
    """A server by its steps, and every answer that may be given about it; the rest stays open."""

    name: str
    steps: tuple[Step, ...]
    may: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Where it is odd: the first word of its name."""
        return self.name.partition(" ")[0]

    def server(self, now: Any) -> Raw:
        """The server that behaves so on every connection."""
        contexts = {
            id(step): server_context(step.served.tls, now)
            for step in self.steps
            if isinstance(step, Tls) and step.served.tls is not None
        }

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            channel = Channel(reader, writer)
            with suppress(ClientGoneError):  # the probe hung up, as it may
                try:
                    await _play(self.steps, channel, contexts)
                except SSL.Error:
                    await channel.hang()  # until our alert has been read

        return Raw(script)


async def _play(
    steps: tuple[Step, ...], channel: Channel, contexts: dict[int, SSL.Context]
) -> None:
    tls: SSL.Connection | None = None
    for step in steps:
        if isinstance(step, Tls):
            tls = await channel.start_tls(
                contexts[id(step)], keep_plaintext=False, begun=lambda c: c.set_app_data([])
            )
        elif isinstance(step, Call):
            await step.act(channel, tls)
        else:
            await _do(step, channel)
        if step in (Do.CLOSE, Do.RESET):
            return
    await channel.hang()


async def _do(step: Step, channel: Channel) -> None:
    if isinstance(step, bytes):
        await channel.send(step)
    elif isinstance(step, Drip):
        for byte in step.data:
            await channel.send(bytes([byte]))
            await asyncio.sleep(step.pause_s)
    elif isinstance(step, Endless):
        while True:
            await channel.send(step.data)
            await asyncio.sleep(step.pause_s)
    elif step is Do.ASK:
        await channel.line()
    elif step is Do.HELLO:
        await channel.hello_bytes()
    elif step is Do.CLOSE:
        await channel.close()
    elif step is Do.RESET:
        channel.reset()
    elif step is Do.WAIT:
        await channel.hang()


def greeting(name: str, *steps: Step, **may: str) -> Behaviour:
    """Odd from the first byte."""
    return Behaviour(f"greeting {name}", steps, may)


def ehlo(name: str, *steps: Step, **may: str) -> Behaviour:
    """Greets well, and answers EHLO so."""
    return Behaviour(f"ehlo {name}", (GREETS, Do.ASK, *steps), may)


def starttls(name: str, *steps: Step, **may: str) -> Behaviour:
    """Offers STARTTLS, and answers it so."""
    return Behaviour(f"starttls {name}", (*CLEAR, *steps), may)


def handshake(name: str, *steps: Step, **may: str) -> Behaviour:
    """Answers the ClientHello so."""
    may = {"starttls": "accepted", **may}
    return Behaviour(f"tls {name}", (*STARTED, Do.HELLO, *steps), may)
