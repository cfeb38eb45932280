"""The word for each sort of change: the same in a report and in the portfolio."""

from __future__ import annotations

from incamail_lib.changes.model import Kind
from incamail_lib.i18n import N_, Text

_WORDS: dict[Kind, str] = {
    Kind.WORSE: N_("worse"),
    Kind.NEW: N_("new"),
    Kind.BECAME_KNOWN: N_("now known"),
    Kind.BECAME_UNKNOWN: N_("no longer known"),
    Kind.OTHER_CAUSE: N_("other cause"),
    Kind.REPLACED: N_("replaced"),
    Kind.KEY_CHANGED: N_("other key"),
    Kind.ISSUER_CHANGED: N_("other authority"),
    Kind.MOVED: N_("moved"),
    Kind.VANTAGE: N_("measured elsewhere"),
    Kind.RULES: N_("judged otherwise"),
    Kind.DOSSIER: N_("declared otherwise"),
    Kind.WAIVED: N_("accepted for a time"),
    Kind.GONE: N_("gone"),
    Kind.RENEWED: N_("renewed"),
    Kind.BETTER: N_("better"),
}


def kind_text(kind: Kind) -> Text:
    """The word for it."""
    return Text(template=_WORDS[kind])
