"""What the probe says of every gateway that the lab can play, kept in a file.

`python -m probe.recording` in `tests/` writes it anew: only where the facts are meant to change.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

from probe.served import FOREIGN, NOW, OWN, away, settings, target

from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.lab import SCENARIOS, pki
from incamail_lib.lab.gateway import serve
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.scenario import as_is
from incamail_lib.lab.setting import sound_gateway, sound_platform
from incamail_lib.probe import Limits, probe_endpoint

FILE = Path(__file__).with_name("recorded.json.gz")
LAB = pki.build(NOW)
HOST, PLATFORM_HOST = "mx1.muster.example", "gw1.incamail.com"
LIMITS = Limits(
    connect_s=5.0, greeting_s=5.0, reply_s=8.0, handshake_s=8.0, goodbye_s=5.0, total_s=40.0
)
AT_ONCE = 8
# What differs from run to run, or from one TLS library to the next.
_VOLATILE = frozenset(
    {
        *("started_at", "elapsed_s", "at_s", "bytes_sent", "bytes_received", "hello_bytes"),
        *("cipher", "cipher_bits", "group", "post_quantum", "dh_bits", "error", "links", "target"),
    }
)
_OF_A_CERTIFICATE = ("subject", "issuer", "key_type", "key_bits")
_LIBRARYS_WORDS = frozenset({"protocol_error"})


def plans() -> dict[str, GatewayPlan]:
    """Every gateway of every scenario that is not like another's, by scenario and place."""
    found = {
        "sound receiving": sound_gateway(HOST, LAB),
        "sound platform": sound_platform(PLATFORM_HOST, LAB),
    }
    for name, scenario in sorted(SCENARIOS.items()):
        for number, twist in enumerate(scenario.gateways, 1):
            if twist is not as_is:
                found[f"{name} receiving {number}"] = twist(sound_gateway(HOST, LAB), LAB)
        if scenario.platform is not as_is:
            found[f"{name} platform"] = scenario.platform(sound_platform(PLATFORM_HOST, LAB), LAB)
    return found


async def probe_all(named: dict[str, GatewayPlan]) -> dict[str, EndpointFacts]:
    """Each gateway probed for every purpose."""
    gate = asyncio.Semaphore(AT_ONCE)
    asked = settings(limits=LIMITS, foreign=FOREIGN, ask_postmaster="muster.example")

    async def one(name: str, plan: GatewayPlan) -> tuple[str, EndpointFacts]:
        async with gate, serve(plan, now=NOW) as gateway, away(gateway.port, 0.0) as port:
            where = target(port, host=plan.host)
            return name, await probe_endpoint(where, settings=asked, own=OWN, now=NOW)

    return dict(await asyncio.gather(*(one(name, plan) for name, plan in named.items())))


def lasting(value: Any) -> Any:
    """Facts as plain data without what is volatile and what says nothing."""
    if isinstance(value, dict):
        kept = {k: lasting(v) for k, v in value.items() if k not in _VOLATILE}
        if value.get("reason") in _LIBRARYS_WORDS or value.get("ended") in _LIBRARYS_WORDS:
            kept.pop("evidence", None)
        if "sha256" in value:
            kept = {name: value[name] for name in _OF_A_CERTIFICATE if name in value}
        if "offered_certificate" in value:
            kept["offered_certificate"] = bool(value["offered_certificate"])
        return {k: v for k, v in kept.items() if v not in (None, "", [], {})}
    return [lasting(inner) for inner in value] if isinstance(value, list) else value


def told(endpoint: EndpointFacts) -> dict[str, Any]:
    """What is kept of one endpoint."""
    kept: dict[str, Any] = lasting(endpoint.model_dump(mode="json"))
    kept["large_hello"].pop("evidence", None)
    return kept


def recorded() -> dict[str, Any]:
    """What was kept, by the names of the plans."""
    found: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def main() -> None:
    """Write the recording."""
    found = asyncio.run(probe_all(plans()))
    text = json.dumps({name: told(endpoint) for name, endpoint in found.items()}, indent=1)
    FILE.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
