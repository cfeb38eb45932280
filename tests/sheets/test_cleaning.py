"""What strangers send is shown, and does nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.sheets.cleaning import clean, spreadsheet_cell


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u{202e}b"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("two\nlines\t", "two lines "),
        ("nul\x00", "nul\\x00"),
        ("Zürich – «ça»", "Zürich – «ça»"),
    ],
)
def test_acting_characters_become_visible_and_others_stay(given_text: str, shown: str) -> None:
    """Controls, bidirectional marks and zero-width signs are written as their code points."""
    assert clean(given_text) == shown


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    """10 kB become one line of the limit; a text of the limit stays whole."""
    assert clean("x" * 10_000, 50) == "x" * 50 + "… [+9950]"
    assert clean("x" * 50, 50) == "x" * 50


@given(st.text())
def test_cleaned_text_is_printable(text: str) -> None:
    """Whatever comes in, nothing that acts comes out."""
    assert not {unicodedata.category(c) for c in clean(text)} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize("formula", ["=1+1", "+41", "-2", "@SUM(A1)", " =cmd|' /C calc'!A0", "|x"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(formula: str) -> None:
    """Cells that begin like a formula are quoted (CWE-1236); others are not."""
    assert spreadsheet_cell(formula).startswith("'")
    assert spreadsheet_cell("Muster AG") == "Muster AG"
