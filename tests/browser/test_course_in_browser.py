"""The course as a learner takes it: pages without code in a real browser, from nothing to 100 %."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS, Session, complaints, opened, session
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Exercise, Mark, Option, Repair
from incamail_lib.course.lesson import Lesson
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import check, solution, wrong_answers
from incamail_lib.i18n import Translator, translator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]
TRAVEL, CERTIFICATE = LESSONS["travel"], LESSONS["certificate"]


@pytest.fixture(scope="module")
def bench() -> Bench:
    """A lab that was measured before a browser takes the loop."""
    found = Bench()
    for lesson in (TRAVEL, CERTIFICATE):
        for exercise in lesson.exercises:
            check(exercise, wrong_answers(exercise, found)[0][0], found)
            solution(exercise, found)
    return found


@pytest.fixture(scope="module")
def browser(chromium: Path, bench: Bench) -> Iterator[Browser]:
    """One browser for all windows."""
    assert bench
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield found
        found.close()


def test_a_lesson_is_clicked_from_start_to_100_percent(
    browser: Browser, bench: Bench, tmp_path: Path
) -> None:
    """Every exercise of lesson 1 on pages without code, in German, a wrong answer with its reason
    first; then the course tells 100 %, another kernel though it is. Nothing is asked of the
    outside."""
    arguments = ("course", "start", "1", "--app", "--learner", "Anna", "--lang", "de")
    with opened(arguments, tmp_path / "out") as url:
        at = session(browser, "de")
        at.page.goto(url)
        assert taken(at, TRAVEL, bench) == len(TRAVEL.exercises)
        assert at.page.locator("html").get_attribute("lang") == "de"
        at.picture("course-lesson-de")
        assert complaints(at.page, "") == []
        is_done(at, url.replace("01_travel", "00_course"), TRAVEL)
        lesson = at.page.get_by_role("link", name=translator("de")(TRAVEL.title)).first
        assert str(lesson.get_attribute("href")).startswith(TRAVEL.notebook)
        at.picture("course-progress-de")
        assert at.outside == []
        at.page.close()


def test_a_lesson_with_repairs_is_done_in_jupyterlab(
    browser: Browser, bench: Bench, tmp_path: Path
) -> None:
    """Lesson 3 in Italian, among the cells of JupyterLab: three repairs that the lab of the
    kernel measures, each answered wrongly first; run again, the page tells 100 %."""
    arguments = ("course", "start", "3", "--learner", "Beat", "--lang", "it")
    with opened(arguments, tmp_path / "out") as url:
        at = session(browser, "it")
        at.open(url)
        at.run_all()
        repairs = [e.key for e in CERTIFICATE.exercises if isinstance(e, Repair)]
        assert len(repairs) == 3
        assert taken(at, CERTIFICATE, bench, wrong_first=tuple(repairs)) == 8
        at.picture("course-lesson-it")
        assert complaints(at.page, ".im-form") == []
        at.run_all()  # every answer is there again, and the page's own table counts them
        is_done(at, "", CERTIFICATE)
        at.picture("course-progress-it")
        assert at.outside == []
        at.page.close()


def taken(at: Session, lesson: Lesson, bench: Bench, wrong_first: tuple[str, ...] = ()) -> int:
    """How many exercises are right once every one was answered; those of `wrong_first`, and the
    first, are answered wrongly before, and tell why."""
    tell = translator(at.language)
    button = at.page.get_by_role("button", name=tell("Check the answer"))
    forms = at.page.locator(".im-form", has=button)
    expect(forms).to_have_count(len(lesson.exercises), timeout=90_000)
    for number, exercise in enumerate(lesson.exercises):
        form = forms.nth(number)
        if number == 0 or exercise.key in wrong_first:
            wrong = wrong_answers(exercise, bench)[0][0]
            answer(form, exercise, wrong, tell)
            reason = check(exercise, wrong, bench).told[0]
            expect(form.get_by_text(tell.text(reason))).to_be_visible(timeout=60_000)
        answer(form, exercise, solution(exercise, bench), tell)
        expect(form.locator(".im-m-good")).to_be_visible(timeout=60_000)
    return at.page.locator(".im-form .im-m-good").count()


def answer(form: Locator, exercise: Exercise, given: object, tell: Translator) -> None:
    """Choose, tick, sort or type as a person does, and have it checked."""
    options: tuple[Option, ...] = getattr(exercise, "options", ())
    texts = {option.key: tell(option.text) for option in options}
    if isinstance(exercise, Mark):
        for key, text in texts.items():
            form.get_by_label(text, exact=True).set_checked(key in given)  # type: ignore[operator]
    elif isinstance(given, tuple):
        for place, key in zip(form.locator("select").all(), given, strict=True):
            place.select_option(key)
    elif options:
        form.get_by_label(texts[str(given)], exact=True).check()
    else:
        form.get_by_role("textbox").fill(str(given))
    form.get_by_role("button", name=tell("Check the answer")).click()


def is_done(at: Session, url: str, lesson: Lesson) -> None:
    """The page of the whole course, in a kernel of its own, knows the lesson as done."""
    tell = translator(at.language)
    if url:
        at.page.goto(url)
    row = at.page.get_by_role("row").filter(has_text=tell(lesson.title)).filter(visible=True)
    expect(row.first).to_contain_text("100", timeout=90_000)
