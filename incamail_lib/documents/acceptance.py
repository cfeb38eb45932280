"""The acceptance reports (guide 8.3, 8.4 and phase test), one for each group of tests."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.documents.by_hand import by_hand
from incamail_lib.documents.certificates import identity
from incamail_lib.documents.filling import AUDIT, gap_at, to_fill
from incamail_lib.documents.parts import (
    Basis,
    document,
    lines,
    number,
    or_missing,
    pairs,
    source,
    words,
)
from incamail_lib.documents.signing import signed_sections
from incamail_lib.dossier.agreed import (
    AcceptanceTest,
    Attempt,
    Audience,
    Direction,
    MessageKind,
    Seen,
    TestResult,
    Way,
    messages_of,
)
from incamail_lib.dossier.words import term
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.i18n import Text, say
from incamail_lib.report.words import observed, word
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Checklist,
    CheckRow,
    Code,
    Document,
    Inline,
    Paragraph,
    Section,
    Table,
)

_COUNTED = {
    Direction.OUTGOING: say("Tests: every sending type, internal and external"),
    Direction.INCOMING: say(
        "Tests: every sending type, internal and external, and an HTML attachment"
    ),
}


_LINK_TEST = (Direction.OUTGOING, MessageKind.CONFIDENTIAL, Audience.EXTERNAL)


class Group(StrEnum):
    """A group of tests that is accepted by one report; the values are those of signatures."""

    LINK = "link"
    IDENTITY = "identity"
    OUTGOING = "outgoing"
    INCOMING = "incoming"


def acceptance_report(basis: Basis, group: Group) -> Document:
    """The tests of one group with result, evidence and date, and lines to sign."""
    titles = {
        Group.LINK: say("Acceptance report: link test (8.3)"),
        Group.IDENTITY: say("Acceptance report: identity of IncaMail (8.4)"),
        Group.OUTGOING: say("Acceptance report: outgoing messages"),
        Group.INCOMING: say("Acceptance report: incoming messages"),
    }
    signs = say("Both parties confirm the results above.")
    sections = signed_sections(
        basis, group.value, signs, _tests(basis, group), failed=_not_passed(basis, group)
    )
    return document(basis, f"acceptance_{group.value}", titles[group], *sections)


def _not_passed(basis: Basis, group: Group) -> int:
    """Results that are there and not good; what is not there is a gap."""
    if group is Group.IDENTITY:
        return sum(
            f.outcome in (Outcome.FAILED, Outcome.UNKNOWN) and f.level is Level.REQUIRED
            for f in _judged(basis)
        )
    keys = (_LINK_TEST,) if group is Group.LINK else messages_of(Direction(group.value))
    tests = {test.key: test.result for test in basis.dossier.acceptance}
    return sum(tests.get(key) is TestResult.FAILED for key in keys)


def _judged(basis: Basis) -> tuple[Finding, ...]:
    """What the audit says of the identity."""
    findings = basis.audit.findings if basis.audit else ()
    return tuple(f for f in findings if f.item == "8.4")


def _tests(basis: Basis, group: Group) -> tuple[Section, ...]:
    match group:
        case Group.LINK:
            return _link(basis)
        case Group.IDENTITY:
            return _identity(basis)
        case _:
            return _messages(basis, Direction(group.value))


def _messages(basis: Basis, direction: Direction) -> tuple[Section, ...]:
    """All sending types with inside and outside; a test that nobody made stands there too."""
    tests = {test.key: test for test in basis.dossier.acceptance}
    keys = messages_of(direction)
    found = [tests.get(key) for key in keys]
    rows = tuple(_row(key, test) for key, test in zip(keys, found, strict=True))
    passed = sum(test is not None and test.result is TestResult.PASSED for test in found)
    summary = pairs(
        (_COUNTED[direction], (number(len(keys)),)),
        (say("Tests passed"), (number(passed),)),
    )
    return (
        Section(say("Result"), (summary,)),
        Section(say("Tests"), (Table(_headings(), rows, (20, 18, 20, 42)),)),
    )


def _headings() -> tuple[Text, ...]:
    return say("Test"), say("Result"), say("Date, by whom"), say("Evidence, remarks")


def _row(
    key: tuple[Direction, MessageKind, Audience], test: AcceptanceTest | None
) -> tuple[Cell, ...]:
    name: Cell = tuple(term(part) for part in key[1:])
    if test is None or test.result is TestResult.OPEN:
        remark = lines(test.remark) if test else ()
        return name, (to_fill(say("result"), _field(key, "result")),), (), remark
    return name, (term(test.result),), _when(test), _evidence(test)


def _field(key: tuple[Direction, MessageKind, Audience], part: str) -> tuple[str, ...]:
    assert part in AcceptanceTest.model_fields
    return "acceptance", *(step.value for step in key), part


def _when(test: AcceptanceTest) -> Cell:
    at = (test.tested_at,) if test.tested_at else ()
    return (
        *or_missing(at, say("date"), *_field(test.key, "tested_at")),
        *or_missing(lines(test.tested_by), say("name"), *_field(test.key, "tested_by")),
    )


def _evidence(test: AcceptanceTest) -> Cell:
    shown: list[Inline] = []
    if test.message_id:
        shown += [say("Message-ID:"), Code(test.message_id)]
    if test.smtp_reply:
        own = say("Reply of the organisation's own mail server:")
        theirs = say("Reply of the sender's mail server:")
        sends = own if test.direction is Direction.OUTGOING else theirs
        shown += [sends, Code(test.smtp_reply)]
    if test.received:
        shown += [say("Received: {seen}", seen=line) for line in test.received.splitlines() if line]
    if not shown and (test.result is TestResult.PASSED or not test.remark):
        what = say("evidence: Message-ID, and what the recipient saw")
        shown.append(to_fill(what, _field(test.key, "received")))
    return (*shown, *lines(test.remark))


def _link(basis: Basis) -> tuple[Section, ...]:
    flow = next(flow for flow in basis.guide.flows if flow.number == "8.3")
    key = _LINK_TEST
    test = next((t for t in basis.dossier.acceptance if t.key == key), None)
    shown = _shown(basis, test)
    steps: tuple[Block, ...] = (
        Checklist(tuple(CheckRow(source(s), d) for s, d in zip(flow.steps, shown, strict=True))),
    )
    if not all(shown):
        steps += (gap_at(say("what no recorded link test shows"), _field(key, "attempts")),)
    table = Table(_headings(), (_row(key, test),), (20, 18, 20, 42))
    return (
        Section(say("How it is tested"), steps),
        Section(say("Test message"), (table, *_attempts(test))),
        Section(say("What the audit measured on the way to IncaMail"), _measured(basis)),
    )


def _shown(basis: Basis, test: AcceptanceTest | None) -> tuple[bool, bool, bool]:
    """Which steps of guide 8.3 the recorded test shows: to whom and how, with which subject and
    text, and that somebody saw it arrive. A result alone, set by hand, shows none of them."""
    if test is None:
        return False, False, False
    suffix = basis.platform.suffix.value
    domain = test.to.rpartition("@")[2].lower()
    without = domain.removesuffix(suffix)
    outside = domain != without and without not in basis.dossier.domains
    written = outside and test.way in (Way.RUNBOOK, Way.PROGRAM)
    sent = any(
        a.message_id == test.message_id and a.outcome is DeliveryOutcome.ACCEPTED
        for a in test.attempts
    )
    arrived = test.result is TestResult.PASSED and bool(test.received.strip())
    return written, written and sent and test.way is Way.RUNBOOK, written and arrived


def _attempts(test: AcceptanceTest | None) -> tuple[Block, ...]:
    """Every try that was recorded, failures too."""
    if test is None or not test.attempts:
        return ()
    headings = (say("Date, by whom"), say("To"), say("Written"), say("What became of it"))
    rows = tuple(
        (
            (attempt.at, *lines(attempt.by)),
            (Code(attempt.to),),
            (term(attempt.way),),
            _became(attempt),
        )
        for attempt in test.attempts
    )
    return (Table(headings, rows, (18, 36, 16, 30)),)


def _became(attempt: Attempt) -> Cell:
    """The hand-over, in the server's words; then what somebody saw at the recipient, if anybody."""
    shown: list[Inline] = [term(attempt.outcome)]
    if attempt.reply:
        shown.append(Code(attempt.reply))
    if attempt.seen is not None:
        shown += _looked(attempt.seen)
    elif attempt.is_open:
        shown.append(say("Handed over only: whether it arrived, nobody has noted."))
    return tuple(shown)


def _looked(seen: Seen) -> Cell:
    """Whether it arrived, who says so, and by which servers; a server's words stay as they are."""
    told = say("Arrived:") if seen.arrived else say("Not arrived:")
    who = lines(seen.by) or (say("the lab itself"),)
    is_log = not seen.arrived and not seen.by
    words = (Code(seen.words),) if is_log else lines(seen.words)
    return (told, seen.at, *who, *words, *(Code(server) for server in seen.way))


def _measured(basis: Basis) -> tuple[Block, ...]:
    if basis.audit is None or not basis.audit.facts.platform_endpoints:
        return (gap_at(say("audit of the connection to IncaMail"), AUDIT),)
    endpoints = basis.audit.facts.platform_endpoints
    headings = (say("Gateway"), say("STARTTLS"), say("Own certificate accepted"))
    rows = tuple(_endpoint(endpoint) for endpoint in endpoints)
    return _measured_on(basis), Table(headings, rows, (44, 26, 30))


def _measured_on(basis: Basis) -> Paragraph:
    assert basis.audit is not None
    return Paragraph(say("Measured on {day}.", day=basis.audit.facts.measured_at))


def _endpoint(endpoint: EndpointFacts) -> tuple[Cell, ...]:
    accepted = observed(endpoint.client_auth.own_accepted)
    return (Code(endpoint.target.label),), (word(endpoint.starttls),), (accepted,)


def _identity(basis: Basis) -> tuple[Section, ...]:
    expected = Section(say("What is expected"), (_expected(basis),))
    tested = _compared(basis)
    if basis.audit is None or not basis.audit.facts.platform_endpoints:
        seen = Section(say("What was seen"), (gap_at(say("audit of IncaMail's gateways"), AUDIT),))
        return tested, expected, seen, by_hand(basis)
    judged = _judged(basis)
    verdicts: Block = gap_at(say("checks of section 8.4"), AUDIT)
    if judged:
        headings = (say("Check"), say("Result"), say("Where"), say("Seen"))
        verdicts = Table(headings, tuple(_finding(f) for f in judged), (28, 14, 22, 36))
    blocks = tuple(block for e in basis.audit.facts.platform_endpoints for block in _seen(e))
    return (
        tested,
        expected,
        Section(say("Checks"), (_measured_on(basis), verdicts)),
        Section(say("Certificates seen"), blocks),
        by_hand(basis),
    )


def _compared(basis: Basis) -> Section:
    """Who tested: a machine measures, but that it is IncaMail somebody must have compared."""
    said = basis.dossier.identity_checked
    who: Cell = (said.on, words(said.by)) if said else ()
    if said and basis.audit and said.on < basis.audit.facts.measured_at.date():
        who += (to_fill(say("to be compared again: measured anew since"), ("identity_checked",)),)
    missing = say("who compared what was seen with what is expected, and when")
    row = (say("Date, by whom"), or_missing(who, missing, "identity_checked"))
    return Section(say("Result"), (pairs(row),))


def _expected(basis: Basis) -> Block:
    platform = basis.platform
    missing = to_fill(say("from Swiss Post's set-up document"), ("platform", "fingerprints_sha1"))
    sha1 = tuple(Code(value) for value in platform.fingerprints_sha1.value)
    return pairs(
        (say("Gateways"), tuple(Code(gateway.host) for gateway in platform.gateways)),
        (
            say("Organisation in the certificate"),
            tuple(words(o) for o in platform.organisations.value),
        ),
        (say("Issuer of the certificate"), tuple(words(o) for o in platform.issuers.value)),
        (say("Names in the certificate"), tuple(Code(name) for name in platform.names.value)),
        (say("SHA-1 fingerprint of the certificate"), sha1 or (missing,)),
    )


def _finding(finding: Finding) -> tuple[Cell, ...]:
    title = say("{title} ({code})", title=source(finding.title), code=finding.code)
    return (title,), (word(finding.outcome),), (Code(finding.subject),), (finding.seen,)


def _seen(endpoint: EndpointFacts) -> tuple[Block, ...]:
    leaf = endpoint.leaf
    if leaf is None:
        label = endpoint.target.label
        return (gap_at(say("certificate of {gateway}: none was seen", gateway=label), AUDIT),)
    return (identity(endpoint.target.label, leaf),)
