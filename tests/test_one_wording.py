"""What a reader meets in several places is told there in the same words."""

from __future__ import annotations

import datetime as dt

import pytest

from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import LANGUAGES, Language, say, say_n, translator
from incamail_lib.report.timeline import policy_dates
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.telling import told

DAY = dt.date(2027, 2, 1)
WRITTEN = {
    "en": "1 February 2027",
    "fr": "1er février 2027",
    "de": "1. Februar 2027",
    "it": "1° febbraio 2027",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_date_is_written_alike_everywhere(language: Language) -> None:
    """On the terminal, in a report and in a paper, in a sentence and alone."""
    text = say("{day} – overdue", day=DAY)
    wanted = WRITTEN[language]
    assert translator(language).day(DAY) == formatter(language).day(DAY) == told(DAY, language)
    assert translator(language).text(text) == formatter(language).told(text) == told(text, language)
    assert translator(language).text(text).startswith(wanted)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-04", "April 2026"),
        ("2026-13", "2026-13"),
        ("2026-02-30", "2026-02-30"),
        ("mx-2026-04-01", "mx-2026-04-01"),
    ],
)
def test_only_a_whole_date_is_told_as_one(value: str, shown: str) -> None:
    """A month is a date too; a name with figures, or a day that never was, stays as it is."""
    assert translator("en").text(say("{value}", value=value)) == shown
    assert formatter("en").say("{value}", value=value) == shown


def test_a_moment_is_told_by_its_day_in_utc() -> None:
    """The day of a moment does not depend on the zone that it is written in."""
    late = dt.datetime(2027, 1, 31, 23, 30, tzinfo=dt.timezone(-dt.timedelta(hours=1)))
    assert say("{day}", day=late).english() == "2027-02-01"
    assert translator("en").text(say("{day}", day=late)) == "1 February 2027"


def test_a_paper_counts_as_a_report_does() -> None:
    """One is one in a paper too."""
    one = say_n("{n} day", "{n} days", 1)
    assert told(one, "en") == formatter("en").told(one) == "1 day"


def test_the_chart_shows_the_dates_of_the_shipped_policy() -> None:
    """One home for the dates that shorten lifetimes: what the checks judge by is what is drawn."""
    policy = ca_policy()
    drawn = {day: text.english() for day, text in policy_dates()}
    assert set(drawn) == {rule.issued_from for rule in policy.lifetime} | {
        policy.root_programme.ends_on
    }
    assert all(f"≤ {rule.days} days" in drawn[rule.issued_from] for rule in policy.lifetime)
    assert "no clientAuth" in drawn[policy.root_programme.ends_on]
