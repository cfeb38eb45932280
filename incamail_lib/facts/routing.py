"""How one message would be routed by a rule set: one route per envelope recipient."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from incamail_lib.i18n import Text
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
    # a further rule refuses mail whose subject matches while a recipient lacks the suffix
    refuses_tag_without_suffix: bool = False


class Probe(StrEnum):
    """The fixed samples every rule set is tried on; their names are labels of MessageRouting."""

    TAGGED_SUFFIXED = "tagged_suffixed"
    SUFFIX_ONLY = "suffix_only"
    SUFFIX_UPPER_CASE = "suffix_upper_case"
    TAGGED_UNSUFFIXED = "tagged_unsuffixed"
    TYPE_TAG_SUFFIXED = "type_tag_suffixed"
    TYPE_TAG_UNSUFFIXED = "type_tag_unsuffixed"
    ENCODED_SUFFIXED = "encoded_suffixed"
    ENCODED_B = "encoded_b"  # unsuffixed, as are the next three
    ENCODED_Q = "encoded_q"
    ENCODED_SPLIT = "encoded_split"  # the tag lies across two encoded words
    FOLDED = "folded"
    REPLY = "reply"  # one per prefix: "reply Re:", "reply AW:", ...
    MIXED_TAGGED = "mixed_tagged"
    LOOKALIKE_PREFIX = "lookalike_prefix"  # partner.example.notincamail.ch
    LOOKALIKE_INSIDE = "lookalike_inside"  # partner.example.incamail.ch.evil.example
    LOOKALIKE_HOMOGRAPH = "lookalike_homograph"
    PLATFORM_ITSELF = "platform_itself"  # somebody@incamail.ch
    ORDINARY = "ordinary"
    OWN_DOMAIN_SUFFIXED = "own_domain_suffixed"  # one per mail domain of the client


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
    text: Text | None = None  # what it means, for people


class Route(Record):
    """Where one envelope recipient goes."""

    recipient: str  # as given
    to_incamail: bool
    rule: str = ""  # "suffix", "subject", "mx" (no rule, the suffix's own MX) or "" (ordinary)
    next_hop: NextHop | None = None  # None: the ordinary route
    refused: bool = False  # a rule of the client's own MTA sends it back to the sender
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
    probe: Probe | None = None  # one of the fixed samples; None: a message of the client
    subject_matched: bool = False  # the subject expression was found, whether it routes or not
    subject_raw: str = ""
    subject_decoded: str = ""
    tags: tuple[str, ...] = ()  # e.g. ("im", "c")
    routes: tuple[Route, ...] = ()
    hazards: tuple[Hazard, ...] = Field(default=())  # of the message as a whole

    @property
    def leaks(self) -> bool:
        """Whether any recipient would get confidential content unprotected."""
        return any(route.leaks for route in self.routes)
