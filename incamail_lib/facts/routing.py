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
    NOT_SAID = "not_said"


class Engine(StrEnum):
    """Which software compares the subject and the suffix, and by which table or condition."""

    NOT_KNOWN = "not_known"
    POSTFIX_REGEXP = "postfix_regexp"  # header_checks = regexp:
    POSTFIX_PCRE = "postfix_pcre"  # header_checks = pcre:
    POSTFIX_TABLE = "postfix_table"  # hash:, texthash:, lmdb: … of transport(5); no subject rule
    EXIM_DECODED = "exim_decoded"  # ${if match{$h_subject:}…
    EXIM_RAW = "exim_raw"  # ${if match{$rh_subject:}…
    EXCHANGE_ONLINE = "exchange_online"  # SubjectMatchesPatterns
    EXCHANGE_ONLINE_WORDS = "exchange_online_words"  # SubjectContainsWords
    EXCHANGE_SERVER = "exchange_server"
    CISCO_ESA = "cisco_esa"
    SEPPMAIL = "seppmail"


POSTFIX_ENGINES = frozenset({Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE, Engine.POSTFIX_TABLE})
EXIM_ENGINES = frozenset({Engine.EXIM_DECODED, Engine.EXIM_RAW})
ENGINE_NAMES: dict[Engine, str] = {
    Engine.POSTFIX_REGEXP: "Postfix (regexp:)",
    Engine.POSTFIX_PCRE: "Postfix (pcre:)",
    Engine.POSTFIX_TABLE: "Postfix (hash:)",
    Engine.EXIM_DECODED: "Exim ($h_subject:)",
    Engine.EXIM_RAW: "Exim ($rh_subject:)",
    Engine.EXCHANGE_ONLINE: "Exchange Online (SubjectMatchesPatterns)",
    Engine.EXCHANGE_ONLINE_WORDS: "Exchange Online (SubjectContainsWords)",
    Engine.EXCHANGE_SERVER: "Exchange Server",
    Engine.CISCO_ESA: "Cisco Secure Email",
    Engine.SEPPMAIL: "SEPPmail",
}
"""Their names for people; the same in every language."""


class RuleSet(Record):
    """The routing rules of the client's MTA."""

    method: Method
    next_hop: NextHop
    suffix: str = ".incamail.ch"
    suffix_key: str = ""  # the suffix as it stands in the MTA's table; empty: not said
    engine: Engine = Engine.NOT_KNOWN
    subject_pattern: str = "<im>"  # as it stands in the MTA's table or condition
    subject_view: SubjectView = SubjectView.NOT_SAID  # the engine decides where it is named
    default_relay: str | None = None  # takes all other mail; "": there is none; None: not said
    # a further rule refuses mail whose subject matches while a recipient lacks the suffix
    refuses_tag_without_suffix: bool = False


class StandardSample(StrEnum):
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
    ENCODED_LONG = "encoded_long"  # one encoded word over 75 characters
    FOLDED = "folded"
    FOLD_FIRST = "fold_first"  # the header is folded before the tag
    TWO_BLANKS = "two_blanks"
    TAG_UPPER_CASE = "tag_upper_case"
    REPLY = "reply"  # one per prefix: "reply Re:", "reply AW:", ...
    MIXED_TAGGED = "mixed_tagged"
    LOOKALIKE_PREFIX = "lookalike_prefix"  # partner.example.notincamail.ch
    LOOKALIKE_INSIDE = "lookalike_inside"  # partner.example.incamail.ch.evil.example
    LOOKALIKE_HOMOGRAPH = "lookalike_homograph"
    PLATFORM_ITSELF = "platform_itself"  # somebody@incamail.ch
    ORDINARY = "ordinary"
    ALIAS = "alias"  # tagged, to an address of the client's own
    TLS_WAIVED = "tls_waived"  # TLS-Required: no (RFC 8689), suffixed
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
    UNKNOWN = "unknown"  # which way it goes cannot be told; never a pass
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
    unknown: Text | None = None  # why its way cannot be told; `to_incamail` is then False
    sending_type: SendingType | None = None  # None when not sent through IncaMail
    delivered_to: str = ""  # the address IncaMail will deliver to
    hazards: tuple[Hazard, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether this recipient would get confidential content unprotected."""
        return any(h.severity is Severity.LEAK for h in self.hazards)

    @property
    def is_known(self) -> bool:
        """Whether its way can be told."""
        return self.unknown is None


class MessageRouting(Record):
    """All routes of one message under one rule set."""

    label: str = ""  # names the sample in findings
    probe: StandardSample | None = None  # one of the fixed samples; None: a message of the client
    subject_matched: bool = False  # the subject expression was found, whether it routes or not
    subject_raw: str = ""
    subject_decoded: str = ""
    tags: tuple[str, ...] = ()  # e.g. ("im", "c")
    routes: tuple[Route, ...] = ()
    hazards: tuple[Hazard, ...] = Field(default=())  # of the message as a whole

    @property
    def is_known(self) -> bool:
        """Whether every way can be told, and every recipient was looked at."""
        notes = (*self.hazards, *(h for route in self.routes for h in route.hazards))
        return not any(h.severity is Severity.UNKNOWN for h in notes)

    @property
    def leaks(self) -> bool:
        """Whether any recipient would get confidential content unprotected."""
        return any(route.leaks for route in self.routes)
