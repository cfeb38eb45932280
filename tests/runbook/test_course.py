"""The course as a learner takes it: lessons to click or to answer in code, pages, exams."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import nbformat
import pytest

from incamail_lib.batch.execute import How, run_notebook
from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import draw
from incamail_lib.course.exercises import Exercise, Mark, Repair, Sort
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import NoAnswer, State, solution, wrong_answers
from incamail_lib.course.progress import PROGRESS
from incamail_lib.errors import UsageError
from incamail_lib.i18n import LANGUAGES, Language, translator
from incamail_lib.lab import SCENARIOS
from incamail_lib.notebooks import (
    NOTEBOOKS,
    TRAINING,
    enter,
    localised,
    models,
    read_model,
)
from incamail_lib.outputs import course_folder
from incamail_lib.runbook.classroom import TRAINER, set_up
from incamail_lib.runbook.course import OpenLesson, open_course, open_lesson
from incamail_lib.runbook.forms.exercise import ExerciseForm
from incamail_lib.sheets.plain import plain_text

BENCH = Bench()
WIDGET = "application/vnd.jupyter.widget-view+json"


def lesson(output: Path, key: str, language: Language = "en") -> OpenLesson:
    return open_lesson(key, "Anna", language=language, output=output, interactive=False)


def click(form: ExerciseForm, given: object) -> None:
    """Enter an answer as a browser does, and press «Check»."""
    names = list(form.inputs())
    if isinstance(given, dict):
        for name, value in given.items():
            form.enter(name, value)
    elif isinstance(form.exercise, Mark):
        for name in names:
            form.enter(name, str(name.removeprefix("mark-") in given).lower())  # type: ignore[operator]
    elif isinstance(form.exercise, Sort):
        for name, key in zip(names, given, strict=True):  # type: ignore[call-overload]
            form.enter(name, key)
    else:
        form.enter(names[0], str(given))
    form.press("check")


@pytest.mark.parametrize("key", LESSONS)
def test_a_lesson_is_clicked_from_nothing_to_the_whole(tmp_path: Path, key: str) -> None:
    """All open at first; with the model answers all is right, and another session knows it."""
    opened = lesson(tmp_path, key)
    forms = [opened.exercise(e.key) for e in opened.lesson.exercises]
    assert {form.marking.state for form in forms} == {State.OPEN}
    for form in forms:
        click(form, solution(form.exercise, BENCH))
        assert form.marking.state is State.RIGHT, form.exercise.key
    assert "100 %" in str(opened.progress)
    again = lesson(tmp_path, key)
    for exercise in again.lesson.exercises:
        form = again.exercise(exercise.key)
        assert form.marking.state is State.RIGHT
        assert form.answering.given == solution(exercise, BENCH)


def test_hints_unfold_one_by_one(tmp_path: Path) -> None:
    """Each press shows one more; when all are shown the button is off. An answer tells how many."""
    opened = lesson(tmp_path, "travel")
    form = opened.exercise("wire")
    hints = form.exercise.hints
    for shown in range(len(hints) + 1):
        assert [hint in str(form) for hint in hints] == [n < shown for n in range(len(hints))]
        assert ("hint" in form.buttons()) is (shown < len(hints))
        form.press("hint") if shown < len(hints) else None
    form.answer("nothing")
    last = opened.learner.last("travel/wire")
    assert last is not None
    assert (last.hints, last.beliefs) == (2, ("hidden_at_once",))


def test_checking_without_an_answer_records_nothing(tmp_path: Path) -> None:
    """A press too early, and a line of code that is no answer: told, and the file stays away."""
    form = lesson(tmp_path, "travel").exercise("addin")
    form.press("check")
    assert "Give an answer first" in form.said
    with pytest.raises(NoAnswer, match="no answer"):
        form.answer("z")
    assert not (course_folder(tmp_path, "Anna") / PROGRESS).exists()


def test_what_could_not_be_measured_records_nothing(tmp_path: Path) -> None:
    """The form says to try again, and the answer counts as neither right nor wrong."""
    opened = lesson(tmp_path, "certificate")
    exercise = opened.lesson.exercise("wrong_name")
    assert isinstance(exercise, Repair)
    chosen = replace(exercise.options[0], value=lambda _: SCENARIOS["dns_servfail"])
    form = ExerciseForm(
        opened.learner, "certificate/wrong_name", replace(exercise, options=(chosen,)), BENCH
    )
    form.answer(chosen.key)
    assert "try again" in str(form)
    assert not opened.learner.file.exists()


def test_a_letter_is_the_option_that_stands_beside_it(tmp_path: Path) -> None:
    """What a person reads as «b)» is what `answer("b")` means, however options are shuffled."""
    form = lesson(tmp_path, "travel").exercise("addin")
    second = form.answering.options[1]
    assert f"b) {second.text}" in " ".join(str(form).split())
    form.answer("b")
    assert form.answering.given == second.key
    assert str(form).count("Not yet.") + str(form).count("Right.") == 1


def test_an_exercise_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A page that was edited, or a typing error: the sentence names what there is."""
    with pytest.raises(UsageError, match="addin, way"):
        lesson(tmp_path, "travel").exercise("adin")
    with pytest.raises(UsageError, match="1 travel"):
        lesson(tmp_path, "none")


def test_a_damaged_progress_file_is_told_in_the_lesson(tmp_path: Path) -> None:
    """The lesson opens, says what became of the file, and goes on."""
    file = course_folder(tmp_path, "Anna") / PROGRESS
    file.write_text("{", encoding="utf-8")
    opened = lesson(tmp_path, "travel")
    assert "progress.damaged-1.json" in str(opened.progress)
    assert opened.exercise("addin").answer("marked").marking.state is State.RIGHT


def test_an_answer_to_a_question_that_was_changed_since_is_open(tmp_path: Path) -> None:
    """An option may be gone in a newer version: the exercise opens, and the record stays."""
    opened = lesson(tmp_path, "travel")
    opened.exercise("addin").answer("marked")
    file = opened.learner.file
    file.write_text(file.read_text("utf-8").replace('"marked"', '"gone"'), encoding="utf-8")
    again = lesson(tmp_path, "travel")
    assert again.exercise("addin").marking.state is State.OPEN
    assert '"gone"' in file.read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_written_in_the_learners_language(tmp_path: Path, language: Language) -> None:
    """With name and language filled in; the folder is the learner's alone."""
    room = set_up("Anna", tmp_path, language, first="02_recipients.ipynb")
    assert room.kept == ()
    assert room.place.page == "02_recipients.ipynb"
    for model in (path for path in models(TRAINING) if path.name != TRAINER):
        written = read_model(room.place.folder / model.name)
        source = "\n".join(cell.source for cell in written.cells)
        assert "learner: str = 'Anna'" in source
        assert f"language: str = '{language}'" in source


def test_a_page_that_the_learner_changed_is_kept(tmp_path: Path) -> None:
    """Its code goes under another name, each time; what was merely run is written anew."""
    room = set_up("Anna", tmp_path, "en")
    page = room.place.folder / "01_travel.ipynb"
    notebook = read_model(page)
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="shown")]
    nbformat.write(notebook, page)
    assert set_up("Anna", tmp_path, "de").kept == ()
    for number in (1, 2):
        notebook.cells[3].source = "my_own_work = 1"
        nbformat.write(notebook, page)
        (kept,) = set_up("Anna", tmp_path, "en").kept
        assert kept.name == f"01_travel.yours-{number}.ipynb"
        assert "my_own_work" in kept.read_text(encoding="utf-8")
        assert "my_own_work" not in page.read_text(encoding="utf-8")


def shown(model: Path, language: Language, given: dict[str, str | bool]) -> list[str]:
    """What the code of a page shows, one after the other, with no kernel and no click."""
    notebook = localised(read_model(model), language)
    enter(notebook, given)
    names: dict[str, Any] = {}
    pages = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, cell.id, "exec"), names)
        if isinstance(last, ast.Expr):
            found = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
            data, _ = found._repr_mimebundle_()
            assert WIDGET not in data
            pages.append(data["text/html"])
    return pages


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", models(TRAINING), ids=lambda path: path.stem)
def test_a_page_is_shown_without_anybody_there(
    tmp_path: Path, model: Path, language: Language
) -> None:
    """Nothing waits for a click, and every exercise of the lesson is asked, in that language."""
    given: dict[str, str | bool] = {
        "learner": "Anna",
        "language": language,
        "output": str(tmp_path / "reports"),
        "interactive": False,
    }
    pages = shown(model, language, given)
    assert all(f'lang="{language}"' in page for page in pages)
    text = " ".join(plain_text("".join(pages)).split())
    asked: tuple[Exercise, ...] = next(
        (x.exercises for x in LESSONS.values() if x.notebook == model.name), ()
    )
    questions = [" ".join(translator(language)(e.question).split()) for e in asked]
    assert [question for question in questions if question not in text] == []


def test_a_page_runs_in_a_kernel(tmp_path: Path) -> None:
    """The lab is started from within a loop that is running already, as a kernel's is."""
    output = tmp_path / "out.ipynb"
    given: dict[str, str | bool] = {"output": str(tmp_path / "reports"), "interactive": False}
    model = NOTEBOOKS / TRAINING / "03_certificate.ipynb"
    assert run_notebook(model, output, given, "en", how=How(timeout_s=120)) is None


def test_an_exam_survives_a_restart_and_ends_when_it_is_handed_in(tmp_path: Path) -> None:
    """Each entry is kept at once; after handing in nothing changes, and the result explains."""
    course = open_course("Anna", language="en", output=tmp_path, interactive=False)
    # A lesson more makes other draws, so the seed is looked for.
    seed = next(n for n in count() if draw(n, 3)[0].place == "travel/addin")
    wrong, _ = wrong_answers(draw(seed, 3)[1].exercise, BENCH)[0]
    exam = course.exam(seed, 3)
    assert not any(answering.given for answering in exam.answering)
    name = next(iter(exam.inputs()))
    exam.enter(name, "marked")
    exam.answer(2, str(wrong))
    again = course.exam(seed, 3)
    assert again.paper.answers == exam.paper.answers
    assert again.paper.answers["travel/addin"] == "marked"
    assert len(again.paper.answers) == 2
    again.press("hand_in")
    assert "1 of 3 is right" in str(again)
    page = (course.learner.folder / again.paper.file).with_suffix(".html")
    assert 'lang="en"' in page.read_text(encoding="utf-8")
    assert page.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    exam_after = course.exam(seed, 3)
    exam_after.answer(1, "word")
    assert "nothing more can be changed" in exam_after.said
    assert course.exam(seed, 3).paper.answers["travel/addin"] == "marked"
