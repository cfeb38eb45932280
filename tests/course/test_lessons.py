"""Every lesson holds: the library finds its answers right, and each wrong one has its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import (
    Exercise,
    Given,
    Option,
    Repair,
    Rule,
    Sort,
    options_of,
    shuffled,
)
from incamail_lib.course.lesson import Lesson, place
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import (
    NoAnswer,
    State,
    check,
    rule_of,
    solution,
    wrong_answers,
)
from incamail_lib.course.progress import Progress, standing
from incamail_lib.course.showing import (
    answer_blocks,
    marking_blocks,
    question_blocks,
    said,
    summary_blocks,
)
from incamail_lib.guide import contents
from incamail_lib.i18n import LANGUAGES, Language, Text, translator
from incamail_lib.lab import SCENARIOS
from incamail_lib.sheets.html import render_blocks

BENCH = Bench()
EVERY = [(lesson, exercise) for lesson in LESSONS.values() for exercise in lesson.exercises]
FLOWS = {"8.1", "8.2", "8.3", "8.4"}
each = pytest.mark.parametrize(("lesson", "exercise"), EVERY, ids=[place(*e) for e in EVERY])


def told(texts: tuple[Text, ...]) -> str:
    return " ".join(text.english() for text in texts)


@each
def test_the_model_answer_is_right_and_says_why(lesson: Lesson, exercise: Exercise) -> None:
    """The library finds it right, with a reason and without a wrong picture of mail."""
    marking = check(exercise, solution(exercise, BENCH), BENCH)
    assert marking.state is State.RIGHT
    assert told(marking.told)
    assert marking.beliefs == ()


@each
def test_every_wrong_answer_has_its_own_reason(lesson: Lesson, exercise: Exercise) -> None:
    """At least three; each is wrong to the library, and stands for a belief of the lesson's."""
    wrong = wrong_answers(exercise, BENCH)
    markings = [check(exercise, given, BENCH) for given, _ in wrong]
    assert len(wrong) >= 3
    assert {marking.state for marking in markings} == {State.WRONG}
    reasons = [told(marking.told) for marking in markings]
    assert len(set(reasons)) == len(reasons)
    declared = {belief.key for belief in lesson.beliefs}
    for (_, belief), marking in zip(wrong, markings, strict=True):
        assert belief in declared
        assert belief in marking.beliefs


@each
def test_a_reason_belongs_to_the_answer_that_the_library_gives(
    lesson: Lesson, exercise: Exercise
) -> None:
    """An option without a belief is the right one: what its text claims, the library must find."""
    options: tuple[Option, ...] = getattr(exercise, "options", ())
    if isinstance(exercise, Sort) or not options:
        return
    right = solution(exercise, BENCH)
    keys = {right} if isinstance(right, str) else set(right)
    without = {option.key for option in options if not option.belief}
    assert without <= keys
    assert keys <= without or not isinstance(right, str)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_is_whole(lesson: Lesson) -> None:
    """Six exercises, two repairs, hints that are more than one, checks and items that exist, and
    every belief that was written down is met by a question."""
    assert len(lesson.exercises) >= 6
    assert sum(isinstance(e, Repair) for e in lesson.exercises) >= 2
    codes = {c.code for c in ALL_CHECKS}
    items = {item.number for item in contents().items} | FLOWS
    for exercise in lesson.exercises:
        assert len(exercise.hints) >= 2
        assert set(exercise.codes) <= codes
        assert exercise.item in items
        if isinstance(exercise, Repair):
            assert SCENARIOS[exercise.scenario].fails <= set(exercise.codes)
    met = {belief for e in lesson.exercises for _, belief in wrong_answers(e, BENCH)}
    assert met == {belief.key for belief in lesson.beliefs}
    nothing = standing(Progress(learner="x"), [lesson])[0]
    assert (nothing.right, nothing.wrong, nothing.percent) == (0, 0, 0)


@pytest.mark.parametrize("language", LANGUAGES)
@each
def test_it_is_told_in_every_language(
    lesson: Lesson, exercise: Exercise, language: Language
) -> None:
    """Question, options, hints and the reason of every answer; nothing is left out or cut."""
    tell = translator(language)
    html = render_blocks(question_blocks(exercise, BENCH, seed="x"), language)
    assert _plain(tell(exercise.question)) in _plain(html)
    for option in options_of(exercise, "x"):
        assert _plain(tell(option.text)) in _plain(html)
    answers: list[Given] = [solution(exercise, BENCH)]
    answers += [given for given, _ in wrong_answers(exercise, BENCH)]
    for given in answers:
        marking = check(exercise, given, BENCH)
        blocks = marking_blocks(exercise, marking, exercise.hints)
        page = _plain(render_blocks(blocks, language))
        assert said(exercise, given)
        for text in marking.told:
            assert _plain(tell.text(text)) in page
        for hint in exercise.hints:
            assert _plain(tell(hint)) in page
    summary = render_blocks(summary_blocks(lesson), language)
    assert _plain(tell(lesson.summary[-1])) in _plain(summary)


def _plain(text: str) -> str:
    marks = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&#39;": "'", "&#34;": '"', "\u202f": " "}
    for mark, sign in marks.items():
        text = text.replace(mark, sign)
    return " ".join(text.split())


def test_the_order_of_options_hangs_on_the_seed_alone() -> None:
    """Alike for one learner every time, on any machine; another learner has another order."""
    letters = "abcdefgh"
    once = shuffled(letters, seed="Anna", name=str)
    assert once == shuffled(reversed(letters), seed="Anna", name=str)
    assert "".join(once) == "ehabdgfc"
    assert once != shuffled(letters, seed="Beat", name=str)


@pytest.mark.parametrize(
    ("key", "given", "part"),
    [
        ("travel/addin", "none_of_them", "none_of_them"),
        ("travel/addin", ("marked", "word"), "one of the answers"),
        ("travel/way", ("gw1.incamail.com",), "each once"),
        ("travel/clear", ("pc_server", "pc_server"), "no answer"),
        ("travel/delivered", "  ", "one value"),
        ("travel/delivered", "x" * 501, "500"),
        ("recipients/write", "domain", "these fields"),
        ("recipients/write", {"engine": "exim_raw"}, "these fields"),
        ("recipients/write", {"method": "magic"}, "does not exist"),
        ("recipients/write", {"method": "subject", "subject_pattern": "(["}, "(["),
    ],
)
def test_what_is_no_answer_is_told_in_a_sentence(key: str, given: Given, part: str) -> None:
    """Neither right nor wrong, and never a traceback."""
    exercise = dict((place(*found), found[1]) for found in EVERY)[key]
    with pytest.raises(NoAnswer) as refused:
        check(exercise, given, BENCH)
    assert part in refused.value.text.english()


def test_an_order_that_is_not_whole_gives_nothing_away() -> None:
    """What is told of it names everything, in another order than the one that is asked for."""
    for _, exercise in EVERY:
        if isinstance(exercise, Sort):
            order = exercise.order(BENCH)
            with pytest.raises(NoAnswer) as refused:
                check(exercise, order[:1], BENCH)
            assert ", ".join(order) not in refused.value.text.english()
            assert all(key in refused.value.text.english() for key in order)


def test_a_repair_is_judged_by_what_the_lab_does() -> None:
    """An option is right because its change heals, whatever its text says; one that heals and
    breaks something else is wrong."""
    exercise = LESSONS["certificate"].exercise("wrong_name")
    assert isinstance(exercise, Repair)
    heals, breaks = exercise.options[0], exercise.options[2]
    swapped = replace(
        exercise, options=(replace(heals, value=breaks.value), replace(breaks, value=heals.value))
    )
    assert check(swapped, heals.key, BENCH).state is State.WRONG
    assert check(swapped, breaks.key, BENCH).state is State.RIGHT
    seen = told(check(exercise, breaks.key, BENCH).seen)
    assert "CERT06 passes now" in seen
    assert "CERT02 fails newly" in seen


def test_what_cannot_be_measured_makes_no_answer_wrong() -> None:
    """Where the lab gives no answer, as a busy machine may not, the repair stays open and is to be
    tried again; nothing is kept of it, while another answer is measured as ever."""
    exercise = LESSONS["certificate"].exercise("wrong_name")
    assert isinstance(exercise, Repair)
    heals, other = exercise.options[0], exercise.options[2]
    unknown = SCENARIOS["dns_servfail"]
    silent = replace(exercise, options=(replace(heals, value=lambda _: unknown), other))
    marking = check(silent, heals.key, BENCH)
    assert marking.state is State.OPEN
    assert "try again" in told(marking.told)
    assert "try again" in render_blocks(marking_blocks(silent, marking), "en")
    assert BENCH.audit(unknown) is not BENCH.audit(unknown), "measured anew"
    assert check(silent, other.key, BENCH).state is State.WRONG
    answer = render_blocks(answer_blocks(silent, heals.key, marking, bench=BENCH), "en")
    assert "Right would have been" not in answer


def test_any_rule_that_the_checks_like_is_right() -> None:
    """The learner's rule is compared with no stored one: another good one passes too."""
    exercise = LESSONS["recipients"].exercise("write")
    assert isinstance(exercise, Rule)
    other = exercise.model | {"subject_pattern": "(?i)<(im|c|p|r)>"}
    assert rule_of(exercise, other) != rule_of(exercise, exercise.model)
    assert check(exercise, other, BENCH).state is State.RIGHT
