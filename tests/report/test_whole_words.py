"""Words of ours are not broken on paper where their column could hold them."""

from __future__ import annotations

import json

import pytest
from factories import facts

from incamail_lib.checks import judge_facts
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report import Report
from incamail_lib.sheets.pdf import data_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_came_of_a_check_is_in_whole_words(language: Language) -> None:
    """Outcome and level stand in the narrowest column: «à titre d’information»."""
    audit = judge_facts(facts(), facts().measured_at)
    told = json.loads(data_of(Report(audit, language).document(), language))
    tables = [b for s in told["sections"] for b in s["blocks"] if b["kind"] == "table"]
    checks = max(tables, key=lambda table: len(table["rows"]))
    firsts = [part for row in checks["rows"] for line in row["cells"][0] for part in line]
    assert len(checks["rows"]) > 50
    assert [part for part in firsts if isinstance(part, dict) and len(part["words"]) > 1] == []
