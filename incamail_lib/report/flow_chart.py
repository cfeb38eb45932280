"""A flow laid out for SVG in one language: boxes one below the other, a hop between each two."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from incamail_lib.i18n import Language
from incamail_lib.report.cleaning import Cleaned
from incamail_lib.report.flow import Flow, Hop, HopState, Node
from incamail_lib.report.language import voice

WIDTH = 600  # fits a window of 640 pixels with its margins
EDGE = 4
BOX = 28  # height without detail
LINE = 16
HOP_PAD = 12
LETTERS = 78  # on one line of a hop or detail, at 12 units
MOST_LINES = 3


@dataclass(frozen=True)
class Box:
    """One node: its rectangle and its lines, the first of which is the title."""

    y: int
    height: int
    title: str
    detail: tuple[str, ...]
    certain: bool  # its outline: solid for what is declared to be there, else dashed


@dataclass(frozen=True)
class Arrow:
    """One hop: its line, the centre of its symbol, and its lines of text."""

    top: int
    bottom: int
    symbol_y: int
    state: HopState
    label: tuple[str, ...]
    words: tuple[str, ...]
    text_y: int


@dataclass(frozen=True)
class Chart:
    """Everything the SVG and its text alternative need."""

    key: str
    title: str
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    sentences: tuple[str, ...]  # the text alternative, one per hop
    width: int = WIDTH


def chart(flow: Flow, language: Language) -> Chart:
    """The flow drawn from top to bottom."""
    tell = voice(language)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    y = EDGE
    for number, node in enumerate(flow.nodes):
        boxes.append(_box(node, y, language))
        y += boxes[-1].height
        if number < len(flow.hops):
            arrows.append(_arrow(flow.hops[number], y, language))
            y = arrows[-1].bottom
    return Chart(
        key=flow.direction.value,
        title=tell.gettext(flow.title),
        height=y + EDGE,
        boxes=tuple(boxes),
        arrows=tuple(arrows),
        sentences=tuple(_sentence(flow, n, language) for n in range(len(flow.hops))),
    )


def _box(node: Node, y: int, language: Language) -> Box:
    tell = voice(language)
    detail = _lines(tell.say("{hosts}", hosts=node.detail)) if node.detail else ()
    height = BOX + LINE * len(detail)
    title = tell.gettext(node.title)
    if node.present is None:
        title = tell.say("{component} (not declared)", component=title)
    elif not node.present:
        title = tell.say("{component} (declared not to be there)", component=title)
    return Box(y, height, title, detail, bool(node.present))


def _arrow(hop: Hop, y: int, language: Language) -> Arrow:
    tell = voice(language)
    label, words = _lines(tell.told(hop.label)), _lines(tell.told(hop.words))
    height = 2 * HOP_PAD + LINE * (len(label) + len(words))
    return Arrow(
        top=y,
        bottom=y + height,
        symbol_y=y + height // 2 - 3,
        state=hop.state,
        label=label,
        words=words,
        text_y=y + HOP_PAD + 11,
    )


def _lines(text: str) -> tuple[str, ...]:
    """The text in lines that fit; SVG does not wrap."""
    lines = textwrap.wrap(
        text, LETTERS, max_lines=MOST_LINES, placeholder=" …", break_on_hyphens=False
    )
    return tuple(Cleaned(line) for line in lines)


def _sentence(flow: Flow, number: int, language: Language) -> str:
    tell = voice(language)
    start, end, hop = flow.nodes[number], flow.nodes[number + 1], flow.hops[number]
    return tell.say(
        "{start} → {end}: {label} – {state}.",
        start=Cleaned(tell.gettext(start.title)),
        end=Cleaned(tell.gettext(end.title)),
        label=tell.told(hop.label),
        state=tell.told(hop.words),
    )
