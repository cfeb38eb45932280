"""The fields of a routing rule in words, for whoever writes one in an exercise."""

from __future__ import annotations

from collections.abc import Mapping

from incamail_lib.i18n import N_, Text, say
from incamail_lib.report.telling import ours, words

METHODS = {
    "domain": N_("by the suffix of the address"),
    "subject": N_("by the subject"),
    "both": N_("by both"),
    "none": N_("no rule"),
}
FIELDS = {
    "method": N_("Mail for IncaMail is recognised"),
    "subject_pattern": N_("Pattern for the subject"),
    "refuses_tag_without_suffix": N_("A tag without the suffix goes back to its author"),
}


def rule_lines(given: Mapping[str, str]) -> tuple[Text, ...]:
    """Each field of a rule with its value, as a person says it; strange ones stay as they are."""
    return tuple(
        say("{what}: {value}", what=_named(name), value=_valued(name, value))
        for name, value in given.items()
    )


def fields_told(names: tuple[str, ...]) -> tuple[Text, ...]:
    """What each field means, beside the name by which a line of code calls it."""
    return tuple(say("{name}: {what}", name=name, what=_named(name)) for name in names)


def _named(name: str) -> Text:
    return ours(FIELDS[name]) if name in FIELDS else words(name)


def _valued(name: str, value: str) -> Text:
    if name == "method" and value in METHODS:
        return ours(METHODS[value])
    if value in {"yes", "no"}:
        return ours(N_("yes")) if value == "yes" else ours(N_("no"))
    return words(value)
