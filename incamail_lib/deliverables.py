"""The deliverables as files: every document as HTML, PDF and Word, the matrix as rules too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from incamail_lib.files import write_whole
from incamail_lib.i18n import Language, Text
from incamail_lib.report.document import PaperUnavailable
from incamail_lib.report.papers import (
    KEYS,
    SYNTAXES,
    Basis,
    Document,
    documents,
    file_name,
    network_csv,
    network_pairs,
    network_rules,
    render_docx,
    render_fragment,
    render_html,
    render_pdf,
)

GROUPS = {"acceptance_report": tuple(key for key in KEYS if key.startswith("acceptance_"))}
"""Names that stand for several documents."""
NAMES = (*(key for key in KEYS if key not in GROUPS["acceptance_report"]), *GROUPS, *KEYS[-4:])
"""What may be asked for, in the order of the project."""


def chosen(basis: Basis, name: str) -> tuple[Document, ...]:
    """The documents of that name; `name` is one of NAMES."""
    wanted = GROUPS.get(name, (name,))
    made = documents(
        basis.dossier, basis.guide, basis.platform, audit=basis.audit, today=basis.today
    )
    return tuple(document for document in made if document.key in wanted)


def preview(found: Iterable[Document], language: Language) -> str:
    """The documents below each other, for a notebook."""
    return "\n<hr>\n".join(render_fragment(document, language) for document in found)


def write_documents(
    found: Sequence[Document], basis: Basis, folder: Path, *, language: Language
) -> tuple[tuple[Path, ...], tuple[Text, ...]]:
    """Write every document in each form; the files, and what could not be written and why.

    Errors: OutputError when the folder cannot be written.
    """
    files: list[Path] = []
    notes: dict[str, Text] = {}
    for document in found:
        made = {
            "html": render_html(document, language).encode(),
            "docx": render_docx(document, language),
        }
        try:
            made["pdf"] = render_pdf(document, language)
        except PaperUnavailable as missing:
            notes["pdf"] = missing.text
        if document.key == "network_matrix":
            made |= _matrix(basis, language)
        for ending, data in made.items():
            files.append(write_whole(folder / file_name(document.key, ending), data))
    return tuple(files), tuple(notes.values())


def _matrix(basis: Basis, language: Language) -> dict[str, bytes]:
    pairs = network_pairs(basis)
    rules = {str(s): network_rules(pairs, s, language).encode() for s in SYNTAXES}
    return {"csv": network_csv(pairs, language).encode("utf-8-sig"), **rules}
