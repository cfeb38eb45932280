"""Lists of dossiers: what a spreadsheet saves is read, and what is wrong is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl.workbook.workbook import Workbook

from incamail_lib.batch.listing import listed
from incamail_lib.errors import UsageError


def csv(folder: Path, text: str, encoding: str = "utf-8") -> str:
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        "dossier\na.yaml\nb.yaml\n",
        "Organisation;Dossier;Remark\r\nA;a.yaml;x\r\n;;\r\nB;b.yaml\r\n",
        'dossier,remark\n"a.yaml","with, comma"\nb.yaml,\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lists_of_every_spreadsheet_are_read(tmp_path: Path, text: str, encoding: str) -> None:
    """Comma or semicolon, with or without a mark in front; paths start at the list's folder."""
    found = listed([csv(tmp_path, text, encoding)])
    assert found.paths == (tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert found.wrong == ()


def test_an_excel_list_is_read(tmp_path: Path) -> None:
    """The first sheet; a line without a dossier is told by its number, the others count."""
    book = Workbook()
    sheet = book.active
    for row in (["Dossier", "Organisation"], ["a.yaml", "A"], [None, "B"], ["/abs/c.yaml", 3]):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    found = listed([str(tmp_path / "list.xlsx")])
    assert found.paths == (tmp_path / "a.yaml", Path("/abs/c.yaml"))
    ((_, problem),) = found.wrong
    assert "line 3" in problem.english()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file\na.yaml\n", "must name the column «dossier»"),
        ("name;key\na.yaml;b\n", "it names: name, key"),
        ("dossier,key\na.yaml,secret\n", "does not have: «key». Beside «dossier»"),
        ("", "must name the column"),
        ("dossier\n", "names no dossier"),
        ("dossier;remark\n;\n", "names no dossier"),
        ('dossier\n"a.yaml', "damaged"),
    ],
)
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    """Columns are those that are known: anything else is a mistake, or somebody's secret."""
    with pytest.raises(UsageError, match=told):
        listed([csv(tmp_path, text)])


def test_what_only_looks_like_a_list_is_told(tmp_path: Path) -> None:
    """A renamed file, another encoding, a folder of that name: one sentence each."""
    (tmp_path / "list.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(UsageError, match="damaged"):
        listed([str(tmp_path / "list.xlsx")])
    with pytest.raises(UsageError, match="not UTF-8"):
        listed([csv(tmp_path, "dossier\nmüller.yaml\n", "latin-1")])
