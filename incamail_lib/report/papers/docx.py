"""A document as a Word file that people go on editing, and sign."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from docx import Document as new_word
from docx.document import Document as Word
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.table import _Cell as WordCell
from docx.table import _Row as WordRow
from docx.text.paragraph import Paragraph as WordParagraph

from incamail_lib.i18n import Language, Text, say
from incamail_lib.report.cleaning import clean
from incamail_lib.report.language import DASH, LOCALES
from incamail_lib.report.papers.docx_style import (
    MONO,
    QUIET,
    TEXT_WIDTH_MM,
    apply_style,
    number_pages,
)
from incamail_lib.report.papers.model import (
    Block,
    Cell,
    Checklist,
    Code,
    Document,
    Gap,
    Inline,
    Listing,
    Missing,
    Paragraph,
    SignatureLines,
    Table,
    gaps,
)
from incamail_lib.report.papers.telling import told

# Every file of the archive bears this date, so that the same document gives the same bytes.
_ZIP_DATE = (2000, 1, 1, 0, 0, 0)
_SIGNATURE_WIDTHS = (26, 28, 20, 26)
_SIGNATURE_HEIGHT = Mm(16)


def render_docx(document: Document, language: Language) -> bytes:
    """The document as .docx: A4, real headings, repeated table headings, page numbers."""
    word = new_word()
    apply_style(word, LOCALES[language].replace("_", "-"))
    _describe(word, document, language)
    number_pages(word, told(document.title, language))
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


class _Writer:
    """Writes the blocks of a document into a Word file, in one language."""

    def __init__(self, word: Word, language: Language) -> None:
        self._word = word
        self._language: Language = language

    def document(self, document: Document) -> None:
        """Everything, from the title to the last line."""
        self._word.add_paragraph(self._told(document.title), style="Title")
        day = self._told(document.made_on)
        self._word.add_paragraph(f"{self._told(document.subtitle)} · {day}", style="Subtitle")
        for remark in document.remarks:
            self._warning(remark)
        missing = len(gaps(document))
        if missing:
            text = say(
                "Not complete yet. Entries that are missing, and marked below: {count}.",
                count=missing,
            )
            self._word.add_paragraph(self._told(text))
        for section in document.sections:
            self._word.add_heading(self._told(section.title), level=1)
            for block in section.blocks:
                self._block(block)

    def _block(self, block: Block) -> None:
        match block:
            case Paragraph(text, "warning"):
                self._warning(text)
            case Paragraph():
                self._paragraph(block)
            case Gap(text):
                self._run(self._word.add_paragraph(), Missing(text))
            case Listing():
                self._listing(block)
            case Table():
                self._table(block)
            case Checklist():
                self._checklist(block)
            case SignatureLines():
                self._signatures(block)

    def _told(self, inline: Inline) -> str:
        return str(told(inline, self._language))

    def _run(self, paragraph: WordParagraph, inline: Inline) -> None:
        run = paragraph.add_run(self._told(inline))
        if isinstance(inline, Missing):
            run.italic = True
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW
        if isinstance(inline, Code):
            run.font.name = MONO
            run.font.size = Pt(8.5)
            run.font.no_proof = True

    def _warning(self, text: Inline) -> None:
        run = self._word.add_paragraph().add_run(self._told(text))
        run.bold = True
        run.font.color.rgb = RGBColor(0xB3, 0x00, 0x1B)

    def _paragraph(self, block: Paragraph) -> None:
        paragraph = self._word.add_paragraph()
        self._run(paragraph, block.text)
        if block.style in ("quote", "quote-title"):
            paragraph.paragraph_format.left_indent = Mm(6)
        if block.style == "note":
            paragraph.runs[0].font.color.rgb = QUIET
        if block.style == "quote-title":
            paragraph.runs[0].bold = True
            paragraph.paragraph_format.keep_with_next = True

    def _listing(self, block: Listing) -> None:
        """Numbers are written out: Word would count on from the list before."""
        for count, item in enumerate(block.items, 1):
            style = "Normal" if block.numbered else "List Bullet"
            paragraph = self._word.add_paragraph(style=style)
            if block.numbered:
                _hang(paragraph, f"{count}.\t")
            self._run(paragraph, item)

    def _checklist(self, block: Checklist) -> None:
        for row in block.rows:
            paragraph = self._word.add_paragraph()
            _hang(paragraph, "☑\t" if row.done else "☐\t")
            self._run(paragraph, row.text)

    def _table(self, block: Table) -> None:
        table = self._new_table(len(block.widths), block.headings)
        for row in block.rows:
            cells = _add_row(table).cells
            for column, lines in enumerate(row):
                self._cell(cells[column], lines)
            if not block.headings:
                _colour(cells[0], QUIET)
            elif row[0] and isinstance(row[0][0], Text):
                cells[0].paragraphs[0].runs[0].bold = True
        _finish(table, block.widths)
        self._after_table()

    def _new_table(self, columns: int, headings: Sequence[Text]) -> WordTable:
        table: WordTable = self._word.add_table(rows=0, cols=columns)
        table.style = "Table Grid"
        table.autofit = False
        if headings:
            row = _add_row(table)
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
            for cell, heading in zip(row.cells, headings, strict=True):
                run = cell.paragraphs[0].add_run(self._told(heading))
                run.bold = True
                _shade(cell, "EDEDEA")
        return table

    def _cell(self, cell: WordCell, lines: Cell) -> None:
        paragraph = cell.paragraphs[0]
        if not lines:
            paragraph.add_run(str(DASH))
        for count, inline in enumerate(lines):
            if count:
                paragraph = cell.add_paragraph()
            self._run(paragraph, inline)

    def _signatures(self, block: SignatureLines) -> None:
        headings = (say("For"), say("Name"), say("Place, date"), say("Signature"))
        table = self._new_table(len(headings), headings)
        for line in block.lines:
            row = _add_row(table)
            row.height = _SIGNATURE_HEIGHT
            signed = self._told(line.signed_on) if line.signed_on else ""
            texts = (self._told(line.party), str(clean(line.name)), signed, "")
            for cell, text in zip(row.cells, texts, strict=True):
                cell.paragraphs[0].add_run(text)
        _finish(table, _SIGNATURE_WIDTHS)
        self._after_table()

    def _after_table(self) -> None:
        """A little air; Word joins tables that touch."""
        paragraph = self._word.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(2)


def _add_row(table: WordTable) -> WordRow:
    made: WordRow = table.add_row()  # type: ignore[no-untyped-call]
    return made


def _hang(paragraph: WordParagraph, mark: str) -> None:
    paragraph.paragraph_format.left_indent = Mm(8)
    paragraph.paragraph_format.first_line_indent = Mm(-8)
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(8))
    paragraph.add_run(mark)


def _finish(table: WordTable, widths: Sequence[int]) -> None:
    """Widths for every cell, since Word goes by them; rows stay on one page, lines stay close."""
    share = TEXT_WIDTH_MM / sum(widths)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width * share)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width * share)
            _each(cell, _tighten)


def _each(cell: WordCell, change: Callable[[WordParagraph], None]) -> None:
    for paragraph in cell.paragraphs:
        change(paragraph)


def _tighten(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.space_after = Pt(1)
    for run in paragraph.runs:
        if run.font.size is None:
            run.font.size = Pt(9)


def _colour(cell: WordCell, colour: RGBColor) -> None:
    for paragraph in cell.paragraphs:
        for run in paragraph.runs:
            run.font.color.rgb = colour


def _shade(cell: WordCell, fill: str) -> None:
    shading: Any = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:fill"), fill)
    cell._tc.get_or_add_tcPr().append(shading)
