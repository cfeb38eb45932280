"""The deliverables as files: every document as HTML, PDF and Word, the matrix as rules too, the
implementation plan as a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from incamail_lib.documents import (
    KEYS,
    SYNTAXES,
    Basis,
    documents,
    network_csv,
    network_pairs,
    network_rules,
    web_pairs,
)
from incamail_lib.documents.calendar import plan_calendar
from incamail_lib.files import not_written, write_whole
from incamail_lib.i18n import Language
from incamail_lib.outputs import document_name, former_names
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Document
from incamail_lib.sheets.pdf import pdf_of
from incamail_lib.sheets.word import render_docx

_ACCEPTANCE = tuple(key for key in KEYS if key.startswith("acceptance_"))
GROUPS = {"acceptance_report": _ACCEPTANCE}
"""Names that stand for several documents."""
ENDINGS = ("html", "docx", "pdf", "csv", "ics", *SYNTAXES)
"""The forms that a deliverable can have."""
NAMES = (*(key for key in KEYS if key not in _ACCEPTANCE), *GROUPS, *_ACCEPTANCE)
"""What may be asked for, in the order of the project."""


def chosen(basis: Basis, name: str) -> tuple[Document, ...]:
    """The documents of that name; `name` is one of NAMES."""
    wanted = GROUPS.get(name, (name,))
    made = documents(
        basis.dossier, basis.guide, basis.platform, audit=basis.audit, today=basis.today
    )
    return tuple(document for document in made if document.key in wanted)


def write_documents(
    found: Sequence[Document], basis: Basis, folder: Path, *, language: Language
) -> tuple[Path, ...]:
    """Write every document in each form; the files.

    Errors: OutputError when the folder cannot be written.
    """
    files: list[Path] = []
    for document in found:
        made = {
            "html": render_html(document, language).encode(),
            "docx": render_docx(document, language),
            "pdf": pdf_of(document, language),
        }
        made |= _beside(document.key, basis, language)
        for ending, data in made.items():
            name = document_name(document.key, ending, language)
            files.append(write_whole(folder / name, data))
        _clear(document.key, folder, set(made), language)
    return tuple(files)


def _beside(key: str, basis: Basis, language: Language) -> dict[str, bytes]:
    """The forms that only one document has."""
    if key == "network_matrix":
        return _matrix(basis, language)
    calendar = plan_calendar(basis, language) if key == "implementation_plan" else None
    return {"ics": calendar} if calendar else {}


def _clear(key: str, folder: Path, made: set[str], language: Language) -> None:
    """Take away what an earlier writing left and this one did not renew: it says what is no longer
    so. Errors: OutputError."""
    stale = [
        *(document_name(key, ending, language) for ending in ENDINGS if ending not in made),
        *(f"{name}.{ending}" for name in former_names(key) for ending in ENDINGS),
    ]
    for name in stale:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise not_written(folder / name, error) from None


def _matrix(basis: Basis, language: Language) -> dict[str, bytes]:
    pairs = network_pairs(basis)
    rules = {
        str(s): network_rules(pairs, s, language, on_lab=basis.on_lab).encode() for s in SYNTAXES
    }
    return {"csv": network_csv((*pairs, *web_pairs(basis)), language).encode("utf-8-sig"), **rules}
