"""A form's parts as HTML: to be filled in beside a kernel, or to be read anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment
from markupsafe import Markup, escape

from incamail_lib.i18n import Language
from incamail_lib.report.pages import environment
from incamail_lib.runbook.forms.shape import Part
from incamail_lib.sheets.language import DASH, formatter


def _raw(value: object) -> Markup:
    """What people typed, escaped and otherwise as it is: an input that cleaned its value would
    write something else back."""
    return escape(value)


def _said(options: Sequence[tuple[str, str]], value: str) -> str:
    return dict(options).get(value) or DASH


@cache
def _environment(language: Language) -> Environment:
    made = environment(language).overlay()
    tell = formatter(language)

    def iso_day(value: str) -> str:
        try:
            return tell.day(dt.date.fromisoformat(value)) if value else DASH
        except ValueError:
            return value

    made.filters = made.filters | {"raw": _raw, "said": _said, "iso_day": iso_day}
    return made


def drawn(
    parts: Sequence[Part], language: Language, *, form: str = "", live: bool = False, said: str = ""
) -> str:
    """The parts as HTML; `live` with inputs whose ids begin with `form`, and with what was just
    said for those who listen."""
    page = _environment(language).get_template("form.html.j2")
    return page.render(parts=parts, form=form, live=live, status=said)
