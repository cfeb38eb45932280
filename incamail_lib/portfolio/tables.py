"""The portfolio as tables for further work: CSV, and one Excel workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from incamail_lib.portfolio.chapters import Portfolio
from incamail_lib.portfolio.sections import deciding, failing, held
from incamail_lib.sheets.cleaning import spreadsheet_cell
from incamail_lib.sheets.language import formatter

Row = Sequence[str | int]
_WIDEST = 60  # characters of a column in Excel


def tables(portfolio: Portfolio) -> dict[str, list[Row]]:
    """Each table by its name, headings first; names and headings are the same in all languages."""
    return {
        "organisations": [_HEADINGS, *_organisations(portfolio)],
        "changes": [_OF_CHANGES, *_changes(portfolio)],
        "certificates": [_OF_CERTIFICATES, *_certificates(portfolio)],
        "failures": [_OF_FAILURES, *_failures(portfolio)],
    }


_OF_CHANGES: Row = ("organisation", "kind", "code", "subject", "alarm", "text")
_OF_CERTIFICATES: Row = ("organisation", "where", "name", "ends", "renew_from", "days_left")
_OF_FAILURES: Row = ("code", "check", "level", "organisations")


_HEADINGS: Row = (
    *("organisation", "dossier", "verdict", "accepted_until", "deciding", "may_change_on"),
    *("measured_at", "go_live", "owner", "phases_done", "phases_steps", "report", "problem"),
)


def _organisations(portfolio: Portfolio) -> Iterator[Row]:
    tell = formatter(portfolio.language)
    for digest in portfolio.digests:
        yield (
            digest.organisation,
            digest.dossier,
            digest.verdict.value if digest.verdict else "no_verdict",
            digest.accepted_until.isoformat() if digest.accepted_until else "",
            " ".join(deciding(digest)),
            digest.until[0].at.date().isoformat() if digest.until else "",
            digest.measured_at.isoformat() if digest.measured_at else "",
            digest.go_live.isoformat() if digest.go_live else "",
            digest.owner,
            sum(phase.done for phase in digest.phases),
            sum(phase.steps for phase in digest.phases),
            digest.folder,
            tell.told(digest.problem) if digest.problem else "",
        )


def _changes(portfolio: Portfolio) -> Iterator[Row]:
    tell = formatter(portfolio.language)
    for each in portfolio.changed:
        for change in each.changes:
            yield (
                each.organisation,
                change.kind.value,
                change.code,
                change.subject,
                int(change.alarm),
                tell.told(change.text),
            )


def _certificates(portfolio: Portfolio) -> Iterator[Row]:
    for organisation, each in held(portfolio.digests):
        yield (
            organisation,
            each.where,
            each.name,
            each.ends.date().isoformat(),
            each.renew_from.date().isoformat(),
            (each.ends.date() - portfolio.today).days,
        )


def _failures(portfolio: Portfolio) -> Iterator[Row]:
    tell = formatter(portfolio.language)
    for each, count in failing(portfolio.digests):
        yield each.code, tell.gettext(each.title), each.level.value, count


def csv_of(rows: Sequence[Row]) -> bytes:
    """One table as CSV that spreadsheets open as UTF-8; no cell is taken for a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: str | int) -> str | int:
    return value if isinstance(value, int) else str(spreadsheet_cell(value)) if value else ""


def workbook_of(portfolio: Portfolio) -> bytes:
    """All tables as sheets of one workbook, each with its filters; no cell is a formula."""
    import openpyxl  # late: it takes a fifth of a second

    excel: Any = openpyxl  # it has no types of its own
    book = excel.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables(portfolio).items():
        _fill(book.create_sheet(name), rows, excel)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _fill(sheet: Any, rows: Sequence[Row], excel: Any) -> None:
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, _cell(value))
            if isinstance(value, str):
                cell.data_type = "s"  # else what begins with = is a formula
    for column, name in enumerate(rows[0], 1):
        sheet.cell(1, column).font = excel.styles.Font(bold=True)
        longest = max(len(str(name)), *(len(str(row[column - 1])) for row in rows))
        letter = excel.utils.get_column_letter(column)
        sheet.column_dimensions[letter].width = min(longest + 2, _WIDEST)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
