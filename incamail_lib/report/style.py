"""The style sheets: with the chapters in a notebook, once for all in a page."""

from __future__ import annotations

from functools import cache

from incamail_lib.report.pages import TEMPLATES


@cache
def _sheet(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def chapter_style() -> str:
    """A style element that lets one chapter look right wherever it is shown."""
    return f"<style>{_sheet('chapter.css')}</style>\n"


@cache
def page_style(*names: str) -> str:
    """The sheets of a page, fonts included; or the named ones."""
    chosen = names or ("fonts.css", "page.css", "chapter.css")
    return "\n".join(_sheet(name) for name in chosen)


def unstyled(html: str) -> str:
    """A chapter without its own style element, for a page that has the sheet already."""
    return html.replace(chapter_style(), "", 1)
