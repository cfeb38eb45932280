"""What the keywords of an EHLO reply promise (RFC 5321 §4.1.1.1)."""

from __future__ import annotations


def offers(capabilities: tuple[str, ...], keyword: str) -> bool:
    """Whether an EHLO reply offers `keyword`, in any case."""
    return any(line.split(" ")[0].upper() == keyword for line in capabilities)


def size_limit(capabilities: tuple[str, ...]) -> int | None:
    """The SIZE limit in octets (RFC 1870): 0 means no fixed limit, None that SIZE is missing."""
    for line in capabilities:
        words = line.split()
        if words and words[0].upper() == "SIZE":
            return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
    return None
