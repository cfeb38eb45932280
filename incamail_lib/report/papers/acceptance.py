"""The acceptance reports (guide 8.3, 8.4 and phase test), one for each group of tests."""

from __future__ import annotations

from enum import StrEnum
from itertools import product

from incamail_lib.dossier.progress import (
    AcceptanceTest,
    Audience,
    Direction,
    Kind,
    TestResult,
)
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Finding
from incamail_lib.i18n import LANGUAGES, Text, say, translator
from incamail_lib.report.papers.certificates import identity
from incamail_lib.report.papers.model import (
    Block,
    Cell,
    Checklist,
    CheckRow,
    Code,
    Dated,
    Document,
    Gap,
    Inline,
    Missing,
    Paragraph,
    Section,
    SignatureLine,
    SignatureLines,
    Table,
)
from incamail_lib.report.papers.parts import (
    Basis,
    document,
    lines,
    number,
    organisation,
    pairs,
    source,
    words,
)
from incamail_lib.report.papers.terms import term
from incamail_lib.report.words import observed, word


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
    sections = (*_tests(basis, group), _signatures(basis, group))
    return document(basis, f"acceptance_{group.value}", titles[group], *sections)


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
    keys = [(direction, kind, audience) for kind, audience in product(Kind, Audience)]
    found = [tests.get(key) for key in keys]
    rows = tuple(_row(key[1:], test) for key, test in zip(keys, found, strict=True))
    passed = sum(test is not None and test.result is TestResult.PASSED for test in found)
    summary = pairs(
        (say("Tests: every sending type, internal and external"), (number(len(keys)),)),
        (say("Tests passed"), (number(passed),)),
    )
    return (
        Section(say("Result"), (summary,)),
        Section(say("Tests"), (Table(_headings(), rows, (21, 13, 20, 46)),)),
    )


def _headings() -> tuple[Text, ...]:
    return say("Test"), say("Result"), say("Date, by whom"), say("Evidence, remarks")


def _row(key: tuple[Kind, Audience], test: AcceptanceTest | None) -> tuple[Cell, ...]:
    name: Cell = tuple(term(part) for part in key)
    if test is None or test.result is TestResult.OPEN:
        remark = lines(test.remark) if test else ()
        return name, (Missing(say("result")),), (Missing(say("date and name")),), remark
    return name, (term(test.result),), _when(test), _evidence(test)


def _when(test: AcceptanceTest) -> Cell:
    day: Inline = test.tested_at or Missing(say("date"))
    return day, *(lines(test.tested_by) or (Missing(say("name")),))


def _evidence(test: AcceptanceTest) -> Cell:
    shown: list[Inline] = []
    if test.message_id:
        shown += [say("Message-ID:"), Code(test.message_id)]
    if test.smtp_reply:
        shown += [say("Reply of the organisation's own mail server:"), Code(test.smtp_reply)]
    if test.received:
        shown += [say("Received: {seen}", seen=line) for line in test.received.splitlines() if line]
    if not shown and (test.result is TestResult.PASSED or not test.remark):
        shown.append(Missing(say("evidence: Message-ID, and what the recipient saw")))
    return (*shown, *lines(test.remark))


def _link(basis: Basis) -> tuple[Section, ...]:
    flow = next(flow for flow in basis.guide.flows if flow.number == "8.3")
    done = [t for t in basis.dossier.acceptance if t.direction is Direction.OUTGOING]
    plain = next((t for t in done if t.kind is Kind.CONFIDENTIAL and t.result != "open"), None)
    passed = plain is not None and plain.result is TestResult.PASSED
    steps = Checklist(tuple(CheckRow(source(step), passed) for step in flow.steps))
    key = (plain.kind, plain.audience) if plain else (Kind.CONFIDENTIAL, Audience.EXTERNAL)
    table = Table(_headings(), (_row(key, plain),), (21, 13, 20, 46))
    return (
        Section(say("How it is tested"), (steps,)),
        Section(say("Test message"), (table,)),
        Section(say("What the audit measured on the way to IncaMail"), _measured(basis)),
    )


def _measured(basis: Basis) -> tuple[Block, ...]:
    if basis.audit is None or not basis.audit.facts.platform_endpoints:
        return (Gap(say("audit of the connection to IncaMail")),)
    endpoints = basis.audit.facts.platform_endpoints
    headings = (say("Gateway"), say("STARTTLS"), say("Own certificate accepted"))
    rows = tuple(_endpoint(endpoint) for endpoint in endpoints)
    return _measured_on(basis), Table(headings, rows, (44, 26, 30))


def _measured_on(basis: Basis) -> Paragraph:
    assert basis.audit is not None
    return Paragraph(Dated(say("Measured on {day}."), basis.audit.facts.measured_at.date()))


def _endpoint(endpoint: EndpointFacts) -> tuple[Cell, ...]:
    accepted = observed(endpoint.client_auth.own_accepted)
    return (Code(endpoint.target.label),), (word(endpoint.starttls),), (accepted,)


def _identity(basis: Basis) -> tuple[Section, ...]:
    expected = Section(say("What is expected"), (_expected(basis),))
    if basis.audit is None or not basis.audit.facts.platform_endpoints:
        return expected, Section(say("What was seen"), (Gap(say("audit of IncaMail's gateways")),))
    judged = tuple(f for f in basis.audit.findings if f.item == "8.4")
    verdicts: Block = Gap(say("checks of question 8.4"))
    if judged:
        headings = (say("Check"), say("Result"), say("Where"), say("Seen"))
        verdicts = Table(headings, tuple(_finding(f) for f in judged), (28, 14, 22, 36))
    seen = tuple(block for e in basis.audit.facts.platform_endpoints for block in _seen(e))
    return (
        expected,
        Section(say("Checks"), (_measured_on(basis), verdicts)),
        Section(say("Certificates seen"), seen),
    )


def _expected(basis: Basis) -> Block:
    platform = basis.platform
    missing = (Missing(say("from Swiss Post's set-up document")),)
    sha1 = tuple(Code(value) for value in platform.fingerprints_sha1.value)
    return pairs(
        (say("Gateways"), tuple(Code(gateway.host) for gateway in platform.gateways)),
        (
            say("Organisation in the certificate"),
            tuple(words(o) for o in platform.organisations.value),
        ),
        (say("Issuer of the certificate"), tuple(words(o) for o in platform.issuers.value)),
        (say("Names in the certificate"), tuple(Code(name) for name in platform.names.value)),
        (say("SHA-1 fingerprint of the certificate"), sha1 or missing),
    )


def _finding(finding: Finding) -> tuple[Cell, ...]:
    title = say("{title} ({code})", title=source(finding.title), code=finding.code)
    return (title,), (word(finding.outcome),), (Code(finding.subject),), (finding.seen,)


def _seen(endpoint: EndpointFacts) -> tuple[Block, ...]:
    leaf = endpoint.leaf
    if leaf is None:
        label = endpoint.target.label
        return (Gap(say("certificate of {gateway}: none was seen", gateway=label)),)
    return (identity(endpoint.target.label, leaf),)


def _signatures(basis: Basis, group: Group) -> Section:
    """Who has signed already, then a line for each party that has not."""
    signed = [s for s in basis.dossier.signatures if s.document == group.value]
    given = tuple(SignatureLine(words(s.organisation), s.name, s.signed_on) for s in signed)
    names = {s.organisation.casefold() for s in signed}
    parties = (
        (words(organisation(basis)), {organisation(basis).casefold()}),
        (say("Swiss Post"), _names_of_post(basis)),
    )
    open_lines = tuple(SignatureLine(party) for party, known in parties if not known & names)
    lead = Paragraph(say("Both parties confirm the results above."))
    return Section(say("Signatures"), (lead, SignatureLines((*given, *open_lines))))


def _names_of_post(basis: Basis) -> set[str]:
    """By what a signature is known as Post's: its company's name, or its name in any language."""
    told = (translator(language).text(say("Swiss Post")) for language in LANGUAGES)
    return {name.casefold() for name in (*told, *basis.platform.organisations.value)}
