"""Texts a client reads: marked in English here, looked up in the catalogs fr, de and it.

A `Text` is a template with values; it is stored untranslated in facts and findings, so that a
saved audit can be told in any of the four languages later.
"""

from __future__ import annotations

import gettext
import io
import os
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from incamail_lib.record import Record

Language = Literal["en", "fr", "de", "it"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "incamail"
LOCALE_DIR = Path(__file__).parent / "locale"


class Text(Record):
    """A translatable sentence: an English template and the values that go into it.

    A value may be a Text itself; it is translated along with the sentence around it.
    """

    template: str
    values: dict[str, str | int | float | Text] = Field(default_factory=dict)

    def english(self) -> str:
        """The sentence in English, for logs and exceptions."""
        return translator("en").text(self)


Value = str | int | float | Text


def say(template: str, /, **values: Value) -> Text:
    """Mark `template` for translation and bind `values`, e.g. say("{n} days", n=3)."""
    return Text(template=template, values=values)


def N_(message: str) -> str:
    """Mark `message` for translation without translating it yet."""
    return message


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
        template = self.gettext(text.template)
        if not text.values:
            return template
        values = {k: self.text(v) if isinstance(v, Text) else v for k, v in text.values.items()}
        return template.format_map(values)

    __call__ = gettext


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
