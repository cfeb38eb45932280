"""An exam: alike for all with one seed, mostly repairs, without solutions, marked by the reader."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import Paper, draw, grade, read_paper, write_paper
from incamail_lib.course.exercises import Repair
from incamail_lib.course.grading import csv_of, graded_rows
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import State, solution, wrong_answers
from incamail_lib.course.showing import result
from incamail_lib.errors import MaterialError, UsageError
from incamail_lib.i18n import LANGUAGES, Language, translator
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.pdf import pdf_of

BENCH = Bench()
ALL = sum(len(lesson.exercises) for lesson in LESSONS.values())
FIRST = {key: LESSONS[key] for key in ("travel", "recipients", "certificate")}
DRAWN = [
    *("travel/addin", "recipients/write", "travel/back", "certificate/wrong_name"),
    *("travel/port", "certificate/file"),
]


def paper(learner: str = "Anna", seed: int = 7, questions: int = 6, right: int = 6) -> Paper:
    """An exam with that many right answers, then wrong ones; the last question is left open."""
    drawn = draw(seed, questions)
    answers = {
        q.place: solution(q.exercise, BENCH)
        if n < right
        else wrong_answers(q.exercise, BENCH)[0][0]
        for n, q in enumerate(drawn[:-1])
    }
    return Paper(learner=learner, seed=seed, questions=questions, answers=answers)


def test_one_seed_is_one_exam() -> None:
    """The same questions in the same order, each once, mostly repairs; another seed, another exam.

    The literal draw, of three lessons, holds it for every machine and version.
    """
    drawn = draw(7, 6)
    assert [q.place for q in drawn] == [q.place for q in draw(7, 6)]
    assert [q.place for q in draw(7, 6, FIRST)] == DRAWN
    assert len({q.place for q in drawn}) == 6
    assert sum(isinstance(q.exercise, Repair) for q in drawn) > 3
    assert [q.place for q in drawn] != [q.place for q in draw(8, 6)]
    assert len({q.place for q in draw(1, ALL)}) == ALL


@pytest.mark.parametrize("count", [0, -1, ALL + 1])
def test_an_exam_that_cannot_be_is_refused(count: int) -> None:
    """One sentence with how many there are."""
    with pytest.raises(UsageError, match=f"from 1 to {ALL}"):
        draw(1, count)


def test_it_is_marked_from_the_answers_alone(tmp_path: Path) -> None:
    """Right, wrong and open are counted; the file holds answers, and nothing to copy."""
    whole = write_paper(tmp_path, paper(right=3))
    graded = grade(read_paper(whole), BENCH)
    counts = [graded.count(state) for state in (State.RIGHT, State.WRONG, State.OPEN)]
    assert counts == [3, 2, 1]
    assert graded.percent == 50
    blank = write_paper(tmp_path, Paper(learner="Anna", seed=7, questions=6))
    text = blank.read_text(encoding="utf-8")
    for question in draw(7, 6):
        assert str(solution(question.exercise, BENCH)) not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_result_explains_every_answer(language: Language) -> None:
    """A page of its own that asks nothing of the outside, and the same on paper."""
    document = result(grade(paper(right=3), BENCH), BENCH)
    html = render_html(document, language)
    assert f'<html lang="{language}">' in html
    assert html.count('"im-verdict im-m-good"') == 3
    assert html.count('"im-verdict im-m-bad"') == 2
    right = translator(language)("Right would have been: {answer}")[:10]
    assert html.count(f'<p class="im-p-body">{right}') == 3
    assert "http" not in html.split("</style>")[1]
    assert pdf_of(document, language).startswith(b"%PDF")


def test_a_trainer_gets_a_table_of_a_folder(tmp_path: Path) -> None:
    """One row for each paper, what cannot be read included; no name becomes a formula."""
    (tmp_path / "anna").mkdir()
    write_paper(tmp_path / "anna", paper())
    (tmp_path / "beat").mkdir()
    write_paper(tmp_path / "beat", paper("=HYPERLINK(1)", right=2))
    (tmp_path / "exam-broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "exam-absurd.json").write_text(
        Paper(learner="Carla", seed=1, questions=9_999).model_dump_json(), encoding="utf-8"
    )
    rows = list(csv.DictReader(io.StringIO(csv_of(graded_rows(tmp_path, "en")))))
    assert [row["file"] for row in rows] == [
        *("anna/exam-7-6-exam.json", "beat/exam-7-6-exam.json"),
        *("exam-absurd.json", "exam-broken.json"),
    ]
    assert [row["right"] for row in rows] == ["5", "2", "", ""]
    assert rows[1]["learner"] == "'=HYPERLINK(1)"
    assert rows[1]["beliefs"]
    assert "from 1 to" in rows[2]["problem"]
    assert "exam-broken.json" in rows[3]["problem"]


def test_a_folder_without_papers_is_told(tmp_path: Path) -> None:
    """One sentence with the folder."""
    with pytest.raises(MaterialError, match="No exam was found"):
        graded_rows(tmp_path, "en")


def test_answers_to_other_questions_count_for_nothing() -> None:
    """Whoever adds answers, or gives what is none, gains nothing and breaks nothing."""
    forged = paper(right=0).model_copy(
        update={"answers": {"travel/none": "x", draw(7, 6)[0].place: "no such answer"}}
    )
    graded = grade(forged, BENCH)
    assert graded.count(State.RIGHT) == 0
    assert graded.count(State.WRONG) == 1
