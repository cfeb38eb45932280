"""The page, the Word file and the PDF of a document say the same words, in the same order."""

from __future__ import annotations

import dataclasses
import io
from collections import Counter
from itertools import takewhile

import pytest
from documents.dossiers import audit, empty, full, hostile, made
from pypdf import PdfReader
from sheets.extracted import joined, three_tellings

from incamail_lib.documents import KEYS
from incamail_lib.i18n import LANGUAGES, Language, say
from incamail_lib.sheets.html import render_blocks, render_html
from incamail_lib.sheets.model import Code, Document, Paragraph, Section, Table
from incamail_lib.sheets.pdf import pdf_of
from incamail_lib.sheets.plain import plain_text

SAMPLES = {
    "full": made(full(), audit()),
    "empty": made(empty()),
    "hostile": made(hostile(), audit()),
}
ADDRESS = "partner.with-a-long-name@recipient-of-mail.canton-administration.example.incamail.ch"


def whole_words(text: str) -> Counter[str]:
    """Words of letters alone, which no line break may part."""
    return Counter(word for word in text.split() if word.isalpha())


def differences(document: Document, language: Language) -> list[str]:
    """Where Word or PDF say something else than the page."""
    said = three_tellings(document, language)
    wrong = [name for name in ("word", "pdf") if joined(said[name]) != joined(said["html"])]
    wrong += [
        f"a word is parted: {w}" for w in whole_words(said["html"]) - whole_words(said["pdf"])
    ]
    if whole_words(said["html"]) != whole_words(said["word"]):
        wrong.append("blanks of Word")
    return wrong


@pytest.mark.parametrize(
    ("sample", "language"),
    [*(("full", language) for language in LANGUAGES), ("empty", "de"), ("hostile", "fr")],
)
def test_every_document_says_the_same_in_every_form(sample: str, language: Language) -> None:
    """Letter by letter, and no word torn apart: full, empty and hostile dossiers."""
    assert set(SAMPLES[sample]) == set(KEYS)
    wrong = {key: differences(d, language) for key, d in SAMPLES[sample].items()}
    assert {key: found for key, found in wrong.items() if found} == {}


def test_a_word_that_one_form_lacks_is_found() -> None:
    """The comparison is one: another word or another order is no longer the same."""
    document = SAMPLES["full"]["acceptance_link"]
    other = dataclasses.replace(document, sections=document.sections[::-1])
    said, differs = three_tellings(document, "en"), three_tellings(other, "en")
    assert joined(said["html"]) != joined(differs["pdf"])
    assert Counter(said["html"].split()) == Counter(differs["html"].split())


def test_a_technical_name_is_never_hyphenated() -> None:
    """In a narrow column an address goes on in the next line, with no sign put into it."""
    narrow = Table((say("A"), say("B")), (((Code(ADDRESS),), (Code("x"),)),), (10, 90))
    sections = (
        Section(say("Addresses"), (narrow, Paragraph(Code(ADDRESS)))),
        Section(say("In words"), (Paragraph(say("Sent to {address}.", address=ADDRESS)),)),
    )
    document = dataclasses.replace(SAMPLES["full"]["acceptance_link"], sections=sections)
    for name, said in three_tellings(document, "de").items():
        assert joined(said).count(ADDRESS) == 3, name
    assert three_tellings(document, "de")["html"].count(ADDRESS) == 3
    assert plain_text(render_html(document, "de")).count(ADDRESS) == 3


def test_an_address_goes_on_behind_at_or_a_dot_alone() -> None:
    """In the narrowest column of a contact, no line ends within a part of it."""
    column = Table((say("A"), say("B")), (((Code(ADDRESS),), (Code("!"),)),), (30, 70))
    document = dataclasses.replace(
        SAMPLES["full"]["acceptance_link"], sections=(Section(say("Addresses"), (column,)),)
    )
    lines = [line.split("  ")[0] for line in layout_of(pdf_of(document, "en")).splitlines()]
    begin = next(n for n, line in enumerate(lines) if line.startswith("partner."))
    held = list(takewhile(lambda line: line and line in ADDRESS, lines[begin:]))
    assert "".join(held) == ADDRESS
    assert all(line[-1] in "@." for line in held[:-1])
    page = render_html(document, "en")
    assert '<span class="im-address">with-a-long-name@</span>' in page
    short = "anna.von-allmen@muster.example"
    assert render_blocks((Paragraph(Code(short)),), "en").count(short) == 1


def layout_of(paper: bytes) -> str:
    """The words of a PDF where they stand on the page."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)
