"""The style sheets: with the chapters in a notebook, once for all in a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

LOOK = Path(__file__).parent / "look"
_COLUMNS = "".join(f".im-w{n}{{width:{n}%}}" for n in range(1, 100))
"""Columns in percent: pages permit no style attribute."""


@cache
def _sheet(name: str) -> str:
    return (LOOK / name).read_text(encoding="utf-8")


@cache
def notebook_style() -> str:
    """The sheets of what a notebook shows: chapters, in JupyterLab's dark theme too."""
    return "\n".join((_sheet("chapter.css"), _sheet("notebook.css"), _COLUMNS))


@cache
def chapter_style() -> str:
    """A style element that lets one chapter look right wherever it is shown."""
    return f"<style>{notebook_style()}</style>\n"


@cache
def page_style() -> str:
    """The sheets of a page, fonts included."""
    names = ("fonts.css", "page.css", "chapter.css")
    return "\n".join((*(_sheet(name) for name in names), _COLUMNS))


def unstyled(html: str) -> str:
    """A chapter without its own style element, for a page that has the sheet already."""
    return html.replace(chapter_style(), "", 1)
