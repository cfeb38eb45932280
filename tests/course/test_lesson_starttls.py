"""Lesson 6 asks the lab: what a device rewrites, what two messages meet, what proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incamail_lib.course.arriving import arriving
from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.course.exercises import Mark, Option
from incamail_lib.course.lessons.starttls import STARTTLS, patiently
from incamail_lib.course.marking import State, check
from incamail_lib.lab import SCENARIOS

BENCH = Bench()


def test_the_lines_to_mark_are_those_that_the_lab_says() -> None:
    """Nothing is left out and nothing is invented: greeting and answer to EHLO, line by line."""
    exercise = STARTTLS.exercise("mask")
    assert isinstance(exercise, Mark)
    survey = BENCH.audit(SCENARIOS["starttls_masked"]).facts.receiving[0].survey
    said = [line for e in survey.transcript[:3] for line in e.received.splitlines()]
    assert [option.text for option in exercise.options] == said
    assert [option.value for option in exercise.options] == said


@pytest.mark.parametrize(
    ("scenario", "ordinary", "secure"),
    [
        ("sound", "encrypted", "encrypted"),
        ("starttls_masked", "clear", "none"),
        ("starttls_refused", "clear", "none"),
        ("gateway_closed", "none", "none"),
    ],
)
def test_two_messages_are_watched(scenario: str, ordinary: str, secure: str) -> None:
    """An ordinary sender goes on in clear where IncaMail does not deliver."""
    seen = arriving(BENCH, scenario)
    assert (seen.ordinary.fate, seen.secure.fate) == (ordinary, secure)
    assert "mx1.muster.example" in seen.secure.log.english()


def test_a_message_that_never_got_so_far_proves_nothing() -> None:
    """Where IncaMail was not reached, nobody knows whether it would have delivered."""
    with pytest.raises(NotMeasured):
        arriving(BENCH, "platform_closed")


def test_silence_leaves_the_question_open() -> None:
    """A busy computer answers too late: then no line is proof, and no answer is wrong."""
    exercise = STARTTLS.exercise("proof")
    assert isinstance(exercise, Mark)
    late = Option(key="late", text="-", because="-", belief="silence_proves", value="tarpit")
    slow = replace(exercise, options=(*exercise.options, late))
    assert check(slow, ("missing", "refused"), BENCH).state is State.OPEN
    assert check(exercise, ("missing", "refused"), BENCH).state is State.RIGHT


def test_lines_to_read_are_measured_anew() -> None:
    """A page is shown whatever happens: at the third try at the latest, at worst without them."""
    tries = []

    def busy(_: Bench) -> tuple[str, ...]:
        tries.append(1)
        if len(tries) < 3:
            raise NotMeasured
        return ("S: 220",)

    def busier(_: Bench) -> tuple[str, ...]:
        raise NotMeasured

    assert patiently(busy)(BENCH) == ("S: 220",)
    assert patiently(busier)(BENCH) == ("…",)


def test_transcripts_show_what_the_texts_speak_of() -> None:
    """The refusal is in the one; in the other STARTTLS is there once, and once it is not."""
    refused = STARTTLS.exercise("refused").material(BENCH)
    assert "C: STARTTLS" in refused
    assert any(line.startswith("S: 454") for line in refused)
    twice = STARTTLS.exercise("machines").material(BENCH)
    cut = twice.index("2.")
    first, second = twice[1:cut], twice[cut + 1 :]
    assert "S: 250-STARTTLS" in first
    assert [line for line in first if line != "S: 250-STARTTLS"] == list(second)
