"""Templates of HTML filled, and pieces joined: everything that is not HTML already is escaped.

What `Markup.format` does, without its mini-language of formats: a page has thousands of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from markupsafe import Markup, escape


def filled(template: str, *parts: object) -> Markup:
    """The template, a constant of ours, with a part in place of each {}."""
    head, *rest = _pieces(template)
    made = [head]
    for part, piece in zip(parts, rest, strict=True):
        made += (part if type(part) is Markup else escape(part), piece)
    return _markup("".join(made))


def joined(parts: Iterable[object]) -> Markup:
    """The parts, one after the other."""
    return _between("", parts)


def lined(parts: Iterable[object]) -> Markup:
    """The parts, each in a line of its own."""
    return _between("\n", parts)


def spaced(parts: Iterable[object]) -> Markup:
    """The parts with a blank between each two."""
    return _between(" ", parts)


def _between(between: str, parts: Iterable[object]) -> Markup:
    return _markup(between.join([p if type(p) is Markup else escape(p) for p in parts]))


def _markup(text: str) -> Markup:
    """The text, every part of which was escaped, without Markup's question what else it may be."""
    return str.__new__(Markup, text)


@cache
def _pieces(template: str) -> tuple[str, ...]:
    return tuple(template.split("{}"))
