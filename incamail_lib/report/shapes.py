"""The shapes of drawings as SVG: presentation attributes alone, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from incamail_lib.sheets.cleaning import clean

INK, GREY = "#1a1a1a", "#444444"
Number = int | float


def element(name: str, **attributes: object) -> Markup:
    """An element without content; `stroke_width` becomes the attribute stroke-width."""
    return Markup("<{} {}/>").format(Markup(name), _attributes(attributes))  # noqa: S704 – ours


def label(text: str, x: Number, y: Number, **attributes: object) -> Markup:
    """A line of text that begins at a point."""
    told = {"x": x, "y": y, "fill": INK, "font_size": 12} | attributes
    return Markup("<text {}>{}</text>").format(_attributes(told), clean(text))


def together(parts: Iterable[Markup]) -> str:
    """All shapes, the later ones above the earlier."""
    return Markup("\n").join(parts)


def _attributes(given: dict[str, object]) -> Markup:
    return Markup(" ").join(
        Markup('{}="{}"').format(name.replace("_", "-"), value) for name, value in given.items()
    )
