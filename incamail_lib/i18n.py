"""Texts a client reads: marked in English here, looked up in the catalogs fr, de and it.

A `Text` is a template with values; it is stored untranslated in facts and findings, so that a
saved audit can be told in any of the four languages later.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
import os
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from incamail_lib.record import Record

Language = Literal["en", "fr", "de", "it"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# Swiss usage for the national languages; day before month in English too.
LOCALES: dict[Language, str] = {"en": "en_GB", "fr": "fr_CH", "de": "de_CH", "it": "it_CH"}
NO_DATE = "–"
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_FIRST = {"fr": "1er ", "it": "1° "}  # of a month; Babel writes a plain 1
DOMAIN = "incamail"
LOCALE_DIR = Path(__file__).parent / "locale"


class Text(Record):
    """A translatable sentence: an English template and the values that go into it.

    A value may be a Text itself; it is translated along with the sentence around it. A value that
    is a date (2027-01-15, or a month, 2027-01) is told as the language writes it. Where the
    sentence depends on a number, `one` is the template for the singular and `n` the number.
    """

    template: str
    values: dict[str, str | int | float | Text] = Field(default_factory=dict)
    one: str = ""
    n: int | None = None

    def english(self) -> str:
        """The sentence in English for logs and exceptions; dates stay as 2027-01-15 there."""
        return _LogTranslator("en").text(self)


Value = str | int | float | dt.date | Text


def say(template: str, /, **values: Value) -> Text:
    """Mark `template` for translation and bind `values`, e.g. say("It ends on {day}.", day=day)."""
    return Text(template=template, values=_kept(values)) if values else _constant(template)


@lru_cache(maxsize=4096)  # a report says each of ours many times, and a Text never changes
def _constant(template: str) -> Text:
    return Text(template=template)


def say_n(one: str, many: str, n: int, /, **values: Value) -> Text:
    """Mark a sentence that counts, e.g. say_n("{n} day", "{n} days", 3); `n` is a value too."""
    return Text(template=many, values={"n": n, **_kept(values)}, one=one, n=n)


def _kept(values: dict[str, Value]) -> dict[str, str | int | float | Text]:
    """The values as a saved text holds them: a date, or a moment's day in UTC, as 2027-01-15."""
    return {name: _day(v) if isinstance(v, dt.date) else v for name, v in values.items()}


def _day(moment: dt.date | dt.datetime) -> str:
    day = moment.astimezone(dt.UTC).date() if isinstance(moment, dt.datetime) else moment
    return day.isoformat()


def N_(message: str) -> str:
    """Mark `message` for translation without translating it yet."""
    return message


def filled(translated: str, text: Text, values: Mapping[str, Value]) -> str:
    """The translated template with these values in it.

    A saved text may pair a sentence of ours with values that are not its own: it stays English.
    """
    try:
        return translated.format_map(values)
    except KeyError:
        return text.template.format_map(values)


class Translator:
    """Looks texts up in one language; what a catalog lacks comes out in English."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._catalog = _catalog(language)

    def gettext(self, message: str) -> str:
        """The translation of `message`; an empty string stays empty."""
        return self._catalog.gettext(message) if message else ""

    def text(self, text: Text) -> str:
        """The translated sentence with its values filled in."""
        template = self.template(text)
        if not text.values:
            return template
        values = {name: self._value(value) for name, value in text.values.items()}
        return filled(template, text, values)

    def _value(self, value: str | int | float | Text) -> str | int | float:
        if isinstance(value, Text):
            return self.text(value)
        return self.dated(value) if isinstance(value, str) else value

    def template(self, text: Text) -> str:
        """The translated sentence in the form that its number asks for, values not yet in."""
        if text.n is None:
            return self.gettext(text.template)
        return self._catalog.ngettext(text.one, text.template, text.n)

    @lru_cache(maxsize=4096)  # noqa: B019 – there are four of these, and they stay
    def day(self, moment: dt.date | dt.datetime | None) -> str:
        """A date (in UTC) with the month in words, e.g. "24 November 2026"; a dash for none."""
        if moment is None:
            return NO_DATE
        from babel.dates import format_date

        day = dt.date.fromisoformat(_day(moment))
        told = format_date(day, "long", locale=LOCALES[self.language])
        first = _FIRST.get(self.language)
        return told.replace("1 ", first, 1) if first and day.day == 1 else told

    def dated(self, value: str) -> str:
        """A value that is a whole date or month in words; any other value as it is."""
        found = _DATE.fullmatch(value)
        try:
            if found and found[3]:
                return self.day(dt.date.fromisoformat(value))
            return self._month(dt.date.fromisoformat(f"{value}-01")) if found else value
        except ValueError:
            return value

    def _month(self, month: dt.date) -> str:
        from babel.dates import format_date

        return format_date(month, "LLLL y", locale=LOCALES[self.language])

    __call__ = gettext


class _LogTranslator(Translator):
    def dated(self, value: str) -> str:
        return value


def environment_language() -> Language:
    """The language that the environment asks for (INCAMAIL_LANG, LANG), else English."""
    wanted = os.environ.get("INCAMAIL_LANG") or os.environ.get("LANG", "")
    return next((known for known in LANGUAGES if wanted.lower().startswith(known)), "en")


@cache
def translator(language: Language) -> Translator:
    """The shared translator of `language`."""
    return Translator(language)


@cache
def _catalog(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    source = LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not source.exists():
        return gettext.NullTranslations()
    return _compiled(source)


def _compiled(source: Path) -> gettext.GNUTranslations:
    """Compile the catalog in memory: a fresh clone needs no build step and nothing goes stale."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalog = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
