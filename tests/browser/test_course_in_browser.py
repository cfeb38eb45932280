"""The course as a learner takes it: pages without code in a real browser, from nothing to 100 %."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS, Session, complaints, opened, session
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Exercise, Mark, Option
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import check, solution, wrong_answers
from incamail_lib.i18n import translator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]
TELL = translator("de")
LESSON = LESSONS["travel"]
CHECK = TELL("Check the answer")


@pytest.fixture(scope="module")
def bench() -> Bench:
    """A lab that was measured before a browser takes the loop."""
    found = Bench()
    for exercise in LESSON.exercises:
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
    """Every exercise of lesson 1, a wrong answer with its reason first; then the course tells
    100 %, another kernel though it is. Nothing is asked of the outside."""
    arguments = ("course", "start", "1", "--app", "--learner", "Anna", "--lang", "de")
    with opened(arguments, tmp_path / "out") as url:
        at = session(browser, "de")
        at.page.goto(url)
        forms = at.page.locator(".im-form", has=at.page.get_by_role("button", name=CHECK))
        expect(forms).to_have_count(len(LESSON.exercises), timeout=90_000)
        assert at.page.locator("html").get_attribute("lang") == "de"
        first, form = LESSON.exercises[0], forms.nth(0)
        wrong = wrong_answers(first, bench)[0][0]
        answer(form, first, wrong)
        reason = check(first, wrong, bench).told[0]
        expect(form.get_by_text(TELL.text(reason))).to_be_visible()
        for number, exercise in enumerate(LESSON.exercises):
            answer(forms.nth(number), exercise, solution(exercise, bench))
            expect(forms.nth(number).locator(".im-m-good")).to_be_visible(timeout=60_000)
        at.picture("course-lesson-de")
        assert complaints(at.page, "") == []
        is_done(at, url)
        assert at.outside == []
        at.page.close()


def answer(form: Locator, exercise: Exercise, given: object) -> None:
    """Choose, tick, sort or type as a person does, and have it checked."""
    options: tuple[Option, ...] = getattr(exercise, "options", ())
    texts = {option.key: TELL(option.text) for option in options}
    if isinstance(exercise, Mark):
        for key, text in texts.items():
            form.get_by_label(text, exact=True).set_checked(key in str(given))
    elif isinstance(given, tuple):
        for place, key in zip(form.locator("select").all(), given, strict=True):
            place.select_option(key)
    elif options:
        form.get_by_label(texts[str(given)], exact=True).check()
    else:
        form.get_by_role("textbox").fill(str(given))
    form.get_by_role("button", name=CHECK).click()


def is_done(at: Session, url: str) -> None:
    """The page of the whole course, in a kernel of its own, knows the lesson as done, and leads
    to it."""
    at.page.goto(url.replace("01_travel", "00_course"))
    row = at.page.get_by_role("row").filter(has_text=TELL(LESSON.title))
    expect(row).to_contain_text("100", timeout=90_000)
    lesson = at.page.get_by_role("link", name=TELL(LESSON.title)).first
    assert str(lesson.get_attribute("href")).startswith(LESSON.notebook)
    at.picture("course-progress-de")
