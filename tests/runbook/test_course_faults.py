"""What may go wrong while somebody learns: a clear sentence each time, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from incamail_lib import lab
from incamail_lib.course import bench as benches
from incamail_lib.course.progress import PROGRESS, open_progress
from incamail_lib.outputs import course_folder
from incamail_lib.runbook.classroom import set_up
from incamail_lib.runbook.course import open_course, open_lesson

DAMAGED = b'{"schema_version": 1, "learner": "An'


def test_a_file_damaged_under_a_page_costs_no_answer(tmp_path: Path) -> None:
    """The page still knows the answers: the next one writes them all, and the page says what
    happened, where it is answered and among the progress; the damaged bytes are kept."""
    lesson = open_lesson("travel", "Anna", language="en", output=tmp_path, interactive=False)
    lesson.exercise("addin").answer("marked")
    file = course_folder(tmp_path, "Anna") / PROGRESS
    file.write_bytes(DAMAGED)
    page = str(lesson.exercise("wire").answer("nothing"))
    assert "progress.damaged-1.json" in page
    assert "nothing of them is lost" in page
    assert (file.with_name("progress.damaged-1.json")).read_bytes() == DAMAGED
    known, problem = open_progress(file, "Anna")
    assert problem is None
    assert [a.exercise for a in known.attempts] == ["travel/addin", "travel/wire"]
    assert "is damaged" in str(lesson.progress)


def test_looking_at_a_damaged_file_costs_no_answer_either(tmp_path: Path) -> None:
    """Two lessons are open; one shows the progress of a file that was damaged, and then both go
    on: what either of them knew is in the file."""
    first = open_lesson("travel", "Anna", language="en", output=tmp_path, interactive=False)
    first.exercise("addin").answer("marked")
    second = open_lesson("recipients", "Anna", language="en", output=tmp_path, interactive=False)
    second.exercise("mixed").answer("nobody")
    file = course_folder(tmp_path, "Anna") / PROGRESS
    file.write_bytes(DAMAGED)
    assert "is damaged" in str(second.progress)
    first.exercise("wire").answer("nothing")
    second.exercise("mixed").answer("lawyer")
    known, _ = open_progress(file, "Anna")
    assert sorted(a.exercise for a in known.attempts) == [
        *("recipients/mixed", "recipients/mixed", "travel/addin", "travel/wire"),
    ]


def test_a_damaged_exam_is_kept_and_begins_anew(tmp_path: Path) -> None:
    """One sentence with both names; the exam can be taken."""
    course = open_course("Anna", language="en", output=tmp_path, interactive=False)
    exam = course.exam(7, 3)
    exam.hand_in()
    file = course.learner.folder / exam.paper.file
    file.write_bytes(DAMAGED)
    again = course.exam(7, 3)
    aside = file.with_name(f"{file.stem}.damaged-1.json")
    assert aside.name in str(again)
    assert aside.read_bytes() == DAMAGED
    assert not again.is_handed_in


def test_notes_that_a_learner_wrote_are_kept(tmp_path: Path) -> None:
    """A text changed, a text added; a page that is ours in another language is no change."""
    page = set_up("Anna", tmp_path, "de").place.folder / "01_travel.ipynb"
    assert set_up("Anna", tmp_path, "it").kept == ()
    notebook = nbformat.read(page, as_version=4)
    notebook.cells[0].source += "\n\nAsk the firewall team."
    nbformat.write(notebook, page)
    (kept,) = set_up("Anna", tmp_path, "it").kept
    assert "Ask the firewall team." in kept.read_text(encoding="utf-8")
    notebook = nbformat.read(page, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("My own words."))
    nbformat.write(notebook, page)
    (kept,) = set_up("Anna", tmp_path, "de").kept
    assert kept.name == "01_travel.yours-2.ipynb"
    assert "My own words." in kept.read_text(encoding="utf-8")


def test_a_page_that_is_no_page_any_more_is_kept(tmp_path: Path) -> None:
    """Damaged by an editor or by a disk that was full."""
    page = set_up("Anna", tmp_path, "en").place.folder / "01_travel.ipynb"
    page.write_text("{ half a page", encoding="utf-8")
    (kept,) = set_up("Anna", tmp_path, "en").kept
    assert kept.read_text(encoding="utf-8") == "{ half a page"
    assert json.loads(page.read_text(encoding="utf-8"))["nbformat"] == 4


def test_a_lab_that_was_ended_makes_no_answer_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be started, or was ended under our hands: the answer stays open with a sentence,
    is not written down, and is right as soon as the lab is there again."""
    lesson = open_lesson("certificate", "Anna", language="en", output=tmp_path, interactive=False)
    whole = lab.run

    def ended(*_: object, **__: object) -> object:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(benches, "run", ended)
    monkeypatch.setattr(benches, "_MEASURED", {})
    page = str(lesson.exercise("wrong_name").answer("san"))
    assert "try again in a moment" in " ".join(page.split())
    assert lesson.learner.progress.attempts == ()
    monkeypatch.setattr(benches, "run", whole)
    assert "Right." in str(lesson.exercise("wrong_name").answer("san"))
