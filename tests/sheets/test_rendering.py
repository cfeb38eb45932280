"""One document in three formats and four languages: whole, safe, and the same every time."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from documents.dossiers import audit, empty, full, hostile, made
from docx import Document as read_word
from docx.document import Document as Word
from docx.oxml.ns import qn
from pypdf import PdfReader

from incamail_lib.documents import KEYS
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Document, Mark, SignatureLines, Table
from incamail_lib.sheets.pdf import pdf_of
from incamail_lib.sheets.telling import told
from incamail_lib.sheets.word import in_word, render_docx

SAMPLES = {
    "full": made(full(), audit()),
    "empty": made(empty()),
    "hostile": made(hostile(), audit()),
}
LOCALES = {"en": "en-GB", "fr": "fr-CH", "de": "de-CH", "it": "it-CH"}
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u200b]")


def word_of(document: Document, language: Language = "en") -> Word:
    return read_word(io.BytesIO(render_docx(document, language)))


def texts(word: Word) -> str:
    """Everything that Word shows in the body."""
    return "\n".join(
        "".join(t.text or "" for t in p.iter(qn("w:t"))) for p in word.element.iter(qn("w:p"))
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_document_renders_in_every_language(sample: str, language: Language) -> None:
    """Pages and Word files of full, empty and hostile dossiers; all safe and self-contained."""
    for document in SAMPLES[sample].values():
        page = render_html(document, language)
        assert f'<html lang="{language}">' in page
        assert "<script" not in page
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
        assert not UNPRINTABLE.search(page)
        shown = texts(word_of(document, language))
        assert in_word(told(document.title, language)) in shown
        assert not UNPRINTABLE.search(shown)


@pytest.mark.parametrize("key", KEYS)
def test_both_formats_show_every_cell(key: str) -> None:
    """What the model holds stands in the page and in the Word file."""
    document = SAMPLES["full"][key]
    page, word = render_html(document, "en"), texts(word_of(document))
    escaped = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;"}
    blocks = [block for section in document.sections for block in section.blocks]
    rows = [row for block in blocks if isinstance(block, Table) for row in block.rows]
    shown = {
        str(told(inline.text if isinstance(inline, Mark) else inline, "en"))
        for row in rows
        for cell in row
        for inline in cell
    }
    for line in shown:
        assert line in word
        assert "".join(escaped.get(c, c) for c in line) in page


def test_a_long_answer_is_not_cut() -> None:
    """Ten thousand characters stand whole in a document that is signed."""
    answer = "word " * 1999 + "end!"
    dossier = full(answers={"4.1": {"state": "clear", "answer": answer}})
    document = made(dossier)["implementation_plan"]
    assert answer in render_html(document, "en")
    assert answer in texts(word_of(document))


def test_braces_in_a_clients_words_stay_braces() -> None:
    """The client's text is never taken for a template, wherever it stands."""
    odd = "{x} {0} {} %s {organisation.__class__}"
    dossier = full(organisation=odd, answers={"4.1": {"answer": odd, "reason": odd}})
    for key, document in made(dossier).items():
        assert odd in render_html(document, "de"), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_knows_language_page_and_headings(language: Language) -> None:
    """A4, the locale for spelling, core properties, a heading for each section."""
    document = SAMPLES["full"]["setup_document"]
    word = word_of(document, language)
    section = word.sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    properties = word.core_properties
    assert properties.title == told(document.title, language)
    assert properties.language == LOCALES[language]
    assert properties.author == "Muster Gesundheit AG"
    assert properties.comments == ""
    languages = {node.get(qn("w:val")) for node in word.styles.element.iter(qn("w:lang"))}
    assert languages == {LOCALES[language]}
    headings = [p.text for p in word.paragraphs if p.style and p.style.name == "Heading 1"]
    assert headings == [in_word(told(s.title, language)) for s in document.sections]


def test_word_repeats_headings_and_numbers_pages() -> None:
    """Tables with headings repeat them, tables without do not; rows are not torn apart."""
    document = SAMPLES["full"]["setup_document"]
    word = word_of(document)
    kinds = (Table, SignatureLines)
    blocks = [b for s in document.sections for b in s.blocks if isinstance(b, kinds)]
    assert len(blocks) == len(word.tables)
    for block, table in zip(blocks, word.tables, strict=True):
        if not isinstance(block, Table):
            continue
        repeated = [bool(row._tr.findall(f".//{qn('w:tblHeader')}")) for row in table.rows]
        assert repeated == [bool(block.headings)] + [False] * (len(repeated) - 1)
        assert all(row._tr.findall(f".//{qn('w:cantSplit')}") for row in table.rows)
    footer = word.sections[0].footer.paragraphs[0]._p
    fields = [node.get(qn("w:instr")) for node in footer.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]


def test_word_marks_what_is_missing() -> None:
    """Each gap is highlighted; a document without gaps has nothing highlighted."""
    marked = list(word_of(SAMPLES["empty"]["network_matrix"]).element.iter(qn("w:highlight")))
    assert len(marked) == 2
    whole = SAMPLES["full"]["acceptance_link"]
    assert not list(word_of(whole).element.iter(qn("w:highlight")))
    assert "Not complete yet" not in texts(word_of(whole))


def test_the_same_document_gives_the_same_bytes() -> None:
    """Two makings differ in nothing, and the archive holds no time of its own."""
    document = SAMPLES["full"]["network_matrix"]
    first = render_docx(document, "fr")
    assert first == render_docx(document, "fr")
    assert first != render_docx(document, "it")
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
    assert render_html(document, "fr") == render_html(document, "fr")


def test_the_page_warns_of_gaps_and_of_the_lab() -> None:
    """The count of gaps and the lab's remark stand before the first section, or nowhere."""
    lab = made(full(platform="lab"))["setup_document"]
    page = render_html(lab, "en")
    assert page.index("For training only") < page.index("<h2")
    assert page.index("Not complete yet") < page.index("<h2")
    whole = render_html(SAMPLES["full"]["acceptance_link"], "en")
    assert "Not complete yet" not in whole
    assert "For training only" not in whole
    assert "For training only" in texts(word_of(lab))
    assert "For training only" not in texts(word_of(SAMPLES["full"]["setup_document"]))


@pytest.mark.parametrize(("key", "language"), list(zip(KEYS, LANGUAGES * 3, strict=False)))
def test_the_paper_tells_the_same(key: str, language: Language) -> None:
    """Each PDF has its title, its last section and page numbers on A4."""
    document = SAMPLES["full"][key]
    reader = PdfReader(io.BytesIO(pdf_of(document, language)))
    whole = "\n".join(page.extract_text() for page in reader.pages)
    flat = re.sub(r"\s+", " ", whole)
    for title in (document.title, document.sections[-1].title):
        assert re.sub(r"\s+", " ", str(told(title, language))) in flat
    assert f"1 / {len(reader.pages)}" in flat
    box = reader.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (595, 842)


def test_hostile_strings_reach_paper_as_text() -> None:
    """What looks like markup is printed, not obeyed."""
    reader = PdfReader(io.BytesIO(pdf_of(SAMPLES["hostile"]["acceptance_outgoing"], "en")))
    flat = re.sub(r"\s+", "", "".join(page.extract_text() for page in reader.pages))
    assert "<script>alert(1)</script>" in flat
