"""From recipients, a subject and a rule set to routes: who gets the message by which way.

Routing is decided per envelope recipient (RFC 5321 §3.3); a rule on the subject applies to the
whole message. Guide 8.1: (a) MX look-up, (b i) rule on the suffix, (b ii) rule on the subject.

How the parts of a rule set are understood:
- the subject expression is put to the engine of the MTA (engine.py), which sees what that engine
  sees; where its answer is not known, the way is not known, and the cause is told;
- the suffix key is put to it likewise; where none is declared, the rule compares the suffix with
  the end of the domain, ignoring case, literally as declared;
- with both rules, a suffixed recipient goes by the suffix rule; the next hop is the same;
- without a rule that applies, a suffixed recipient still finds IncaMail by the suffix's own MX
  ("mx"), unless a default relay is declared; TLS is then not forced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import (
    Engine,
    Hazard,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    Route,
    RuleSet,
    StandardSample,
)
from incamail_lib.i18n import say
from incamail_lib.routing.address import Address, canonical_suffix, has_suffix, parse_address
from incamail_lib.routing.engine import (
    Headers,
    ask_subject,
    ask_suffix,
    check_pattern,
    key_is_open,
)
from incamail_lib.routing.hazards import explained, hazard, printable
from incamail_lib.routing.reply import Answer, Reply
from incamail_lib.routing.route_hazards import Envelope, Way, route_hazards
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
    others: tuple[bytes, ...] = ()  # header lines that are no subject, as they came
    attached_lines: tuple[bytes, ...] = ()  # header lines of parts and attached messages


def validate_rules(rules: RuleSet) -> RuleSet:
    """The same rules, if they can be worked with. Errors: UsageError for a subject pattern that no
    engine takes, and for an empty suffix, with what to change."""
    check_pattern(rules.subject_pattern, rules.engine)
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
    probe: StandardSample | None = None,
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
    probe: StandardSample | None = None,
) -> MessageRouting:
    """The routes of `sample`, one per envelope recipient, in their order."""
    validate_rules(rules)
    addresses = tuple(parse_address(given) for given in sample.recipients[:MAX_RECIPIENTS])
    envelope = _envelope(sample, addresses, rules=rules, own_domains=own_domains)
    reading = _leading(sample.subjects)
    routes = tuple(_route(address, envelope) for address in addresses)
    return MessageRouting(
        label=label,
        probe=probe,
        subject_raw=printable(reading.raw, 1000),
        subject_decoded=printable(reading.decoded, 1000),
        tags=reading.tags,
        subject_matched=envelope.subject.selects,
        routes=routes,
        hazards=(*_applying(sample.hazards, routes), *_message_hazards(sample, envelope)),
    )


def _applying(notes: tuple[Hazard, ...], routes: tuple[Route, ...]) -> tuple[Hazard, ...]:
    """The hazards of the header; that TLS is waived matters on the way to IncaMail only."""
    protected = any(route.to_incamail for route in routes)
    return tuple(note for note in notes if protected or note.code != "tls_not_required")


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
        subject=_subject_reply(sample, rules),
        own_domains=frozenset(domain.lower() for domain in own_domains),
        any_suffixed=any(has_suffix(a.domain, genuine) and a.is_routable for a in addresses),
        named_with_suffix=frozenset(a.text for a in named if has_suffix(a.domain, genuine)),
    )


def _subject_reply(sample: Sample, rules: RuleSet) -> Reply:
    """What the subject rule does with the message; without such a rule nothing matches."""
    if rules.method in (Method.DOMAIN, Method.NONE) and not rules.refuses_tag_without_suffix:
        return Reply(rules.engine, Answer.MISSES)
    first = sample.subjects[0] if sample.subjects else SubjectReading()
    headers = Headers(
        subjects=tuple(reading.line for reading in sample.subjects),
        others=sample.others,
        attached=sample.attached_lines,
        raw=first.raw,
        decoded=first.decoded,
    )
    return ask_subject(rules, headers)


def _route(address: Address, envelope: Envelope) -> Route:
    way = _way(address, envelope)
    to_incamail = bool(way.rule)
    refused = not to_incamail and way.unknown is None and _is_refused(address, envelope)
    domain = address.domain
    if to_incamail:
        domain = domain.removesuffix(canonical_suffix(envelope.rules.suffix))
    return Route(
        recipient=printable(address.given, SHOWN_ADDRESS),
        to_incamail=to_incamail,
        rule=way.rule,
        next_hop=way.next_hop,
        refused=refused,
        unknown=way.unknown,
        sending_type=envelope.reading.sending_type if to_incamail else None,
        delivered_to=printable(f"{address.local}@{domain}", SHOWN_ADDRESS) if to_incamail else "",
        hazards=route_hazards(address, envelope, way=way, refused=refused),
    )


def _way(address: Address, envelope: Envelope) -> Way:
    """By which rule, and to which next hop; an empty rule is the ordinary route."""
    if not address.is_routable:
        return Way()
    way = _chosen(address, envelope)
    if way.rule and address.is_delivered_by_some:
        return Way(unknown=say("mail servers differ in what they make of this malformed address"))
    return way


def _chosen(address: Address, envelope: Envelope) -> Way:
    rules, subject = envelope.rules, envelope.subject
    suffix = _suffix_reply(address, rules)
    if suffix.selects:
        return Way("suffix", rules.next_hop)
    by_subject = envelope.looks_at_subject and not envelope.selects_nowhere
    if by_subject and subject.selects:
        return Way("subject", rules.next_hop)
    if not suffix.is_known:  # so by which rule and to which host is not known either
        return Way(unknown=suffix.cause)
    if has_suffix(address.domain, canonical_suffix(rules.suffix)) and not rules.default_relay:
        return Way(
            "mx", MX_LOOKUP
        )  # wherever an unknown subject rule leads, it is IncaMail as well
    if not subject.is_known and (by_subject or _would_be_refused(address, envelope)):
        return Way(unknown=subject.cause)
    return Way()


def _suffix_reply(address: Address, rules: RuleSet) -> Reply:
    """What the suffix rule does with the address; without such a rule nothing matches."""
    if rules.method not in (Method.DOMAIN, Method.BOTH):
        return Reply(rules.engine, Answer.MISSES)
    if rules.suffix_key:
        return ask_suffix(rules, address)
    literally = has_suffix(address.domain, rules.suffix.strip().rstrip(".").lower())
    decides = rules.default_relay or rules.engine is not Engine.NOT_KNOWN
    if literally and decides and key_is_open(rules):
        cause = say("it is not said how the suffix stands in its table (suffix_key)")
        return Reply(rules.engine, Answer.UNKNOWN, cause)
    return Reply(rules.engine, Answer.MATCHES if literally else Answer.MISSES)


def _would_be_refused(address: Address, envelope: Envelope) -> bool:
    applies = envelope.rules.refuses_tag_without_suffix
    return applies and address.is_routable and address.domain not in envelope.own_domains


def _is_refused(address: Address, envelope: Envelope) -> bool:
    """Whether the client's own rule against tags without suffix holds the message back."""
    return envelope.subject.selects and _would_be_refused(address, envelope)


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
    if envelope.looks_at_subject or envelope.rules.refuses_tag_without_suffix:
        notes.extend(_engine_notes(sample, envelope))
    return tuple({(note.code, note.detail): note for note in notes}.values())


def _engine_notes(sample: Sample, envelope: Envelope) -> list[Hazard]:
    """How certain the answer about the subject is."""
    reply = envelope.subject
    tagged = next((reading for reading in sample.attached if reading.wants_incamail), None)
    notes = []
    if reply.answer is Answer.NO_RULE and reply.cause is not None:
        notes.append(explained("pattern_refused", reply.cause))
    elif reply.selects and not reply.asked:
        named = reply.engine is not Engine.NOT_KNOWN
        notes.append(hazard("engine_not_asked" if named else "engine_not_named"))
    if tagged and not reply.selects:
        notes.append(hazard("attached_subject", tagged.decoded))
    return notes
