"""A table of hostile servers: bounded in time and bytes, no exception, and never more than seen."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass

import pytest
from factories import facts
from lag import Lag
from probe.hostile import inside, smtp, tls
from probe.hostile.play import Behaviour
from probe.served import NOW, OWN, settings, target

from incamail_lib.checks import judge_facts
from incamail_lib.cli._endpoint_rows import endpoint_rows
from incamail_lib.facts.observation import Observation, Reason
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.findings import Verdict
from incamail_lib.i18n import translator
from incamail_lib.probe import Limits, probe_endpoint
from incamail_lib.probe.wire import CHUNK

pytestmark = pytest.mark.xdist_group("hostile")  # the table is played once, all servers at once
BEHAVIOURS = (*smtp.BEHAVIOURS, *tls.BEHAVIOURS, *inside.BEHAVIOURS)
AT_ONCE = 40
ALONE = 2  # times that what was disturbed is played anew
LIMITS = Limits(
    connect_s=2.0,
    greeting_s=1.2,
    reply_s=1.2,
    handshake_s=1.2,
    goodbye_s=0.4,
    total_s=3.0,
    address_s=7.0,
    max_bytes=65_536,
)
EXACT = 1.05  # of a time limit
LARGEST_JSON = 400_000


@dataclass(frozen=True)
class Played:
    """What the probe saw of one behaviour, how long it took, and how busy the machine was."""

    endpoint: EndpointFacts
    took_s: float
    lag_s: float

    @property
    def is_late(self) -> bool:
        """Whether a limit was overstepped by more than the machine's own lag."""
        late = [
            c.elapsed_s > LIMITS.total_s * EXACT + self.lag_s for c in self.endpoint.connections
        ]
        return any(late) or self.took_s > LIMITS.address_s * EXACT + self.lag_s


async def play_all(behaviours: tuple[Behaviour, ...], at_once: int = AT_ONCE) -> dict[str, Played]:
    """Probe every server, some at once."""
    gate = asyncio.Semaphore(at_once)
    clock = asyncio.get_running_loop().time
    asked = settings(limits=LIMITS)

    async def one(behaviour: Behaviour, lag: Lag) -> tuple[str, Played]:
        async with gate, behaviour.server(NOW).serve() as port:
            begun = clock()
            found = await probe_endpoint(target(port), settings=asked, own=OWN, now=NOW)
            return behaviour.name, Played(found, clock() - begun, lag.worst_s)

    async with Lag().watched() as lag:
        return dict(await asyncio.gather(*(one(b, lag) for b in behaviours)))


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    """Every behaviour of the table, played; what a busy machine let time out, anew and alone."""
    found = asyncio.run(play_all(BEHAVIOURS))
    for _ in range(ALONE):
        other = tuple(b for b in BEHAVIOURS if is_disturbed(b, found[b.name]))
        found |= asyncio.run(play_all(other, at_once=1))
    return found


def is_disturbed(behaviour: Behaviour, found: Played) -> bool:
    """Whether a row says something else than it should, or was late."""
    return found.is_late or concluded(found.endpoint) != behaviour.may


def concluded(endpoint: EndpointFacts) -> dict[str, str]:
    """Every answer that the facts give, by its name; what stayed open is left out."""
    auth = endpoint.client_auth
    answers: dict[str, Observation] = {
        "requested": auth.requested,
        "demanded": auth.demanded,
        "own": auth.own_accepted,
        "foreign": auth.foreign_accepted,
        "verified": auth.verified,
        "legacy": endpoint.legacy,
        "injection": endpoint.injection,
    }
    found = {name: o.answer.value for name, o in answers.items() if o.is_known}
    if endpoint.starttls is not Starttls.UNKNOWN:
        found["starttls"] = endpoint.starttls.value
    if endpoint.survey.ended is Reason.TLS_AT_ONCE:
        found["at_once"] = "yes"
    if endpoint.large_hello.is_no:
        found["large_hello"] = "no"
    return found


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda b: b.name)
def test_no_more_is_concluded_than_was_shown(
    behaviour: Behaviour, played: dict[str, Played]
) -> None:
    """The answers given are those that the behaviour shows, and every other stays open."""
    assert concluded(played[behaviour.name].endpoint) == behaviour.may


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda b: b.name)
def test_time_and_bytes_are_bounded(behaviour: Behaviour, played: dict[str, Played]) -> None:
    """Each connection and all together hold their limits; what is kept of them is small."""
    found = played[behaviour.name]
    assert not found.is_late
    for connection in found.endpoint.connections:
        assert connection.bytes_received <= LIMITS.max_bytes + CHUNK
    assert len(found.endpoint.model_dump_json()) <= LARGEST_JSON


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda b: b.name)
def test_nobody_is_made_ready(behaviour: Behaviour, played: dict[str, Played]) -> None:
    """Neither as gateway nor as platform does such a server make an audit end well, and what was
    seen of it can be told, saved and read again."""
    endpoint = played[behaviour.name].endpoint
    for place in ("receiving", "platform_endpoints"):
        measured = facts(**{place: (endpoint,)})
        assert judge_facts(measured, NOW).verdict is not Verdict.READY
    assert EndpointFacts.model_validate_json(endpoint.model_dump_json()) == endpoint
    assert endpoint_rows(endpoint, translator("de"))


FLOODS = tuple(
    b
    for b in BEHAVIOURS
    if b.name
    in {
        *("greeting never ends", "greeting is one endless line", "tls is a flood of zeros"),
        *("tls shows a certificate without end", "inside ehlo is one endless line"),
        *("inside mail floods", "tls has empty records without end"),
    }
)
MEMORY = 6_000_000  # bytes above what was there before; a flood knows no end


def test_no_flood_fills_the_memory() -> None:
    """Whatever is poured in, only the limit of bytes is ever kept."""
    asyncio.run(play_all(FLOODS))  # what is made once, and kept
    tracemalloc.start()
    try:
        asyncio.run(play_all(FLOODS))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(FLOODS) == 7
    assert peak < MEMORY


def test_the_table_is_long_and_every_row_is_another() -> None:
    """At least 150 behaviours in all kinds."""
    names = [b.name for b in BEHAVIOURS]
    assert len(set(names)) == len(names) >= 150
    assert {b.kind for b in BEHAVIOURS} == {"greeting", "ehlo", "starttls", "tls", "inside"}
