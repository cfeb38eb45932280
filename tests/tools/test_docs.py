"""The generated pages say what the program declares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from incamail_lib.tools import docs

DOCS = Path(__file__).parents[2] / "docs"
#: What is no attack: that a rule refuses no more than it must, and plain mistakes.
UNTOLD = {
    "test_stranger.py::test_a_name_server_that_can_be_is_taken",
    "test_stranger.py::test_a_pipe_in_the_place_of_the_lock_is_not_waited_for",
    "test_any_file.py::test_the_sample_itself_is_read",
    "test_canary.py::test_a_secret_that_is_shown_would_be_found",
    "test_stranger.py::test_an_exclamation_mark_in_quotes_is_text",
    "test_stranger.py::test_what_is_no_facts_file_is_a_sentence",
}


@pytest.mark.parametrize("name", sorted(docs.pages()))
def test_a_page_is_up_to_date(name: str) -> None:
    """`make docs` was run after the last change."""
    assert (DOCS / name).read_text(encoding="utf-8") == docs.pages()[name]


def test_a_stale_page_would_be_noticed(tmp_path: Path) -> None:
    """Writing gives exactly the pages; one changed by hand differs."""
    docs.write(tmp_path)
    page = tmp_path / "checks.md"
    assert page.read_text(encoding="utf-8") == docs.pages()["checks.md"]
    page.write_text("edited", encoding="utf-8")
    assert page.read_text(encoding="utf-8") != docs.pages()["checks.md"]


def test_each_attack_that_is_told_is_one_that_is_made() -> None:
    """`docs/security.md` names tests that exist, and every attack test stands there."""
    tests = Path(__file__).parents[1]
    there = {
        (file.parent.name, f"{file.name}::{name}")
        for file in tests.rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    told = set(re.findall(r"`(test_\w+\.py::\w+)`", (DOCS / "security.md").read_text("utf-8")))
    assert told <= {name for _, name in there}
    assert {name for room, name in there if room == "attacks"} - told == UNTOLD
