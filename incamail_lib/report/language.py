"""How one language writes sentences, dates and numbers."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from incamail_lib.i18n import Language, Text, Value, translator
from incamail_lib.report.cleaning import Cleaned, clean

# Swiss usage for the national languages; day before month in English too.
LOCALES: dict[Language, str] = {"en": "en_GB", "fr": "fr_CH", "de": "de_CH", "it": "it_CH"}
DASH = Cleaned("–")
VALUE_LIMIT = 200
SENTENCE_LIMIT = 1500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST = {"fr": "1er ", "it": "1° "}  # of a month; Babel writes a plain 1


class Voice:
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
        return self.told(Text(template=template, values=values))

    def told(self, text: Text) -> Cleaned:
        """A Text in words."""
        values = {name: self._value(value) for name, value in text.values.items()}
        template = self.gettext(text.template)
        return clean(template.format_map(values) if values else template, SENTENCE_LIMIT)

    def _value(self, value: Value) -> str | int | float:
        if isinstance(value, Text):
            return self.told(value)
        if isinstance(value, str):
            return self._dated(value) or clean(value, VALUE_LIMIT)
        return self.number(value)

    def _dated(self, value: str) -> Cleaned | None:
        """A date that a finding carries, written as this language writes dates."""
        if not _DATE.fullmatch(value):
            return None
        try:
            return self.day(dt.date.fromisoformat(value))
        except ValueError:
            return None

    def number(self, value: float) -> Cleaned:
        """A number with this language's separators."""
        return Cleaned(format_decimal(value, locale=self._locale))

    def day(self, moment: dt.date | dt.datetime | None) -> Cleaned:
        """A date with the month in words, e.g. "24 November 2026"; a dash for none."""
        if moment is None:
            return DASH
        if isinstance(moment, dt.datetime):
            moment = moment.astimezone(dt.UTC).date()
        told = format_date(moment, "long", locale=self._locale)
        first = _FIRST.get(self.language)
        return Cleaned(told.replace("1 ", first, 1) if first and moment.day == 1 else told)

    def moment(self, moment: dt.datetime | None) -> Cleaned:
        """Date and time in UTC, e.g. "24 November 2026, 12:00 UTC"; a dash for none."""
        if moment is None:
            return DASH
        in_utc = moment.astimezone(dt.UTC)
        time = format_datetime(in_utc, "HH:mm", locale=self._locale)
        return Cleaned(f"{self.day(in_utc)}, {time} UTC")

    def short_day(self, moment: dt.date | dt.datetime) -> Cleaned:
        """A date in figures, for charts."""
        return Cleaned(format_date(moment, "dd.MM.yyyy", locale=self._locale))


@cache
def voice(language: Language) -> Voice:
    """The shared voice of `language`."""
    return Voice(language)
