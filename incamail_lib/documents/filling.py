"""What fills a gap of a document, in words: the field's question, or where else it is entered.

A gap names its field by its path. Entries of a list are told apart by what they are, not by their
number, since they may not be there yet:

    ("gateways", "sending", host, "addresses")      ("contacts", role, "email")
    ("acceptance", direction, kind, audience, "result")

Two fields stand in no dossier: "platform", what is known of IncaMail, which only Swiss Post can
tell; and "audit", what only measuring fills.
"""

from __future__ import annotations

from incamail_lib.dossier.agreed import Answer
from incamail_lib.dossier.decisions import question_of
from incamail_lib.i18n import Text, say
from incamail_lib.sheets.model import Gap, Missing

AUDIT = ("audit",)

_PLACES: dict[str, Text] = {
    "acceptance": say("phase Test"),
    "audit": say("by an audit"),
    "components": say("components"),
    "contacts": say("contacts"),
    "identity_checked": say("phase Test"),
    "platform": say("ask Swiss Post"),
}


def place(field: tuple[str, ...]) -> Text:
    """Where a person enters what fills this field, e.g. "question 7.3"."""
    number = question_of(field)
    if number:
        return say("question {number}", number=number)
    return _PLACES[field[0]]


def to_fill(text: Text, field: tuple[str, ...]) -> Missing:
    """The mark that something is missing, with what fills it."""
    return Missing(text, field, place(field))


def gap_at(text: Text, field: tuple[str, ...]) -> Gap:
    """The same as a paragraph."""
    return Gap(to_fill(text, field))


def answer_field(number: str, part: str = "answer") -> tuple[str, ...]:
    """The path to a part of the answer to a question."""
    assert part in Answer.model_fields
    return "answers", number, part
