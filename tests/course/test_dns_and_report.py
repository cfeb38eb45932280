"""Lessons 8 and 9: what they show is the product's own, and what is right the lab has tried."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.course.certain import failing
from incamail_lib.course.exercises import Mark
from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.lessons.dns import never_broken
from incamail_lib.course.marking import State, check, solution
from incamail_lib.course.showing import question_blocks
from incamail_lib.i18n import LANGUAGES, Language, Text, translator
from incamail_lib.lab import SCENARIOS
from incamail_lib.sheets.html import render_blocks
from incamail_lib.sheets.plain import plain_text

BENCH = Bench()
DNS, REPORT = LESSONS["dns"], LESSONS["report"]


def asked(lesson: str, key: str, language: Language = "en", seed: str = "") -> str:
    """A question as it is read; with a seed, where nothing can be clicked."""
    blocks = question_blocks(LESSONS[lesson].exercise(key), BENCH, seed)
    return " ".join(plain_text(render_blocks(blocks, language)).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_read_in_the_learners_language(language: Language) -> None:
    """Verdict, findings and who acts are told as in any report; open points stand in another."""
    tell = translator(language)
    page = asked("report", "decides", language)
    assert tell("not ready") in page
    assert tell("The certificate for sending is not valid today") in page
    assert tell("Whoever orders and installs the organisation's certificates") in page
    assert tell("No valid DMARC policy is published") not in page
    assert tell("No valid DMARC policy is published") in asked("report", "after", language)


def test_an_exam_shows_the_report_too() -> None:
    """Nothing of a question is left to the prose of its lesson."""
    assert "PLAT07" in asked("report", "post", seed="x")
    assert "This verdict holds until" in asked("report", "until", seed="x")


@pytest.mark.parametrize("seed", ["", "x"])
def test_what_is_to_be_looked_at_stands_beside_what_is_marked(seed: str) -> None:
    """Where one clicks as where one reads: without the policy, nobody could tell."""
    assert "mx: *.gateway.example" in asked("dns", "moved", seed=seed)
    assert "(SAN): *.muster.example" in asked("certificate", "names", seed=seed)


def test_one_order_alone_keeps_a_gateway_with_dane_reachable() -> None:
    """Of all orders of the steps the lab finds fault with every other one."""
    every = permutations(("publish", "install", "remove"))
    sound = [way for way in every if never_broken(BENCH, way)]
    assert sound == [solution(DNS.exercise("renewal"), BENCH)]


def test_records_in_no_order_give_nothing_away() -> None:
    """The host that is tried first stands in the second line."""
    lines = DNS.exercise("first").material(BENCH)
    assert [line.split()[-2:] for line in lines] == [
        ["20", "mx1.muster.example."],
        ["10", "mx2.muster.example."],
    ]


def test_a_repair_tells_whose_machine_it_was() -> None:
    """IncaMail's own certificate ends, and only a new one there heals it."""
    exercise = REPORT.exercise("post")
    seen = _told(check(exercise, "ours", BENCH).seen)
    assert "PLAT07 still fails" in seen
    healed = check(exercise, "post", BENCH)
    assert healed.state is State.RIGHT
    assert "PLAT07 passes now" in _told(healed.seen)


def _told(texts: tuple[Text, ...]) -> str:
    return " ".join(text.english() for text in texts)


def test_what_a_busy_computer_did_not_see_is_no_ground_for_an_answer() -> None:
    """What must fail in a situation and was not seen to leaves the answer open, never wrong."""
    assert "DNS02" in failing(BENCH, SCENARIOS["null_mx"], "DNS02")
    with pytest.raises(NotMeasured):
        failing(BENCH, SCENARIOS["dns_servfail"], "DNS02")
    exercise = REPORT.exercise("decides")
    assert isinstance(exercise, Mark)

    def unseen(bench: Bench, _: object) -> bool:
        return bool(failing(bench, SCENARIOS["dns_servfail"], "CERT25"))

    marking = check(replace(exercise, holds=unseen), ("certificate", "refused"), BENCH)
    assert marking.state is State.OPEN


def test_several_reports_on_one_page_share_no_region() -> None:
    """Tables are regions named by their captions: twice the same, and a screen reader is lost."""
    for exercise in REPORT.exercises:
        assert 'role="region"' not in render_blocks(question_blocks(exercise, BENCH), "en")
