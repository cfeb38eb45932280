"""A table of hostile name servers: a status each, in time, bounded, and never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from lag import Lag
from probe.hostile.dns import SERVERS, Server

from incamail_lib import lookup
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts

pytestmark = pytest.mark.xdist_group("hostile_names")  # the table is played once
LIFETIME_S = 1.0
EXACT = 1.05  # of the time limit
AT_ONCE = 12
ALONE = 3  # times that a late row is asked anew
LARGEST_JSON = 60_000


@dataclass(frozen=True)
class Played:
    """What was looked up, and how busy the machine was."""

    answer: DnsAnswer
    domain: DomainFacts
    took_s: float
    lag_s: float

    @property
    def is_late(self) -> bool:
        """Whether the one look-up overstepped its limit by more than the machine's own lag."""
        return self.answer.elapsed_s > LIFETIME_S * EXACT + self.lag_s


async def play(servers: Sequence[Server]) -> dict[str, Played]:
    """Ask every server, some at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    clock = asyncio.get_running_loop().time

    async def one(server: Server, lag: Lag) -> tuple[str, Played]:
        async with gate, server.serve() as address:
            resolver = lookup.resolver_for([address], LIFETIME_S)
            answer = await lookup.look_up("muster.example", "MX", resolver=resolver)
            begun = clock()
            domain = await lookup.look_up_domain("muster.example", resolver=resolver)
        return server.name, Played(answer, domain, clock() - begun, lag.worst_s)

    async with Lag().watched() as lag:
        return dict(await asyncio.gather(*(one(s, lag) for s in servers)))


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    """Every server of the table, asked."""
    return asyncio.run(play(SERVERS))


@pytest.mark.parametrize("server", SERVERS, ids=lambda s: s.name)
def test_each_server_has_the_status_that_its_bytes_allow(
    server: Server, played: dict[str, Played]
) -> None:
    """Only what answers the question is found; the rest is told apart and proves nothing."""
    found = played[server.name].answer
    for _ in range(ALONE):  # kept waiting among the others; alone it has to answer in time
        if found.status is DnsStatus.TIMEOUT is not server.may:
            found = asyncio.run(play([server]))[server.name].answer
    assert (found.status, len(found.records)) == (server.may, server.records)
    assert all(text.isprintable() for text in (*found.records, found.detail))


@pytest.mark.parametrize("server", SERVERS, ids=lambda s: s.name)
def test_look_ups_are_bounded(server: Server, played: dict[str, Played]) -> None:
    """One question holds its limit, a whole domain a few of them, and little is kept."""
    found = played[server.name]
    for _ in range(ALONE):  # late among the others: on a busy machine that says nothing
        if found.is_late:
            found = asyncio.run(play([server]))[server.name]
    assert not found.is_late
    assert len(found.domain.model_dump_json()) <= LARGEST_JSON * max(1, server.records)


def test_the_table_is_long() -> None:
    """Sixty servers, each another."""
    assert len({s.name for s in SERVERS}) == len(SERVERS) >= 60
