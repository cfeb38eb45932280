"""Lesson 7 tells days and dates: each is what the library reckons, or what its policy data say."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks.validity import renewal_from
from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Choose, Enter, Sort
from incamail_lib.course.lessons.expiry import EXPIRY, PLANNED, path_of
from incamail_lib.guide.ca_policy import ca_policy

BENCH = Bench()


def written(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def test_renewals_are_due_on_the_days_that_the_text_says() -> None:
    """«In 5, 10, about 12 and 30 days», in the order in which they are asked for."""
    exercise = EXPIRY.exercise("first")
    assert isinstance(exercise, Sort)
    due = []
    for key in exercise.order(BENCH):
        start = renewal_from(path_of(key, BENCH.now))
        assert start is not None
        due.append(round((start - BENCH.now) / dt.timedelta(days=1)))
    assert due == [5, 10, 12, 30]
    assert "5, 10, about 12 and 30" in exercise.right


def test_each_certificate_is_made_as_it_was_planned() -> None:
    """What the learner reads is the life that was planned, and what is left of leaf and chain."""
    exercise = EXPIRY.exercise("first")
    assert isinstance(exercise, Sort)
    lines = {
        line.split()[0]: tuple(map(int, line.split()[1:])) for line in exercise.material(BENCH)
    }
    planned = {f"{k}.muster.example": (p.life, p.left, p.chain_left) for k, p in PLANNED.items()}
    assert lines == planned
    assert {option.text for option in exercise.options} == set(lines)
    assert list(lines) != [f"{key}.muster.example" for key in exercise.order(BENCH)]


def test_the_dates_of_the_authorities_are_those_of_the_policy_data() -> None:
    """Whoever corrects a date in ca_policy.toml is led to the texts that tell it."""
    policy = ca_policy()
    ends = {end.authority: end for end in policy.client_auth_end}
    told = EXPIRY.exercise("survives").situation
    for authority in ("Let's Encrypt", "DigiCert"):
        assert f"{authority} " in told
        assert written(ends[authority].ends_on) in told
    assert written(policy.root_programme.ends_on) in told
    assert not ends["SwissSign"].known
    assert written(ends["DigiCert"].ends_on) in EXPIRY.exercise("deadline").situation


def test_the_lives_are_those_of_the_policy_data() -> None:
    """The lines to read are the rules; each slip but the three years is a rule of another day."""
    exercise = EXPIRY.exercise("days")
    assert isinstance(exercise, Enter)
    rules = {str(rule.days) for rule in ca_policy().lifetime}
    assert {line.split()[-1] for line in exercise.material(BENCH)} == rules
    truth = exercise.truth(BENCH)
    slips = {str(slip.example) for slip in exercise.slips}
    assert slips - {"1095"} == rules - {truth}


def test_an_issued_certificate_outlives_the_day_its_authority_stops() -> None:
    """It serves on 2 March, judged as IncaMail would, and cannot be had again in May."""
    exercise = EXPIRY.exercise("deadline")
    assert isinstance(exercise, Choose)
    true = [option.key for option in exercise.options if exercise.holds(BENCH, option.value)]
    assert true == ["until"]
