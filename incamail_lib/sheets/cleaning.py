"""Strings from servers, certificates and dossiers made fit to be shown."""

from __future__ import annotations

import re
import unicodedata

from incamail_lib.printable import ACTING

LIMIT = 400
_ADDRESS = re.compile(r"[^\s@<>/:]+@[^\s@<>/:]+\.[^\s@<>/:]+")


class Cleaned(str):
    """Text that went through `clean`, or of our own making; markup in it is still escaped."""

    __slots__ = ()


def clean(value: object, limit: int = LIMIT) -> Cleaned:
    """`value` as one printable line of at most `limit` characters.

    What cannot be printed is written as its code point, so that it shows and does nothing;
    what is cut off is counted in brackets.
    """
    if isinstance(value, Cleaned):
        return value
    text = str(value)
    shown = text[:limit]
    if not shown.isprintable():  # by Python's table, which leaves out more than acts
        shown = "".join(_visible(character) for character in shown)
    if len(text) > limit:
        shown += f"… [+{len(text) - limit}]"
    return Cleaned(shown)


def is_address(word: str) -> bool:
    """Whether a word is an e-mail address: it goes on in a new line behind @ or a dot alone."""
    return _ADDRESS.fullmatch(word) is not None


def _visible(character: str) -> str:
    if unicodedata.category(character) not in ACTING:
        return character
    if character in "\n\t":
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def spreadsheet_cell(value: object) -> str:
    """`value` as a cell that no spreadsheet takes for a formula (CWE-1236)."""
    text = clean(value)
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@", "|", "%"} else text
