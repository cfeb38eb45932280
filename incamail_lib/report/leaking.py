"""Which kinds of a client's messages a routing rule would leave unprotected, in their words.

The fixed samples that every rule is tried on are kinds of messages that people write; what they
look like inside is told in the report, not to somebody who decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.facts.routing import MessageRouting, Route, Severity, StandardSample
from incamail_lib.findings import Audit
from incamail_lib.i18n import N_, Text, say
from incamail_lib.report.words import PROBES

_ENDS: tuple[tuple[Severity, str], ...] = (
    (Severity.LEAK, N_("would leave unprotected")),
    (Severity.UNKNOWN, N_("cannot be told while the mail server is not named")),
    (Severity.MISROUTED, N_("would go to IncaMail against the sender's wish")),
)
# A mistyped address is nobody's rule.
_MISTYPED = frozenset(
    {
        StandardSample.LOOKALIKE_PREFIX,
        StandardSample.LOOKALIKE_INSIDE,
        StandardSample.LOOKALIKE_HOMOGRAPH,
    }
)


@dataclass(frozen=True)
class Ending:
    """What would become of some kinds of messages."""

    severity: Severity
    words: str  # English source text
    kinds: tuple[Text, ...]


def endings(audit: Audit) -> tuple[Ending, ...]:
    """What would become of messages, worst first; a kind stands where its worst is told."""
    found: dict[Severity, list[Text]] = {severity: [] for severity, _ in _ENDS}
    for message in audit.facts.routing:
        worst = next((severity for severity, _ in _ENDS if _has(message, severity)), None)
        kind = _kind(message)
        if worst and message.probe not in _MISTYPED and kind not in found[worst]:
            found[worst].append(kind)
    return tuple(Ending(s, words, tuple(found[s])) for s, words in _ENDS if found[s])


def _has(message: MessageRouting, severity: Severity) -> bool:
    routes: tuple[Route, ...] = message.routes
    hazards = (*message.hazards, *(hazard for route in routes for hazard in route.hazards))
    return any(hazard.severity is severity for hazard in hazards)


def _kind(message: MessageRouting) -> Text:
    if message.probe is None:
        return say("your message «{label}»", label=message.label)
    return Text(template=PROBES[message.probe])
