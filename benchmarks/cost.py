"""What one probe costs: CPU, time, connections; alone, by hundreds, and beside sslyze.

    python -m benchmarks.cost [--rounds 9] [--probes 60]

Prints Markdown. Rivals take turns round by round, so that whatever else the machine does meets
all of them; the figure is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import floor, gateways, peers
from incamail_lib.certificate import Credential, foreign_credential, load_credential
from incamail_lib.certificate.stores import TrustStore, certifi_store, system_store
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Role, Target
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint
from incamail_lib.trust import judge_trust

SURVEY = frozenset({Purpose.SURVEY})
EVERYTHING = frozenset(Purpose)
ROUND_TRIPS = 7  # TCP, greeting, EHLO, STARTTLS, TLS 1.3, EHLO, QUIT
WITH_MAIL = 8  # and MAIL FROM:<>, which tells a demand in SMTP; RSET travels with QUIT
WAVES = 6  # probes per place in the crowd: enough that start and end weigh little


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


def _cpu_s(whose: int = resource.RUSAGE_SELF) -> float:
    use = resource.getrusage(whose)
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
    return Target(role=Role.RECEIVING, host=gateways.HOST, address="127.0.0.1", port=port)


async def probe_many(
    port: int, count: int, *, at_once: int = 1, asked: ProbeSettings, own: Credential | None = None
) -> list[EndpointFacts]:
    """`count` probes of one gateway, `at_once` at a time; every one must succeed."""
    gate = asyncio.Semaphore(at_once)
    now = dt.datetime.now(dt.UTC)

    async def one() -> EndpointFacts:
        async with gate:
            return await probe_endpoint(target(port), settings=asked, own=own, now=now)

    found = await asyncio.gather(*(one() for _ in range(count)))
    failed = [f for f in found if not (f.survey.tls and f.survey.tls.accepted.is_yes)]
    assert not failed, f"{len(failed)} of {count} probes failed: {failed[0].survey.evidence}"
    return found


def cpu(rounds: int, probes: int) -> None:
    """CPU of the probe against the blocking floor, in turns."""
    asked = settings(SURVEY, ask_mail=False)  # the dialogue that the floor has
    with gateways.running("plain") as servers:
        port = servers.ports["plain"]
        pyopenssl, stdlib = floor.pyopenssl_context(), floor.stdlib_context()
        rivals: dict[str, Callable[[], object]] = {
            "floor, pyOpenSSL": lambda: [
                floor.pyopenssl_probe(port, pyopenssl) for _ in range(probes)
            ],
            "floor, stdlib": lambda: [floor.stdlib_probe(port, stdlib) for _ in range(probes)],
            "probe": lambda: asyncio.run(probe_many(port, probes, asked=asked)),
        }
        for work in rivals.values():
            work()
        turns = [
            {name: cost_of(work).cpu_s for name, work in rivals.items()} for _ in range(rounds)
        ]
    print(f"\n### CPU per probe ({rounds} rounds of {probes})\n")
    print("| | ms CPU, median | probe is × (median of ratios) |\n| --- | --- | --- |")
    for name in rivals:
        median = statistics.median(turn[name] for turn in turns) / probes * 1000
        ratio = statistics.median(turn["probe"] / turn[name] for turn in turns)
        print(f"| {name} | {median:.2f} | {ratio:.2f} |")


def distance(round_trip_s: float, probes: int) -> None:
    """Wall time of single probes against the physical limit."""
    print(
        f"\n### Wall time of one probe at {round_trip_s * 1000:g} ms round trip ({probes} each)\n"
    )
    print("| question | median | slowest | limit | over the limit |\n" + "| --- " * 5 + "|")
    with gateways.running("plain", round_trip_s=round_trip_s) as servers:
        port = servers.ports["plain"]
        for ask_mail, trips in ((False, ROUND_TRIPS), (True, WITH_MAIL)):
            asked = settings(SURVEY, ask_mail=ask_mail)
            work = partial(_probe_once, port, asked)
            work()
            times = [cost_of(work).wall_s for _ in range(probes)]
            median, limit = statistics.median(times), trips * round_trip_s
            print(
                f"| {'with' if ask_mail else 'without'} MAIL, {trips} round trips | {median:.3f} s "
                f"| {max(times):.3f} s | {limit:.3f} s | {median / limit - 1:+.1%} |"
            )


def _probe_once(port: int, asked: ProbeSettings) -> object:
    return asyncio.run(probe_many(port, 1, asked=asked))


def crowd(at_once: int, *, round_trip_s: float) -> None:
    """Throughput of many probes at once against what their number, distance and CPU allow.

    All start in the same moment, as a batch does; the servers and the distance before them share
    the machine, so their own bound is told beside ours.
    """
    asked = settings(SURVEY, ask_mail=False)
    count = at_once * WAVES
    before = _cpu_s(resource.RUSAGE_CHILDREN)
    with gateways.running("plain", round_trip_s=round_trip_s) as servers:
        port = servers.ports["plain"]
        asyncio.run(probe_many(port, 10, at_once=10, asked=asked))
        cost = cost_of(lambda: asyncio.run(probe_many(port, count, at_once=at_once, asked=asked)))
    bounds = (
        at_once / (ROUND_TRIPS * round_trip_s),
        count / cost.cpu_s,
        count / (_cpu_s(resource.RUSAGE_CHILDREN) - before),
    )
    reached = count / cost.wall_s
    told = " | ".join(f"{bound:.0f}/s" for bound in bounds)
    print(
        f"| {at_once} | {round_trip_s * 1000:g} ms | {count} | {reached:.0f}/s | {told} "
        f"| {reached / min(bounds):.0%} |",
        flush=True,
    )


def crowds() -> None:
    """Hundred and thousand at once."""
    print("\n### Many at once\n")
    heads = ("at once", "round trip", "probes", "reached", "bound by number", "by our CPU")
    print(f"| {' | '.join(heads)} | by the servers' CPU | of the lowest bound |")
    print("| --- " * 8 + "|")
    crowd(100, round_trip_s=0.05)
    crowd(100, round_trip_s=0.2)
    crowd(1000, round_trip_s=0.5)
    crowd(1000, round_trip_s=1.0)


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
