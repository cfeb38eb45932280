"""Text from strangers, made safe to keep: bounded, and without characters that act."""

from __future__ import annotations

import unicodedata

LIMIT = 300
# Control, format (bidi marks, zero width), surrogate, private use and unassigned characters.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, limit: int = LIMIT) -> str:
    """`text` with acting characters shown as U+FFFD and at most `limit` characters kept."""
    cut = text[: limit + 1]
    safe = "".join("\ufffd" if unicodedata.category(c) in _ACTING else c for c in cut)
    return safe if len(text) <= limit else safe[: limit - 1] + "…"
