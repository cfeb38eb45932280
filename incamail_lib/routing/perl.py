"""Perl-compatible expressions, asked of PCRE2 itself: what Postfix's `pcre:` and Exim use.

The library counts its steps; an expression that takes too many is given up as Exim and Postfix do,
only sooner.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pcre2

from incamail_lib.i18n import say
from incamail_lib.routing.reply import CannotAsk, NoRule

_LIMITS = b"(*LIMIT_MATCH=500000)(*LIMIT_DEPTH=5000)"
# What PCRE2 10.43 and later read otherwise than before, or alone (its ChangeLog): "{,n}" and blanks
# in braces, look-behind of variable length, (?[…]), (?a…), and the directives "(*…)"
_CHANGED = re.compile(
    rb"\{ *,|\{[\d, ]* [\d, ]*\}|\(\?<[=!][^)]*[*+?{|]|\(\?\[|\(\?[a-zA-Z^-]*a|\(\*|\\N\{"
)


def pcre_matches(pattern: bytes, text: bytes, flags: int = 0) -> bool:
    """What PCRE2 says of `text`, byte by byte. Errors: NoRule with PCRE2's own words; CannotAsk."""
    try:
        return _compiled(pattern, flags).search(text) is not None
    except pcre2.PatternError:
        raise
    except pcre2.LibraryError as error:
        raise CannotAsk(say("PCRE2 gives up: {cause}", cause=str(error))) from None


@lru_cache(maxsize=128)
def _compiled(pattern: bytes, flags: int) -> Any:
    if _CHANGED.search(pattern):
        raise CannotAsk(say("versions of PCRE2 differ in what it means"))
    try:
        pcre2.compile(pattern, flags)  # so that a position in its words counts without the limits
        return pcre2.compile(_LIMITS + pattern, flags)
    except pcre2.PatternError as error:
        raise NoRule(str(error)) from None
