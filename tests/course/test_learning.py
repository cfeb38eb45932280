"""What was learnt between two exams is told from their answers, and no more than they show."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import Graded, Paper, draw, grade, write_paper
from incamail_lib.course.grading import csv_of, graded_rows
from incamail_lib.course.learning import Learnt, learnt
from incamail_lib.course.marking import State, solution, wrong_answers
from incamail_lib.course.telling_gains import class_blocks, learnt_blocks
from incamail_lib.i18n import LANGUAGES, Language, translator
from incamail_lib.sheets.html import render_blocks

BENCH = Bench()
MORNING = dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC)


def paper(hour: int | None, right: int, *, seed: int = 7, learner: str = "Anna") -> Paper:
    """Six answers, that many of them right; handed in at an hour of the day, or not at all."""
    answers = {
        q.place: solution(q.exercise, BENCH)
        if n < right
        else wrong_answers(q.exercise, BENCH)[0][0]
        for n, q in enumerate(draw(seed, 6))
    }
    at = None if hour is None else MORNING + dt.timedelta(hours=hour)
    label = "after" if hour else "before"
    return Paper(
        learner=learner, label=label, seed=seed, questions=6, answers=answers, handed_in_at=at
    )


def marked(*papers: Paper) -> list[Graded]:
    return [grade(one, BENCH) for one in papers]


def compared(before: Paper, after: Paper) -> Learnt:
    first, second = marked(before, after)
    found = learnt([first, second], second)
    assert found is not None
    return found


def test_more_right_is_a_gain_and_a_picture_refuted_is_overcome() -> None:
    """The same questions, all wrong and then all right: every picture is gone."""
    found = compared(paper(0, 0), paper(3, 6))
    assert found.points == 100
    assert found.overcome
    assert found.stayed == ()
    back = compared(paper(0, 6), paper(3, 0))
    assert (back.points, back.overcome, back.stayed) == (-100, (), ())


def test_a_picture_that_misleads_again_is_not_overcome() -> None:
    """Whoever falls for it once more has not learnt it, however many points were gained."""
    found = compared(paper(0, 0), paper(3, 5))
    last = draw(7, 6)[-1]
    belief = wrong_answers(last.exercise, BENCH)[0][1]
    assert belief in {key for _, key in found.stayed}
    assert (last.lesson.key, belief) not in {(q.lesson.key, key) for q, key in found.overcome}


def test_what_was_not_asked_again_is_not_claimed() -> None:
    """A second exam without the question, or without an answer to it, shows nothing of it."""
    silent = paper(3, 6).model_copy(update={"answers": {}})
    found = compared(paper(0, 0), silent)
    assert (found.points, found.overcome, found.stayed) == (0, (), ())


@pytest.mark.parametrize("hour", [None, 0, -2])
def test_only_an_exam_after_the_first_is_compared(hour: int | None) -> None:
    """Not one that is still being written, none of the same moment, none of somebody else's."""
    first, other = marked(paper(0, 3), paper(hour, 6))
    assert learnt([first, other], other) is None
    someone, later = marked(paper(0, 3, learner="Beat"), paper(3, 6))
    assert learnt([someone, later], later) is None


def test_the_trainers_table_holds_what_was_gained(tmp_path: Path) -> None:
    """Beside the second exam; the first has no gain, and one that is damaged spoils none."""
    for one in (paper(0, 3), paper(3, 6, seed=7)):
        write_paper(tmp_path, one)
    (tmp_path / "exam-broken.json").write_text("{", encoding="utf-8")
    rows = graded_rows(tmp_path, "en")
    read = list(csv.DictReader(io.StringIO(csv_of(rows))))
    gained = {row["label"]: row["points_gained"] for row in read}
    assert gained == {"after": "50", "before": "", "": ""}
    assert "/" in next(row["overcome"] for row in read if row["label"] == "after")
    page = render_blocks(class_blocks(rows), "en")
    assert "+50" in page
    assert "exam-broken.json" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_in_every_language(language: Language) -> None:
    """Both results, and each picture with its lesson."""
    found = compared(paper(0, 0), paper(3, 5))
    page = render_blocks(learnt_blocks(found), language)
    assert "83" in page
    tell = translator(language)
    for question, _ in (*found.overcome, *found.stayed):
        assert tell(question.lesson.title)[:12] in page
    assert found.after.count(State.RIGHT) == 5
