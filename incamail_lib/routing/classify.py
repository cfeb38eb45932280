"""From recipients, a subject and a rule set to routes: who gets the message by which way.

Routing is decided per envelope recipient (RFC 5321 §3.3); a rule on the subject applies to the
whole message. Guide 8.1: (a) MX look-up, (b i) rule on the suffix, (b ii) rule on the subject.

How the parts of a rule set are understood:
- the suffix is compared with the end of the domain, ignoring case, literally as declared;
- the subject expression is searched in the subject's value, decoded or raw as declared; if the
  expression itself names "Subject:", as header checks do, in the whole header line. Of several
  Subject headers a raw filter tests each, a decoding one the first;
- with both rules, a suffixed recipient goes by the suffix rule; the next hop is the same;
- without a rule that applies, a suffixed recipient still finds IncaMail by the suffix's own MX
  ("mx"), but TLS is then not forced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import (
    Hazard,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    Probe,
    Route,
    RuleSet,
    SubjectView,
)
from incamail_lib.i18n import say
from incamail_lib.routing.address import Address, canonical_suffix, has_suffix, parse_address
from incamail_lib.routing.expression import compiled
from incamail_lib.routing.hazards import hazard, printable
from incamail_lib.routing.route_hazards import Envelope, route_hazards
from incamail_lib.routing.subject import SubjectReading, read_subject

MAX_RECIPIENTS = 1000
SHOWN_ADDRESS = 400
MX_LOOKUP = NextHop(kind=NextHopKind.MX)


@dataclass(frozen=True)
class Sample:
    """A message to be classified, reduced to what routing looks at."""

    recipients: tuple[str, ...]
    subjects: tuple[SubjectReading, ...]
    named: tuple[str, ...] = ()  # addresses in the header, where a whole message was given
    attached: tuple[SubjectReading, ...] = ()  # subjects of attached messages
    hazards: tuple[Hazard, ...] = ()


def validate_rules(rules: RuleSet) -> RuleSet:
    """The same rules, if they can be worked with. Errors: UsageError for a wrong subject pattern
    or an empty suffix, with what to change."""
    compiled(rules.subject_pattern)
    if not rules.suffix.strip(". \t"):
        raise UsageError(say("The IncaMail suffix is empty; it must read like «.incamail.ch»."))
    return rules


def classify(
    recipients: Iterable[str],
    subject: str | bytes,
    rules: RuleSet,
    *,
    own_domains: Sequence[str] = (),
    label: str = "",
    probe: Probe | None = None,
) -> MessageRouting:
    """The routes of a message with one subject. `own_domains` are the client's, in A-labels.

    Never raises on any recipients or subject; UsageError only for rules that `validate_rules`
    refuses. See `read_subject` for the difference between str and bytes.
    """
    sample = Sample(tuple(recipients), (read_subject(subject),))
    return classify_sample(sample, rules, own_domains=own_domains, label=label, probe=probe)


def classify_sample(
    sample: Sample,
    rules: RuleSet,
    *,
    own_domains: Sequence[str] = (),
    label: str = "",
    probe: Probe | None = None,
) -> MessageRouting:
    """The routes of `sample`, one per envelope recipient, in their order."""
    validate_rules(rules)
    addresses = tuple(parse_address(given) for given in sample.recipients[:MAX_RECIPIENTS])
    envelope = _envelope(sample, addresses, rules=rules, own_domains=own_domains)
    reading = _leading(sample.subjects)
    return MessageRouting(
        label=label,
        probe=probe,
        subject_raw=printable(reading.raw, 1000),
        subject_decoded=printable(reading.decoded, 1000),
        tags=reading.tags,
        subject_matched=envelope.subject_matched,
        routes=tuple(_route(address, envelope) for address in addresses),
        hazards=(*sample.hazards, *_message_hazards(sample, envelope)),
    )


def _leading(subjects: tuple[SubjectReading, ...]) -> SubjectReading:
    """The subject that counts: the first that asks for IncaMail, else the first."""
    wanting = next((s for s in subjects if s.wants_incamail), None)
    return wanting or (subjects[0] if subjects else SubjectReading())


def _envelope(
    sample: Sample, addresses: tuple[Address, ...], *, rules: RuleSet, own_domains: Sequence[str]
) -> Envelope:
    genuine = canonical_suffix(rules.suffix)
    named = tuple(parse_address(text) for text in sample.named)
    return Envelope(
        rules=rules,
        reading=_leading(sample.subjects),
        subject_matched=_subject_matches(sample.subjects, rules),
        own_domains=frozenset(domain.lower() for domain in own_domains),
        any_suffixed=any(has_suffix(a.domain, genuine) and a.is_routable for a in addresses),
        named_with_suffix=frozenset(a.text for a in named if has_suffix(a.domain, genuine)),
    )


def _subject_matches(subjects: tuple[SubjectReading, ...], rules: RuleSet) -> bool:
    raw = rules.subject_view is SubjectView.RAW
    expression = compiled(rules.subject_pattern)
    lead = "Subject: " if "subject" in rules.subject_pattern.lower() else ""
    seen = [s.raw for s in subjects] if raw else [s.decoded for s in subjects[:1]]
    return any(expression.search(lead + text) for text in seen)


def _route(address: Address, envelope: Envelope) -> Route:
    rule, hop = _way(address, envelope)
    to_incamail = bool(rule)
    refused = not to_incamail and _is_refused(address, envelope)
    domain = address.domain
    if to_incamail:
        domain = domain.removesuffix(canonical_suffix(envelope.rules.suffix))
    return Route(
        recipient=printable(address.given, SHOWN_ADDRESS),
        to_incamail=to_incamail,
        rule=rule,
        next_hop=hop,
        refused=refused,
        sending_type=envelope.reading.sending_type if to_incamail else None,
        delivered_to=printable(f"{address.local}@{domain}", SHOWN_ADDRESS) if to_incamail else "",
        hazards=route_hazards(address, envelope, rule=rule, refused=refused),
    )


def _way(address: Address, envelope: Envelope) -> tuple[str, NextHop | None]:
    """By which rule, and to which next hop; an empty rule is the ordinary route."""
    rules = envelope.rules
    if not address.is_routable:
        return "", None
    by_suffix = has_suffix(address.domain, rules.suffix.strip().rstrip(".").lower())
    if rules.method in (Method.DOMAIN, Method.BOTH) and by_suffix:
        return "suffix", rules.next_hop
    if envelope.selects and not envelope.selects_nowhere:
        return "subject", rules.next_hop
    if has_suffix(address.domain, canonical_suffix(rules.suffix)):
        return "mx", MX_LOOKUP
    return "", None


def _is_refused(address: Address, envelope: Envelope) -> bool:
    """Whether the client's own rule against tags without suffix holds the message back."""
    applies = envelope.rules.refuses_tag_without_suffix and envelope.subject_matched
    return applies and address.is_routable and address.domain not in envelope.own_domains


def _message_hazards(sample: Sample, envelope: Envelope) -> tuple[Hazard, ...]:
    notes: list[Hazard] = []
    for reading in sample.subjects:
        notes.extend(reading.hazards)
    if len(sample.subjects) > 1:
        notes.append(hazard("several_subjects", str(len(sample.subjects))))
    if not sample.subjects:
        notes.append(hazard("no_subject"))
    if not sample.recipients:
        notes.append(hazard("no_recipients"))
    if len(sample.recipients) > MAX_RECIPIENTS:
        notes.append(hazard("too_many_recipients", str(len(sample.recipients))))
    attached = _subject_matches(sample.attached, envelope.rules)
    if attached and envelope.looks_at_subject and not envelope.selects:
        notes.append(hazard("attached_subject", sample.attached[0].decoded))
    return tuple({(note.code, note.detail): note for note in notes}.values())
