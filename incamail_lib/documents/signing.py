"""What a signature does not cover – gaps, results that did not pass – told beside it."""

from __future__ import annotations

from incamail_lib.documents.parts import Basis, signatures
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.sheets.model import Missing, Section, missing_in


def signed_sections(
    basis: Basis, key: str, signs: Text, sections: tuple[Section, ...], *, failed: int | None = None
) -> tuple[Section, ...]:
    """The sections, then the lines to sign. `failed` counts results that did not pass, in a report
    that accepts something; None where nothing is accepted."""
    caution = _caution(missing_in(sections), failed)
    accepts = failed is not None
    signed = signatures(basis, key, caution or signs, by_post=accepts, warns=caution is not None)
    return (*sections, signed)


def _caution(missing: tuple[Missing, ...], failed: int | None) -> Text | None:
    """Why the signature is no acceptance; None where nothing is missing and nothing failed."""
    gaps = len(missing)
    if failed is None:
        return _incomplete(gaps) if gaps else None
    if not gaps and not failed:
        return None
    told = say("Not accepted. Both parties confirm only what stands above.")
    if gaps:
        told = say_n(
            "{first} {n} entry is missing, and a signature does not replace it.",
            "{first} {n} entries are missing, and a signature does not replace them.",
            gaps,
            first=told,
        )
    if failed:
        told = say_n(
            "{first} {n} result is not «passed».",
            "{first} {n} results are not «passed».",
            failed,
            first=told,
        )
    return told


def _incomplete(gaps: int) -> Text:
    return say_n(
        "Not complete: {n} entry is missing, and a signature does not replace it. The "
        "organisation confirms the other particulars.",
        "Not complete: {n} entries are missing, and a signature does not replace them. The "
        "organisation confirms the other particulars.",
        gaps,
    )
