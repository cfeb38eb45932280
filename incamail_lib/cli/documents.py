"""documents: the deliverables of a dossier as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit import latest_audit
from incamail_lib.audit.case import bind
from incamail_lib.cli._console import Styled, chosen, clear_errors, out, print_json, say_notes
from incamail_lib.cli._options import Json, Lang
from incamail_lib.errors import UsageError
from incamail_lib.guide import contents, load_platform
from incamail_lib.i18n import say
from incamail_lib.outputs import documents_folder
from incamail_lib.seal import Keys


def documents(
    dossier: Annotated[Path, typer.Argument(help="The organisation's dossier.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Only this document; repeatable. Default: all.")
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Folder with the audits; documents go below it.")
    ] = Path("reports"),
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Write the deliverables as HTML, PDF and Word from dossier and last audit; gaps are marked."""
    # Late: other commands run on machines without Jupyter and Word's format.
    from incamail_lib.documents import Basis
    from incamail_lib.documents.writing import NAMES, write_documents
    from incamail_lib.documents.writing import chosen as chosen_documents

    with clear_errors(lang) as t:
        case = bind(dossier, language=chosen(lang) if lang else "")
        override = case.dossier.platform if isinstance(case.dossier.platform, Path) else None
        latest = latest_audit(output, case.dossier.organisation, Keys.of_user())
        basis = Basis(
            case.dossier,
            contents(),
            load_platform(override),
            latest.audit,
            dt.datetime.now(dt.UTC).date(),
        )
        names = [_known(name, NAMES) for name in only or NAMES]
        found = [d for name in names for d in chosen_documents(basis, name)]
        unique = tuple({d.key: d for d in found}.values())
        folder = documents_folder(output, case.dossier.organisation)
        files = write_documents(unique, basis, folder, language=case.language)
    say_notes(t.text(note) for note in latest.notes)
    if as_json:
        print_json([str(file) for file in files])
        return
    for file in files:
        out().print(Styled(str(file)), soft_wrap=True)


def _known(name: str, names: Sequence[str]) -> str:
    name = name.replace("-", "_")
    if name not in names:
        raise UsageError(
            say(
                "There is no document «{given}»; choose one of {allowed}.",
                given=name[:60],
                allowed=", ".join(names),
            )
        )
    return name
