"""The inline values of a document in words of one language."""

from __future__ import annotations

import datetime as dt

from incamail_lib.i18n import Language, Text, Value, say
from incamail_lib.report.cleaning import Cleaned, clean
from incamail_lib.report.language import voice
from incamail_lib.report.papers.model import Code, Dated, Inline, Missing

LIMIT = 12_000  # an answer in a dossier may have 10 000 characters, and stands here whole


def told(inline: Inline, language: Language) -> Cleaned:
    """An inline value as one printable line."""
    match inline:
        case Missing(text):
            return _sentence(say("Missing: {what}", what=text), language)
        case Code(value):
            return clean(value, LIMIT)
        case Dated(text, day):
            dated = Text(template=text.template, values=text.values | {"day": _day(day, language)})
            return _sentence(dated, language)
        case dt.datetime():
            return voice(language).moment(inline)
        case dt.date():
            return voice(language).day(inline)
        case Text():
            return _sentence(inline, language)


def _day(day: dt.date, language: Language) -> str:
    return str(voice(language).day(day))


def _sentence(text: Text, language: Language) -> Cleaned:
    values = {name: _value(value, language) for name, value in text.values.items()}
    template = voice(language).gettext(text.template)
    return clean(template.format_map(values) if values else template, LIMIT)


def _value(value: Value, language: Language) -> str | int | float:
    if isinstance(value, Text):
        return _sentence(value, language)
    if isinstance(value, str):
        return clean(value, LIMIT)
    return voice(language).number(value)
