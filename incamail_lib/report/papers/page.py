"""A document as one HTML page that needs nothing from outside, and on paper."""

from __future__ import annotations

from functools import partial

from incamail_lib.i18n import Language
from incamail_lib.report.document import pdf_of
from incamail_lib.report.pages import render
from incamail_lib.report.papers.model import Code, Document, Missing, gaps
from incamail_lib.report.papers.telling import told
from incamail_lib.report.style import page_style

SHEETS = ("fonts.css", "page.css", "chapter.css", "papers.css")


def render_html(document: Document, language: Language) -> str:
    """The document in the style of the reports, everything in it escaped."""
    return _rendered("papers", document, language)


def render_fragment(document: Document, language: Language) -> str:
    """What stands on the page, for a notebook that brings the style itself."""
    return _rendered("paper_body", document, language)


def _rendered(template: str, document: Document, language: Language) -> str:
    return render(
        template,
        language,
        document=document,
        open_gaps=len(gaps(document)),
        style=page_style(*SHEETS),
        told=partial(told, language=language),
        is_missing=lambda inline: isinstance(inline, Missing),
        is_code=lambda inline: isinstance(inline, Code),
    )


def render_pdf(document: Document, language: Language) -> bytes:
    """The page on A4, with page numbers.

    Errors: PaperUnavailable where the system library pango is missing.
    """
    return pdf_of(render_html(document, language))
