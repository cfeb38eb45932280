"""Subject patterns: searched like a mail server does, never slowly, refused clearly."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.errors import UsageError
from incamail_lib.routing.expression import MAX_TEXT, Expression


@pytest.mark.parametrize(
    ("pattern", "hit", "miss"),
    [
        ("<im>", "Re: <IM><c> x", "im"),
        ("^<im>", "<im> x", "Re: <im>"),
        (r"^\s*((re|aw|tr):\s*)*<im>", "AW: Re: <im>", "x: <im>"),
        ("<(im|c|p|r)>", "<P>", "<x>"),
        ("^Subject:.*<im>", "Subject: a\n <im>", "Subject: a"),
        ("<i{1,2}m>", "<iim>", "<iiim>"),
        ("<i{2}m>", "<iim>", "<im>"),
        ("<i{1,}m>", "<iiiim>", "<m>"),
        ("[[:space:]<]im[^a-z]", "<im>", "<imx"),
        ("[]x]", "]", "y"),
        ("[a-c-]z", "-z", "dz"),
        (r"\bim\b", "x im y", "time"),
        (r"\d\D\W\S", "1a-b", "aa-b"),
        ("a??b+?$", "bbb", "bx"),
        (r"\[im\]", "[im]", "im"),
        ("(?i)(?:x|)<im>$", "<IM>", "<im> "),
    ],
)
def test_patterns_match_as_in_a_header_check(pattern: str, hit: str, miss: str) -> None:
    """The usual constructs find what they should and nothing else."""
    assert Expression(pattern).search(hit)
    assert not Expression(pattern).search(miss)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "*",
        "[a",
        "a{3",
        r"(a)\1",
        "(?=x)",
        "(?P<n>x)",
        "a{2,1}",
        "[z-a]",
        "\\",
        "[[:x:]]",
        "x" * 201,
        "(a{200}){200}",
        "(" * 60 + ")" * 60,
    ],
)
def test_what_cannot_be_searched_is_refused_with_the_reason(pattern: str) -> None:
    """The message repeats the pattern and says what is wrong, or a brace is just a brace."""
    if pattern == "a{3":
        with pytest.raises(UsageError, match="braces"):
            Expression(pattern)
        return
    with pytest.raises(UsageError, match="cannot be used"):
        Expression(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)*b", "(.*)*(.*)*(.*)*x", "a*a*a*a*a*a*b", "((a?){30}){5}a{30}b"]
)
def test_no_pattern_is_slow(pattern: str) -> None:
    """Patterns that hang a backtracking engine for years end within seconds."""
    expression = Expression(pattern)
    start = time.process_time()
    assert not expression.search("a" * (MAX_TEXT - 1) + "!")
    assert time.process_time() - start < 5


def test_an_empty_repetition_is_not_written_out() -> None:
    """Nothing repeated eight million times is nothing."""
    assert Expression("(((){200}){200}){200}<im>").search("<im>")


def test_text_behind_the_limit_is_not_seen() -> None:
    """The bound is where it is documented to be."""
    assert Expression("x").search("a" * (MAX_TEXT - 1) + "x")
    assert not Expression("x").search("a" * MAX_TEXT + "x")


_PATTERN = st.recursive(
    st.sampled_from(["a", "b", "<", ".", "[ab]", "[^a]", r"\s", "^", "$", r"\b"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(
            "(?:{0[0]}){0[1]}".format
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(pattern=_PATTERN, text=st.text("ab< \n", max_size=8))
def test_it_agrees_with_pythons_engine(pattern: str, text: str) -> None:
    """On the common ground both engines say the same."""
    assert Expression(pattern).search(text) == bool(re.search(pattern, text, re.I | re.S))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_pattern_is_compiled_or_refused(pattern: str) -> None:
    """No pattern makes the compiler crash."""
    with contextlib.suppress(UsageError):
        Expression(pattern).search("<im><c> Test")
