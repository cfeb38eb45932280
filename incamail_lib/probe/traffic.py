"""The connections of a whole run: few at once to anybody, and none made twice.

A gateway may serve a thousand organisations. What it says to a connection does not depend on whom
the connection is made for, but on the address, the name in TLS, the certificate shown and what is
asked. So each such connection is made once, and its facts serve all; they are kept packed, the
latest used longest, so that memory stays bounded.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from incamail_lib.certificate import Credential, foreign_credential
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, SmtpFacts

BUSY = frozenset({Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.UNAVAILABLE})
Key = tuple[Hashable, ...]
_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Bounds:
    """How many connections are open at once, and how patient a run is with those that are busy."""

    per_address: int = 2
    per_network: int = 8  # /24 of IPv4, /48 of IPv6
    in_all: int = 200
    tries: int = 1  # of a server that says it is busy; later ones after a pause
    pause_s: float = 330.0  # greylisting usually wants five minutes
    kept_bytes: int = 64_000_000


class Traffic:
    """What a run has open, and what it knows already. For one event loop."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._open = _Gates()
        self._in_all = asyncio.Semaphore(self.bounds.in_all)
        self._under_way: dict[Key, asyncio.Future[SmtpFacts]] = {}
        self._known: OrderedDict[Key, tuple[float, bytes]] = OrderedDict()
        self._controls: dict[bool, tuple[dt.datetime, Credential]] = {}
        self._kept = 0
        self.made = 0  # connections

    def control(self, now: dt.datetime, *, rsa: bool = False) -> Credential:
        """The throw-away certificate of this run: one for all, so that answers to it are shared."""
        made, credential = self._controls.get(rsa, (now, None))
        if credential is None or abs(now - made) > _A_DAY:
            credential = foreign_credential(now, rsa=rsa)
            self._controls[rsa] = now, credential
        return credential

    async def once(
        self,
        key: Key,
        make: Callable[[], Awaitable[SmtpFacts]],
        *,
        not_before: float,
    ) -> SmtpFacts:
        """The facts of a connection: known since `not_before` (by the loop's clock), or made now.

        The first part of the key is the address.
        """
        while key in self._under_way:
            await asyncio.wait([self._under_way[key]])
        known = self._look(key, not_before)
        if known is not None:
            return known
        clock = asyncio.get_running_loop()
        future: asyncio.Future[SmtpFacts] = clock.create_future()
        self._under_way[key] = future
        try:
            async with self._passing(str(key[0])):
                self.made += 1
                begun = clock.time()
                found = await make()
            self._keep(key, begun, found)
            return found
        finally:
            del self._under_way[key]
            future.cancel()  # whoever waited looks again

    def _look(self, key: Key, not_before: float) -> SmtpFacts | None:
        since, packed = self._known.get(key, (-1.0, b""))
        if not packed or since < not_before:
            return None
        self._known.move_to_end(key)
        return SmtpFacts.model_validate_json(zlib.decompress(packed))

    def _keep(self, key: Key, since: float, found: SmtpFacts) -> None:
        packed = zlib.compress(found.model_dump_json().encode(), 1)
        self._kept += len(packed) - len(self._known.pop(key, (0.0, b""))[1])
        self._known[key] = since, packed
        while self._kept > self.bounds.kept_bytes:
            _, (_, oldest) = self._known.popitem(last=False)
            self._kept -= len(oldest)

    @asynccontextmanager
    async def _passing(self, address: str) -> AsyncIterator[None]:
        """From the narrow gate to the wide one, so that nobody who waits keeps others out."""
        bounds = self.bounds
        async with (
            self._open.passing(address, bounds.per_address),
            self._open.passing(_network(address), bounds.per_network),
            self._in_all,
        ):
            yield


class _Gates:
    """A bound for each name that is in use."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def passing(self, name: str, bound: int) -> AsyncIterator[None]:
        gate, users = self._gates.get(name, (asyncio.Semaphore(bound), 0))
        self._gates[name] = gate, users + 1
        try:
            async with gate:
                yield
        finally:
            gate, users = self._gates[name]
            if users > 1:
                self._gates[name] = gate, users - 1
            else:
                del self._gates[name]


def _network(address: str) -> str:
    bits = 24 if ipaddress.ip_address(address).version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


class Visitor:
    """One organisation's part in the traffic of a run."""

    def __init__(self, traffic: Traffic, places: asyncio.Semaphore | None = None) -> None:
        """`places` bounds the organisations under way; whoever waits gives his place to others."""
        self.traffic = traffic
        self.made = 0  # connections, those of others left out
        self._places = places
        self._waiting = 0

    async def once(
        self, key: Key, make: Callable[[], Awaitable[SmtpFacts]], *, not_before: float
    ) -> SmtpFacts:
        """As `Traffic.once`, counted for this organisation."""

        async def counted() -> SmtpFacts:
            self.made += 1
            return await make()

        return await self.traffic.once(key, counted, not_before=not_before)

    async def patiently(self, probe: Callable[[float], Awaitable[EndpointFacts]]) -> EndpointFacts:
        """What `probe` finds; of a server that is busy, what it finds later.

        `probe` is given the moment before which nothing counts any more.
        """
        clock = asyncio.get_running_loop().time
        found = await probe(0.0)
        for _ in range(self.traffic.bounds.tries - 1):
            if not _is_busy(found):
                break
            ended = clock()
            await self._pause()
            found = await probe(ended)
        return found

    async def _pause(self) -> None:
        self._waiting += 1
        if self._places is not None and self._waiting == 1:
            self._places.release()
        try:
            await asyncio.sleep(self.traffic.bounds.pause_s)
        finally:
            self._waiting -= 1
            if self._places is not None and self._waiting == 0:
                await self._places.acquire()


def _is_busy(endpoint: EndpointFacts) -> bool:
    return endpoint.left_alone in BUSY or endpoint.survey.ended in BUSY
