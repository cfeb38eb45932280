"""Predictions held against what a real mail server did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mta.corpus import bodies, subjects
from mta.sink import Mail, Sink

from incamail_lib.facts.routing import MessageRouting, RuleSet
from incamail_lib.routing import classify_message

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
    if not found.is_known:
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


def messages() -> list[tuple[bytes, bytes]]:
    """Header and body of each message of the corpus."""
    plain = [(subject + b"\r\n", b"text\r\n") for subject in subjects()]
    nested = [(b"Subject: x\r\n" + head, body) for head, body in bodies()]
    return plain + nested


def contents() -> list[bytes]:
    """The messages as they are handed over."""
    to = b"To: " + ", ".join(RECIPIENTS).encode() + b"\r\n"
    return [
        b"From: anna@muster.example\r\n" + to + head + b"\r\n" + body for head, body in messages()
    ]


def compare(batch: Sequence[Mail], rules: RuleSet, incamail: Sink, other: Sink) -> list[Compared]:
    """Each recipient of each message, predicted and delivered."""
    found = []
    for mail in batch:
        said = classify_message(mail.content, rules, recipients=mail.recipients, own_domains=OWN)
        for number, to in enumerate(mail.recipients):
            done = done_with(mail, to, incamail, other)
            found.append(Compared(repr(mail.content[100:300]), to, said_of(said, number), done))
    return found
