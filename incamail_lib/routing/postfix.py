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
_TABLE_LINE = re.compile(r"/((?:[^/\\]|\\.)*)/([a-zA-Z]*)(?:\s(.*))?", re.DOTALL)
_LABEL = re.compile(rb"\A([!-9;-~]+)[ \t]+:")  # Postfix takes blanks before the colon away
_HARMLESS = ("PREPEND", "DUNNO", "OK", "WARN", "INFO", "IGNORE", "STRIP", "REPLACE")
_PCRE_FLAGS = {"i": pcre2.IGNORECASE, "m": pcre2.MULTILINE, "s": pcre2.DOTALL, "x": pcre2.VERBOSE}
_POSIX_FLAGS = {"i": posix.IGNORE_CASE, "m": posix.NEWLINE, "x": posix.EXTENDED}


@dataclass(frozen=True)
class Line:
    """One line of a table: the expression, the flags that are toggled, and the action."""

    expression: bytes
    toggled: str = ""
    action: str = ""  # "": none is given; then it is the line that leads to IncaMail

    @classmethod
    def read(cls, written: str) -> Line:
        """From "/expression/flags", with or without an action, or from the bare expression.

        Errors: NoRule without a closing "/", CannotAsk for a negated line.
        """
        if re.match(r"!\s*/|(if|endif)\b", written):
            raise CannotAsk(say("a negated or conditional line cannot be tried here"))
        if not written.startswith("/"):
            return cls(written.encode("utf-8", "replace"))
        whole = _TABLE_LINE.fullmatch(written.strip())
        if whole is None:
            raise NoRule(say("the closing / is missing"))
        return cls(whole[1].encode("utf-8", "replace"), whole[2], (whole[3] or "").strip())

    @property
    def selects(self) -> bool:
        """Whether its action leads to IncaMail. Errors: CannotAsk for one that decides otherwise.

        header_checks(5): FILTER routes; what merely notes or changes the header ends the search
        for this header, so that a FILTER further down is not reached.
        """
        verb = self.action.partition(" ")[0].upper()
        if verb in ("", "FILTER"):
            return True
        if verb in _HARMLESS:
            return False
        raise CannotAsk(say("the action «{action}» decides otherwise", action=verb))


def matches_header(engine: Engine, pattern: str, headers: Iterable[bytes]) -> bool:
    """Whether a table of this type selects one of the headers: of each, the first line that
    matches counts. Lines that are refused are skipped, as Postfix does.

    Errors: NoRule where every line is refused, CannotAsk.
    """
    table = _table(engine, pattern)
    targets = {line.action for line in table if line.action.upper().startswith("FILTER")}
    if len(targets) > 1:
        raise CannotAsk(say("several lines lead to different places"))
    return any(_selects(engine, table, _LABEL.sub(rb"\1:", header)) for header in headers)


def _selects(engine: Engine, table: tuple[Line, ...], header: bytes) -> bool:
    first = next((line for line in table if ask(engine, line, header)), None)
    return first is not None and first.selects


def _table(engine: Engine, pattern: str) -> tuple[Line, ...]:
    """The lines that are not refused."""
    usable: list[Line] = []
    refused: NoRule | None = None
    for written in filter(None, pattern.splitlines() or [pattern]):
        try:
            line = Line.read(written)
            ask(engine, line, b"")
            usable.append(line)
        except NoRule as error:
            refused = refused or error
    if not usable and refused:
        raise refused
    return tuple(usable) or (Line(b""),)


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
