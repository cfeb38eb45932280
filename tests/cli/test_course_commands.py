"""`incamail course`: progress, tables and what cannot be, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from incamail_lib.cli.app import app
from incamail_lib.course.exam import Paper, write_paper
from incamail_lib.runbook.course import open_lesson


def said(*arguments: str, code: int = 0) -> str:
    """What a command prints; its exit code is checked."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_progress_is_told_and_makes_no_folder(tmp_path: Path) -> None:
    """Nothing yet, then what was answered; asking leaves no trace."""
    place = ("--learner", "Anna", "--output", str(tmp_path))
    assert json.loads(said("course", "progress", *place, "--json"))[0]["right"] == 0
    assert list(tmp_path.iterdir()) == []
    lesson = open_lesson("travel", "Anna", output=tmp_path, interactive=False)
    lesson.exercise("addin").answer("marked")
    lesson.exercise("wire").answer("nothing")
    first = json.loads(said("course", "progress", *place, "--json"))[0]
    assert (first["lesson"], first["right"], first["all"]) == ("travel", 1, 8)
    assert "1 / 8" in said("course", "progress", *place, "--lang", "en")


def test_a_folder_of_papers_becomes_a_table(tmp_path: Path) -> None:
    """On standard output, or in a file that a spreadsheet opens."""
    write_paper(tmp_path, Paper(learner="Anna", seed=7, questions=3))
    assert "Anna,exam,7,3,0,0,3,0" in said("course", "grade", str(tmp_path))
    table = tmp_path / "table.csv"
    said("course", "grade", str(tmp_path), "--csv", str(table))
    assert table.read_bytes().startswith(b"\xef\xbb\xbflearner,")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["start", "none", "--no-browser"], "1 travel"),
        (["exam", "--seed", "1", "--questions", "0", "--no-browser"], "An exam has from 1"),
        (["grade", "nowhere"], "No exam was found"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], part: str) -> None:
    """One sentence, and the exit code of wrong use."""
    assert part in " ".join(said("course", *arguments, "--lang", "en", code=2).split())
