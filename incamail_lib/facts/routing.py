"""How one message would be routed by a rule set: one route per envelope recipient."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from incamail_lib.record import Record


class Method(StrEnum):
    """By what the client's MTA recognises mail for IncaMail (guide 6.3, 8.1)."""

    DOMAIN = "domain"  # recipient suffix
    SUBJECT = "subject"  # subject tag
    BOTH = "both"
    NONE = "none"


class NextHopKind(StrEnum):
    """How the next hop is found (guide 8.1 a, b)."""

    MX = "mx"
    SMART_HOST = "smart_host"
    STATIC = "static"  # an IP address: advised against


class NextHop(Record):
    """Where mail for IncaMail is handed to; `value` is empty for MX look-up."""

    kind: NextHopKind
    value: str = ""


class SubjectView(StrEnum):
    """What a subject rule compares: decoded words, or the raw header with folds and all."""

    DECODED = "decoded"
    RAW = "raw"


class RuleSet(Record):
    """The routing rules of the client's MTA."""

    method: Method
    next_hop: NextHop
    suffix: str = ".incamail.ch"
    subject_pattern: str = "<im>"  # regular expression, case-insensitive, searched
    subject_view: SubjectView = SubjectView.DECODED


class SendingType(StrEnum):
    """IncaMail's sending types."""

    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    REGISTERED = "registered"


class Severity(StrEnum):
    """How bad a hazard is."""

    LEAK = "leak"  # confidential content would leave unprotected
    MISROUTED = "misrouted"  # goes to IncaMail, or fails, against the sender's wish
    WARNING = "warning"


class Hazard(Record):
    """One thing that can go wrong with a message or a recipient; `code` is a stable token."""

    code: str
    severity: Severity
    detail: str = ""


class Route(Record):
    """Where one envelope recipient goes."""

    recipient: str  # as given
    to_incamail: bool
    rule: str = ""  # "suffix", "subject" or "" for the ordinary route
    next_hop: NextHop | None = None  # None: the ordinary route
    sending_type: SendingType | None = None  # None when not sent through IncaMail
    delivered_to: str = ""  # the address IncaMail will deliver to
    hazards: tuple[Hazard, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether this recipient would get confidential content unprotected."""
        return any(h.severity is Severity.LEAK for h in self.hazards)


class MessageRouting(Record):
    """All routes of one message under one rule set."""

    label: str = ""  # names the sample in findings
    subject_raw: str = ""
    subject_decoded: str = ""
    tags: tuple[str, ...] = ()  # e.g. ("im", "c")
    routes: tuple[Route, ...] = ()
    hazards: tuple[Hazard, ...] = Field(default=())  # of the message as a whole
