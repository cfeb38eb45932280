"""One change between two audits, and which of several is told first."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from incamail_lib.findings import Level, Outcome
from incamail_lib.i18n import Text
from incamail_lib.record import Record


class Kind(StrEnum):
    """What sort of change it is. Stable tokens, in the order in which they are told."""

    WORSE = "worse"
    NEW = "new"  # what was not examined before, or a question that did not arise
    BECAME_KNOWN = "became_known"
    BECAME_UNKNOWN = "became_unknown"  # neither better nor worse: nobody can tell any more
    OTHER_CAUSE = "other_cause"  # failed before and fails now, for another reason
    REPLACED = "replaced"  # a certificate by one that is no renewal of it
    KEY_CHANGED = "key_changed"
    ISSUER_CHANGED = "issuer_changed"
    MOVED = "moved"  # a gateway has another address or name
    VANTAGE = "vantage"  # measured from another place
    RULES = "rules"  # the program, or what is known of the platform; not the client
    DOSSIER = "dossier"  # what the client says of itself
    WAIVED = "waived"  # a failure is accepted for a time, or no longer
    GONE = "gone"
    RENEWED = "renewed"
    BETTER = "better"


class Change(Record):
    """One change, told in a sentence."""

    kind: Kind
    code: str = ""  # of the check; "" where no single check is meant
    subject: str = ""  # as findings name it now, or did; "" for the organisation
    level: Level = Level.INFO  # how much it weighs
    text: Text
    outcome: Outcome | None = None  # of the check, or of the whole, now; None: of no check
    alarm: bool = False  # whether somebody should look at it at once


_LEVELS = tuple(Level)
_KINDS = tuple(Kind)


def worst_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Each change once: alarms by their weight, then the rest by kind."""
    ranked = {_rank(change): change for change in changes}
    return tuple(ranked[rank] for rank in sorted(ranked))


def _rank(change: Change) -> tuple[bool, tuple[int, ...], str, str, str]:
    kind, level = _KINDS.index(change.kind), _LEVELS.index(change.level)
    of_one_check = bool(change.code or change.subject)  # what is of the whole stands before
    weight = (level, of_one_check, kind) if change.alarm else (kind, level, of_one_check)
    return not change.alarm, weight, change.code, change.subject, change.text.english()


def alarms(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those that somebody should look at at once, in the order given."""
    return tuple(change for change in changes if change.alarm)
