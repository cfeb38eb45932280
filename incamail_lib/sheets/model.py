"""A document as values: sections of blocks, in no language and no format yet.

Deliverables and the chapters of a report are made of the same blocks. The renderers of this room
(`html`, `word`, `pdf`) say the same words of them, in the same order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from incamail_lib.i18n import Language, Text

State: TypeAlias = Literal["good", "bad", "open", "quiet"]
"""What a mark says by its sign and colour; its words say the same."""

SIGNS: dict[State, str] = {"good": "✓", "bad": "✗", "open": "?", "quiet": "–"}


@dataclass(frozen=True)
class Missing:
    """What should stand here and is not known: it is marked, and nothing is invented.

    `field` is the path of what fills it, `place` where a person enters that.
    """

    text: Text
    field: tuple[str, ...] = ()
    place: Text | None = None


@dataclass(frozen=True)
class Code:
    """A name, address or fingerprint, the same in every language."""

    value: str


@dataclass(frozen=True)
class Strong:
    """Words that carry the weight of their line."""

    text: Text


@dataclass(frozen=True)
class Quiet:
    """Words beside the matter: a code, a source."""

    text: Text


@dataclass(frozen=True)
class Mark:
    """A sign with its words: what is only a colour or a sign, some cannot see."""

    state: State
    text: Text


@dataclass(frozen=True)
class Link:
    """Words that lead to a page; `target` is an address, or a path beside the document."""

    text: Text
    target: str


@dataclass(frozen=True)
class FileName:
    """A file written beside the document: another form of the document with this key."""

    key: str
    ending: str


@dataclass(frozen=True)
class Phrase:
    """Several inlines on one line, a blank between each two."""

    parts: tuple[Inline, ...]


Inline: TypeAlias = (
    Text | Missing | Code | Strong | Quiet | Mark | Link | FileName | Phrase | dt.date
)
"""What stands on a line; a date is told by its day, a datetime as clocks show it there."""
Cell: TypeAlias = tuple[Inline, ...]
"""The lines of a table's cell; none is shown as a dash."""

Style: TypeAlias = Literal["body", "note", "warning", "quote", "quote-title"]


@dataclass(frozen=True)
class Heading:
    """A heading inside a section; it stays with what follows."""

    text: Inline
    key: str = ""


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; a quote is text that the client may copy."""

    text: Inline
    style: Style = "body"


@dataclass(frozen=True)
class Gap:
    """A paragraph that is missing, with what fills it."""

    missing: Missing


@dataclass(frozen=True)
class Listing:
    """Points, numbered where their order or number matters."""

    items: tuple[Inline, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Point:
    """Something to be done or known: what, its lines, and named facts (remedy, who, until when)."""

    title: Inline
    state: State = "open"
    lines: tuple[Inline, ...] = ()
    facts: tuple[tuple[Text, Cell], ...] = ()


@dataclass(frozen=True)
class Points:
    """Numbered points, each kept on one page."""

    items: tuple[Point, ...]


@dataclass(frozen=True)
class Table:
    """A table; without headings its first column names what stands beside it.

    `widths` are shares of the page's width. A row of one cell in a table of several columns is a
    heading of the rows below it.
    """

    headings: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    caption: Text | None = None


@dataclass(frozen=True)
class CheckRow:
    """One thing to tick off."""

    text: Inline
    done: bool = False


@dataclass(frozen=True)
class Checklist:
    """Things to tick off, on the screen or on paper."""

    rows: tuple[CheckRow, ...]


@dataclass(frozen=True)
class SignatureLine:
    """A line for one party; name and date stand there once somebody has signed."""

    party: Text
    name: str = ""
    signed_on: dt.date | None = None


@dataclass(frozen=True)
class SignatureLines:
    """The lines under a report; they stay whole, and with the paragraph that they sign."""

    lines: tuple[SignatureLine, ...]


@dataclass(frozen=True)
class Banner:
    """A verdict: its word with a sign, and the sentence that explains it."""

    state: State
    word: Text
    sentence: Text


@dataclass(frozen=True)
class Verbatim:
    """Lines as they were sent and received, in letters of one width."""

    lines: tuple[Inline, ...]


class Drawing(Protocol):
    """What draws itself as SVG, with presentation attributes only."""

    @property
    def width(self) -> int:
        """In units of the drawing."""

    @property
    def height(self) -> int:
        """In units of the drawing."""

    def shapes(self, language: Language) -> str:
        """The elements inside of `svg`, all text in them escaped."""


@dataclass(frozen=True)
class Picture:
    """A drawing with what it shows in words; formats that cannot draw show the words.

    One sentence is a paragraph, several are a list.
    """

    drawing: Drawing
    title: Text
    sentences: tuple[Text, ...]
    caption: Text | None = None


@dataclass(frozen=True)
class Fold:
    """Evidence for those who want it: folded away on a screen, open on paper."""

    title: Inline
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Together:
    """Blocks that stay on one page."""

    blocks: tuple[Block, ...]


Block: TypeAlias = (
    Heading
    | Paragraph
    | Gap
    | Listing
    | Points
    | Table
    | Checklist
    | SignatureLines
    | Banner
    | Verbatim
    | Picture
    | Fold
    | Together
)


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; `key` is its name in addresses of the page.

    A section of the annex says so in its heading. A whole one is not split on paper, if a page can
    hold it.
    """

    title: Text
    blocks: tuple[Block, ...]
    key: str = ""
    new_page: bool = False
    annex: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Document:
    """A document; `key` names it in file names and in `only`."""

    key: str
    title: Text
    subtitle: Text
    sections: tuple[Section, ...]
    organisation: str
    made_on: dt.date
    remarks: tuple[Text, ...] = ()  # what a reader must know before all else


def in_words(picture: Picture) -> Block:
    """What a picture shows, as words."""
    if len(picture.sentences) == 1:
        return Paragraph(picture.sentences[0], "note")
    return Listing(picture.sentences, numbered=True)


def kept_together(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks with every line to sign joined to the paragraph before it."""
    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined else None
        if isinstance(block, SignatureLines) and isinstance(before, Paragraph):
            joined[-1] = Together((before, block))
        elif isinstance(block, SignatureLines):
            joined.append(Together((block,)))
        else:
            joined.append(block)
    return tuple(joined)


def gaps(document: Document) -> tuple[Missing, ...]:
    """Everything that is marked as missing, with what fills it, in reading order."""
    return missing_in(document.sections)


def missing_in(sections: tuple[Section, ...]) -> tuple[Missing, ...]:
    """The same of some sections."""
    blocks = (block for section in sections for block in section.blocks)
    return tuple(missing for block in blocks for missing in _gaps_of(block))


def _gaps_of(block: Block) -> Iterator[Missing]:
    if isinstance(block, Gap):
        yield block.missing
    if isinstance(block, Fold | Together):
        for inner in block.blocks:
            yield from _gaps_of(inner)
    for inline in _inlines(block):
        yield from _missing(inline)


def _missing(inline: Inline) -> Iterator[Missing]:
    if isinstance(inline, Missing):
        yield inline
    if isinstance(inline, Phrase):
        for part in inline.parts:
            yield from _missing(part)


def _inlines(block: Block) -> Iterator[Inline]:
    match block:
        case Paragraph() | Heading():
            yield block.text
        case Listing():
            yield from block.items
        case Points():
            for point in block.items:
                yield from (point.title, *point.lines)
                yield from (inline for _, cell in point.facts for inline in cell)
        case Table():
            yield from (inline for row in block.rows for cell in row for inline in cell)
        case Checklist():
            yield from (row.text for row in block.rows)
