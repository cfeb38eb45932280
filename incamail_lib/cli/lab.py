"""lab: the platform in a box."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.cli._console import Styled, clear_errors, out, print_json, table
from incamail_lib.cli.auditing import Json, Lang
from incamail_lib.errors import UsageError
from incamail_lib.i18n import Translator, say
from incamail_lib.lab import SCENARIOS, Running, Scenario, run


def lab(
    scenario: Annotated[str, typer.Argument(help="Scenario to start.")] = "sound",
    domain: Annotated[str, typer.Option(help="Mail domain of the client.")] = "muster.example",
    latency_ms: Annotated[float, typer.Option(min=0, max=5000, help="Added round-trip time.")] = 0,
    list_all: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Start IncaMail's platform and a client's gateways on loopback; Ctrl-C ends them."""
    with clear_errors(lang) as t:
        if list_all:
            _list(t, as_json)
            return
        chosen = SCENARIOS.get(scenario)
        if chosen is None:
            raise UsageError(
                say(
                    "The lab has no scenario «{name}». «incamail lab --list» shows them all.",
                    name=scenario,
                )
            )
        asyncio.run(_serve(chosen, domain, latency_ms / 1000, t, as_json))


def _list(t: Translator, as_json: bool) -> None:
    every = sorted(SCENARIOS.values(), key=lambda s: s.name)
    if as_json:
        print_json([{"name": s.name, "title": t(s.title), "fails": sorted(s.fails)} for s in every])
        return
    rows = [(s.name, t(s.title), ", ".join(sorted(s.fails))) for s in every]
    table([t("Scenario"), t("What is shown"), t("Checks that fail")], rows)


async def _serve(
    scenario: Scenario, domain: str, latency_s: float, t: Translator, as_json: bool
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="incamail-lab-") as folder:
        async with run(
            scenario, domains=(domain,), directory=Path(folder), latency_s=latency_s
        ) as running:
            _announce(running, t, as_json)
            await ended.wait()


def _announce(running: Running, t: Translator, as_json: bool) -> None:
    host, port = running.nameserver
    if as_json:
        print_json(
            {
                "scenario": running.scenario.name,
                "nameserver": f"{host}:{port}",
                "ports": running.ports,
                "trust_store": str(running.trust_store),
                "certificate": str(running.certificate) if running.certificate else None,
                "key": str(running.key) if running.key else None,
            }
        )
        return
    rows = [(t("Name server"), f"{host}:{port}")]
    rows += [(name, f"127.0.0.1:{number}") for name, number in sorted(running.ports.items())]
    rows.append((t("Trust store"), str(running.trust_store)))
    if running.certificate:
        rows.append((t("Client certificate"), str(running.certificate)))
    table([t("What"), t("Where")], rows, title=t(running.scenario.title))
    out().print(Styled(t("The lab is running. Press Ctrl-C to end it.")))
