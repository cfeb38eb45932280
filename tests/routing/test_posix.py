"""What could exhaust the C library is not asked of it: it has no limit of its own, and crashes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from incamail_lib.routing.posix import EXTENDED, IGNORE_CASE, NEWLINE, posix_matches
from incamail_lib.routing.reply import CannotAsk

LINE = b"Subject: " + b"a" * 7990  # the longest header that is looked at
USUAL = EXTENDED | IGNORE_CASE | NEWLINE


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (rb"(" + b"a*" * 440 + rb"){999}x", USUAL),
        (rb"(" + b"(a?)" * 220 + rb"){0,999}x", USUAL),
        (rb"(" + b"[a-z]*" * 150 + rb"){900}x", USUAL),
        (rb"((a*)+){0,900}x", USUAL),
        (rb"(((a*)+){0,9}){0,9}(b*){0,9}x", USUAL),
        (rb"\(" + b"a*" * 440 + rb"\)\{999\}x", IGNORE_CASE),
        (rb"a\{0,40\}b\{0,40\}x", IGNORE_CASE),
        (rb"(a*)*{0,900}x", USUAL),
        (rb"(a)\1", USUAL),
    ],
)
def test_an_expression_that_exhausts_the_library_is_not_asked(pattern: bytes, flags: int) -> None:
    """Long or nested things repeated many times, in both spellings: unknown, before the library."""
    with pytest.raises(CannotAsk):
        posix_matches(pattern, LINE, flags)


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        (rb"^Subject:.{0,200}<im>", False),
        (rb"^Subject:[[:space:]]{0,50}a{5,15}", True),
        (rb"((re|aw|fwd): ){0,5}a", True),
        (rb"([[:alpha:]]{1,10}){1,5}$", True),
    ],
)
def test_what_administrators_write_is_asked(pattern: bytes, answer: bool) -> None:
    """Repetitions of the usual kind have the library's own answer."""
    assert posix_matches(pattern, LINE, USUAL) is answer


@pytest.mark.parametrize("unit", ["a*", "(a?)", "(a*)+", "(a|b)*", "a"])
def test_the_worst_that_is_asked_is_bounded(unit: str) -> None:
    """As large as is let through, over the longest line: within 20 s and 1 GB, mostly under one
    second; what is ten times as large is not let through."""
    program = textwrap.dedent(
        f"""
        import resource
        from incamail_lib.routing.posix import posix_matches
        from incamail_lib.routing.reply import CannotAsk
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        line = b"Subject: " + b"a" * 7990
        for times in (9, 60):
            length = 2000 // times
            body = b"{unit}" * ((length - 12) // {len(unit)} or 1)
            pattern = b"(" + body + b"){{0,%d}}x" % times
            assert posix_matches(pattern, line, {USUAL}) is False, pattern
        try:
            posix_matches(b"(" + b"{unit}" * 40 + b"){{0,900}}x", line, {USUAL})
        except CannotAsk:
            print("bounded")
        """
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, "bounded\n"), done.stderr
