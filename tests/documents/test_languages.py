"""Nothing stays English in the document of a client who reads another language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from documents.dossiers import audit, made

from incamail_lib.documents.filling import place
from incamail_lib.dossier import read_dossier
from incamail_lib.facts.routing import ENGINE_NAMES
from incamail_lib.i18n import LANGUAGES, Language, Text, say, translator
from incamail_lib.linktest.compose import BODY
from incamail_lib.sheets.model import (
    Checklist,
    Document,
    Gap,
    Listing,
    Mark,
    Missing,
    Paragraph,
    SignatureLines,
    Table,
)
from incamail_lib.tools.catalogs import collected

OTHERS: tuple[Language, ...] = tuple(one for one in LANGUAGES if one != "en")
DOSSIERS = {name: Path(__file__).with_name(f"{name}.yaml") for name in ("notaire", "gemeinde")}
# Words of English that are none in French, German or Italian.
STOP = re.compile(r"\b(?:the|and|of|with|which|what|this|that|from|are|has|have|by|is)\b", re.I)
# Names: of products, and what stands in a message, a certificate or a program as it is.
NAMES = re.compile(r"«[^»]*»|„[^“]*“|<im>.*?IncaMail|Verify return code: 0")
PLACEHOLDER = re.compile(r"\{\w+\}")


@cache
def known() -> frozenset[str]:
    """Every text that the catalogs are made from; both forms of what counts."""
    found = (m if isinstance(m, tuple) else (m,) for m in collected())
    return frozenset(form for forms in found for form in forms) | set(ENGINE_NAMES.values())


def texts(document: Document) -> Iterator[Text]:
    """Every text of a document, those inside others too."""
    yield from _inside(document.title)
    yield from _inside(document.subtitle)
    for remark in document.remarks:
        yield from _inside(remark)
    for section in document.sections:
        yield from _inside(section.title)
        for inline in (inline for block in section.blocks for inline in _inlines(block)):
            if isinstance(inline, Missing):
                yield from _inside(inline.text)
                yield from _inside(inline.place or place(inline.field))
            elif isinstance(inline, Mark):
                yield from _inside(inline.text)
            elif isinstance(inline, Text):
                yield from _inside(inline)


def _inlines(block: object) -> Iterator[object]:
    match block:
        case Paragraph():
            yield block.text
        case Gap():
            yield block.missing
        case Listing():
            yield from block.items
        case Table():
            yield from block.headings
            yield from (inline for row in block.rows for cell in row for inline in cell)
        case Checklist():
            yield from (row.text for row in block.rows)
        case SignatureLines():
            yield from (line.party for line in block.lines)


def _inside(text: Text) -> Iterator[Text]:
    yield text
    for value in text.values.values():
        if isinstance(value, Text):
            yield from _inside(value)


def cannot_be_translated(text: Text) -> bool:
    """Whether a text has words that no catalog can hold."""
    words = re.search(r"[^\W\d_]", PLACEHOLDER.sub("", text.template))
    return bool(words) and text.template not in known()


def english_in(text: Text, language: Language) -> list[str]:
    """English words in the translation of a text and in what was put into it."""
    template = translator(language).template(text)
    shown = [template] if template != text.template and template != text.one else []
    shown += [value for value in text.values.values() if isinstance(value, str)]
    return [word for one in shown for word in STOP.findall(NAMES.sub("", one))]


@pytest.mark.parametrize("name", DOSSIERS)
def test_every_word_of_a_document_can_be_translated(name: str) -> None:
    """Titles, tables, gaps and their places, with an audit and without one."""
    for found in (audit(), None):
        for key, document in made(read_dossier(DOSSIERS[name]), found).items():
            stuck = {text.template for text in texts(document) if cannot_be_translated(text)}
            assert not stuck, key


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", DOSSIERS)
def test_no_english_is_left_in_a_translation(name: str, language: Language) -> None:
    """Neither in the sentences nor in what is filled into them by us; what a program or a
    certificate says stands in quotes or as code."""
    for key, document in made(read_dossier(DOSSIERS[name]), audit()).items():
        for text in texts(document):
            assert not english_in(text, language), (key, text)


def test_what_is_left_is_noticed() -> None:
    """The rules can fail: a sentence nobody marked, an English value, an English translation."""
    assert cannot_be_translated(Text(template="Nobody marked this one."))
    assert not cannot_be_translated(Text(template="{words}", values={"words": "any words"}))
    assert english_in(say("{label}: {value}", label="x", value="the end of it"), "fr")
    assert not english_in(say("{label}: {value}", label="x", value="la fin"), "fr")


def test_a_test_message_speaks_the_language_of_its_readers() -> None:
    """Its text is one that catalogs hold."""
    assert BODY in known()
