"""A flow as a drawing: boxes one below the other, a hop between each two."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from markupsafe import Markup

from incamail_lib.i18n import LANGUAGES, Language, Text, say
from incamail_lib.report.flow import Flow, Hop, HopState, Node
from incamail_lib.report.shapes import GREY, element, label, together
from incamail_lib.sheets.cleaning import Cleaned
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.model import Picture

WIDTH = 600  # fits a window of 640 pixels with its margins
EDGE = 4
BOX = 28  # height without detail
LINE = 16
HOP_PAD = 12
LETTERS = 78  # on one line of a hop or detail, at 12 units
MOST_LINES = 3
_COLOURS = {
    HopState.OK: "#17663a",
    HopState.FAILED: "#b3001b",
    HopState.UNKNOWN: "#7a4b00",
    HopState.NOT_MEASURED: "#565656",
}
_DASHES = {HopState.UNKNOWN: "6 4", HopState.NOT_MEASURED: "2 4"}


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
    """A flow laid out in one language."""

    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class FlowDrawing:
    """A flow that draws itself; its height is that of the language with the most lines."""

    flow: Flow
    height: int
    width: int = WIDTH

    def shapes(self, language: Language) -> str:
        """Ground, hops and boxes."""
        made = chart(self.flow, language)
        ground = element("rect", x=0, y=0, width=self.width, height=self.height, fill="#ffffff")
        hops = (shape for arrow in made.arrows for shape in _hop(arrow))
        return together((ground, *hops, *(s for box in made.boxes for s in _shapes(box))))


def picture(flow: Flow) -> Picture:
    """The flow as a drawing, and hop by hop in words."""
    height = max(chart(flow, language).height for language in LANGUAGES)
    sentences = tuple(_sentence(flow, number) for number in range(len(flow.hops)))
    return Picture(FlowDrawing(flow, height), Text(template=flow.title), sentences)


def _hop(arrow: Arrow) -> tuple[Markup, ...]:
    colour = _COLOURS[arrow.state]
    failed = arrow.state is HopState.FAILED
    dashes = {"stroke_dasharray": _DASHES[arrow.state]} if arrow.state in _DASHES else {}
    line = element(
        "path",
        d=f"M28 {arrow.top} V{arrow.bottom - 8}",
        fill="none",
        stroke=colour,
        stroke_width=3 if failed else 2,
        **dashes,
    )
    head = element("path", d=f"M22 {arrow.bottom - 9} l6 9 l6 -9 z", fill=colour)
    below = arrow.text_y + LINE * len(arrow.label)
    labels = (label(t, 56, arrow.text_y + LINE * n) for n, t in enumerate(arrow.label))
    words = (
        label(t, 56, below + LINE * n, fill=colour, font_weight=600)
        for n, t in enumerate(arrow.words)
    )
    return (line, head, *_symbol(arrow.state, arrow.symbol_y), *labels, *words)


def _symbol(state: HopState, y: int) -> tuple[Markup, Markup]:
    colour = _COLOURS[state]
    filled = state in (HopState.OK, HopState.FAILED)
    circle = element(
        "circle", cx=28, cy=y, r=11, fill=colour if filled else "#ffffff", stroke=colour
    )
    match state:
        case HopState.OK:
            return circle, _stroke(f"M23 {y} l4 4 l6 -8", "#ffffff")
        case HopState.FAILED:
            return circle, _stroke(f"M24 {y - 4} l8 8 m0 -8 l-8 8", "#ffffff")
        case HopState.UNKNOWN:
            mark = label(
                "?", 28, y + 5, font_size=14, font_weight=600, fill=colour, text_anchor="middle"
            )
            return circle, mark
        case HopState.NOT_MEASURED:
            return circle, _stroke(f"M24 {y} h8", colour)


def _stroke(d: str, colour: str) -> Markup:
    return element("path", d=d, fill="none", stroke=colour, stroke_width=2)


def _shapes(box: Box) -> tuple[Markup, ...]:
    dashes = {} if box.certain else {"stroke_dasharray": "4 3"}
    frame = element(
        "rect",
        x=1,
        y=box.y,
        width=WIDTH - 2,
        height=box.height,
        fill="#f5f5f3",
        stroke="#565656",
        **dashes,
    )
    title = label(box.title, 14, box.y + 19, font_size=13, font_weight=600)
    lines = (
        label(line, 14, box.y + 19 + LINE * n, fill=GREY) for n, line in enumerate(box.detail, 1)
    )
    return (frame, title, *lines)


def chart(flow: Flow, language: Language) -> Chart:
    """The flow laid out from top to bottom."""
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
        height=y + EDGE,
        boxes=tuple(boxes),
        arrows=tuple(arrows),
    )


def _box(node: Node, y: int, language: Language) -> Box:
    tell = formatter(language)
    detail = _lines(tell.say("{hosts}", hosts=node.detail)) if node.detail else ()
    height = BOX + LINE * len(detail)
    title = tell.gettext(node.title)
    if node.present is None:
        title = tell.say("{component} (not declared)", component=title)
    elif not node.present:
        title = tell.say("{component} (declared not to be there)", component=title)
    return Box(y, height, title, detail, bool(node.present))


def _arrow(hop: Hop, y: int, language: Language) -> Arrow:
    tell = formatter(language)
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


def _sentence(flow: Flow, number: int) -> Text:
    start, end, hop = flow.nodes[number], flow.nodes[number + 1], flow.hops[number]
    return say(
        "{start} → {end}: {label} – {state}.",
        start=Text(template=start.title),
        end=Text(template=end.title),
        label=hop.label,
        state=hop.words,
    )
