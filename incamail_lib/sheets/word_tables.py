"""Rows, cells and widths of tables in a Word file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.table import _Cell as WordCell
from docx.table import _Row as WordRow
from docx.text.paragraph import Paragraph as WordParagraph

from incamail_lib.sheets.word_style import TEXT_WIDTH_MM

_CELL_TWIPS = 80  # a twentieth of a point; left of a cell's words


def add_row(table: WordTable) -> WordRow:
    """A new row at the end of the table."""
    made: WordRow = table.add_row()  # type: ignore[no-untyped-call]
    return made


def finish(table: WordTable, widths: Sequence[int]) -> None:
    """Widths for every cell, since Word goes by them; rows stay on one page, lines stay close."""
    _look(table)
    share = TEXT_WIDTH_MM / sum(widths)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width * share)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        joined = len({cell._tc for cell in row.cells}) < len(widths)
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(TEXT_WIDTH_MM if joined else width * share)
            for paragraph in cell.paragraphs:
                _tighten(paragraph)


def _look(table: WordTable) -> None:
    """Thin grey rules between rows, air around words, and no overhang to the left of the text."""
    properties: Any = table._tbl.tblPr
    indent: Any = OxmlElement("w:tblInd")
    indent.set(qn("w:w"), str(_CELL_TWIPS))
    indent.set(qn("w:type"), "dxa")
    borders: Any = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        border: Any = OxmlElement(f"w:{side}")
        border.set(qn("w:val"), "single")
        border.set(qn("w:sz"), "4")
        border.set(qn("w:space"), "0")
        border.set(qn("w:color"), "B8B8B4")
        borders.append(border)
    margins: Any = OxmlElement("w:tblCellMar")
    for side, twips in (("top", 40), ("left", _CELL_TWIPS), ("bottom", 40), ("right", 80)):
        margin: Any = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    # The schema fixes their order: indent, borders, layout, margins, look.
    layout = properties.find(qn("w:tblLayout"))
    look = properties.find(qn("w:tblLook"))
    layout.addprevious(indent)
    layout.addprevious(borders)
    look.addprevious(margins)


def _tighten(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.space_after = Pt(1)
    for run in paragraph.runs:
        if run.font.size is None:
            run.font.size = Pt(9)


def colour(cell: WordCell, colour: RGBColor) -> None:
    """Every letter of the cell in one colour."""
    for paragraph in cell.paragraphs:
        for run in paragraph.runs:
            run.font.color.rgb = colour


def shade(cell: WordCell, fill: str) -> None:
    """The cell on a ground of its own, e.g. "EDEDEA"."""
    shading: Any = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:fill"), fill)
    cell._tc.get_or_add_tcPr().append(shading)
