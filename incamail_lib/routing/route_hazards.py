"""The hazards of one recipient's route, each found by a rule of its own."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from incamail_lib.facts.routing import (
    Hazard,
    Method,
    NextHop,
    NextHopKind,
    RuleSet,
    Severity,
)
from incamail_lib.i18n import Text
from incamail_lib.routing.address import (
    Address,
    canonical_suffix,
    has_suffix,
    length_problems,
)
from incamail_lib.routing.hazards import explained, hazard
from incamail_lib.routing.lookalike import Likeness, likeness
from incamail_lib.routing.reply import Reply
from incamail_lib.routing.subject import SubjectReading

_PASSED_ON = re.compile(r"%[^%!]+\.[^%!]+$|^[^%!]+\.[^%!]+!")


@dataclass(frozen=True)
class Way:
    """One recipient's way: by which rule ("": the ordinary route), or why it cannot be told."""

    rule: str = ""
    next_hop: NextHop | None = None
    unknown: Text | None = None


@dataclass(frozen=True)
class Envelope:
    """What all recipients of one message share."""

    rules: RuleSet
    reading: SubjectReading
    subject: Reply  # of the subject rule
    own_domains: frozenset[str]
    any_suffixed: bool
    named_with_suffix: frozenset[str]

    @property
    def looks_at_subject(self) -> bool:
        """Whether a subject rule is in force."""
        return self.rules.method in (Method.SUBJECT, Method.BOTH)

    @property
    def selects(self) -> bool:
        """Whether the subject rule is in force and matches."""
        return self.looks_at_subject and self.subject.selects

    @property
    def selects_nowhere(self) -> bool:
        """Whether the subject rule names no host: each domain's own MX is then looked up."""
        return self.rules.next_hop.kind is NextHopKind.MX and not self.rules.next_hop.value

    @property
    def host(self) -> str:
        """The host of the next hop, e.g. "im.post.ch"."""
        return self.rules.next_hop.value.strip("[] ").lower()

    @property
    def suffix(self) -> str:
        """The genuine suffix, e.g. ".incamail.ch"."""
        return canonical_suffix(self.rules.suffix)


def route_hazards(
    address: Address, envelope: Envelope, *, way: Way, refused: bool
) -> tuple[Hazard, ...]:
    """Every hazard of this recipient, the gravest kind first as found."""
    if not address.is_routable:
        return _malformed(address, envelope)
    wished = envelope.reading.wants_incamail or has_suffix(address.domain, envelope.suffix)
    if way.rule:
        notes = _on_the_way(address, envelope, way.rule)
    elif way.unknown is not None:
        notes = [explained("route_unknown", way.unknown)]
    elif refused:
        notes = [hazard("refused")]
    else:
        notes = _in_clear(address, envelope)
    if way.rule or wished or address.is_delivered_by_some:
        notes += _address_notes(address, envelope)
    return tuple(notes)


def _malformed(address: Address, envelope: Envelope) -> tuple[Hazard, ...]:
    """No server delivers to such an address, so nothing leaks; it may be a near miss."""
    notes = [hazard("malformed_address", f"{address.problem}: {address.given}")]
    if envelope.suffix in address.local.lower():
        notes.append(hazard("suffix_in_local_part", severity=Severity.WARNING))
    return tuple(notes)


def _in_clear(address: Address, envelope: Envelope) -> list[Hazard]:
    """What the ordinary route means for this recipient; [] for ordinary mail."""
    reading = envelope.reading
    if address.domain in envelope.own_domains:
        if not reading.wants_incamail:
            return []
        # Postfix sends user%host@own.example on to host (allow_percent_hack, swap_bangpath)
        passed_on = _PASSED_ON.search(address.local) and not address.is_quoted
        return [hazard("tag_without_suffix" if passed_on else "stays_internal")]
    notes = _near_misses(address, envelope)
    wish = _unmet_wish(address, envelope)
    if wish:
        notes.append(hazard(wish, address.text))
    elif reading.answers_secured:
        notes.append(hazard("reply_to_secured"))
    return notes


def _unmet_wish(address: Address, envelope: Envelope) -> str:
    """The code of the reason why confidential content leaves in clear, or ""."""
    reading = envelope.reading
    if has_suffix(address.domain, envelope.suffix):
        return "taken_by_default_relay"
    if reading.wants_incamail:
        if envelope.selects:
            return "subject_rule_without_host"
        return "subject_rule_missed" if envelope.looks_at_subject else "tag_without_suffix"
    if _suffixed(address, envelope) in envelope.named_with_suffix:
        return "suffix_lost"
    if reading.is_mistyped:
        return "mistyped_tag"
    return "mixed_in_clear" if envelope.any_suffixed else ""


def _near_misses(address: Address, envelope: Envelope) -> list[Hazard]:
    notes = []
    like = likeness(address.domain, envelope.suffix, envelope.host)
    if like:
        certain = like is Likeness.EMBEDDED or envelope.reading.wants_incamail
        severity = Severity.LEAK if certain else Severity.WARNING
        notes.append(hazard("lookalike_suffix", address.domain, severity=severity))
    if envelope.suffix in address.local.lower():
        notes.append(hazard("suffix_in_local_part", address.local))
    return notes


def _on_the_way(address: Address, envelope: Envelope, rule: str) -> list[Hazard]:
    """What can go wrong for a recipient whose copy is handed to IncaMail."""
    reading = envelope.reading
    suffixed = has_suffix(address.domain, envelope.suffix)
    unchosen = envelope.any_suffixed or address.domain in envelope.own_domains
    noted = {
        "tls_not_forced": rule == "mx",
        "selected_without_wish": not suffixed and not reading.wants_incamail,
        "dragged_along": not suffixed and reading.wants_incamail and unchosen,
        "suffix_without_tag": suffixed and not reading.wants_incamail,
        "static_next_hop": rule != "mx" and is_fixed(envelope.rules),
    }
    notes = [hazard(code) for code, applies in noted.items() if applies]
    if suffixed and reading.is_mistyped:
        notes.append(hazard("mistyped_tag", reading.decoded, severity=Severity.WARNING))
    if likeness(address.domain, envelope.suffix, envelope.host):
        notes.append(hazard("lookalike_suffix", address.domain, severity=Severity.MISROUTED))
    return notes


def is_fixed(rules: RuleSet) -> bool:
    """Whether the next hop is an IP address, however it was declared."""
    if rules.next_hop.kind is NextHopKind.STATIC:
        return True
    try:
        ipaddress.ip_address(rules.next_hop.value.strip("[] \t").removeprefix("IPv6:"))
    except ValueError:
        return False
    return True


def _address_notes(address: Address, envelope: Envelope) -> list[Hazard]:
    suffix = envelope.suffix
    suffixed = has_suffix(address.domain, suffix)
    plain = address.domain.removesuffix(suffix)
    noted = {
        "malformed_address": bool(address.problem),
        "doubled_suffix": suffixed and (plain.endswith(suffix) or plain == suffix[1:]),
        "own_domain_suffixed": suffixed and plain in envelope.own_domains,
        "incomplete_domain": suffixed and "." not in plain,
        "address_literal": address.is_literal,
        "trailing_dot": address.has_trailing_dot,
        "source_route": address.has_route,
        "quoted_local_part": address.is_quoted,
        "needs_smtputf8": address.needs_utf8,
    }
    notes = [hazard(code, address.text) for code, applies in noted.items() if applies]
    too_long = length_problems(address.local, plain + suffix)
    if too_long and not address.is_literal:
        notes.append(hazard("too_long", ", ".join(too_long)))
    return notes


def _suffixed(address: Address, envelope: Envelope) -> str:
    return address.text + envelope.suffix
