"""A document as a Word file that people go on editing, and sign.

Word draws no SVG that every version shows: of a picture its words stand there.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence

from docx import Document as new_word
from docx.document import Document as Word
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table as WordTable
from docx.table import _Cell as WordCell
from docx.text.paragraph import Paragraph as WordParagraph

from incamail_lib.i18n import LOCALES, Language, Text
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.language import DASH
from incamail_lib.sheets.model import (
    SIGNS,
    Banner,
    Block,
    Cell,
    Checklist,
    Code,
    Document,
    Fold,
    Gap,
    Heading,
    Inline,
    Listing,
    Mark,
    Missing,
    Paragraph,
    Phrase,
    Picture,
    Point,
    Points,
    Quiet,
    SignatureLines,
    Strong,
    Table,
    Together,
    Verbatim,
    gaps,
    in_words,
    kept_together,
)
from incamail_lib.sheets.telling import (
    IN_WORDS,
    SIGNATURE_HEADINGS,
    SIGNATURE_WIDTHS,
    incomplete,
    told,
    told_title,
    told_under,
)
from incamail_lib.sheets.word_style import COLOURS, MONO, QUIET, apply_style, number_pages
from incamail_lib.sheets.word_tables import add_row, colour, finish, shade

# Every file of the archive bears this date, so that the same document gives the same bytes.
_ZIP_DATE = (2000, 1, 1, 0, 0, 0)
_SIGNATURE_HEIGHT = Mm(16)


def render_docx(document: Document, language: Language) -> bytes:
    """The document as .docx: A4, real headings, repeated table headings, page numbers."""
    word = new_word()
    apply_style(word, LOCALES[language].replace("_", "-"))
    _describe(word, document, language)
    number_pages(word, in_word(told(document.title, language)))
    _Writer(word, language).document(document)
    made = io.BytesIO()
    word.save(made)
    return _undated(made.getvalue())


def _describe(word: Word, document: Document, language: Language) -> None:
    made = dt.datetime.combine(document.made_on, dt.time(), dt.UTC).replace(tzinfo=None)
    properties = word.core_properties
    properties.title = clean(told(document.title, language), 255)
    properties.subject = clean(str(told(document.subtitle, language)), 255)
    properties.author = clean(document.organisation, 255)
    properties.last_modified_by = ""
    properties.comments = ""
    properties.keywords = "IncaMail"
    properties.language = LOCALES[language].replace("_", "-")
    properties.created = properties.modified = made


def _undated(archive: bytes) -> bytes:
    """The same archive without the time at which it was packed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return out.getvalue()


def in_word(text: str) -> str:
    """A text with the signs that Arial and what replaces it have: they lack the narrow blank."""
    return text.replace("\u202f", "\u00a0")


class _Writer:
    """Writes the blocks of a document into a Word file, in one language."""

    def __init__(self, word: Word, language: Language) -> None:
        self._word = word
        self._language: Language = language

    def document(self, document: Document) -> None:
        """Everything, from the title to the last line."""
        under = in_word(told_under(document, self._language))
        self._word.add_paragraph(under, style="Subtitle")
        self._word.add_paragraph(self._told(document.title), style="Title")
        for remark in document.remarks:
            self._warning(remark)
        missing = len(gaps(document))
        if missing:
            self._word.add_paragraph(self._told(incomplete(missing)))
        for section in document.sections:
            heading = self._word.add_heading(self._told(told_title(section)), level=1)
            heading.paragraph_format.page_break_before = section.new_page
            self._blocks(section.blocks)

    def _blocks(self, blocks: tuple[Block, ...]) -> None:
        for block in kept_together(blocks):
            self._block(block)

    def _block(self, block: Block) -> None:  # noqa: C901, PLR0912 – one line a kind
        match block:
            case Heading(text):
                self._runs(self._word.add_heading(level=2), text)
            case Paragraph(text, "warning"):
                self._warning(text)
            case Paragraph():
                self._paragraph(block)
            case Gap(missing):
                self._runs(self._word.add_paragraph(), missing)
            case Listing():
                self._listing(block)
            case Points(items):
                for number, point in enumerate(items, 1):
                    self._point(number, point)
            case Table():
                self._table(block)
            case Checklist():
                self._checklist(block)
            case SignatureLines():
                self._signatures(block)
            case Banner():
                self._banner(block)
            case Verbatim(lines):
                self._verbatim(lines)
            case Picture():
                self._picture(block)
            case Fold(title, inner):
                self._lead(title)
                self._blocks(inner)
            case Together(inner):
                self._together(inner)

    def _told(self, inline: Inline) -> str:
        return in_word(told(inline, self._language))

    def _runs(self, paragraph: WordParagraph, inline: Inline) -> None:
        """The inline as runs of the paragraph; parts of a phrase have a blank between them."""
        if isinstance(inline, Phrase):
            for count, part in enumerate(inline.parts):
                if count:
                    paragraph.add_run(" ")
                self._runs(paragraph, part)
            return
        run = paragraph.add_run(self._told(inline))
        match inline:
            case Missing():
                run.italic = True
                run.font.highlight_color = WD_COLOR_INDEX.YELLOW
            case Code():
                run.font.name = MONO
                run.font.size = Pt(8.5)
                run.font.no_proof = True
            case Strong():
                run.bold = True
            case Quiet():
                run.font.color.rgb = QUIET
            case Mark(state):
                run.bold = True
                run.font.color.rgb = COLOURS[state]

    def _warning(self, text: Inline) -> None:
        run = self._word.add_paragraph().add_run(self._told(text))
        run.bold = True
        run.font.color.rgb = COLOURS["bad"]

    def _paragraph(self, block: Paragraph) -> None:
        paragraph = self._word.add_paragraph()
        self._runs(paragraph, block.text)
        if block.style in ("quote", "quote-title"):
            paragraph.paragraph_format.left_indent = Mm(6)
        if block.style == "note":
            for run in paragraph.runs:
                run.font.color.rgb = QUIET
        if block.style == "quote-title":
            paragraph.runs[0].bold = True
            paragraph.paragraph_format.keep_with_next = True

    def _lead(self, text: Inline) -> None:
        """A line that belongs to what follows."""
        paragraph = self._word.add_paragraph()
        self._runs(paragraph, text)
        for run in paragraph.runs:
            run.bold = True
        paragraph.paragraph_format.keep_with_next = True

    def _banner(self, block: Banner) -> None:
        word = self._word.add_paragraph()
        run = word.add_run(f"{SIGNS[block.state]} {self._told(block.word)}")
        run.bold = True
        run.font.size = Pt(16)
        run.font.color.rgb = COLOURS[block.state]
        word.paragraph_format.keep_with_next = True
        self._word.add_paragraph(self._told(block.sentence))

    def _verbatim(self, lines: Sequence[Inline]) -> None:
        for line in lines:
            paragraph = self._word.add_paragraph()
            paragraph.paragraph_format.space_after = Pt(0)
            self._runs(paragraph, line)
            for run in paragraph.runs:
                run.font.name = MONO
                run.font.size = Pt(7.5)
                run.font.no_proof = True
        self._after_table()

    def _picture(self, block: Picture) -> None:
        if block.caption:
            self._paragraph(Paragraph(block.caption, "note"))
        self._lead(IN_WORDS)
        self._block(in_words(block))

    def _together(self, blocks: tuple[Block, ...]) -> None:
        """Every paragraph of the blocks stays with the next one, but for the last."""
        body = self._word.element.body
        before = len(body)
        for block in blocks:
            self._block(block)
        mine = [p for element in body[before - 1 :] for p in element.iter(qn("w:p"))]
        for element in mine[:-1]:
            WordParagraph(element, self._word._body).paragraph_format.keep_with_next = True

    def _listing(self, block: Listing) -> None:
        """Numbers are written out: Word would count on from the list before."""
        for count, item in enumerate(block.items, 1):
            style = "Normal" if block.numbered else "List Bullet"
            paragraph = self._word.add_paragraph(style=style)
            if block.numbered:
                _hang(paragraph, f"{count}.\t")
            self._runs(paragraph, item)

    def _point(self, number: int, point: Point) -> None:
        head = self._word.add_paragraph()
        _hang(head, f"{number}.\t")
        self._runs(head, point.title)
        for run in head.runs:
            run.bold = True
        head.runs[0].font.color.rgb = COLOURS[point.state]
        made = [head]
        for line in point.lines:
            made.append(self._word.add_paragraph())
            self._runs(made[-1], line)
            made[-1].paragraph_format.left_indent = Mm(8)
        for name, cell in point.facts:
            made += self._named(name, cell)
        for paragraph in made[:-1]:
            paragraph.paragraph_format.space_after = Pt(1)
            paragraph.paragraph_format.keep_with_next = True

    def _named(self, name: Text, cell: Cell) -> list[WordParagraph]:
        """A fact behind its name, a line for each of its own."""
        made = []
        for count, inline in enumerate(cell or (Text(template=str(DASH)),)):
            paragraph = self._word.add_paragraph()
            paragraph.paragraph_format.left_indent = Mm(38)
            paragraph.paragraph_format.first_line_indent = Mm(-30)
            paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(38))
            if not count:
                paragraph.add_run(self._told(name)).font.color.rgb = QUIET
            paragraph.add_run("\t")
            self._runs(paragraph, inline)
            made.append(paragraph)
        return made

    def _checklist(self, block: Checklist) -> None:
        for row in block.rows:
            paragraph = self._word.add_paragraph()
            _hang(paragraph, "☑\t" if row.done else "☐\t")
            self._runs(paragraph, row.text)

    def _table(self, block: Table) -> None:
        if block.caption:
            self._lead(block.caption)
        table = self._new_table(len(block.widths), block.headings)
        for row in block.rows:
            cells = add_row(table).cells
            if len(row) < len(block.widths):
                cells = (cells[0].merge(cells[-1]),)
                shade(cells[0], "F5F5F3")
            for cell, lines in zip(cells, row, strict=True):
                self._cell(cell, lines)
            if not block.headings:
                colour(cells[0], QUIET)
            elif row[0] and not isinstance(row[0][0], Code):
                for run in cells[0].paragraphs[0].runs:
                    run.bold = True
        finish(table, block.widths)
        self._after_table()

    def _new_table(self, columns: int, headings: Sequence[Text]) -> WordTable:
        table: WordTable = self._word.add_table(rows=0, cols=columns)
        table.style = "Table Grid"
        table.autofit = False
        if headings:
            row = add_row(table)
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
            for cell, heading in zip(row.cells, headings, strict=True):
                run = cell.paragraphs[0].add_run(self._told(heading))
                run.bold = True
                shade(cell, "EDEDEA")
        return table

    def _cell(self, cell: WordCell, lines: Cell) -> None:
        paragraph = cell.paragraphs[0]
        if not lines:
            paragraph.add_run(str(DASH))
        for count, inline in enumerate(lines):
            if count:
                paragraph = cell.add_paragraph()
            self._runs(paragraph, inline)

    def _signatures(self, block: SignatureLines) -> None:
        table = self._new_table(len(SIGNATURE_HEADINGS), SIGNATURE_HEADINGS)
        for line in block.lines:
            row = add_row(table)
            row.height = _SIGNATURE_HEIGHT
            signed = self._told(line.signed_on) if line.signed_on else ""
            texts = (self._told(line.party), str(clean(line.name)), signed, "")
            for cell, text in zip(row.cells, texts, strict=True):
                cell.paragraphs[0].add_run(text)
        finish(table, SIGNATURE_WIDTHS)
        self._after_table()

    def _after_table(self) -> None:
        """A little air; Word joins tables that touch."""
        paragraph = self._word.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(2)


def _hang(paragraph: WordParagraph, mark: str) -> None:
    paragraph.paragraph_format.left_indent = Mm(8)
    paragraph.paragraph_format.first_line_indent = Mm(-8)
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(8))
    paragraph.add_run(mark)
