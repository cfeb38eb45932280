"""Jinja environments, one per language: escaped always, every value printable and bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from incamail_lib.checks.tls import let_on_without
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.smtp import EndpointFacts, TlsFacts
from incamail_lib.i18n import Language
from incamail_lib.report import words
from incamail_lib.report.cleaning import clean
from incamail_lib.report.language import DASH, Voice, voice

TEMPLATES = Path(__file__).parent / "templates"
LONG = 2000


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
        extensions=["jinja2.ext.i18n"],
    )
    tell = voice(language)

    def plural(singular: str, many: str, number: int) -> str:
        return tell.gettext(singular if number == 1 else many)

    # The i18n extension declares these at run time, so no type names them.
    made.install_gettext_callables(tell.gettext, plural, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(dash=DASH, say=tell.say, language=language, symbols=words.SYMBOLS)
    made.filters.update(_filters(tell, language))
    return made


def _filters(tell: Voice, language: Language) -> dict[str, Callable[..., Any]]:
    """What the templates do to values: translate, name, shorten, arrange."""
    return dict(
        told=tell.told,
        tr=tell.gettext,
        day=tell.day,
        short_day=tell.short_day,
        moment=tell.moment,
        number=tell.number,
        word=lambda token: tell.told(words.word(token)),
        stage=lambda stage: tell.told(words.stage_text(stage)),
        reason=lambda reason: tell.told(words.reason_text(reason)),
        place=lambda place: tell.told(words.place_text(place)),
        trust=lambda answer: tell.told(words.told_trust(answer)),
        observed=lambda seen: _observed(seen, language),
        demand=lambda endpoint: _demand(endpoint, language),
        usage=lambda usage: tell.gettext(str(words.USAGES.get(usage, usage))),
        family=lambda name: tell.gettext(str(words.FAMILIES.get(name, name))),
        who=lambda code: tell.gettext(words.WHO_ACTS.get(words.family(code), "")),
        tls=_tls,
        hazard=lambda hazard: tell.told(words.hazard_text(hazard)),
        probe=lambda probe: tell.gettext(words.PROBES[probe]),
        verdict_symbol=words.VERDICT_SYMBOLS.__getitem__,
        words=lambda tokens: ", ".join(tell.told(words.word(token)) for token in tokens),
        exchangers=lambda found: [(mx.preference, mx.host) for mx in found],
        unranked=lambda hosts: [(None, host) for host in hosts],
        long=lambda value: clean(value, LONG),
        short=clean,
        fingerprint=lambda digest: clean(":".join(_pairs(digest))),
    )


def _observed(seen: Observation, language: Language) -> str:
    return voice(language).told(words.observed(seen))


def _demand(endpoint: EndpointFacts, language: Language) -> str:
    """Whether a certificate is demanded; if not, how far we were let without one."""
    demanded = endpoint.client_auth.demanded
    if not demanded.is_no:
        return _observed(demanded, language)
    tell = voice(language).told
    return f"{tell(words.word(demanded.answer))}. {tell(let_on_without(endpoint))}"


def _tls(endpoint: EndpointFacts) -> TlsFacts | None:
    """The handshake to show: an established one where there is any."""
    seen = [c.tls for c in endpoint.connections if c.tls]
    return next((t for t in seen if t.established), seen[0] if seen else None)


def _pairs(digest: str) -> list[str]:
    upper = digest.upper()
    return [upper[at : at + 2] for at in range(0, len(upper), 2)]


def render(template: str, language: Language, **values: Any) -> str:
    """The template `<template>.html.j2` filled in."""
    return environment(language).get_template(f"{template}.html.j2").render(**values)
