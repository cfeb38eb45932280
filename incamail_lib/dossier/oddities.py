"""Why a text is not what it looks like: invisible characters, and backslashes in double quotes."""

from __future__ import annotations

import re

from incamail_lib.i18n import Text, say
from incamail_lib.printable import character_name, invisible, printable

_STRUCTURE = re.compile(r"[^\S\n]*(?:[-?][^\S\n]+)*(?:[\w.\u200b-\u200f\ufeff-]*:[^\S\n]*)?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)')
_BYTE_ORDER_MARK = "\ufeff"


def odd_place(text: str, line: int) -> tuple[int, int, str] | None:
    """Line, column (from 1) and name of the invisible character that explains an error at `line`.

    It stands where YAML or TOML look for structure (indentation, after a dash, a colon or in a
    name) at or before that line, or anywhere in the line itself.
    """
    lines = text.removeprefix(_BYTE_ORDER_MARK).split("\n")
    for number, content in enumerate(lines[:line], start=1):
        found = _STRUCTURE.match(content)
        unseen = invisible(found[0]) if found else None
        if unseen is not None:
            return number, unseen[0] + 1, unseen[1]
    unseen = invisible(lines[line - 1]) if 0 < line <= len(lines) else None
    return (line, unseen[0] + 1, unseen[1]) if unseen is not None else None


def invisible_text(file: str, place: tuple[int, int, str]) -> Text:
    """An invisible character, named where it stands."""
    line, column, name = place
    return say(
        "{file}, line {line}, column {column}: an invisible character stands here ({character}). "
        "Put an ordinary space in its place, or delete it.",
        file=file,
        line=line,
        column=column,
        character=name,
    )


def forbidden_text(file: str, text: str, position: int) -> Text:
    """A character that YAML does not allow at all, named where it stands."""
    before = text[:position]
    return say(
        "{file}, line {line}, column {column}: a character that is not allowed stands here "
        "({character}). Delete it, or save the file as plain UTF-8 text.",
        file=file,
        line=before.count("\n") + 1,
        column=position - before.rfind("\n"),
        character=character_name(text[position : position + 1] or " "),
    )


def backslash_text(file: str, text: str, line: int) -> Text | None:
    """What to write in place of a Windows path in double quotes; None where none stands there."""
    lines = text.split("\n")
    content = lines[line - 1] if 0 < line <= len(lines) else ""
    found = next((m[1] for m in _QUOTED.finditer(content) if "\\" in m[1]), None)
    if found is None:
        return None
    return say(
        "{file}, line {line}: in double quotes a backslash begins an escape. Write the path in "
        "single quotes: {path}",
        file=file,
        line=line,
        path=f"'{printable(found, 120)}'",
    )
