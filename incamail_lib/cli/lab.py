"""lab: the platform in a box."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.cli._console import Styled, clear_errors, out, print_json, table
from incamail_lib.cli._options import Json, Lang
from incamail_lib.errors import UsageError
from incamail_lib.files import private_folder, write_whole
from incamail_lib.i18n import N_, Text, Translator, say
from incamail_lib.lab import SCENARIOS, Running, Scenario
from incamail_lib.lab.forwarding import LogLine
from incamail_lib.lab.mail import MailFlow, mail
from incamail_lib.lab.mailbox import Arrival
from incamail_lib.lab.switching import SwitchedLab, switch

SWITCH = "switch"

MOST_FILES = 100  # of the mailbox; the oldest goes


def lab(
    scenario: Annotated[
        str, typer.Argument(help="Scenario to start; or «switch», for a lab that runs.")
    ] = "sound",
    other: Annotated[str, typer.Argument(help="Scenario to switch to.")] = "",
    domain: Annotated[str, typer.Option(help="Mail domain of the client.")] = "muster.example",
    latency_ms: Annotated[float, typer.Option(min=0, max=5000, help="Added round-trip time.")] = 0,
    list_all: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Start IncaMail, a client's gateways and mail server, and mailboxes on loopback; Ctrl-C ends
    them."""
    with clear_errors(lang) as t:
        if list_all:
            _list(t, as_json)
            return
        if scenario == SWITCH:
            name = switch(other)
            out().print(Styled(t("The lab now plays {name}.").format(name=name)))
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
    with private_folder("incamail-lab-") as folder:
        boxes = folder / "mailbox"
        boxes.mkdir()
        heard = _listener(boxes, t, quiet=as_json)

        @asynccontextmanager
        async def played(running: Running, ports: dict[str, int]) -> AsyncIterator[None]:
            async with mail(running, heard=heard, ports=ports) as flow:
                ports |= {mta.name: mta.port for mta in (flow.submission, flow.outside)}
                _announce(running, flow, boxes, t, as_json=as_json)
                yield

        lab = SwitchedLab(
            scenario, domains=(domain,), directory=folder, latency_s=latency_s, played=played
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lab.end)
        await lab.play()


def _listener(boxes: Path, t: Translator, *, quiet: bool) -> Callable[[Arrival | LogLine], None]:
    """Keeps each message that arrives as a file, and tells it and what the servers note."""
    numbers = count(1)

    def heard(event: Arrival | LogLine) -> None:
        if isinstance(event, LogLine):
            told = event.text
        else:
            number = next(numbers)
            (boxes / f"{number - MOST_FILES:04}.eml").unlink(missing_ok=True)
            file = boxes / f"{number:04}.eml"
            write_whole(file, event.content)
            told = _arrival_text(event, file)
        if not quiet:
            out().print(Styled(t.text(told)))

    return heard


def _arrival_text(arrival: Arrival, file: Path) -> Text:
    template = (
        N_("Arrived for {mailbox}: «{subject}» from {sender}, by {servers}, encrypted ({file}).")
        if arrival.encrypted
        else N_(
            "Arrived for {mailbox}: «{subject}» from {sender}, by {servers}, not encrypted all "
            "the way ({file})."
        )
    )
    return say(
        template,
        mailbox=arrival.recipient,
        subject=arrival.subject,
        sender=arrival.sender or "<>",
        servers=", ".join(arrival.way),
        file=file.name,
    )


def _announce(
    running: Running, flow: MailFlow, boxes: Path, t: Translator, *, as_json: bool
) -> None:
    host, port = running.nameserver
    if as_json:
        print_json(
            {
                "scenario": running.scenario.name,
                "nameserver": f"{host}:{port}",
                "ports": running.ports,
                "submission": flow.submission.label,
                "submission_name": flow.submission.name,
                "outside": flow.outside.label,
                "outside_name": flow.outside.name,
                "mailbox": str(boxes),
                "trust_store": str(running.trust_store),
                "certificate": str(running.certificate) if running.certificate else None,
                "key": str(running.key) if running.key else None,
            }
        )
        return
    rows = [(t("Name server"), f"{host}:{port}")]
    rows += [(name, f"127.0.0.1:{number}") for name, number in sorted(running.ports.items())]
    servers = (
        (t("The organisation's own mail server"), flow.submission),
        (t("A mail server outside"), flow.outside),
    )
    rows += [(f"{what} ({server.name})", server.label) for what, server in servers]
    rows.append((t("Mailbox: what arrives, as .eml"), str(boxes)))
    rows.append((t("Trust store"), str(running.trust_store)))
    if running.certificate:
        rows.append((t("Client certificate"), str(running.certificate)))
    table([t("What"), t("Where")], rows, title=t(running.scenario.title))
    out().print(Styled(t("The lab is running. Press Ctrl-C to end it.")))
