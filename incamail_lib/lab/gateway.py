"""A loopback SMTP gateway whose behaviour is declared by a plan. Opens port 0 on 127.0.0.1."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from OpenSSL import SSL

from incamail_lib.lab.channel import Channel
from incamail_lib.lab.listening import LOOPBACK, listen
from incamail_lib.lab.message import Message, Taker, keeps
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.session import Record, Session
from incamail_lib.lab.tls_context import server_context


class Gateway:
    """One running gateway: where it listens, and what every client did so far."""

    def __init__(self, plan: GatewayPlan, now: dt.datetime) -> None:
        self.plan = plan
        self.port = 0
        self.records: list[Record] = []
        self.takes: Taker = keeps  # what stands behind it may take messages on
        self._contexts = _contexts(plan, now)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages taken, in order."""
        return tuple(m for record in self.records for m in record.messages)

    @property
    def commands(self) -> tuple[str, ...]:
        """All commands received on all connections, in clear first, then inside TLS."""
        return tuple(c for r in self.records for c in (*r.commands, *r.commands_in_tls))

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection; the session runs as a task of its own."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """End every session; an error inside one that was no client's fault is raised here."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record = Record(len(self.records) + 1)
        self.records.append(record)
        plan = self.plan.for_connection(record.number)
        channel = Channel(reader, writer)
        try:
            session = Session(plan, self._contexts[plan], channel, record, takes=self.takes)
            await session.run()
        finally:
            await channel.close()

    def _done(self, task: asyncio.Task[None]) -> None:
        # A task that crashed stays in the set, so that `stop` raises what it met.
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)


@asynccontextmanager
async def serve(plan: GatewayPlan, *, now: dt.datetime, port: int = 0) -> AsyncIterator[Gateway]:
    """Run one gateway by `plan`; client certificates are judged as of `now` (aware UTC).

    It listens on `port`, or where that is taken, or none is named, on a free one.
    On leaving, every connection is closed and no task or socket remains.
    """
    gateway = Gateway(plan, now)
    if not plan.listens:
        with _closed_port(port) as gateway.port:
            yield gateway
        return
    server = await listen(gateway.connected, port)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()
        await gateway.stop()
        await server.wait_closed()


@contextmanager
def _closed_port(port: int) -> Iterator[int]:
    """A port that nobody else can take and that refuses every connection."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server's own
        try:
            taken.bind((LOOPBACK, port))
        except OSError:
            taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


def _contexts(plan: GatewayPlan, now: dt.datetime) -> dict[GatewayPlan, SSL.Context | None]:
    plans = [plan, plan.later[1]] if plan.later else [plan]
    return {p: server_context(p.tls, now) if p.tls else None for p in plans}
