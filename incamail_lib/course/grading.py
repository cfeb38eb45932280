"""A folder of papers as the trainer's table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import Graded, grade, papers_below, read_paper, row
from incamail_lib.course.learning import learnt
from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import Language, translator
from incamail_lib.sheets.cleaning import spreadsheet_cell

_COLUMNS = (
    *("learner", "label", "seed", "questions", "right", "wrong", "open", "percent"),
    *("handed_in_at", "beliefs", "points_gained", "overcome", "file", "problem"),
)


def graded_rows(folder: Path, language: Language) -> list[dict[str, str | int]]:
    """One row for each paper below a folder, marked anew; a paper that cannot be read has a row
    with its problem, and takes no other with it. Errors: MaterialError for a folder without any.
    """
    found = [(path, _graded(path, Bench())) for path in papers_below(folder)]
    whole = [graded for _, graded in found if isinstance(graded, Graded)]
    return [
        {"file": path.relative_to(folder).as_posix(), **_row(graded, whole, language)}
        for path, graded in found
    ]


def _graded(path: Path, bench: Bench) -> Graded | IncaMailError:
    try:
        return grade(read_paper(path), bench)
    except IncaMailError as error:
        return error


def _row(
    graded: Graded | IncaMailError, whole: Sequence[Graded], language: Language
) -> dict[str, str | int]:
    if isinstance(graded, IncaMailError):
        return {"problem": translator(language).text(graded.text)}
    gained = learnt(whole, graded)
    if gained is None:
        return row(graded)
    overcome = " ".join(f"{q.lesson.key}/{key}" for q, key in gained.overcome)
    return {**row(graded), "points_gained": gained.points, "overcome": overcome}


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
