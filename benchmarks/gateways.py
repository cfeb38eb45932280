"""The servers that are measured against, each group in a process of its own.

`python -m benchmarks.gateways` is that process: it plays lab gateways by name, tells ports and
certificate files as one line of JSON, and answers each line on its input with the number of
connections that every gateway has had so far and the CPU that the process has used.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.latency import delayed
from incamail_lib.lab.plan import ClientAuth, GatewayPlan, Judged, Refusal, TlsPlan, Version

HOST = "mx1.lab.example"
Maker = Callable[[pki.Pki], GatewayPlan]


def _plan(lab: pki.Pki, client: ClientAuth | None, **versions: Any) -> GatewayPlan:
    identity = lab.leaf(pki.Variant.BOTH, HOST)
    return GatewayPlan(HOST, TlsPlan(identity, client=client, **versions))


def _required(lab: pki.Pki) -> ClientAuth:
    return ClientAuth(required=True, roots=lab.roots)


ONLY_12 = {"minimum": Version.TLS_1_2, "maximum": Version.TLS_1_2}
ONLY_13 = {"minimum": Version.TLS_1_3, "maximum": Version.TLS_1_3}

# What a gateway truly does with client certificates; the truth table asks who finds it out.
PLANS: dict[str, Maker] = {
    "plain": lambda lab: _plan(lab, None),
    "optional": lambda lab: _plan(lab, ClientAuth(roots=lab.roots)),
    "required": lambda lab: _plan(lab, _required(lab)),
    "required-1.3-only": lambda lab: _plan(lab, _required(lab), **ONLY_13),
    "required-1.2-only": lambda lab: _plan(lab, _required(lab), **ONLY_12),
    "required-empty-list": lambda lab: _plan(lab, replace(_required(lab), names_its_cas=False)),
    "any-certificate": lambda lab: _plan(lab, replace(_required(lab), judged=Judged.NOTHING)),
    "smtp-530": lambda lab: _plan(lab, replace(_required(lab), refusal=Refusal.AT_MAIL_530)),
}


@dataclass(frozen=True)
class Servers:
    """Running gateways, seen from the measuring process."""

    ports: dict[str, int]
    folder: Path  # root.pem, good.pem, good.key, foreign.pem, foreign.key and *-both.pem
    _process: subprocess.Popen[str] = field(repr=False)

    def connections(self) -> dict[str, int]:
        """TCP connections per gateway since the start."""
        counts: dict[str, int] = self._asked()["connections"]
        return counts

    def cpu_s(self) -> float:
        """CPU of the servers since the start, their own start-up included."""
        return float(self._asked()["cpu_s"])

    def taken_s(self) -> float:
        """As `taken_s` of the servers' process."""
        return float(self._asked()["taken_s"])

    def _asked(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


def taken_s() -> float:
    """How long this process ran, or stood in line for a core that others had, in seconds.

    By Linux's schedstat of the main thread; its CPU alone where there is none.
    """
    try:
        ran, waited, _ = Path("/proc/self/schedstat").read_text(encoding="ascii").split()
    except OSError:
        return time.process_time()
    return (int(ran) + int(waited)) / 1e9


@contextmanager
def running(*names: str, round_trip_s: float = 0.0) -> Iterator[Servers]:
    """Run the named gateways in another process, `round_trip_s` away; ends it on leaving."""
    with tempfile.TemporaryDirectory(prefix="incamail-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.gateways", folder, str(round_trip_s), *names]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            yield Servers(json.loads(process.stdout.readline()), Path(folder), process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)
            if process.stdout:
                process.stdout.close()


async def _serve(folder: Path, round_trip_s: float, names: list[str]) -> None:
    now = dt.datetime.now(dt.UTC)
    lab = pki.build(now)
    _write_files(lab, folder)
    async with AsyncExitStack() as stack:
        gateways: dict[str, Gateway] = {}
        ports: dict[str, int] = {}
        for name in names:
            gateways[name] = await stack.enter_async_context(serve(PLANS[name](lab), now=now))
            ports[name] = gateways[name].port
            if round_trip_s:
                proxy = delayed(gateways[name].port, round_trip_s=round_trip_s)
                ports[name] = await stack.enter_async_context(proxy)
        print(json.dumps(ports), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            counts = {name: len(gateway.records) for name, gateway in gateways.items()}
            told = {"connections": counts, "cpu_s": time.process_time()}
            told["taken_s"] = taken_s()
            print(json.dumps(told), flush=True)


def _write_files(lab: pki.Pki, folder: Path) -> None:
    pki.write_trust_store(lab, folder, "root")
    shown = {
        "good": lab.leaf(pki.Variant.CLIENT, "out.lab.example"),
        "foreign": lab.foreign_client(),
    }
    for name, issued in shown.items():
        chain, key = pki.write_pem(issued, folder, name)
        both = folder / f"{name}-both.pem"
        both.touch(mode=0o600)
        both.write_bytes(key.read_bytes() + chain.read_bytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("round_trip_s", type=float)
    parser.add_argument("names", nargs="+", choices=sorted(PLANS))
    given = parser.parse_args()
    asyncio.run(_serve(given.folder, given.round_trip_s, given.names))
