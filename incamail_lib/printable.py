"""Text from strangers, made safe to keep: bounded, and without characters that act."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 300
# Everything that moves the cursor, hides, reorders or has no glyph: controls, format marks
# (zero width, bidirectional: Unicode TR 36, CVE-2021-42574), surrogates, private use, unassigned,
# line and paragraph separators.
ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, limit: int = LIMIT) -> str:
    """`text` with acting characters shown as U+FFFD and at most `limit` characters kept."""
    cut = text[: limit + 1]
    safe = "".join("\ufffd" if unicodedata.category(c) in ACTING else c for c in cut)
    return safe if len(text) <= limit else safe[: limit - 1] + "…"


# What a chat takes for a call to everybody (@all, <!channel>) or for a link under other words
# ([text](address), <address|text>). An @ inside an e-mail address calls nobody.
_MENTION = re.compile(r"(?<![\w.+-])@|@(?=\s|$)")
_IN_CHAT = str.maketrans({"<": "‹", ">": "›", "`": "'"})


def for_chat(text: str) -> str:
    """`text` on one line, in which a chat finds nobody to call and nothing to show as a link."""
    line = " ".join(text.split()).translate(_IN_CHAT)
    return _MENTION.sub("＠", line).replace("](", "] (")


def invisible(text: str) -> tuple[int, str] | None:
    """Where the first character stands that a reader does not see, and its name; None without one.

    Those are blanks other than the space, control and format characters (zero width, direction
    marks, byte order mark, soft hyphen); a line feed is none.
    """
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if character in " \n\r" or category not in _UNSEEN:
            continue
        return index, character_name(character)
    return None


_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def character_name(character: str) -> str:
    """A character by its number and, where it has one, its Unicode name: U+00A0 NO-BREAK SPACE."""
    name = {"\t": "TAB"}.get(character) or unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".strip()
