"""How the four languages write a day."""

from __future__ import annotations

import datetime as dt

import pytest

from incamail_lib.i18n import Language
from incamail_lib.sheets.language import formatter


@pytest.mark.parametrize(
    ("language", "first", "other"),
    [
        ("en", "1 February 2027", "21 February 2027"),
        ("fr", "1er février 2027", "21 février 2027"),
        ("de", "1. Februar 2027", "21. Februar 2027"),
        ("it", "1° febbraio 2027", "21 febbraio 2027"),
    ],
)
def test_the_first_of_a_month_is_written_as_people_do(
    language: Language, first: str, other: str
) -> None:
    """French and Italian have an ordinal for the first day, and for that day alone."""
    days = (dt.date(2027, 2, 1), dt.date(2027, 2, 21))
    assert tuple(str(formatter(language).day(day)) for day in days) == (first, other)
