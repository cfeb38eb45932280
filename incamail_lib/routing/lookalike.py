"""Domains that look like IncaMail's suffix and are not: typing errors and deceit.

Homographs are compared by a small skeleton in the spirit of UTS #39: letters without their marks,
and the Cyrillic and Greek letters that look like Latin ones.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from incamail_lib.routing.address import canonical_suffix, u_label

_TWINS = str.maketrans(
    "асеіјорхуѕһԁԛԝмнктвгпӏαινορτυκγωıɩ01|ℓ",
    "aceijopxyshdqwmhktbrnlaivoptukywiiolll",
)
_EXAMINED = 253  # characters; a longer domain does not exist


class Likeness(StrEnum):
    """How a domain resembles the suffix."""

    NONE = ""
    BARE = "bare"  # the domain itself resembles the suffix: notincamail.ch
    EMBEDDED = "embedded"  # as if the suffix had been appended: firm.example.notincamail.ch


def likeness(domain: str, suffix: str, next_hop: str = "") -> Likeness:
    """How `domain` (comparable form) resembles the genuine `suffix`; genuine ones do not.

    `next_hop` is the host that mail for IncaMail is handed to, if any.
    """
    genuine = canonical_suffix(suffix)
    base = genuine[1:]
    if next_hop and domain.endswith("." + next_hop):
        return Likeness.EMBEDDED  # the host of the route in the place of the suffix
    if len(base) < 3 or domain == base or domain.endswith(genuine):
        return Likeness.NONE
    labels = [u_label(label) for label in domain[:_EXAMINED].split(".")]
    size = base.count(".") + 1
    if base in ".".join(labels[:-1]):
        return Likeness.EMBEDDED
    if len(labels) > size and skeleton("".join(labels)).endswith(skeleton(base.replace(".", ""))):
        return Likeness.EMBEDDED  # a dot too many: inca.mail.ch
    for length in (size, size - 1):
        if length and _resembles(".".join(labels[-length:]), base):
            return Likeness.EMBEDDED if len(labels) > length else Likeness.BARE
    return Likeness.NONE


def _resembles(tail: str, base: str) -> bool:
    plain, wanted = skeleton(tail), skeleton(base)
    if plain.endswith(wanted) or plain.replace("-", ".").endswith(wanted):
        return True
    if plain.count(".") != wanted.count("."):
        return plain in (wanted.replace(".", ""), wanted.rpartition(".")[0])
    name, expected = plain.partition(".")[0], wanted.partition(".")[0]
    return len(expected) > 4 and (name == expected or _one_edit_apart(name, expected))


def skeleton(text: str) -> str:
    """The text in small Latin letters without marks, twins replaced: for comparison only."""
    apart = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return bare.translate(_TWINS)


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one insertion, deletion, exchange or swap of neighbours turns one into the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
    a, b = one[start:], other[start:]
    swapped = a[:2] == b[:2][::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]
