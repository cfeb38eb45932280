"""The look of Word files: page, fonts, headings, language, page numbers."""

from __future__ import annotations

from typing import Any

from docx.document import Document as Word
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph

from incamail_lib.sheets.model import State

# Fonts that every office suite has or replaces by one of the same widths.
SANS = "Arial"
MONO = "Courier New"
INK = RGBColor(0x1A, 0x1A, 0x1A)
QUIET = RGBColor(0x56, 0x56, 0x56)
COLOURS: dict[State, RGBColor] = {
    "good": RGBColor(0x17, 0x66, 0x3A),
    "bad": RGBColor(0xB3, 0x00, 0x1B),
    "open": RGBColor(0x7A, 0x4B, 0x00),
    "quiet": QUIET,
}
MARGIN_MM = 20
TEXT_WIDTH_MM = 210 - 2 * MARGIN_MM
_SIZES = {"Normal": 10.0, "Title": 22.0, "Subtitle": 10.0, "Heading 1": 14.0, "Heading 2": 11.0}


def apply_style(word: Word, locale: str) -> None:
    """A4, the house's fonts and sizes, and the language for spelling and hyphenation."""
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(MARGIN_MM)
    section.top_margin, section.bottom_margin = Mm(18), Mm(20)
    for name, size in _SIZES.items():
        _set_font(_style(word, name), size)
    normal = _style(word, "Normal")
    normal.paragraph_format.space_after = Pt(5)
    heading = _style(word, "Heading 1")
    heading.paragraph_format.space_before = Pt(18)
    heading.paragraph_format.space_after = Pt(6)
    subtitle = _style(word, "Subtitle")
    subtitle.font.color.rgb = QUIET
    for spacing in subtitle.element.rPr.findall(qn("w:spacing")):
        subtitle.element.rPr.remove(spacing)  # Word's own spreads its letters
    _remove_border(_style(word, "Title"))
    _set_language(word, locale)


def _style(word: Word, name: str) -> ParagraphStyle:
    style = word.styles[name]
    assert isinstance(style, ParagraphStyle)
    return style


def _set_font(style: ParagraphStyle, size: float) -> None:
    style.font.name = SANS
    style.font.size = Pt(size)
    style.font.italic = False
    style.font.bold = style.name is not None and style.name.startswith(("Title", "Heading"))
    style.font.color.rgb = INK
    fonts = style.element.rPr.rFonts
    for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        # A theme's font would win over the named one.
        fonts.attrib.pop(qn(f"w:{attribute}"), None)


def _remove_border(style: ParagraphStyle) -> None:
    border = style.element.pPr.find(qn("w:pBdr"))
    if border is not None:
        style.element.pPr.remove(border)


def _set_language(word: Word, locale: str) -> None:
    tags = (qn("w:lang"), qn("w:themeFontLang"))
    for part in (word.styles.element, word.settings.element):
        for language in part.iter(*tags):
            language.set(qn("w:val"), locale)


def number_pages(word: Word, title: str) -> None:
    """The footer: title at the left, page and number of pages at the right."""
    style = _style(word, "Footer")
    style.font.size = Pt(8)
    style.font.color.rgb = QUIET
    style.paragraph_format.tab_stops.clear_all()  # a middle one would come first
    footer = word.sections[0].footer.paragraphs[0]
    footer.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT)
    footer.add_run(f"{title}\t")
    _field(footer, "PAGE")
    footer.add_run(" / ")
    _field(footer, "NUMPAGES")


def _field(paragraph: Paragraph, instruction: str) -> None:
    """A field that Word fills in; until then it shows 1."""
    field: Any = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run: Any = OxmlElement("w:r")
    text: Any = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)
