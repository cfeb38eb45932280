"""A folder of papers as the trainer's table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import grade, papers_below, read_paper, row
from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import Language, translator
from incamail_lib.sheets.cleaning import spreadsheet_cell

_COLUMNS = (
    *("learner", "label", "seed", "questions", "right", "wrong", "open", "percent"),
    *("handed_in_at", "beliefs", "file", "problem"),
)


def graded_rows(folder: Path, language: Language) -> list[dict[str, str | int]]:
    """One row for each paper below a folder, marked anew; a paper that cannot be read has a row
    with its problem, and takes no other with it. Errors: MaterialError for a folder without any.
    """
    bench = Bench()
    return [_row(path, folder, bench, language) for path in papers_below(folder)]


def _row(path: Path, folder: Path, bench: Bench, language: Language) -> dict[str, str | int]:
    file = path.relative_to(folder).as_posix()
    try:
        return row(grade(read_paper(path), bench)) | {"file": file}
    except IncaMailError as error:
        return {"file": file, "problem": translator(language).text(error.text)}


def csv_of(rows: Iterable[dict[str, str | int]]) -> str:
    """The rows as CSV; no cell is taken for a formula."""
    page = io.StringIO()
    table = csv.DictWriter(page, _COLUMNS, lineterminator="\n")
    table.writeheader()
    for line in rows:
        table.writerow(
            {k: spreadsheet_cell(v) if isinstance(v, str) else v for k, v in line.items()}
        )
    return page.getvalue()
