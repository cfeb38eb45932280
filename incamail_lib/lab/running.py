"""Start one scenario on loopback, and stop it again without a trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from incamail_lib.facts.audit import DeclaredGateway, IncomingRoute
from incamail_lib.facts.routing import RuleSet
from incamail_lib.guide.platform import Platform
from incamail_lib.lab import nameserver, pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.latency import delayed
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.scenario import DnsPlan, Names, Scenario, arranged
from incamail_lib.lab.setting import (
    LOOPBACK,
    PLATFORM_HOSTS,
    SMART_HOST,
    lab_platform,
    sound_dns,
    sound_gateway,
    sound_platform,
)
from incamail_lib.reach import Reach

NAMESERVER = ""  # its place among the ports: no host has that name


@dataclass(frozen=True)
class Running:
    """A scenario that runs: where everything listens, and what the client declares about it.

    `gateways` hold what every connection did, for tests and training.
    """

    scenario: Scenario
    domains: tuple[str, ...]
    nameserver: tuple[str, int]
    ports: Mapping[str, int]  # lab host (or address, where one is published) -> TCP port
    platform: Platform
    trust_store: Path  # the lab's recognised roots
    rules: RuleSet
    incoming: IncomingRoute
    receiving: tuple[DeclaredGateway, ...]
    sending: tuple[DeclaredGateway, ...]
    go_live: dt.date
    certificate: Path | None  # client certificate for sending
    key: Path | None
    receiving_certificate: Path | None
    gateways: Mapping[str, Gateway] = field(repr=False)
    pki: pki.Pki = field(repr=False)
    # The plan for this lab may go to loopback, and never anywhere else.
    reach: Reach = field(default_factory=lambda: Reach(only_here=True))


@asynccontextmanager
async def run(
    scenario: Scenario,
    *,
    domains: tuple[str, ...],
    directory: Path,
    latency_s: float = 0.0,
    now: dt.datetime | None = None,
    ports: Mapping[str, int] | None = None,
) -> AsyncIterator[Running]:
    """Run `scenario` for a client with `domains`; certificate files go into `directory`.

    Every server listens on 127.0.0.1 on a free port. `latency_s` adds a round-trip time in front
    of every gateway (not of the name server). Certificates are valid around `now` (default: this
    hour). `ports` are those of an earlier run, to be had again where they are free. On leaving,
    every connection, task and socket is gone; the files stay.
    """
    moment = now or dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    lab = pki.build(moment)
    names = scenario.names(domains)
    before = ports or {}
    async with AsyncExitStack() as stack:
        plans = _plans(scenario, names, lab)
        had = {plan.host: 0 if latency_s else before.get(plan.host, 0) for plan in plans}
        gateways = {
            plan.host: await stack.enter_async_context(serve(plan, now=moment, port=had[plan.host]))
            for plan in plans
        }
        found = {host: gateway.port for host, gateway in gateways.items()}
        if latency_s:
            for host, port in found.items():
                proxy = delayed(port, round_trip_s=latency_s, own=before.get(host, 0))
                found[host] = await stack.enter_async_context(proxy)
        dns = scenario.dns(sound_dns(names), names)
        server = await stack.enter_async_context(
            _name_server(dns, found, before.get(NAMESERVER, 0))
        )
        yield _described(
            scenario,
            names,
            lab,
            directory=directory,
            server=server,
            ports=found,
            gateways=gateways,
        )


def _name_server(
    plan: DnsPlan, ports: Mapping[str, int], own: int
) -> AbstractAsyncContextManager[tuple[str, int]]:
    def placed(name: str) -> str:
        host = name.removeprefix("_25._tcp.")
        return name if host == name else f"_{ports[host]}._tcp.{host}"

    records = [(placed(name), kind, value) for name, kind, value in plan.records]
    secured = [placed(name) for name in plan.authenticated]
    return nameserver.serve(records, dict(plan.faults), authenticated=secured, port=own)


def _plans(scenario: Scenario, names: Names, lab: pki.Pki) -> list[GatewayPlan]:
    clients = [
        twist(sound_gateway(host, lab), lab)
        for host, twist in zip(names.hosts, scenario.gateways, strict=True)
    ]
    platform = [scenario.platform(sound_platform(host, lab), lab) for host in PLATFORM_HOSTS]
    return [*clients, *platform]


def _described(
    scenario: Scenario,
    names: Names,
    lab: pki.Pki,
    *,
    directory: Path,
    server: tuple[str, int],
    ports: dict[str, int],
    gateways: dict[str, Gateway],
) -> Running:
    first = names.hosts[0]
    # Names that lead to a machine which already has one: the smart host, and the address itself.
    also = {SMART_HOST: ports[PLATFORM_HOSTS[0]], LOOPBACK: ports[first]}
    certificate, key = _sending_files(scenario, names, lab, directory=directory)
    return Running(
        scenario=scenario,
        domains=names.domains,
        nameserver=server,
        ports={**also, **ports},
        platform=lab_platform(
            lab.now.date(),
            documented=scenario.documented,
            fingerprint_sha1=scenario.fingerprint_sha1,
        ),
        trust_store=pki.write_trust_store(lab, directory),
        rules=scenario.rules,
        incoming=_incoming(scenario, names),
        receiving=tuple(
            DeclaredGateway(host=host.format(domain=names.domain)) for host in scenario.declared
        ),
        sending=(DeclaredGateway(host=names.outgoing, addresses=(LOOPBACK,)),),
        go_live=lab.now.date() + dt.timedelta(days=scenario.go_live_in_days),
        certificate=certificate,
        key=key,
        receiving_certificate=_receiving_file(scenario, names, lab, directory=directory),
        gateways=gateways,
        pki=lab,
    )


def _incoming(scenario: Scenario, names: Names) -> IncomingRoute:
    value = scenario.incoming.value.replace("{host}", names.hosts[0])
    return scenario.incoming.model_copy(update={"value": value})


def _sending_files(
    scenario: Scenario, names: Names, lab: pki.Pki, *, directory: Path
) -> tuple[Path | None, Path | None]:
    if scenario.sending_certificate is None:
        return None, None
    host = scenario.sending_host.format(domain=names.domain)
    issued = lab.leaf(scenario.sending_certificate, host)
    certificate, key = pki.write_pem(issued, directory, "sending")
    certificate.write_bytes(issued.pem(arranged(issued, scenario.sending_arrangement)))
    return certificate, key


def _receiving_file(
    scenario: Scenario, names: Names, lab: pki.Pki, *, directory: Path
) -> Path | None:
    if scenario.receiving_certificate is None:
        return None
    issued = lab.leaf(scenario.receiving_certificate, names.hosts[0])
    return pki.write_pem(issued, directory, "receiving")[0]
