"""Paper: for screen readers and archives, with our fonts alone, and safe with any text at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
import subprocess
import sys
from typing import Any

import pytest
from documents.dossiers import audit, full, made
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from sheets.extracted import in_page, in_pdf, joined

from incamail_lib.i18n import LANGUAGES, Language, Text, say
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import (
    Block,
    Code,
    Document,
    Heading,
    Link,
    Listing,
    Paragraph,
    Point,
    Points,
    Section,
    SignatureLine,
    SignatureLines,
    Table,
    Verbatim,
)
from incamail_lib.sheets.pdf import breakable, drawable, on_paper, pdf_of
from incamail_lib.sheets.style import LOOK
from incamail_lib.sheets.telling import told

DOCUMENTS = made(full(), audit())
COMMAND = '#panic() $x$ @ref <label> \\ // * _ ` ] ) } #import "@preview/x:1.0.0" #read("/etc")'


def document(*blocks: Block, title: str = "Report") -> Document:
    """A document of one section."""
    return Document(
        key="sample",
        title=Text(template="{title}", values={"title": title}),
        subtitle=say("Organisation"),
        sections=(Section(say("Result"), blocks),),
        organisation=title,
        made_on=dt.date(2026, 11, 24),
    )


def words(text: str) -> Text:
    return Text(template="{text}", values={"text": text})


def reader(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_is_for_screen_readers_and_for_the_archive(language: Language) -> None:
    """Both standards, tags, language, title and a bookmark for each section."""
    made = pdf_of(DOCUMENTS["setup_document"], language)
    found = reader(made)
    stated = found.xmp_metadata
    assert stated is not None
    assert (stated.pdfaid_part, stated.pdfaid_conformance) == ("2", "A")
    assert re.search(rb"<pdfuaid:part>1<", made)
    root: Any = found.trailer["/Root"]
    assert bool(root["/MarkInfo"]["/Marked"])
    assert root["/Lang"].lower().startswith(language)
    assert found.metadata is not None
    assert found.metadata.title == told(DOCUMENTS["setup_document"].title, language)
    marks = [str(mark["/Title"]) for mark in found.outline if isinstance(mark, dict)]
    assert marks == [str(told(s.title, language)) for s in DOCUMENTS["setup_document"].sections]


def test_every_font_is_ours_and_stands_in_the_file() -> None:
    """None of the system's, and none that a reader would have to have."""
    fonts = {}
    for page in reader(pdf_of(DOCUMENTS["implementation_plan"], "de")).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            [inner] = font["/DescendantFonts"]
            name = str(font["/BaseFont"]).rpartition("+")[2]
            fonts[name] = "/FontFile2" in inner.get_object()["/FontDescriptor"]
    assert all(fonts.values())
    ours = ("Inter", "IBMPlexMono", "DejaVuSans", "RunbookSymbols")
    assert [name for name in fonts if not name.startswith(ours)] == []
    assert len(fonts) >= 3


def test_the_program_imports_nothing_and_reads_the_document_alone() -> None:
    """No package that would be fetched, and one file: the data beside it."""
    program = (LOOK / "paper.typ").read_text(encoding="utf-8")
    code = re.sub(r"//.*", "", program)
    assert not re.search(r"#?\b(?:import|include|plugin|eval|read|cbor|yaml|xml|csv|toml)\b", code)
    assert re.findall(r'\bjson\(("[^"]*")\)', code) == ['"document.json"']


def test_the_fonts_have_every_letter_that_the_list_says() -> None:
    """In each of the three faces: PDF/UA permits no letter without a glyph."""
    known = "".join(sorted(c for c in drawable() if not c.isspace()))
    lines = [known[at : at + 50] for at in range(0, len(known), 50)]
    blocks = [Paragraph(words(line)) for line in lines]
    table = Table((say("A"), say("B")), tuple(((words(x),), (Code(x),)) for x in lines), (50, 50))
    said = in_pdf(pdf_of(document(*blocks, table), "en"))
    assert len(known) > 3000
    assert "ÄÖÜäöüßàéèçÀÉ" not in said
    assert set("ÄÖÜäöüéèàçœŒ«»’–→✓✗☐☑Ωя") <= set(said)


def test_a_letter_that_no_font_has_is_told_by_its_number() -> None:
    """An empty box would say nothing, and PDF/UA refuses it."""
    assert on_paper("漢 Müller 🙂") == "\\u{6f22} Müller \\u{1f642}"
    assert "\\u{6f22}" in joined(in_pdf(pdf_of(document(Paragraph(words("漢"))), "en")))


def everywhere(text: str) -> Document:
    """A document with the text wherever text may stand."""
    cell = (words(text), Code(text), Link(words(text), text))
    return document(
        Heading(words(text)),
        Paragraph(words(text), "quote"),
        Listing((words(text), Code(text)), numbered=True),
        Points((Point(words(text), lines=(Code(text),), facts=((words(text), cell),)),)),
        Table((words(text), say("B")), ((cell, cell), (cell,)), (30, 70), words(text)),
        Verbatim((words(text), Code(text))),
        SignatureLines((SignatureLine(words(text), text),)),
        title=text,
    )


@pytest.mark.parametrize(
    "text",
    [
        COMMAND,
        "\x00\x1b[31m\x07\u202egnp.exe\u200b\u2028\ufeff\ue000\ud800",
        "שלום مرحبا ไทย 한국 𝕏 e\u0301\u0302\u0303" + "\u0300" * 50,
        "W" * 10_000,
        "a@" * 300,
        "</main><script>alert(1)</script>&amp;{0}%s{x}",
        "",
        " ",
    ],
    ids=["command", "acting", "scripts", "word", "address", "markup", "empty", "blank"],
)
def test_hostile_text_is_set_as_text_wherever_it_stands(text: str) -> None:
    """Commands, controls, other scripts, endless words: nothing is obeyed and nothing fails."""
    said = joined(in_pdf(pdf_of(everywhere(text), "en")))
    if text == COMMAND:
        assert said.count(joined(COMMAND)) > 8
    if text.startswith("W"):
        assert "WWWW-" not in said
        assert said.count("W") > 9 * 10_000


@seed(20261126)
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_reaches_paper_as_the_page_shows_it(text: str) -> None:
    """Whatever a stranger writes: both say it alike, or by the numbers of its characters."""
    sample = document(Paragraph(Code(f"[{text}]")), title="x")
    shown = on_paper(in_page(render_html(sample, "en")))
    said = in_pdf(pdf_of(sample, "en"))
    scripts = {"L", "R", "AL"}
    if all(c.isascii() or c in "äöü" for c in clean(text)) or not scripts:
        assert joined(shown) in joined(said).replace("1/1", "")


def test_a_table_of_a_thousand_rows_is_set() -> None:
    """Its headings stand on every page, and nobody waits for it."""
    rows = tuple(((Code(f"gw{n}.muster.example"),), (words("in order " * 9),)) for n in range(1000))
    pages = reader(pdf_of(document(Table((say("Gateway"), say("Result")), rows, (40, 60))), "en"))
    assert len(pages.pages) > 20
    assert all("Gateway" in page.extract_text() for page in pages.pages[1:-1])


@pytest.mark.parametrize("before", range(28, 44, 3))
def test_lines_to_sign_stay_whole_and_with_what_they_sign(before: int) -> None:
    """However full the page is: sentence, heading and every line are on one page."""
    lines = tuple(SignatureLine(words(f"Party{n}"), "") for n in range(3))
    made = document(
        *(Paragraph(words(f"line {n}")) for n in range(before)),
        Heading(words("SIGNATURES")),
        Paragraph(words("SENTENCE")),
        SignatureLines(lines),
    )
    pages = [page.extract_text() for page in reader(pdf_of(made, "en")).pages]
    [page] = [text for text in pages if "SENTENCE" in text]
    assert "SIGNATURES" in page
    assert all(f"Party{n}" in page for n in range(3))


def test_the_same_document_gives_the_same_file() -> None:
    """Two makings differ in nothing: no time of day stands in it, and no number of chance."""
    made = pdf_of(DOCUMENTS["network_matrix"], "fr")
    assert made == pdf_of(DOCUMENTS["network_matrix"], "fr")
    assert made != pdf_of(DOCUMENTS["network_matrix"], "it")


def test_a_long_word_is_parted_behind_a_sign() -> None:
    """Pieces are the word itself; short words are left alone."""
    assert breakable("a short one", 8) == ["a short one"]
    parted = breakable("to mx1.gateway-of.muster.example now", 12)
    assert "".join(parted) == "to mx1.gateway-of.muster.example now"
    assert "gateway-" in parted
    assert breakable("x" * 20, 12) == ["xxxxxx", "xxxxxx", "xxxxxx", "xx"]


FORKED = """
import os, sys
from sheets.test_pdf import DOCUMENTS, pdf_of
child = os.fork()
if not child:
    os._exit(0 if pdf_of(DOCUMENTS["network_matrix"], "en").startswith(b"%PDF") else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_makes_paper() -> None:
    """As long as its parent has made none: everything may be loaded before."""
    made = subprocess.run([sys.executable, "-c", FORKED], timeout=60, check=False, cwd="tests",
                          env={"PYTHONPATH": ":".join(["..", ".", *sys.path])})  # fmt: skip
    assert made.returncode == 0


def test_a_link_leads_out_and_never_to_a_script() -> None:
    """Addresses of the web; a path beside the page stays words on paper."""
    targets = ("https://www.post.ch/x", "beside/report.html", "javascript:alert(1)")
    sample = document(*(Paragraph(Link(words("here"), target)) for target in targets))
    annotations = reader(pdf_of(sample, "en")).pages[0].annotations
    assert annotations is not None
    assert [a.get_object()["/A"]["/URI"] for a in annotations] == [targets[0]]
    page = render_html(sample, "en")
    assert 'href="https://www.post.ch/x"' in page
    assert 'href="beside/report.html"' in page
    assert "javascript:" not in page


def test_it_is_dated_by_the_document() -> None:
    """Not by the clock: what is made again tomorrow is the same."""
    later = dataclasses.replace(DOCUMENTS["network_matrix"], made_on=dt.date(2031, 1, 2))
    metadata = reader(pdf_of(later, "en")).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert metadata.creation_date.date() == dt.date(2031, 1, 2)


def test_no_rule_above_the_content_holds_anything_of_one_document() -> None:
    """Typst sets again whatever stands under other rules: only the language may differ there."""
    program = (LOOK / "paper.typ").read_text(encoding="utf-8")
    rules, _, content = program.partition("#metadata(doc.foot) <foot>")
    assert "doc.sections" in content
    assert set(re.findall(r"\bdoc\.(\w+)", rules)) == {"lang", "region"}
