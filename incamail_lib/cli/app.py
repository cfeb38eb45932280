"""The commands and their order in the help."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from incamail_lib.cli import (
    auditing,
    dossier,
    inspecting,
    lab,
    measuring,
    papers,
    route,
    start,
    tools,
)

app = typer.Typer(
    name="incamail",
    help="Bring a mail gateway safely onto Swiss Post's secure e-mail service IncaMail.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold a passphrase
    rich_markup_mode=None,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("incamail-runbook"))
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Exit codes: 0 ready or fine, 1 something required failed, 2 wrong use, 3 inconclusive,
    4 a crash was recorded."""


app.command()(auditing.audit)
app.command()(measuring.measure)
app.command()(auditing.judge)
app.command()(auditing.demo)
app.command()(start.start)
app.command()(papers.documents)
app.command("demo-session")(start.demo_session)
app.command()(lab.lab)
app.command()(route.route)
app.command()(tools.lookup)
app.command()(tools.probe)
app.command()(inspecting.inspect)
app.add_typer(dossier.app, name="dossier")
