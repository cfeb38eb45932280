"""What a portfolio leaves behind: page, paper, tables, calendar."""

from __future__ import annotations

from pathlib import Path

from incamail_lib.files import write_whole
from incamail_lib.portfolio.calendar import calendar_of
from incamail_lib.portfolio.chapters import Portfolio
from incamail_lib.portfolio.page import page_of
from incamail_lib.portfolio.tables import csv_of, tables, workbook_of


def write_page(portfolio: Portfolio, folder: Path, *, with_pdf: bool = True) -> tuple[Path, ...]:
    """portfolio.html, and portfolio.pdf beside it. Errors: OutputError."""
    document = portfolio.document
    page = page_of(document, portfolio.language)
    files = [write_whole(folder / "portfolio.html", page.encode())]
    if with_pdf:
        from incamail_lib.sheets.pdf import pdf_of  # late: it keeps threads of its own

        made = pdf_of(document, portfolio.language)
        files.append(write_whole(folder / "portfolio.pdf", made))
    return tuple(files)


def write_tables(portfolio: Portfolio, folder: Path) -> tuple[Path, ...]:
    """The tables as CSV and Excel, the renewals as a calendar. Errors: OutputError."""
    files = [
        write_whole(folder / f"{name}.csv", csv_of(rows))
        for name, rows in tables(portfolio).items()
    ]
    files.append(write_whole(folder / "portfolio.xlsx", workbook_of(portfolio)))
    files.append(write_whole(folder / "renewals.ics", calendar_of(portfolio)))
    return tuple(files)
