"""What a form consists of: plain values, drawn by `drawing` and shown by `panel`.

A form says what it is now; what people enter comes back by the name of the input. So a form can be
asked and answered without a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal["line", "email", "text", "choice", "radio", "date", "number", "tick"]
Width = Literal["short", "half", "full", "column"]  # of a column: one choice a line
Tone = Literal["good", "bad", "open", "quiet"]


@dataclass(frozen=True)
class Input:
    """Something that may be entered, with its label."""

    tag: ClassVar[str] = "input"
    name: str  # by which it comes back
    label: str
    kind: Kind = "line"
    value: str = ""  # as entered; a date in ISO 8601, a tick "true"
    options: tuple[tuple[str, str], ...] = ()  # value and label of each choice
    suggestions: tuple[str, ...] = ()
    hint: str = ""
    problem: str = ""  # why what was entered is refused
    width: Width = "full"
    placeholder: str = ""


@dataclass(frozen=True)
class Button:
    """Something to press."""

    tag: ClassVar[str] = "button"
    name: str
    label: str
    is_main: bool = False
    is_off: bool = False
    opens: bool = False  # opens every card that needs attention, and tells nobody


@dataclass(frozen=True)
class Html:
    """Something to read, made and escaped by our own templates."""

    tag: ClassVar[str] = "html"
    content: str


@dataclass(frozen=True)
class Note:
    """A sentence to be noticed."""

    tag: ClassVar[str] = "note"
    text: str
    warns: bool = False


@dataclass(frozen=True)
class Bar:
    """How much is done."""

    tag: ClassVar[str] = "bar"
    label: str
    done: int
    whole: int


@dataclass(frozen=True)
class Link:
    """A way to another notebook, relative to the one that shows it, or to a heading of this one."""

    tag: ClassVar[str] = "link"
    title: str
    href: str
    note: str = ""

    @classmethod
    def to_notebook(cls, title: str, path: str, note: str = "") -> Link:
        """The way to a notebook alone. JupyterLab would restore the notebooks that were open
        before, and what is run meanwhile is one of them: `reset` lets it forget them."""
        return cls(title, f"{path}?reset", note)


@dataclass(frozen=True)
class Links:
    """Ways to go, one a line or all on one."""

    tag: ClassVar[str] = "links"
    label: str
    links: tuple[Link, ...]
    on_one_line: bool = False


@dataclass(frozen=True)
class Row:
    """Parts beside each other, below each other where it is narrow."""

    tag: ClassVar[str] = "row"
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Group:
    """Parts that belong together, under a title."""

    tag: ClassVar[str] = "group"
    name: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Fact:
    """A word in the line of a card; the label is for those who do not see where it stands."""

    label: str
    text: str
    tone: Tone = "quiet"


@dataclass(frozen=True)
class Card:
    """One line that opens to its parts."""

    tag: ClassVar[str] = "card"
    name: str
    title: str
    parts: tuple[Part, ...]
    number: str = ""
    facts: tuple[Fact, ...] = ()
    is_open: bool = False  # when it appears; then people open and close it
    is_new: bool = False  # just made: the first input is ready to be typed in
    needs_attention: bool = False


Part = Input | Button | Html | Note | Bar | Links | Row | Group | Card


def all_parts(parts: Iterable[Part]) -> Iterator[Part]:
    """Every part, those within others too."""
    for part in parts:
        yield part
        if isinstance(part, Row | Group | Card):
            yield from all_parts(part.parts)


def inputs(parts: Iterable[Part]) -> dict[str, Input]:
    """Every input by its name."""
    return {part.name: part for part in all_parts(parts) if isinstance(part, Input)}
