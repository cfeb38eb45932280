"""Postfix: lines of header_checks(5), keys of transport(5), as 3.7 reads them.

A header check sees the header as it came: name, blanks, tabs and folds, up to the first NUL.
regexp_table(5) and pcre_table(5): case is ignored and "." takes line ends unless a flag says
otherwise. A line whose expression the library refuses is skipped with a warning in the log: there
is no rule then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pcre2

from incamail_lib.facts.routing import Engine
from incamail_lib.i18n import say
from incamail_lib.routing import posix
from incamail_lib.routing.perl import pcre_matches
from incamail_lib.routing.reply import CannotAsk, NoRule

MAX_LINE = 8_000  # octets of one header that are looked at; Postfix takes 102400
_TABLE_LINE = re.compile(r"/((?:[^/\\]|\\.)*)/([a-zA-Z]*)(?:\s.*)?", re.DOTALL)
_LABEL = re.compile(rb"\A([!-9;-~]+)[ \t]+:")  # Postfix takes blanks before the colon away
_PCRE_FLAGS = {"i": pcre2.IGNORECASE, "m": pcre2.MULTILINE, "s": pcre2.DOTALL, "x": pcre2.VERBOSE}
_POSIX_FLAGS = {"i": posix.IGNORE_CASE, "m": posix.NEWLINE, "x": posix.EXTENDED}


@dataclass(frozen=True)
class Line:
    """One line of a table: the expression and the flags that are toggled."""

    expression: bytes
    toggled: str = ""

    @classmethod
    def read(cls, written: str) -> Line:
        """From "/expression/flags", with or without an action, or from the bare expression.

        Errors: CannotAsk for a negated line.
        """
        if re.match(r"!\s*/", written):
            raise CannotAsk(say("it is a negated line"))
        whole = _TABLE_LINE.fullmatch(written.strip()) if written.lstrip().startswith("/") else None
        if whole is None:
            return cls(written.encode("utf-8", "replace"))
        # the table's own delimiter is written \/ in it, which every engine reads as "/"
        return cls(whole[1].encode("utf-8", "replace"), whole[2])


def matches_header(engine: Engine, pattern: str, lines: Iterable[bytes]) -> bool:
    """Whether a table of this type with this one line selects one of the header lines.

    Errors: NoRule, CannotAsk.
    """
    line = Line.read(pattern)
    ask(engine, line, b"")  # an expression that is refused is refused without any header, too
    return any(ask(engine, line, _LABEL.sub(rb"\1:", header)) for header in lines)


def ask(engine: Engine, line: Line, text: bytes) -> bool:
    """Whether the expression occurs in `text`. Errors: NoRule, CannotAsk."""
    if len(text) > MAX_LINE:
        raise CannotAsk(say("a header is longer than {limit} octets", limit=MAX_LINE))
    seen = text.partition(b"\0")[0]
    if engine is Engine.POSTFIX_PCRE:
        flags = int(pcre2.IGNORECASE | pcre2.DOTALL)
        return pcre_matches(line.expression, seen, _toggled(flags, line.toggled, _PCRE_FLAGS))
    flags = _toggled(posix.EXTENDED | posix.IGNORE_CASE, line.toggled, _POSIX_FLAGS)
    return posix.posix_matches(line.expression, seen, flags)


def _toggled(flags: int, letters: str, meaning: dict[str, pcre2.RegexFlag] | dict[str, int]) -> int:
    for letter in letters:
        if letter not in meaning:
            raise CannotAsk(say("the flag «{flag}» cannot be tried here", flag=letter))
        flags ^= int(meaning[letter])
    return flags


def suffix_key_selects(engine: Engine, key: str, address: str, domain: str) -> bool:
    """Whether the key of a transport table selects an address (transport(5)).

    Of an indexed table (hash:, texthash:, lmdb:) ".domain" takes everything below the domain, and
    "domain" itself alone; "*" has no meaning inside a key. An expression is compared with the
    whole address. Errors: NoRule, CannotAsk.
    """
    if key.startswith("/"):
        expressions = (
            Engine.POSTFIX_PCRE if engine is Engine.POSTFIX_PCRE else Engine.POSTFIX_REGEXP
        )
        return ask(expressions, Line.read(key), address.encode("utf-8", "replace"))
    folded = key.strip().lower()
    if folded == "*" or folded == address.lower() or folded == domain:
        return True
    return folded.startswith(".") and domain.endswith(folded)


__all__ = ["Line", "NoRule", "ask", "matches_header", "suffix_key_selects"]
