"""The subjects of a report, each on a page of its own at most: what was seen, what it means."""

from __future__ import annotations

from collections.abc import Iterable

from incamail_lib.facts.audit import AuditFacts, Declared
from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts
from incamail_lib.facts.dns import DomainFacts
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.routing import Method, NextHop, NextHopKind
from incamail_lib.facts.smtp import EndpointFacts, TlsFacts
from incamail_lib.findings import Finding
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.order import Row, Sorted, sort_findings
from incamail_lib.report.telling import (
    Told,
    code,
    codes,
    listed,
    named,
    on,
    ours,
    outcome,
    pairs,
    words,
)
from incamail_lib.report.timeline import picture
from incamail_lib.report.words import demanded, observed, reason_text, stage_text, word
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Inline,
    Listing,
    Mark,
    Paragraph,
    Phrase,
    Quiet,
    Table,
)

DOMAINS = 50
ENDPOINTS = 40


def judged(findings: Iterable[Finding]) -> tuple[Block, ...]:
    """What the checks of a subject say, a line each; «What to do» and the annex say more."""
    found = sort_findings(findings)
    lines = _open(found.open)
    blocks = (*((Listing(lines),) if lines else ()), *_passed(found), *_aside(found))
    return blocks or (Paragraph(say("Nothing was judged in this chapter.")),)


def _open(rows: tuple[Row, ...]) -> tuple[Inline, ...]:
    return tuple(
        Phrase((outcome(row.finding), named(row.finding), *_places(row.subjects))) for row in rows
    )


def _places(subjects: tuple[str, ...]) -> tuple[Inline, ...]:
    more = len(subjects) - 2
    rest = (say_n("and {n} more", "and {n} more", more),) if more > 0 else ()
    return (*(code(subject) for subject in subjects[:2]), *rest)


def _passed(found: Sorted) -> tuple[Block, ...]:
    """What passed, on as few lines as it needs: the annex has a line for each."""
    names = tuple(dict.fromkeys((row.finding.title, row.finding.code) for row in found.passed))
    if not names:
        return ()
    head = Mark("good", say_n("{n} check passed:", "{n} checks passed:", len(names)))
    each = (
        Text(template="{title} ({code});", values={"title": ours(title), "code": check})
        for title, check in names
    )
    return (Paragraph(Phrase((head, *each)), "note"),)


def _aside(found: Sorted) -> tuple[Block, ...]:
    lines: list[Text] = []
    waiting = {code: block.prerequisite for block in found.blocks for code in block.codes}
    for prerequisite in dict.fromkeys(waiting.values()):
        mine = ", ".join(code for code, first in waiting.items() if first == prerequisite)
        lines.append(
            say(
                "Not judged: first {code} must be shown to pass: {codes}.",
                code=prerequisite,
                codes=mine,
            )
        )
    idle = dict.fromkeys(row.finding.code for row in found.not_applicable)
    if idle:
        lines.append(say("Not applicable: {codes}.", codes=", ".join(idle)))
    return tuple(Paragraph(line, "note") for line in lines)


def routing(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """The rules as declared."""
    declared = told.audit.facts.declared
    rules = declared.rules
    rows: list[tuple[Text, Cell]] = [
        (
            say("Mail for IncaMail is recognised"),
            _assumed(declared, "routing.method", (word(rules.method),)),
        ),
        (say("Mail server that applies the rule"), (word(rules.engine),)),
    ]
    if rules.method in (Method.DOMAIN, Method.BOTH):
        rows.append((say("Domain suffix"), (code(rules.suffix_key or rules.suffix),)))
    if rules.method in (Method.SUBJECT, Method.BOTH):
        pattern: Cell = (code(rules.subject_pattern), word(rules.subject_view))
        rows.append((say("Subject pattern"), pattern))
    rows.append((say("Next hop"), _way(rules.next_hop)))
    if rules.default_relay:
        relay: Cell = (code(rules.default_relay),)
        rows.append((say("Default relay for all other mail"), relay))
    incoming = NextHop(kind=declared.incoming.kind, value=declared.incoming.value)
    found = _assumed(declared, "incoming.route", _way(incoming))
    rows.append((say("IncaMail finds the organisation by"), found))
    return pairs(say("The organisation's routing rules"), *rows), *judged(findings)


def _assumed(declared: Declared, setting: str, told: Cell) -> Cell:
    """The setting; behind a mark where nobody has decided it."""
    if setting not in declared.undecided:
        return told
    return (Mark("open", say("not decided yet; assumed:")), *told)


def _way(hop: NextHop) -> Cell:
    value = (code(hop.value),) if hop.value and hop.kind is not NextHopKind.MX else ()
    return (Phrase((word(hop.kind), *value)),)


def dns(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """Every domain on a line; all records stand in the annex."""
    facts = told.audit.facts.dns
    asked = say("Name servers asked: {servers}.", servers=words(facts.resolver or "–"))
    rows = tuple(_domain(domain) for domain in facts.domains[:DOMAINS])
    headings = (say("Mail domain"), say("Mail exchangers"), say("SPF"), say("DMARC"))
    table = Table(headings, rows, (26, 34, 20, 20))
    return Paragraph(asked), *((table,) if rows else ()), *judged(findings)


def _domain(domain: DomainFacts) -> tuple[Cell, ...]:
    exchangers = codes(domain.mx.records, 4) or (word(domain.mx.status),)
    return (
        (code(domain.domain),),
        exchangers,
        (word(domain.spf.status),),
        (word(domain.dmarc.status),),
    )


def gateways(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """The client's receiving gateways."""
    lead = say(
        "Every address where IncaMail would deliver mail for the organisation, as it answered."
    )
    seen = told.audit.facts.receiving
    nothing = say("No address of a receiving gateway was found, so none was examined.")
    return Paragraph(lead), *_endpoints(seen, nothing, _RECEIVING), *judged(findings)


def outgoing(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """The platform's gateways as the client meets them; mutual TLS."""
    facts = told.audit.facts
    lead = say(
        "The way that outgoing secure mail takes: IncaMail's gateways as seen from the place of "
        "measurement, first without and then with the organisation's client certificate."
    )
    hosts = ", ".join(str(gateway.host) for gateway in facts.declared.sending[:20])
    declared = (Paragraph(say("Sending gateways, as declared: {hosts}.", hosts=words(hosts))),)
    nothing = say("None of IncaMail's gateways was examined.")
    return (
        Paragraph(lead),
        *(declared if hosts else ()),
        *_endpoints(facts.platform_endpoints, nothing, _SENDING),
        *judged(findings),
    )


_RECEIVING = (say("Gateway"), say("Answered"), say("TLS"), say("Client certificate"))
_SENDING = (say("Gateway"), say("Answered"), say("TLS"), say("Own certificate accepted"))


def _endpoints(
    seen: tuple[EndpointFacts, ...], nothing: Text, headings: tuple[Text, ...]
) -> tuple[Block, ...]:
    if not seen:
        return (Paragraph(nothing),)
    rows = tuple(_endpoint(e, headings is _SENDING) for e in seen[:ENDPOINTS])
    return (Table(headings, rows, (28, 22, 24, 26)),)


def _endpoint(endpoint: EndpointFacts, sending: bool) -> tuple[Cell, ...]:
    auth = endpoint.client_auth
    asked: tuple[tuple[Text, Text], ...] = (
        (
            (say("own"), observed(auth.own_accepted)),
            (say("foreign"), observed(auth.foreign_accepted)),
        )
        if sending
        else ((say("asked for"), observed(auth.requested)), (say("demanded"), demanded(endpoint)))
    )
    told_answers = tuple(say("{label}: {value}", label=name, value=value) for name, value in asked)
    return (code(endpoint.target.label),), (reached(endpoint),), _tls(endpoint), told_answers


def reached(endpoint: EndpointFacts) -> Text:
    """How far the dialogue went."""
    survey = endpoint.survey
    if survey.ended.value == "seen":
        return say("complete dialogue")
    return say(
        "ended at stage {stage}: {reason}",
        stage=stage_text(survey.ended_in),
        reason=reason_text(survey.ended),
    )


def handshake(endpoint: EndpointFacts) -> TlsFacts | None:
    """The handshake to show: an established one where there is any."""
    seen = [c.tls for c in endpoint.connections if c.tls]
    return next((t for t in seen if t.established), seen[0] if seen else None)


def _tls(endpoint: EndpointFacts) -> Cell:
    tls = handshake(endpoint)
    starttls = say("STARTTLS {state}", state=word(endpoint.starttls))
    if tls is None or not tls.established:
        return (starttls,)
    return starttls, code(" ".join(part for part in (tls.version, tls.cipher) if part))


def certificates(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """Every certificate of the organisation on a line, over time, and judged."""
    facts = told.audit.facts
    drawn = picture(facts, told.audit.judged_at)
    rows = tuple(_certificates(facts))
    headings = (say("Found in"), say("Subject"), say("Issuer"), say("Valid until"))
    table = Table(headings, rows, (24, 28, 28, 20))
    return (
        *((table,) if rows else (Paragraph(say("No certificate of the organisation was seen.")),)),
        *((drawn,) if drawn else ()),
        *judged(findings),
    )


def _certificates(facts: AuditFacts) -> Iterable[tuple[Cell, ...]]:
    for credential in facts.credentials[:ENDPOINTS]:
        yield _credential(credential)
    for endpoint in facts.receiving[:ENDPOINTS]:
        if endpoint.leaf:
            yield (code(endpoint.target.label),), *_leaf(endpoint.leaf)


def _credential(credential: CredentialFacts) -> tuple[Cell, ...]:
    uses: Cell = tuple(word(use) for use in credential.uses)
    label: Cell = (code(credential.label), *uses)
    if credential.chain:
        return label, *_leaf(credential.chain[0])
    return label, (_unreadable(credential.readable),), (), ()


def _unreadable(readable: Observation) -> Text:
    return say("Readable: {answer}.", answer=observed(readable))


def _leaf(leaf: CertificateFacts) -> tuple[Cell, Cell, Cell]:
    return (words(leaf.subject),), (words(leaf.issuer),), on(leaf.not_after)


def identity(told: Told, findings: Iterable[Finding]) -> tuple[Block, ...]:
    """Who answers in IncaMail's place (guide 8.4)."""
    platform = told.audit.facts.platform
    lead = say(
        "A device on the way may decrypt and read mail. It then shows its own certificate in place "
        "of IncaMail's. Compare organisation, issuer, names and fingerprints with what is expected."
    )
    issuers = Phrase(
        (words(", ".join(platform.issuers.value)), Quiet(word(platform.issuers.certainty)))
    )
    expected = pairs(
        say("What is expected"),
        (say("Organisation"), listed(platform.organisations.value)),
        (say("Issuer"), (issuers,)),
        (say("Names"), listed(platform.names.value)),
        (say("SHA-1"), codes(platform.fingerprints_sha1.value) or (say("none given"),)),
    )
    rows = tuple(
        ((code(e.target.label),), *_leaf(e.leaf)[:2], (code(fingerprint(e.leaf.sha1)),))
        for e in told.audit.facts.platform_endpoints[:ENDPOINTS]
        if e.leaf
    )
    headings = (say("Gateway"), say("Subject"), say("Issuer"), say("SHA-1"))
    seen: tuple[Block, ...] = (
        (Table(headings, rows, (24, 25, 25, 26), say("What was seen")),)
        if rows
        else (Paragraph(say("No gateway showed a certificate.")),)
    )
    return Paragraph(lead), expected, *seen, *judged(findings)


def fingerprint(digest: str) -> str:
    """A digest in pairs, as other programs write it."""
    upper = digest.upper()
    return ":".join(upper[at : at + 2] for at in range(0, len(upper), 2))
