"""Predictions held against what a real mail server did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mta.sink import Mail, Sink

from incamail_lib.facts.routing import MessageRouting

OWN = ("muster.example",)
RECIPIENTS = (
    "anna@partner.example",
    "hans@firm.example.incamail.ch",
    "colleague@muster.example",
)


@dataclass(frozen=True)
class Compared:
    """One recipient of one message: what was said, and what happened."""

    case: str
    recipient: str
    said: str  # "incamail", "elsewhere" or "unknown"
    done: str  # "incamail", "elsewhere" or "nothing"


def said_of(found: MessageRouting, number: int) -> str:
    """What was predicted of the recipient at this place."""
    route = found.routes[number]
    if route.unknown is not None:
        return "unknown"
    return "incamail" if route.to_incamail else "elsewhere"


def done_with(mail: Mail, recipient: str, incamail: Sink, other: Sink) -> str:
    """Which sink has it; a server that rewrites the address is followed by the sender alone."""
    for name, sink in (("elsewhere", other), ("incamail", incamail)):
        if (mail.sender, recipient.lower()) in sink.taken:
            return name
    alone = len(mail.recipients) == 1
    for name, sink in (("elsewhere", other), ("incamail", incamail)):
        if alone and any(sender == mail.sender for sender, _ in sink.taken):
            return name
    return "nothing"


def leaks(compared: Iterable[Compared]) -> list[Compared]:
    """Predicted "to IncaMail", and left another way: what must never happen."""
    return [c for c in compared if c.said == "incamail" and c.done == "elsewhere"]


def on_the_safe_side(compared: Iterable[Compared]) -> list[Compared]:
    """Predicted another way, and came to IncaMail."""
    return [c for c in compared if c.said == "elsewhere" and c.done == "incamail"]


def table(compared: Iterable[Compared]) -> Counter[tuple[str, str]]:
    """How often each prediction met each outcome."""
    return Counter((c.said, c.done) for c in compared)
