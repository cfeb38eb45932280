"""A document on paper: tagged PDF for screen readers (PDF/UA-1) and for the archive (PDF/A-2a).

Typst sets the type. The document goes to it as data beside one fixed program, so that no text of a
stranger's is ever read as a command. Fonts are ours and stand in the file; none of the system's is
looked at, and nothing is fetched.

Typst keeps threads of its own: a process that has made a PDF must not be forked to make another.
Fork first, or let a press make it (`incamail_lib.forked.press`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain
from typing import Any

from pydantic_core import to_json

from incamail_lib.i18n import LOCALES, Language, Text
from incamail_lib.sheets.cleaning import clean, is_address
from incamail_lib.sheets.html import drawn
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
    Link,
    Listing,
    Mark,
    Missing,
    Paragraph,
    Phrase,
    Picture,
    Point,
    Points,
    Quiet,
    Section,
    SignatureLines,
    Strong,
    Table,
    Together,
    Verbatim,
    gaps,
    in_words,
    kept_together,
)
from incamail_lib.sheets.style import LOOK
from incamail_lib.sheets.telling import (
    IN_WORDS,
    SIGNATURE_HEADINGS,
    SIGNATURE_WIDTHS,
    incomplete,
    told,
    told_title,
    told_under,
)

STANDARDS = ("a-2a", "ua-1")
FONTS = LOOK / "fonts"
_LINE = 100  # letters that a line of the page certainly holds
_JOINTS = re.compile(r"(?<=[.@/:;,_\-+=&?])")  # a long word goes on behind one of these
_IN_ADDRESSES = re.compile(r"(?<=[.@])")
_UNBROKEN = re.compile(r"[A-Za-z0-9.:@_]*")
_PIECE = 6  # letters of a part without such a sign
_WORD = re.compile(r"\S+")
_MOST = 1200  # letters of a row or point that stays on one page
_KINDS: dict[type, str] = {
    Missing: "missing",
    Strong: "strong",
    Quiet: "quiet",
    Mark: "mark",
}
_Data = dict[str, Any]
_Part = str | _Data  # most are plain text in one piece, and just that


def pdf_of(document: Document, language: Language) -> bytes:
    """The document as PDF on A4; the same document gives the same bytes."""
    return typeset(_program(), document, language)


def typeset(program: bytes, document: Document, language: Language) -> bytes:
    """The document as a program in Typst's language sets it."""
    return _compiled(program, data_of(document, language))


def pdf_from(data: bytes) -> bytes:
    """The PDF of what `data_of` made. Errors: RuntimeError of Typst's."""
    return _compiled(_program(), data)


def _compiled(program: bytes, data: bytes) -> bytes:
    import typst  # late: only who wants paper waits for it

    given = {"main": program, "document.json": data}
    typesetter: Any = typst  # its types do not know that files may be given in memory
    made: bytes = typesetter.compile(
        given,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        pdf_standards=list(STANDARDS),
        # The program imports no package; should it ever, none is found here, nor fetched.
        package_path=str(FONTS),
        package_cache_path=str(FONTS),
    )
    return made


def data_of(document: Document, language: Language) -> bytes:
    """The document as the data that the program sets."""
    return to_json(_Writer(language).document(document))


@cache
def _fonts() -> Any:
    """Ours, and those that Typst brings, looked through once."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])


@cache
def _program() -> bytes:
    return (LOOK / "paper.typ").read_bytes()


@cache
def drawable() -> frozenset[str]:
    """Every character that one of the fonts has; the list is `letters.txt`."""
    ranges = (line.split("-") for line in (FONTS / "letters.txt").read_text().split())
    spans = ((int(ends[0], 16), int(ends[-1], 16)) for ends in ranges)
    return frozenset(chain.from_iterable(map(chr, range(a, b + 1)) for a, b in spans))


def on_paper(text: str) -> str:
    """The text with the number of every character that the fonts lack: no box says nothing."""
    known = drawable()
    if known.issuperset(text):
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(c if c in known else f"\\u{{{ord(c):x}}}" for c in composed)


def breakable(text: str, letters: int) -> list[str]:
    """The text in pieces, between which a word of more than `letters` may go on in a new line."""
    if len(text) <= letters or max(map(len, text.split()), default=0) <= letters:
        return [text]
    pieces: list[str] = []
    at = 0
    for found in _WORD.finditer(text):
        if found.end() - found.start() <= letters:
            continue
        pieces.append(text[at : found.start()])
        at = found.end()
        joints = _IN_ADDRESSES if is_address(found[0]) else _JOINTS
        for part in joints.split(found[0]):
            whole = len(part) <= letters
            pieces += (
                [part] if whole else [part[n : n + _PIECE] for n in range(0, len(part), _PIECE)]
            )
    return [piece for piece in (*pieces, text[at:]) if piece] or [""]


class _Writer:
    """Tells values as the data that `paper.typ` sets, in one language."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language

    def document(self, document: Document) -> _Data:
        """Everything that the program reads."""
        missing = len(gaps(document))
        language, region = LOCALES[self._language].split("_")
        day = document.made_on
        return {
            "title": self._words(self._some(document.title), 40),
            "foot": on_paper(told(document.title, self._language)[:_LINE]),
            "under": on_paper(told_under(document, self._language)),
            "organisation": on_paper(clean(document.organisation)),
            "date": [day.year, day.month, day.day],
            "lang": language,
            "region": region.lower(),
            "remarks": [self._words(remark) for remark in document.remarks],
            "incomplete": self._plain(incomplete(missing)) if missing else None,
            "sections": [self._section(section) for section in document.sections],
        }

    def _section(self, section: Section) -> _Data:
        return {
            "title": self._words(self._some(told_title(section)), 40),
            "new-page": section.new_page,
            "whole": section.whole,
            "blocks": self._blocks(section.blocks),
        }

    def _blocks(self, blocks: tuple[Block, ...]) -> list[_Data]:
        return [self._block(block) for block in kept_together(blocks)]

    def _block(self, block: Block) -> _Data:  # noqa: C901, PLR0911, PLR0912 – one line a kind
        match block:
            case Heading(text):
                return {"kind": "heading", "text": self._inline(self._some(text), 60)}
            case Paragraph(text, style):
                return {"kind": "paragraph", "style": style, "text": self._inline(text)}
            case Gap(missing):
                return {"kind": "paragraph", "style": "body", "text": self._inline(missing)}
            case Listing(items, numbered):
                told_items = [self._inline(item) for item in items]
                return {"kind": "listing", "numbered": numbered, "items": told_items}
            case Points(items):
                return {"kind": "points", "items": [self._point(point) for point in items]}
            case Table():
                return self._table(block)
            case Checklist(rows):
                told_rows = [{"done": r.done, "text": self._inline(r.text)} for r in rows]
                return {"kind": "checklist", "rows": told_rows}
            case SignatureLines():
                return self._signatures(block)
            case Banner(state, word, sentence):
                words = [f"{SIGNS[state]} ", *self._words(word)]
                return {
                    "kind": "banner",
                    "state": state,
                    "word": words,
                    "sentence": self._words(sentence),
                }
            case Verbatim(lines):
                return {"kind": "verbatim", "lines": [self._inline(line) for line in lines]}
            case Picture():
                return self._picture(block)
            case Fold(title, inner):
                blocks = self._blocks(inner)
                return {"kind": "fold", "title": self._inline(title), "blocks": blocks}
            case Together(inner):
                return {"kind": "together", "blocks": [self._block(b) for b in inner]}

    def _plain(self, inline: Inline) -> str:
        return on_paper(told(inline, self._language))

    def _some(self, inline: Inline) -> Inline:
        """The inline, or a dash: PDF/UA permits no empty heading."""
        return inline if self._plain(inline).strip() else Text(template=str(DASH))

    def _words(self, inline: Inline, letters: int = _LINE) -> list[str]:
        return breakable(self._plain(inline), letters)

    def _inline(self, inline: Inline, letters: int = _LINE) -> list[_Part]:
        """The parts of a line, a blank between each two."""
        if isinstance(inline, Phrase):
            return [part for inner in inline.parts for part in self._inline(inner, letters)]
        if isinstance(inline, Code):
            names = self._plain(inline).split(" ")
            words = [list(map(_whole, breakable(name, letters))) for name in names]
            return [{"kind": "code", "words": words}]
        pieces, kind = self._words(inline, letters), _KINDS.get(type(inline), "text")
        match inline:
            case Mark(state):
                return [{"kind": kind, "words": pieces, "state": state}]
            # A path beside the page leads nowhere from a PDF that went elsewhere.
            case Link(_, target) if target.startswith(("https://", "http://", "mailto:")):
                return [{"kind": "link", "words": pieces, "target": target}]
        if kind == "text" and len(pieces) == 1:
            return [pieces[0]]
        return [{"kind": kind, "words": pieces}]

    def _cell(self, cell: Cell, letters: int) -> list[list[_Part]]:
        dash = Text(template=str(DASH))
        return [self._inline(inline, letters) for inline in cell or (dash,)]

    def _point(self, point: Point) -> _Data:
        facts = [(self._words(name, 14), self._cell(cell, 80)) for name, cell in point.facts]
        lines = [self._inline(line, 90) for line in point.lines]
        cells = (lines, *(cell for _, cell in facts))
        return {
            "title": self._inline(point.title, 80),
            "state": point.state,
            "lines": lines,
            "facts": facts,
            "long": sum(map(_size, cells)) > _MOST,
        }

    def _table(self, block: Table) -> _Data:
        whole = sum(block.widths)
        letters = [max(4, _LINE * width // whole - 1) for width in block.widths]
        rows = [self._row(row, letters) for row in block.rows]
        headings = zip(block.headings, letters, strict=False)
        return {
            "kind": "table",
            "caption": self._words(block.caption) if block.caption else None,
            "widths": list(block.widths),
            "headings": [self._words(heading, 2 * limit) for heading, limit in headings],
            # Headings that are higher than a page cannot stand on each.
            "repeat": sum(len(self._plain(heading)) for heading in block.headings) < _MOST,
            "rows": rows,
        }

    def _row(self, row: tuple[Cell, ...], letters: list[int]) -> _Data:
        if len(row) < len(letters):
            return {"long": False, "cells": [self._cell(row[0], _LINE - 10)]}
        cells = [self._cell(cell, limit) for cell, limit in zip(row, letters, strict=True)]
        pairs = zip(cells, letters, strict=True)
        long = any(_size(cell) > _MOST * limit / _LINE for cell, limit in pairs)
        return {"long": long, "cells": cells}

    def _signatures(self, block: SignatureLines) -> _Data:
        rows = [
            [
                self._plain(line.party),
                on_paper(clean(line.name)),
                self._plain(line.signed_on) if line.signed_on else "",
                "",
            ]
            for line in block.lines
        ]
        return {
            "kind": "signatures",
            "widths": list(SIGNATURE_WIDTHS),
            "headings": [self._words(heading) for heading in SIGNATURE_HEADINGS],
            "rows": rows,
        }

    def _picture(self, block: Picture) -> _Data:
        return {
            "kind": "picture",
            "svg": on_paper(drawn(block, self._language)),
            "alt": self._plain(block.title),
            "caption": self._words(block.caption) if block.caption else None,
            "in-words": self._words(IN_WORDS),
            "sentences": self._block(in_words(block)),
        }


def _size(cell: list[list[_Part]]) -> int:
    """Letters of a cell as it was told, and the blanks between its parts."""
    return sum(1 + _letters(part) for line in cell for part in line)


def _letters(told: _Part | list[Any]) -> int:
    if isinstance(told, str):
        return len(told)
    return sum(map(_letters, told["words"] if isinstance(told, dict) else told))


def _whole(piece: str) -> str | list[str]:
    """A piece of a name; in a list of its own if a line might be broken in it (UAX 14)."""
    return piece if _UNBROKEN.fullmatch(piece) else [piece]
