"""A town of clients behind few gateways, on loopback, in a process of its own.

`python tests/batch/town.py FOLDER CLIENTS GATEWAYS` writes a dossier for each client into FOLDER,
tells on one line that it is ready, and answers each line on its input with what every gateway has
had so far. Each gateway has an address of its own; some behave as the options say.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import programs

from incamail_lib.lab import nameserver, pki
from incamail_lib.lab.gateway import Gateway
from incamail_lib.lab.plan import GatewayPlan, Greeting, Manner
from incamail_lib.lab.setting import PLATFORM_HOSTS, SMART_HOST, sound_gateway, sound_platform

ROOT = Path(__file__).parents[2]
BUSY = Greeting(("451 4.7.1 {host} Greylisted, come back later",), then_close=True)
SILENT = Greeting(manner=Manner.SILENT)
DOSSIER = """\
organisation: {name}
language: {language}
domains: [c{number}.example]
platform: ../platform.toml
trust_stores: [../root.pem]
gateways:
  sending: [{{host: out.c{number}.example, addresses: [127.0.0.1]}}]
certificates:
  sending: {{file: ../sending.pem, key: ../sending.key}}
network:
  nameservers: ["{server}"]
  internal_networks: [127.0.0.0/8]
  show_foreign_certificate: true
  timeout_s: {timeout_s}
  ports: {{{ports}}}
"""
LANGUAGES = ("de", "fr", "it", "en")


class _Counted(Gateway):
    """A gateway that knows how many connections it had open at once."""

    def __init__(self, plan: GatewayPlan, now: dt.datetime) -> None:
        super().__init__(plan, now)
        self.open = self.most = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await super()._serve(reader, writer)
        finally:
            self.open -= 1


def host(number: int) -> str:
    return f"mx{number}.town.example"


def address(number: int) -> str:
    return f"127.{1 + number // 250}.{number % 250}.1"


@dataclass(frozen=True)
class Town:
    """A running town, seen from outside."""

    dossiers: Path
    process: subprocess.Popen[str]

    def gateways(self) -> dict[str, dict[str, Any]]:
        """For each host: connections, the most at once, and when each began."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, dict[str, Any]] = json.loads(self.process.stdout.readline())
        return found


@contextlib.contextmanager
def running(
    folder: Path, clients: int, gateways: int, *options: str, limit_s: float = 250.0
) -> Iterator[Town]:
    """A town until the block is left."""
    command: list[str | Path] = [
        sys.executable,
        __file__,
        folder,
        str(clients),
        str(gateways),
        *options,
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    with programs.running(command, limit_s=limit_s, env=environment, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Town(folder / "dossiers", process)


async def _serve(given: argparse.Namespace) -> None:
    now = dt.datetime.now(dt.UTC)
    lab = pki.build(now)
    async with contextlib.AsyncExitStack() as stack:
        plans = [_plan(given, number, lab) for number in range(given.gateways)]
        plans += [sound_platform(name, lab) for name in PLATFORM_HOSTS]
        gateways: dict[str, _Counted] = {}
        for number, plan in enumerate(plans):
            gateway = _Counted(plan, now)
            server = await asyncio.start_server(gateway.connected, address(number), 0)
            gateway.port = server.sockets[0].getsockname()[1]
            gateways[plan.host] = gateway
            stack.push_async_callback(gateway.stop)
            stack.callback(server.close)
        records = _records(given, [plan.host for plan in plans])
        server_at = await stack.enter_async_context(nameserver.serve(records))
        _write(given, lab, {name: g.port for name, g in gateways.items()}, server_at)
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            told = {n: {"connections": len(g.records), "most": g.most} for n, g in gateways.items()}
            print(json.dumps(told), flush=True)


def _plan(given: argparse.Namespace, number: int, lab: pki.Pki) -> GatewayPlan:
    plan = sound_gateway(host(number), lab)
    if number < given.greylisting:  # the first connection is put off, later ones are served
        return replace(plan, greeting=BUSY, later=(2, plan))
    if number < given.greylisting + given.silent:
        return replace(plan, greeting=SILENT)
    if given.delay_s:
        return replace(plan, greeting=replace(plan.greeting, delay_s=given.delay_s))
    return plan


def _records(given: argparse.Namespace, hosts: list[str]) -> list[tuple[str, str, str]]:
    records = [(name, "A", address(number)) for number, name in enumerate(hosts)]
    records.append((SMART_HOST, "A", address(given.gateways)))
    for client in range(given.clients):
        domain = f"c{client}.example"
        records += [
            (domain, "MX", f"10 {host(client % given.gateways)}."),
            (domain, "TXT", '"v=spf1 mx -all"'),
            *((f"{domain}.incamail.ch", "MX", f"10 {name}.") for name in PLATFORM_HOSTS),
            (f"out.{domain}", "A", "127.0.0.1"),
        ]
    return records


def _write(
    given: argparse.Namespace, lab: pki.Pki, ports: dict[str, int], server: tuple[str, int]
) -> None:
    folder: Path = given.folder
    dossiers = folder / "dossiers"
    dossiers.mkdir(parents=True)
    pki.write_trust_store(lab, folder, "root")
    pki.write_pem(lab.leaf(pki.Variant.CLIENT, "out.town.example"), folder, "sending")
    lines = [f'smart_host = "{SMART_HOST}"\n']
    for number, name in enumerate(PLATFORM_HOSTS, given.gateways):
        lines.append(f'[[gateways]]\nhost = "{name}"\naddresses = ["{address(number)}"]\n')
    (folder / "platform.toml").write_text("\n".join(lines), encoding="utf-8")
    platform = {name: ports[name] for name in PLATFORM_HOSTS} | {
        SMART_HOST: ports[PLATFORM_HOSTS[0]]
    }
    for client in range(given.clients):
        mx = host(client % given.gateways)
        told = DOSSIER.format(
            name=f"Client {client}",
            number=client,
            language=LANGUAGES[client % 4],
            server=f"{server[0]}:{server[1]}",
            timeout_s=given.timeout_s,
            ports=", ".join(f"{n}: {p}" for n, p in {**platform, mx: ports[mx]}.items()),
        )
        (dossiers / f"c{client:05}.yaml").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("clients", type=int)
    parser.add_argument("gateways", type=int)
    parser.add_argument("--greylisting", type=int, default=0)
    parser.add_argument("--silent", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--timeout-s", type=float, default=20.0)
    asyncio.run(_serve(parser.parse_args()))
