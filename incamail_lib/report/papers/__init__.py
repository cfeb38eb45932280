"""Documents made from a dossier at any time, also from a partial one: HTML, PDF, DOCX, CSV."""

from incamail_lib.report.papers.collection import KEYS, documents, file_name
from incamail_lib.report.papers.docx import render_docx
from incamail_lib.report.papers.matrix import Pair, Side, network_csv, network_pairs
from incamail_lib.report.papers.model import Document, gaps
from incamail_lib.report.papers.page import render_fragment, render_html, render_pdf
from incamail_lib.report.papers.parts import Basis
from incamail_lib.report.papers.rules import SYNTAXES, Syntax, network_rules

__all__ = [
    "KEYS",
    "SYNTAXES",
    "Basis",
    "Document",
    "Pair",
    "Side",
    "Syntax",
    "documents",
    "file_name",
    "gaps",
    "network_csv",
    "network_pairs",
    "network_rules",
    "render_docx",
    "render_fragment",
    "render_html",
    "render_pdf",
]
