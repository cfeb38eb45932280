"""Jinja environments for forms, one per language: escaped always, every value bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from incamail_lib.i18n import Language
from incamail_lib.report import words
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.language import DASH, Formatter, formatter

TEMPLATES = Path(__file__).parent / "templates"
LONG = 2000
_AT = re.compile(r"(?<=@)|(?=\.)")
_BREAK = Markup("<wbr>")


def _shown(value: Any) -> Any:
    """What Jinja prints in place of any value: markup as it is, all else cleaned."""
    if isinstance(value, Undefined) or hasattr(value, "__html__"):
        return value
    return DASH if value is None or value == "" else clean(value)


@cache
def environment(language: Language) -> Environment:
    """The environment with the texts, dates and words of `language`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tell = formatter(language)

    made.globals.update(
        _=tell.gettext,
        dash=DASH,
        say=tell.say,
        say_n=tell.say_n,
        language=language,
        symbols=words.SYMBOLS,
    )
    made.filters.update(_filters(tell))
    return made


def _filters(tell: Formatter) -> dict[str, Callable[..., Any]]:
    """What the templates do to values: translate, name, shorten."""
    return dict(
        told=tell.told,
        tr=tell.gettext,
        day=tell.day,
        local=tell.local,
        word=lambda token: tell.told(words.word(token)),
        place=lambda place: tell.told(words.place_text(place)),
        long=lambda value: clean(value, LONG),
        parted=_parted,
    )


def _parted(value: object) -> Markup:
    """A text whose addresses may break after the @ and before a dot, before they must in a word."""
    words = re.split(r"(\s)", clean(value, LONG))
    return Markup().join(_BREAK.join(_AT.split(w)) if "@" in w else w for w in words)


def render(template: str, language: Language, **values: Any) -> str:
    """The template `<template>.html.j2` filled in."""
    return environment(language).get_template(f"{template}.html.j2").render(**values)
