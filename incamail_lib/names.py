"""Names of domains and hosts in the form that the DNS knows."""

from __future__ import annotations

import idna


def ascii_name(name: str) -> str:
    """The A-label form of a name, in lower case (RFC 5890 §2.3.2.1); "" for one that is none.

    A dossier enters a name as the look-up asks it, by this one rule.
    """
    plain = name.strip().rstrip(".").lower()
    try:
        return plain if plain.isascii() else idna.encode(plain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


def covers(pattern: str, name: str) -> bool:
    """Whether a name, or a pattern whose leading *. stands for exactly one label, covers a name.

    So patterns work in certificates (RFC 9525 §6.3) and in policies of MTA-STS (RFC 8461 §4.1). A
    pattern covers itself.
    """
    pattern, name = pattern.rstrip(".").lower(), name.rstrip(".").lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return name == pattern
