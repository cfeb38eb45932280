"""How late a busy machine lets an event loop run: what a time limit cannot be blamed for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

STEP_S = 0.01


class Lag:
    """The longest that this process was kept from running on time, in seconds."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Lag]:
        """Watch while the block runs."""
        watching = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(STEP_S)
            self.worst_s = max(self.worst_s, clock() - before - STEP_S)
