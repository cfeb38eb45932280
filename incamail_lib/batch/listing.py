"""Which dossiers a run is about: files, folders, globs, or a list as CSV or Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from incamail_lib.dossier.waivers import WAIVERS
from incamail_lib.errors import UsageError, reason
from incamail_lib.files import read_bounded
from incamail_lib.i18n import Text, say

_DOSSIERS = frozenset({".yaml", ".yml"})
_TABLES = frozenset({".csv", ".xlsx"})
_COLUMN = "dossier"
_COLUMNS = (_COLUMN, "organisation", "remark")  # the others are for whoever keeps the list
_MOST_BYTES, _MOST_ROWS = 50_000_000, 1_000_000


@dataclass(frozen=True)
class Listed:
    """The dossiers, each once and in order, and what was wrong with lines of lists."""

    paths: tuple[Path, ...]
    wrong: tuple[tuple[Path, Text], ...] = ()  # what a line names, and why it cannot be taken


def listed(arguments: Sequence[str]) -> Listed:
    """The dossiers that files, folders, globs and lists name.

    Errors: UsageError when an argument names nothing, or a list cannot be read at all.
    """
    found: dict[Path, Path] = {}
    wrong: list[tuple[Path, Text]] = []
    for argument in arguments:
        known = len(wrong)
        named = [path for match in _matches(argument) for path in _of(match, wrong)]
        if not named and len(wrong) == known:
            raise UsageError(
                say("«{given}» names no dossier. Give a .yaml file or a folder.", given=argument)
            )
        for path in named:
            found.setdefault(path.resolve(), path)
    return Listed(tuple(found.values()), tuple(wrong))


def _of(path: Path, wrong: list[tuple[Path, Text]]) -> Iterator[Path]:
    if path.suffix.lower() not in _TABLES:
        yield path
        return
    for number, named in _rows(path):
        if not named:
            problem = say("{file}, line {line}: no dossier is named.", file=str(path), line=number)
            wrong.append((path, problem))
        else:
            yield path.parent / named  # an absolute path stays as it is


def _matches(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        found = (p for p in path.iterdir() if p.suffix.lower() in _DOSSIERS)
        return sorted(p for p in found if p.name != WAIVERS)
    if path.exists():
        return [path]
    if not has_magic(argument):
        return []
    return sorted(p for p in map(Path, glob(argument)) if p.name != WAIVERS)


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    """Number and dossier of each line that is not empty. Errors: UsageError."""
    lines = _csv(path) if path.suffix.lower() == ".csv" else _xlsx(path)
    head = [cell.strip().lower() for cell in next(lines, [])]
    if _COLUMN not in head:
        raise UsageError(
            say(
                "{file}: the first line must name the column «dossier», and may name "
                "«organisation» and «remark»; it names: {given}.",
                file=str(path),
                given=", ".join(head)[:200] or "–",
            )
        )
    odd = [cell for cell in head if cell and cell not in _COLUMNS]
    if odd:
        raise UsageError(
            say(
                "{file}: the first line names a column that a list does not have: {given}. "
                "Beside «dossier» there may be «organisation» and «remark»; remove the others.",
                file=str(path),
                given=", ".join(f"«{name}»" for name in odd)[:200],
            )
        )
    at = head.index(_COLUMN)
    for number, line in enumerate(lines, 2):
        if any(cell.strip() for cell in line):
            yield number, line[at].strip() if at < len(line) else ""


def _csv(path: Path) -> Iterator[list[str]]:
    """The lines of a CSV file; of whatever spreadsheet, so with a comma or a semicolon."""
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(
            say("{file} is not UTF-8. Save the list as «CSV UTF-8».", file=str(path))
        ) from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    try:
        yield from reader
    except csv.Error:
        raise _unreadable(path) from None


def _xlsx(path: Path) -> Iterator[list[str]]:
    """The lines of the first sheet of an Excel file; formulas count by their last value."""
    import openpyxl  # late: hardly ever needed

    library: Any = openpyxl  # without types of its own

    try:
        book = library.load_workbook(io.BytesIO(_bytes(path)), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True, max_row=_MOST_ROWS):
            yield ["" if cell is None else str(cell) for cell in row]
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, _zip_error()):
        raise _unreadable(path) from None


def _zip_error() -> type[Exception]:
    from zipfile import BadZipFile

    return BadZipFile


def _bytes(path: Path) -> bytes:
    try:
        return read_bounded(path, _MOST_BYTES)
    except OSError as error:
        raise UsageError(
            say(
                "The list {file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None


def _unreadable(path: Path) -> UsageError:
    return UsageError(
        say("{file} is damaged. Save the list again as CSV or Excel (.xlsx).", file=str(path))
    )
