"""What one probe costs: CPU, time, connections; alone, by hundreds, and beside sslyze.

    python -m benchmarks.cost [--rounds 9] [--probes 60]

Prints Markdown. Rivals take turns round by round, so that whatever else the machine does meets
all of them; the figure is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import floor, gateways, peers
from incamail_lib.certificate import Credential, foreign_credential, load_credential
from incamail_lib.certificate.stores import TrustStore, certifi_store, system_store
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Side, Target
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint

SURVEY = frozenset({Purpose.SURVEY})
EVERYTHING = frozenset(Purpose)
ROUND_TRIPS = 7  # TCP, greeting, EHLO, STARTTLS, TLS 1.3, EHLO, QUIT
WITH_MAIL = 8  # and MAIL FROM:<>, which tells a demand in SMTP; RSET travels with QUIT
WAVES = 6  # probes per place in the crowd: enough that start and end weigh little
SERVERS = 2  # processes that a crowd is served by: one alone would be the bound
AT_ONCE = 40
BLOCKING, ONE, MANY = "floor, pyOpenSSL", "probe", f"probe, {AT_ONCE} at once"


@dataclass(frozen=True)
class Cost:
    """CPU of this process (user and system) and wall time, in seconds."""

    cpu_s: float
    wall_s: float


def cost_of(work: Callable[[], object]) -> Cost:
    """Run `work` and measure it."""
    before, start = _cpu_s(), time.perf_counter()
    work()
    return Cost(_cpu_s() - before, time.perf_counter() - start)


def _cpu_s() -> float:
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def settings(
    purposes: frozenset[Purpose], *, foreign: Credential | None = None, ask_mail: bool = True
) -> ProbeSettings:
    """How the probe is asked in every measurement."""
    return ProbeSettings(
        ehlo_name="probe.lab.example",
        limits=Limits(),
        purposes=purposes,
        foreign=foreign,
        ask_mail=ask_mail,
    )


def target(port: int) -> Target:
    """A gateway on loopback."""
    return Target(role=Side.RECEIVING, host=gateways.HOST, address="127.0.0.1", port=port)


async def probe_many(
    port: int, count: int, *, at_once: int = 1, asked: ProbeSettings, own: Credential | None = None
) -> list[EndpointFacts]:
    """`count` probes of one gateway, `at_once` at a time; every one must succeed."""
    now, met = dt.datetime.now(dt.UTC), target(port)
    found: list[EndpointFacts] = []
    left = iter(range(count))

    async def place() -> None:
        for _ in left:
            found.append(await probe_endpoint(met, settings=asked, own=own, now=now))

    await asyncio.gather(*(place() for _ in range(min(at_once, count))))
    failed = [f for f in found if not (f.survey.tls and f.survey.tls.accepted.is_yes)]
    assert not failed, f"{len(failed)} of {count} probes failed: {failed[0].survey.evidence}"
    return found


def cpu(rounds: int, probes: int) -> None:
    """CPU of the probe against the floors, in turns: one at a time, and many at once."""
    asked = settings(SURVEY, ask_mail=False)  # the dialogue that the floor has
    with gateways.running("plain") as servers:
        port = servers.ports["plain"]
        pyopenssl, stdlib = floor.pyopenssl_context(), floor.stdlib_context()

        def probed(at_once: int) -> None:
            asyncio.run(probe_many(port, probes, at_once=at_once, asked=asked))

        def in_threads() -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda _: floor.pyopenssl_probe(port, pyopenssl), range(probes)))

        rivals: dict[str, Callable[[], object]] = {
            BLOCKING: lambda: [floor.pyopenssl_probe(port, pyopenssl) for _ in range(probes)],
            "floor, stdlib": lambda: [floor.stdlib_probe(port, stdlib) for _ in range(probes)],
            "floor, selector": lambda: floor.many(port, pyopenssl, probes, 1),
            ONE: lambda: probed(1),
            f"floor, pyOpenSSL, {AT_ONCE} threads": in_threads,
            f"floor, selector, {AT_ONCE} at once": lambda: floor.many(
                port, pyopenssl, probes, AT_ONCE
            ),
            MANY: lambda: probed(AT_ONCE),
        }
        for work in rivals.values():
            work()
        turns = [
            {name: cost_of(work).cpu_s for name, work in rivals.items()} for _ in range(rounds)
        ]
    print(f"\n### CPU per probe ({rounds} rounds of {probes})\n")
    print("| | ms CPU, median | the probe alike is × (median of ratios) |\n| --- | --- | --- |")
    for name in rivals:
        median = statistics.median(turn[name] for turn in turns) / probes * 1000
        alike = MANY if str(AT_ONCE) in name else ONE
        ratio = statistics.median(turn[alike] / turn[name] for turn in turns)
        print(f"| {name} | {median:.2f} | {ratio:.2f} |")
    one = statistics.median(turn[MANY] / turn[BLOCKING] for turn in turns)
    print(f"\nOf {AT_ONCE} at once a probe costs {one:.2f} × the blocking floor alone.")


def distance(round_trip_s: float, probes: int) -> None:
    """Wall time of single probes against the physical limit, and the blocking floor's in turns: the
    timers that make the distance are late by up to a millisecond each, for both."""
    print(
        f"\n### Wall time of one probe at {round_trip_s * 1000:g} ms round trip ({probes} each)\n"
    )
    heads = ("question", "median", "slowest", "limit", "over the limit", "over the floor")
    print(f"| {' | '.join(heads)} |\n" + "| --- " * len(heads) + "|")
    with gateways.running("plain", round_trip_s=round_trip_s) as servers:
        port, context = servers.ports["plain"], floor.pyopenssl_context()
        for ask_mail, trips in ((False, ROUND_TRIPS), (True, WITH_MAIL)):
            asked = settings(SURVEY, ask_mail=ask_mail)
            work = partial(_probe_once, port, asked)
            work()
            times, least = [], []
            for _ in range(probes):
                times.append(cost_of(work).wall_s)
                if not ask_mail:  # the floor does not ask
                    least.append(cost_of(partial(floor.pyopenssl_probe, port, context)).wall_s)
            median, limit = statistics.median(times), trips * round_trip_s
            above = f"{median / statistics.median(least) - 1:+.1%}" if least else "–"
            print(
                f"| {'with' if ask_mail else 'without'} MAIL, {trips} round trips | {median:.3f} s "
                f"| {max(times):.3f} s | {limit:.3f} s | {median / limit - 1:+.1%} | {above} |"
            )


def _probe_once(port: int, asked: ProbeSettings) -> object:
    return asyncio.run(probe_many(port, 1, asked=asked))


@dataclass(frozen=True)
class Crowd:
    """When each probe of each place in the crowd ended, on one clock, and what all cost."""

    ends: tuple[tuple[float, ...], ...]
    began: float
    ours_s: float
    servers_s: tuple[float, ...]
    # With the time in which they stood in line for a core: others may use the machine too.
    ours_taken_s: float
    servers_taken_s: tuple[float, ...]

    @property
    def count(self) -> int:
        """All probes."""
        return sum(map(len, self.ends))

    @property
    def whole(self) -> float:
        """Probes a second from the first that begins to the last that ends."""
        return self.count / (max(map(max, self.ends)) - self.began)

    @property
    def steady(self) -> float:
        """Probes a second while every place was taken: none is at its first or behind its last."""
        first, last = max(e[0] for e in self.ends), min(e[-1] for e in self.ends)
        return sum(first < end <= last for each in self.ends for end in each) / (last - first)

    def bounds(self, at_once: int, round_trip_s: float) -> tuple[float, ...]:
        """Probes a second by number and distance, our CPU, the servers' and the machine's."""
        cores = os.cpu_count() or 1
        return (
            at_once / (ROUND_TRIPS * round_trip_s),
            self.count / self.ours_s,
            self.count / max(self.servers_s),  # each of them has its share of the probes
            self.count * cores / (self.ours_s + sum(self.servers_s)),
        )

    def granted(self, at_once: int, round_trip_s: float) -> float:
        """Probes a second by number and distance, and by the cores that others left to us."""
        return min(
            at_once / (ROUND_TRIPS * round_trip_s),
            self.count / self.ours_taken_s,
            self.count / max(self.servers_taken_s),
        )


async def _in_crowd(ports: list[int], at_once: int, spread_s: float) -> list[tuple[float, ...]]:
    """Places that are taken one after the other within `spread_s`: a batch that has run for a
    while is spread like that, and one that begins all at once stays a convoy to its end."""
    asked = settings(SURVEY, ask_mail=False)

    async def place(number: int) -> tuple[float, ...]:
        await asyncio.sleep(number / at_once * spread_s)
        ends = []
        for _ in range(WAVES):
            await probe_many(ports[number % len(ports)], 1, asked=asked)
            ends.append(time.perf_counter())
        return tuple(ends)

    return await asyncio.gather(*(place(number) for number in range(at_once)))


def crowd(at_once: int, *, round_trip_s: float) -> None:
    """Throughput of many probes at once against what their number, distance and CPU allow.

    The servers and the distance before them are in two processes and share the machine with us;
    what their start costs is left out.
    """
    with ExitStack() as stack:
        servers = [
            stack.enter_context(gateways.running("plain", round_trip_s=round_trip_s))
            for _ in range(SERVERS)
        ]
        ports = [one.ports["plain"] for one in servers]
        asyncio.run(probe_many(ports[0], 10, at_once=10, asked=settings(SURVEY, ask_mail=False)))
        before = [one.cpu_s() for one in servers]
        stood = [one.taken_s() for one in servers]
        began, ours, ours_stood = time.perf_counter(), _cpu_s(), gateways.taken_s()
        ends = asyncio.run(_in_crowd(ports, at_once, ROUND_TRIPS * round_trip_s))
        ours_s, ours_taken_s = _cpu_s() - ours, gateways.taken_s() - ours_stood
        taken = tuple(one.taken_s() - then for one, then in zip(servers, stood, strict=True))
        used = tuple(one.cpu_s() - then for one, then in zip(servers, before, strict=True))
    found = Crowd(tuple(ends), began, ours_s, used, ours_taken_s, taken)
    bounds = found.bounds(at_once, round_trip_s)
    told = " | ".join(f"{bound:.0f}/s" for bound in bounds)
    print(
        f"| {at_once} | {round_trip_s * 1000:g} ms | {found.count} | {told} "
        f"| {found.steady:.0f}/s, {found.steady / min(bounds):.0%} "
        f"| {found.whole:.0f}/s, {found.whole / min(bounds):.0%} "
        f"| {found.steady / found.granted(at_once, round_trip_s):.0%} |",
        flush=True,
    )


def crowds() -> None:
    """Hundred and thousand at once."""
    print("\n### Many at once\n")
    heads = (
        *("at once", "round trip", "probes", "bound by number", "by our CPU", "by the servers'"),
        *("by the machine's", "steady, of the lowest bound", "whole run, of the same"),
        "steady, of what others left",
    )
    print(f"| {' | '.join(heads)} |\n" + "| --- " * len(heads) + "|")
    crowd(100, round_trip_s=0.05)
    crowd(100, round_trip_s=0.2)
    crowd(1000, round_trip_s=0.5)
    crowd(1000, round_trip_s=1.0)
    print(f"\nLoad of the machine meanwhile (1, 5, 15 minutes): {_load()}.")


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


def connections() -> None:
    """TCP connections per address, counted by the server."""
    print("\n### Connections per address\n")
    print("| who | connections |\n| --- | --- |")
    with gateways.running("plain", "optional") as servers:
        own = _good(servers.folder)
        foreign = foreign_credential(dt.datetime.now(dt.UTC))
        full = settings(EVERYTHING, foreign=foreign)

        def counted(who: str, gateway: str, work: Callable[[int], object]) -> None:
            before = servers.connections()[gateway]
            work(servers.ports[gateway])
            print(f"| {who} | {servers.connections()[gateway] - before} |")

        def survey(port: int) -> object:
            return asyncio.run(probe_many(port, 1, asked=settings(SURVEY)))

        def audit(port: int) -> object:
            return asyncio.run(probe_many(port, 1, asked=full, own=own))

        counted("survey", "plain", survey)
        counted("full audit, gateway asks for no certificate", "plain", audit)
        counted("full audit, gateway asks for one", "optional", audit)
        if peers.sslyze_python():
            for mode in ("connect", "certificates"):
                counted(f"sslyze, {mode}", "optional", partial(_sslyze, mode))


def _sslyze(mode: str, port: int) -> object:
    return peers.sslyze_scan([port], mode)


def beside_sslyze(hosts: int) -> None:
    """The same questions – version, chain, trust, client authentication – to many hosts."""
    if peers.sslyze_python() is None:
        print("\nsslyze: not installed")
        return
    stores = [certifi_store(), system_store()]
    asked = settings(SURVEY)
    with gateways.running("plain") as servers:
        port = servers.ports["plain"]
        before = servers.connections()["plain"]
        ours = cost_of(lambda: _with_trust(port, hosts, asked, stores))
        between = servers.connections()["plain"]
        theirs = peers.sslyze_scan([port] * hosts, "certificates")
        after = servers.connections()["plain"]
    cpu_s, wall_s = float(str(theirs["cpu_s"])), float(str(theirs["wall_s"]))
    print(f"\n### Beside {peers.SSLYZE} as a library ({hosts} hosts, certificates and trust)\n")
    print("| | ms CPU per host | hosts per second | connections per host |\n" + "| --- " * 4 + "|")
    for name, cpu_total, wall_total, made in (
        ("ours (2 stores)", ours.cpu_s, ours.wall_s, between - before),
        ("sslyze (5 stores)", cpu_s, wall_s, after - between),
    ):
        print(
            f"| {name} | {cpu_total / hosts * 1000:.1f} | {hosts / wall_total:.1f} "
            f"| {made / hosts:.1f} |"
        )
    print(f"\nsslyze takes {cpu_s / ours.cpu_s:.1f} × our CPU.")


def _with_trust(port: int, hosts: int, asked: ProbeSettings, stores: list[TrustStore]) -> None:
    now = dt.datetime.now(dt.UTC)
    for found in asyncio.run(probe_many(port, hosts, at_once=10, asked=asked)):
        for store in stores:
            judge_trust(found.chain, store, purpose="serverAuth", now=now)


def _good(folder: Path) -> Credential:
    _, loaded = load_credential(
        folder / "good.pem",
        key_path=folder / "good.key",
        passphrase=None,
        uses=(CredentialUse.SENDING,),
    )
    assert loaded is not None
    return loaded


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--probes", type=int, default=60)
    given = parser.parse_args()
    cpu(given.rounds, given.probes)
    distance(0.05, given.probes // 3)
    crowds()
    connections()
    beside_sslyze(given.probes)


if __name__ == "__main__":
    main()
