"""The inline values of a document in words of one language."""

from __future__ import annotations

import datetime as dt

from incamail_lib.i18n import Language, Text, say, say_n
from incamail_lib.outputs import document_name
from incamail_lib.sheets.cleaning import Cleaned, clean
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.model import (
    SIGNS,
    Code,
    Document,
    FileName,
    Inline,
    Link,
    Mark,
    Missing,
    Phrase,
    Quiet,
    Section,
    Strong,
)

LIMIT = 12_000  # an answer in a dossier may have 10 000 characters, and stands here whole
SIGNATURE_HEADINGS = (say("For"), say("Name"), say("Place, date"), say("Signature"))
SIGNATURE_WIDTHS = (26, 28, 20, 26)
IN_WORDS = say("The same in words")


def told(inline: Inline, language: Language) -> Cleaned:  # noqa: PLR0911 – one line a kind
    """An inline value as one printable line."""
    match inline:
        case Text():
            return _sentence(inline, language)
        case Phrase(parts):
            return Cleaned(" ".join([told(part, language) for part in parts]))
        case Mark(state, text):
            return Cleaned(f"{SIGNS[state]} {_sentence(text, language)}")
        case Missing():
            return _sentence(_missing(inline), language)
        case FileName(key, ending):
            return clean(document_name(key, ending, language))
        case Code(value):
            return clean(value, LIMIT)
        case Strong(text) | Quiet(text) | Link(text):
            return _sentence(text, language)
        case dt.datetime():
            return formatter(language).local(inline)
        case dt.date():
            return formatter(language).day(inline)


def _missing(missing: Missing) -> Text:
    if missing.place is None:
        return say("Missing: {what}", what=missing.text)
    return say("Missing: {what} ({place})", what=missing.text, place=missing.place)


def told_title(section: Section) -> Text:
    """The heading of a section."""
    return say("Annex: {title}", title=section.title) if section.annex else section.title


def told_under(document: Document, language: Language) -> Cleaned:
    """The line with what a document is about, and of which day it is."""
    return Cleaned(f"{told(document.subtitle, language)} · {told(document.made_on, language)}")


def incomplete(missing: int) -> Text:
    """The line on top of a document that has gaps."""
    return say_n(
        "Not complete yet: {n} entry is missing, and marked below.",
        "Not complete yet: {n} entries are missing, and marked below.",
        missing,
    )


def _sentence(text: Text, language: Language) -> Cleaned:
    return formatter(language).told(text, limit=LIMIT, value_limit=LIMIT)
