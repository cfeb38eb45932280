"""The trainer's page: a lab to be switched, the class's results, and who gets the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import Paper, draw, write_paper
from incamail_lib.course.marking import wrong_answers
from incamail_lib.errors import UsageError
from incamail_lib.i18n import say
from incamail_lib.runbook.classroom import TRAINER, set_up
from incamail_lib.runbook.forms import switching
from incamail_lib.runbook.trainer import open_trainer


def test_a_click_switches_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen is told with the checks that fail there; the button alone switches."""
    asked: list[str] = []

    def switched(name: str) -> str:
        asked.append(name)
        return name

    monkeypatch.setattr(switching, "switch", switched)
    form = open_trainer(language="en").lab
    assert "No check fails here." in str(form)
    form.enter("scenario", "expired")
    form.enter("scenario", "no_such")
    assert asked == []
    assert "CERT07" in str(form)
    form.press("switch")
    assert asked == ["expired"]
    assert "The lab now plays expired." in str(form)


def test_a_lab_that_was_killed_is_told_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence of the command, in place; the next switch that works takes it away."""

    def dead(name: str) -> str:
        raise UsageError(say("No lab is running. Start one in another terminal: incamail lab"))

    monkeypatch.setattr(switching, "switch", dead)
    form = open_trainer(language="en").lab
    form.press("switch")
    assert "No lab is running" in str(form)
    monkeypatch.setattr(switching, "switch", str)
    form.press("switch")
    assert "No lab is running" not in str(form)


def test_the_results_of_a_class_are_shown(tmp_path: Path) -> None:
    """Each exam, and the picture that misled; no folder and an empty one are told."""
    assert "No folder is named" in str(open_trainer(language="en").results)
    page = open_trainer(str(tmp_path), language="en").results
    assert "No exam was found" in str(page)
    question = draw(7, 6)[0]
    wrong, belief = wrong_answers(question.exercise, Bench())[0]
    paper = Paper(learner="Anna", seed=7, questions=6, answers={question.place: wrong})
    write_paper(tmp_path, paper)
    text = next(b.text for b in question.lesson.beliefs if b.key == belief)
    told = " ".join(str(page).split())
    assert "Anna" in told
    assert f"1 ×: {text}" in told


def test_learners_do_not_get_the_trainers_page(tmp_path: Path) -> None:
    """It lies in the trainer's folder alone."""
    assert not (set_up("Anna", tmp_path, "en").place.folder / TRAINER).exists()
    room = set_up("Beat", tmp_path, "en", first=TRAINER, given={"papers": str(tmp_path)})
    assert str(tmp_path) in room.place.welcome.read_text(encoding="utf-8")
