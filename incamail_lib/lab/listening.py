"""Listen on loopback: on the port that was had before, or where that is taken, on a free one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
STREAM_BYTES = 262_144
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


async def listen(connected: Connected, port: int = 0) -> asyncio.Server:
    """A server on 127.0.0.1; 0 takes a free port. Errors: OSError where there is none."""
    try:
        return await _start(connected, port)
    except OSError:
        return await _start(connected, 0)


async def _start(connected: Connected, port: int) -> asyncio.Server:
    return await asyncio.start_server(connected, LOOPBACK, port, limit=STREAM_BYTES, backlog=1024)
