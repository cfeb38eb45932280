"""What a check rests on, in the reader's language: standards keep their names, words do not."""

from __future__ import annotations

import re
from functools import lru_cache

from incamail_lib.i18n import N_, Text, say

# What a check's `reference` may hold in English words -> how it is told. The first that fits
# counts; what fits none is a proper name, the same in every language (RFC 5280 §4.1).
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Post MGI guide (?P<items>.+)"), N_("Post MGI guide {items}")),
    # The Swiss data protection act has a name in each language: FADP, LPD, DSG.
    (re.compile(r"DSG Art\. (?P<article>.+)"), N_("FADP Art. {article}")),
    (re.compile(r"(?P<name>.+) \(by analogy\)"), N_("{name} (by analogy)")),
    (re.compile(r"(?P<name>.+) \(ballot (?P<ballot>.+)\)"), N_("{name} (ballot {ballot})")),
    (re.compile(r"Exim specification (?P<chapter>.+)"), N_("Exim specification {chapter}")),
    (re.compile("IncaMail HTML add-in help page"), N_("IncaMail HTML add-in help page")),
)


@lru_cache(maxsize=1024)  # every check has one, and every table of findings tells it
def reference_text(reference: str) -> Text:
    """A check's `reference` as a text, e.g. "Post MGI guide 6.1; RFC 5280 §4.1"."""
    first, *others = reference.split("; ")
    told = part_text(first)
    for other in others:
        told = say("{first}; {second}", first=told, second=part_text(other))
    return told


def part_text(part: str) -> Text:
    """One of the sources that a reference names."""
    for pattern, template in _RULES:
        found = pattern.fullmatch(part)
        if found:
            return Text(template=template, values={**found.groupdict()})
    return Text(template="{name}", values={"name": part})
