"""The generated pages say what the program declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from incamail_lib import docs

DOCS = Path(__file__).parents[1] / "docs"


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
