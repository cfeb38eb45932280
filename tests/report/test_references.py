"""What a check rests on is told in the reader's language."""

from __future__ import annotations

import re

import pytest
from factories import NOW, facts

from incamail_lib.checks import ALL_CHECKS, judge_facts
from incamail_lib.i18n import Text, Translator
from incamail_lib.report.references import part_text, reference_text
from incamail_lib.report.telling import source

# Proper names: the same in every language.
_NAMES = re.compile(
    r"RFC \d+( §[\d.]+)?(, §[\d.]+)*|CVE-[\d-]+|CA/B Forum BR §[\d.]+"
    r"|Chrome Root Program Policy [\d.]+|openssl-verification-options\(1\)"
    r"|Postfix \w+\(5\)(, \w+\(5\))*( FILTER)?|\w+\(5\)"
)


def _words_of_ours(text: Text) -> bool:
    return text.template != "{name}"


def _is_translatable(part: str) -> bool:
    """Whether a part is a proper name, or words around one that the catalogs hold."""
    told = part_text(part)
    if not _words_of_ours(told):
        return _NAMES.fullmatch(part) is not None
    name = told.values.get("name")
    return name is None or _NAMES.fullmatch(str(name)) is not None


def test_no_english_word_is_left_in_a_reference() -> None:
    """Each source that a check names is a proper name, or is told by a text of the catalogs."""
    parts = {part for check in ALL_CHECKS for part in check.reference.split("; ")}
    assert sorted(part for part in parts if not _is_translatable(part)) == []
    assert not _is_translatable("Post guide 6.1")
    assert not _is_translatable("Some help page")


@pytest.mark.parametrize(
    "reference", ["Post MGI guide 3, 6.1; RFC 5280 §3.2", "RFC 3207 §4 (by analogy)", "RFC 10024"]
)
def test_english_says_what_the_check_says(reference: str) -> None:
    """Nothing is lost on the way through the rules."""
    assert reference_text(reference).english() == reference


class _Marking(Translator):
    """A language in which every text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"[{message}]"


def test_the_data_protection_act_and_the_joint_are_texts() -> None:
    """The act has a name in each language, and so has the mark between two sources."""
    told = _Marking("en").text(reference_text("Post MGI guide 2; DSG Art. 9"))
    assert told == "[[Post MGI guide 2]; [FADP Art. 9]]"


def test_a_report_tells_references_by_these_words() -> None:
    """The source of a finding goes the same way, behind the question of the guide."""
    finding = (
        judge_facts(facts(), NOW)
        .findings[0]
        .model_copy(update={"item": "6.1", "reference": "DSG Art. 9; RFC 5321 §5.1"})
    )
    assert source(finding).english() == "Guide 6.1; FADP Art. 9; RFC 5321 §5.1"
