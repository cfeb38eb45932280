"""What a reader finds in a page, a Word file and a PDF, told by other programs than ours."""

from __future__ import annotations

import dataclasses
import io
import re
import unicodedata
from html.parser import HTMLParser

from docx import Document as read_word
from docx.oxml.ns import qn
from pypdf import PdfReader

from incamail_lib.i18n import Language
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Block, Document, Fold, Picture, Together
from incamail_lib.sheets.pdf import on_paper, typeset
from incamail_lib.sheets.style import LOOK
from incamail_lib.sheets.word import render_docx

_PART_OF_A_LINE = frozenset({"a", "mark", "strong"})


class _Page(HTMLParser):
    """The text of `main`, with the numbers and dots of lists that a browser puts there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._lists: list[int | None] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside |= tag == "main"
        sort = dict(attrs).get("class")
        if tag in ("ol", "ul"):
            self._lists.append(0 if tag == "ol" else None)
        if tag == "li" and self._lists[-1] is not None:
            self._lists[-1] += 1
            self.parts.append(f" {self._lists[-1]}. ")
        elif tag == "li" and "☐" not in (sort or "") and self._lists:
            self.parts.append(" • ")
        elif tag not in _PART_OF_A_LINE and not (tag == "span" and sort != "im-item"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ol", "ul"):
            self._lists.pop()
        if tag == "main":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.parts.append(data)


def in_page(html: str) -> str:
    """The words of a page."""
    page = _Page()
    page.feed(re.sub(r"<svg.*?</svg>", "", html, flags=re.S))
    return _flat("".join(page.parts)).replace("• ☐", "☐").replace("• ☑", "☑")


def in_word_file(docx: bytes) -> str:
    """The words of a Word file's body, with the dots of its lists."""
    lines = []
    for paragraph in read_word(io.BytesIO(docx)).element.body.iter(qn("w:p")):
        style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        dot = "• " if style is not None and style.get(qn("w:val")) == "ListBullet" else ""
        tabs = (" " if t.tag == qn("w:tab") else t.text or ""
                for t in paragraph.iter(qn("w:t"), qn("w:tab")))  # fmt: skip
        lines.append(dot + "".join(tabs))
    return _flat("\n".join(lines))


def in_pdf(pdf: bytes) -> str:
    """The words of a PDF in the order in which they are drawn."""
    return _flat(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def on_one_page(document: Document, language: Language) -> bytes:
    """The PDF on one endless page: headings of tables stand there once, and no row is torn."""
    program = (LOOK / "paper.typ").read_text(encoding="utf-8")
    for wanted, instead in (
        ('paper: "a4",', "width: 210mm, height: auto,"),
        ("footer: context {", "footer: if false {"),
        ("hyphenate: words.len() == 1", "hyphenate: false"),
    ):
        assert wanted in program
        program = program.replace(wanted, instead)
    return typeset(program.encode(), document, language)


def _flat(text: str) -> str:
    """One blank between words; Word has no narrow one, and a PDF no difference of two."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def undrawn(document: Document) -> Document:
    """The document with empty drawings: the words in them are those that stand beside them."""
    sections = (
        dataclasses.replace(s, blocks=tuple(_undrawn(b) for b in s.blocks))
        for s in document.sections
    )
    return dataclasses.replace(document, sections=tuple(sections))


def _undrawn(block: Block) -> Block:
    if isinstance(block, Picture):
        return dataclasses.replace(block, drawing=Empty())
    if isinstance(block, Fold | Together):
        return dataclasses.replace(block, blocks=tuple(_undrawn(b) for b in block.blocks))
    return block


@dataclasses.dataclass(frozen=True)
class Empty:
    """A drawing of nothing."""

    width: int = 10
    height: int = 10

    def shapes(self, language: Language) -> str:
        """Nothing."""
        return ""


def three_tellings(document: Document, language: Language) -> dict[str, str]:
    """What page, Word file and PDF of a document say, in letters that all fonts have."""
    document = undrawn(document)
    return {
        "html": _flat(on_paper(in_page(render_html(document, language)))),
        "word": _flat(on_paper(in_word_file(render_docx(document, language)))),
        "pdf": in_pdf(on_one_page(document, language)),
    }


def joined(text: str) -> str:
    """The text without blanks: a long word goes on in a new line, without a sign."""
    return re.sub(r"\s+", "", text)
