"""portfolio: all organisations of a run on one page, with tables and a calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.batch.overview import write_portfolio
from incamail_lib.cli._console import Styled, chosen, clear_errors, out, print_json
from incamail_lib.cli._options import Json, Lang
from incamail_lib.cli.history import File
from incamail_lib.errors import UsageError
from incamail_lib.i18n import say
from incamail_lib.outputs import HISTORY


def portfolio(
    file: File = Path("reports") / HISTORY,
    output: Annotated[Path, typer.Option(help="Folder for page, tables and calendar.")] = Path(
        "reports/portfolio"
    ),
    run: Annotated[int, typer.Option(help="Which run; 0: the last.", min=0)] = 0,
    before: Annotated[
        int, typer.Option(help="The run to compare with; 0: the one before.", min=0)
    ] = 0,
    pdf: Annotated[bool, typer.Option(help="Write portfolio.pdf beside portfolio.html.")] = True,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Show all organisations of a run: verdicts, what changed, certificates, failures, phases."""
    with clear_errors(lang) as t:
        if not file.exists():
            raise UsageError(
                say(
                    "There is no file of runs {file}. «incamail batch» makes it.",
                    file=str(file),
                )
            )
        files = write_portfolio(
            file, output, run=run, before=before, language=chosen(lang), with_pdf=pdf
        )
        if as_json:
            print_json([str(path) for path in files])
            return
        first, *others = files
        names = ", ".join(path.name for path in others)
        told = t("Portfolio: {file} (beside it: {names})").format(file=first, names=names)
        out().print(Styled(told), soft_wrap=True)
