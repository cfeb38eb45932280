"""A document as values: sections of blocks, in no language and no format yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from incamail_lib.i18n import Text


@dataclass(frozen=True)
class Missing:
    """What should stand here and is not known: it is marked, and nothing is invented."""

    text: Text


@dataclass(frozen=True)
class Code:
    """A name, address or fingerprint, the same in every language."""

    value: str


@dataclass(frozen=True)
class Dated:
    """A sentence with a date, written as the language does: `{day}` in the template."""

    text: Text
    day: dt.date


Inline: TypeAlias = Text | Missing | Code | Dated | dt.date
Cell: TypeAlias = tuple[Inline, ...]
"""The lines of a table's cell; none is shown as a dash."""

Style: TypeAlias = Literal["body", "note", "warning", "quote", "quote-title"]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; a quote is text that the client may copy."""

    kind: ClassVar[str] = "paragraph"
    text: Inline
    style: Style = "body"


@dataclass(frozen=True)
class Gap:
    """A paragraph that is missing."""

    kind: ClassVar[str] = "gap"
    text: Text


@dataclass(frozen=True)
class Listing:
    """Points, numbered where their order or number matters."""

    kind: ClassVar[str] = "listing"
    items: tuple[Inline, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Table:
    """A table; without headings its first column names what stands beside it.

    `widths` are shares of the page's width.
    """

    kind: ClassVar[str] = "table"
    headings: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class CheckRow:
    """One thing to tick off."""

    text: Inline
    done: bool = False


@dataclass(frozen=True)
class Checklist:
    """Things to tick off, on the screen or on paper."""

    kind: ClassVar[str] = "checklist"
    rows: tuple[CheckRow, ...]


@dataclass(frozen=True)
class SignatureLine:
    """A line for one party; name and date stand there once somebody has signed."""

    party: Text
    name: str = ""
    signed_on: dt.date | None = None


@dataclass(frozen=True)
class SignatureLines:
    """The lines under a report."""

    kind: ClassVar[str] = "signatures"
    lines: tuple[SignatureLine, ...]


Block: TypeAlias = Paragraph | Gap | Listing | Table | Checklist | SignatureLines


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: Text
    blocks: tuple[Block, ...]


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


def gaps(document: Document) -> tuple[Text, ...]:
    """Everything that is marked as missing, in reading order."""
    blocks = (block for section in document.sections for block in section.blocks)
    return tuple(text for block in blocks for text in _gaps_of(block))


def _gaps_of(block: Block) -> Iterator[Text]:
    if isinstance(block, Gap):
        yield block.text
    yield from (inline.text for inline in _inlines(block) if isinstance(inline, Missing))


def _inlines(block: Block) -> Iterator[Inline]:
    match block:
        case Paragraph():
            yield block.text
        case Listing():
            yield from block.items
        case Table():
            yield from (inline for row in block.rows for cell in row for inline in cell)
        case Checklist():
            yield from (row.text for row in block.rows)
