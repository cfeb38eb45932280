"""measure: only look, on whichever machine counts; judging is done where the report is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit import save_record
from incamail_lib.audit.case import bind, measure_dossier
from incamail_lib.checks.standpoint import port_25_told, where_told
from incamail_lib.checks.words import reason_text
from incamail_lib.cli._console import Styled, clear_errors, out, print_json, progress_bar
from incamail_lib.cli._options import Json, Lang
from incamail_lib.cli._passphrases import asked_before
from incamail_lib.errors import UsageError
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.i18n import Translator, say

Vantage = Annotated[
    Place | None,
    typer.Option(
        help="Where this machine stands: gateway (the sending gateway itself), inside (behind the "
        "same firewall) or elsewhere. Default: as the dossier says."
    ),
]

NOTHING_SEEN = 3


def measure(
    dossier: Annotated[Path, typer.Argument(help="The organisation's dossier.")],
    vantage: Vantage = None,
    out_file: Annotated[
        Path, typer.Option("--out", help="File for the facts, to be given to audit --facts.")
    ] = Path("facts.json"),
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Measure one organisation from this machine and save the facts; nothing is judged."""
    with clear_errors(lang) as t:
        case = bind(dossier, place=vantage)
        if case.dossier.network.vantage is Place.UNDECLARED and case.dossier.platform != "lab":
            raise UsageError(
                say("Say where this machine stands: --vantage gateway, inside or elsewhere.")
            )
        known = asked_before([dossier], t)
        with progress_bar(t) as report:
            facts = asyncio.run(measure_dossier(case.dossier, progress=report, passphrases=known))
        save_record(facts, out_file)
    if as_json:
        print_json(facts)
    else:
        _tell(facts, out_file, t)
    answered = any(e.survey.reached for e in (*facts.receiving, *facts.platform_endpoints))
    raise typer.Exit(0 if answered else NOTHING_SEEN)


def _tell(facts: AuditFacts, file: Path, t: Translator) -> None:
    vantage = facts.vantage
    lines = [where_told(vantage)]
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        reached = endpoint.survey.reached is not None
        seen = say("answered") if reached else reason_text(endpoint.survey.ended)
        lines.append(say("{target}: {seen}", target=endpoint.target.label, seen=seen))
    if vantage.port_25 is not None:
        lines.append(port_25_told(vantage).seen)
    lines.append(
        say("The facts stand in {file}. Give it to «incamail audit --facts».", file=str(file))
    )
    for line in lines:
        out().print(Styled(t.text(line)))
