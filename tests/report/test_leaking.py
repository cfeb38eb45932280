"""Evidence for a rule in the client's words: which kinds of messages, and what becomes of them."""

from __future__ import annotations

from factories import facts

from incamail_lib.checks import judge_facts
from incamail_lib.facts.routing import (
    Hazard,
    MessageRouting,
    Route,
    Severity,
    StandardSample,
)
from incamail_lib.report.leaking import endings


def tried(label: str, probe: StandardSample | None, *severities: Severity) -> MessageRouting:
    hazards = tuple(Hazard(code="x", severity=severity) for severity in severities)
    route = Route(recipient="a@b.example", to_incamail=False, hazards=hazards)
    return MessageRouting(label=label, subject_raw="=?x?=", probe=probe, routes=(route,))


def test_kinds_are_told_once_at_their_worst_and_own_messages_by_name() -> None:
    """A reply in eight languages is one kind; what both leaks and is unknown leaks; a mistyped
    address is nobody's rule; a warning alone is no ending; nothing raw is shown."""
    messages = (
        tried("reply Re:", StandardSample.REPLY, Severity.WARNING, Severity.UNKNOWN),
        tried("reply AW:", StandardSample.REPLY, Severity.UNKNOWN),
        tried("Rezept", None, Severity.UNKNOWN, Severity.LEAK),
        tried("x", StandardSample.LOOKALIKE_INSIDE, Severity.LEAK),
        tried("y", StandardSample.ORDINARY, Severity.WARNING),
    )
    found = facts(routing=messages)
    told = [
        (end.severity, [kind.english() for kind in end.kinds])
        for end in endings(judge_facts(found, found.measured_at))
    ]
    assert told == [
        (Severity.LEAK, ["your message «Rezept»"]),
        (Severity.UNKNOWN, ["Reply or forward, without the suffix"]),
    ]
