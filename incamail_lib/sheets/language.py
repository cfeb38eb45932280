"""How one language writes sentences, dates and numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from incamail_lib.i18n import (
    LOCALES,
    NO_DATE,
    Language,
    Text,
    Value,
    filled,
    say,
    say_n,
    translator,
)
from incamail_lib.sheets.cleaning import Cleaned, clean

DASH = Cleaned(NO_DATE)
VALUE_LIMIT = 200
SENTENCE_LIMIT = 1500


class Formatter:
    """Tells texts, dates and numbers in one language; values come out printable and bounded."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._locale = LOCALES[language]
        self._translator = translator(language)

    def gettext(self, message: str) -> str:
        """The translation of a constant text."""
        return self._translator.gettext(message)

    def say(self, template: str, /, **values: Value) -> Cleaned:
        """The translated sentence with its values; extracted by Babel like `say` in Python."""
        return self.told(say(template, **values), own=_own(values))

    def say_n(self, one: str, many: str, n: int, /, **values: Value) -> Cleaned:
        """The same of a sentence that counts; extracted like `say_n` in Python."""
        return self.told(say_n(one, many, n, **values), own=_own(values))

    def told(
        self,
        text: Text,
        *,
        limit: int = SENTENCE_LIMIT,
        value_limit: int = VALUE_LIMIT,
        own: Mapping[str, Cleaned] | None = None,
    ) -> Cleaned:
        """A Text in words; the limits are characters of the sentence and of each value.

        `own` are values that are clean already, and are not cut.
        """
        if not text.values and not own and text.n is None:
            return self._constant(text.template, limit)

        def shown(value: str | int | float | Text) -> Cleaned:
            if isinstance(value, Text):
                return self.told(value, limit=limit, value_limit=value_limit)
            if isinstance(value, str):
                return clean(self._dated(value), value_limit)
            return self.number(value)

        values = {name: shown(value) for name, value in text.values.items()} | dict(own or {})
        template = self._translator.template(text)
        return clean(filled(template, text, values) if values else template, limit)

    @lru_cache(maxsize=8192)  # noqa: B019 – there are four of these, and they stay
    def _constant(self, template: str, limit: int) -> Cleaned:
        """A sentence without values: what it says is looked up once."""
        return clean(self.gettext(template), limit)

    def _dated(self, value: str) -> str:
        told = self._translator.dated(value)
        return value if told == value else Cleaned(told)

    @lru_cache(maxsize=4096, typed=True)  # noqa: B019 – as above
    def number(self, value: float) -> Cleaned:
        """A number with this language's separators."""
        return Cleaned(format_decimal(value, locale=self._locale))

    def day(self, moment: dt.date | dt.datetime | None) -> Cleaned:
        """A date with the month in words, e.g. "24 November 2026"; a dash for none."""
        return Cleaned(self._translator.day(moment))

    def moment(self, moment: dt.datetime | None) -> Cleaned:
        """Date and time in UTC, e.g. "24 November 2026, 12:00 UTC"; a dash for none."""
        if moment is None:
            return DASH
        in_utc = moment.astimezone(dt.UTC)
        time = format_datetime(in_utc, "HH:mm", locale=self._locale)
        return Cleaned(f"{self.day(in_utc)}, {time} UTC")

    def local(self, moment: dt.datetime) -> Cleaned:
        """Date and time as clocks in Switzerland show it, with the zone."""
        there = moment.astimezone(ZoneInfo("Europe/Zurich"))
        time = format_datetime(there, "HH:mm", tzinfo=there.tzinfo, locale=self._locale)
        hours = (there.utcoffset() or dt.timedelta()).total_seconds() / 3600
        return Cleaned(f"{self.day(there.date())}, {time} (UTC+{hours:.0f})")

    def short_day(self, moment: dt.date | dt.datetime) -> Cleaned:
        """A date in figures, for charts."""
        return Cleaned(format_date(moment, "dd.MM.yyyy", locale=self._locale))


def _own(values: Mapping[str, Value]) -> dict[str, Cleaned]:
    """The values that are ours: a Text keeps what it holds as plain strings."""
    return {name: value for name, value in values.items() if isinstance(value, Cleaned)}


@cache
def formatter(language: Language) -> Formatter:
    """The shared formatter of `language`."""
    return Formatter(language)
