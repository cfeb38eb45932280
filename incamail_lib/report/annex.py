"""The annex of a report: components, samples, every check, records, versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from incamail_lib.facts.dns import DnsAnswer, DomainFacts, HostFacts
from incamail_lib.facts.routing import Hazard, MessageRouting, Route
from incamail_lib.guide import Sourced
from incamail_lib.guide.freshness import ages
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.report.order import Row, counts, sort_findings
from incamail_lib.report.telling import (
    SUBJECTS,
    Told,
    bounded,
    code,
    codes,
    named,
    on,
    ours,
    outcome,
    pairs,
    present,
    source,
    words,
)
from incamail_lib.report.words import (
    COMPONENTS,
    FAMILIES,
    PROBES,
    hazard_text,
    labelled,
    word,
)
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Fold,
    Inline,
    Paragraph,
    Phrase,
    Quiet,
    Table,
)

MESSAGES = 60
ROUTES = 20
DOMAINS = 50
HOSTS = 40
RECORDS = 12
_PLATFORM_FACTS: tuple[tuple[str, str], ...] = (
    ("suffix", N_("Domain suffix")),
    ("smart_host", N_("Host for outgoing mail")),
    ("organisations", N_("Organisation in the certificate")),
    ("issuers", N_("Issuer of the certificate")),
    ("names", N_("Names in the certificate")),
    ("message_limit_mb", N_("Largest message, in MB")),
    ("recommended_attachment_mb", N_("Recommended size of attachments, in MB")),
    ("tags", N_("Tags of the add-in")),
    ("contacts", N_("Second-level support")),
)


def components(told: Told) -> tuple[Block, ...]:
    """The components of guide section 2 as declared."""
    lead = Paragraph(
        say(
            "The components of section 2 of Swiss Post's guide, as the organisation declared them. "
            "They were not measured."
        )
    )
    declared = told.audit.facts.declared.components
    if not declared:
        return lead, Paragraph(say("The dossier declares no components."))
    rows = tuple(
        (
            (ours(COMPONENTS.get(c.key, c.key)),),
            (present(c.present),),
            (words(c.product),) if c.product else (),
            (words(c.operator),) if c.operator else (),
        )
        for c in declared
    )
    headings = (say("Component"), say("Present"), say("Product"), say("Run by"))
    return lead, Table(headings, rows, (26, 16, 32, 26))


def samples(told: Told) -> tuple[Block, ...]:
    """Where the organisation's own messages and the fixed samples would go."""
    messages = told.audit.facts.routing
    own = tuple(m for m in messages if m.probe is None)[:MESSAGES]
    fixed = tuple(m for m in messages if m.probe is not None)[:MESSAGES]
    blocks: list[Block] = []
    if own:
        caption = say("The organisation's own messages under these rules")
        blocks.append(_messages(own, caption))
    if fixed:
        note = say(
            "These are not messages of the organisation. They try the rules with every kind of "
            "message, mistakes included; what counts is judged by the findings."
        )
        title = say_n(
            "Where {n} fixed sample message would go",
            "Where each of {n} fixed sample messages would go",
            len(fixed),
        )
        caption = say("Sample messages under these rules")
        blocks.append(Fold(title, (Paragraph(note, "note"), _messages(fixed, caption))))
    return tuple(blocks) or (Paragraph(say("No message was tried.")),)


def _messages(messages: Iterable[MessageRouting], caption: Text) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for message in messages:
        name = ours(PROBES[message.probe]) if message.probe else words(message.label)
        head = Phrase((name, code(message.subject_decoded)))
        rows.append(((head, *_raw(message), *_hazards(message.hazards)),))
        rows += [_route(route) for route in message.routes[:ROUTES]]
    headings = (
        *(say("Recipient"), say("Goes to IncaMail"), say("Sending type")),
        *(say("Delivered to"), say("Hazards")),
    )
    return Table(headings, tuple(rows), (27, 12, 12, 20, 29), caption)


def _raw(message: MessageRouting) -> Cell:
    """The header as the mail server sees it, where that is not what people see."""
    if message.subject_raw in ("", message.subject_decoded):
        return ()
    return (code(message.subject_raw),)


def _route(route: Route) -> tuple[Cell, ...]:
    kind = (word(route.sending_type),) if route.sending_type else ()
    delivered = (code(route.delivered_to),) if route.delivered_to else ()
    return (code(route.recipient),), (_goes(route),), kind, delivered, _hazards(route.hazards)


def _goes(route: Route) -> Text:
    if not route.to_incamail:
        return say("cannot be told") if route.unknown else say("no")
    rules = {"suffix": say("yes (suffix rule)"), "subject": say("yes (subject rule)")}
    return rules.get(route.rule, say("yes"))


def _hazards(hazards: Iterable[Hazard]) -> Cell:
    return tuple(bounded(labelled(word(h.severity), hazard_text(h))) for h in hazards)


def checks(told: Told) -> tuple[Block, ...]:
    """Every check with what was seen, by subject area."""
    table = tuple(
        ((ours(FAMILIES.get(name, name)),), *((words(n),) for n in numbers))
        for name, numbers in counts(told.audit)
    )
    headings = (
        *(say("Subject area"), say("failed, required"), say("failed, recommended")),
        *(say("unknown"), say("passed"), say("not applicable")),
    )
    lead = say("A check counts once for each gateway, domain or file that it looked at.")
    found = sort_findings(told.audit.findings)
    rows = (*found.open, *found.passed, *found.not_applicable)
    return (
        Paragraph(lead, "note"),
        Table(headings, table, (30, 14, 16, 14, 12, 14), say("Results by subject area")),
        Table(
            (say("Result"), say("Check"), say("What was seen"), say("Source")),
            tuple(_check(row) for row in rows),
            (14, 34, 34, 18),
            say("Every check"),
        ),
    )


def _check(row: Row) -> tuple[Cell, ...]:
    finding = row.finding
    return (
        (outcome(finding), Quiet(word(finding.level))),
        (named(finding), *codes(row.subjects, SUBJECTS)),
        (bounded(finding.seen),),
        (source(finding),),
    )


def records(told: Told) -> tuple[Block, ...]:
    """Every look-up."""
    facts = told.audit.facts.dns
    blocks: list[Block] = []
    for domain in facts.domains[:DOMAINS]:
        blocks += [_records(domain)]
        if domain.null_mx:
            text = say("The domain declares that it receives no mail (null MX, RFC 7505).")
            blocks.append(Paragraph(text))
        if domain.implicit_mx:
            text = say("There is no MX record: mail goes to the domain's own address.")
            blocks.append(Paragraph(text))
        caption = say("Mail exchangers of {domain}", domain=words(domain.domain))
        blocks += _hosts([(f"{mx.preference} ", mx.host) for mx in domain.exchangers], caption)
    caption = say("Declared gateways that no MX names")
    blocks += _hosts([("", host) for host in facts.hosts], caption)
    blocks += _hosts([("", host) for host in facts.platform_hosts], say("Hosts of the platform"))
    return tuple(blocks) or (Paragraph(say("Nothing was looked up.")),)


def _records(domain: DomainFacts) -> Table:
    walk = [a for a in (domain.dmarc_walk or ())[1:] if a.records]
    texts = [a for a in domain.spf_answers or () if a.records and a.type == "TXT"]
    answers = [
        *(("MX", domain.mx), ("SPF", domain.spf), ("DMARC", domain.dmarc)),
        *((a.name, a) for a in (*walk, *texts)),
        *(("MTA-STS", domain.mta_sts), ("TLS-RPT", domain.tls_rpt), ("CAA", domain.caa)),
    ]
    rows = tuple(
        ((code(name),), (word(answer.status),), codes(answer.records, RECORDS, answer.left_out))
        for name, answer in answers
    )
    headings = (say("Record"), say("Result"), say("Content"))
    caption = say("Records of {domain}", domain=words(domain.domain))
    return Table(headings, rows, (20, 22, 58), caption)


def _hosts(hosts: list[tuple[str, HostFacts]], caption: Text) -> list[Block]:
    if not hosts:
        return []
    headings = (say("Host"), say("Addresses"), say("Reverse name"), say("TLSA"))
    rows = tuple(_host(before, host) for before, host in hosts[:HOSTS])
    return [Table(headings, rows, (32, 26, 32, 10), caption)]


def _host(before: str, host: HostFacts) -> tuple[Cell, ...]:
    addresses: list[Inline] = []
    for answer in (host.a, host.aaaa):
        addresses += [code(record) for record in answer.records]
        if answer.is_failure:
            addresses.append(labelled(answer.type, word(answer.status)))
    names = tuple(
        code(", ".join(a.ptr.records)) if a.ptr.records else word(a.ptr.status)
        for a in host.addresses
    )
    return (code(f"{before}{host.host}"),), tuple(addresses), names, (_count(host.tlsa),)


def _count(answer: DnsAnswer) -> Text:
    return words(len(answer.records)) if answer.records else word(answer.status)


def versions(told: Told) -> tuple[Block, ...]:
    """Software, the platform facts relied on, and how old all facts are."""
    audit, vantage = told.audit, told.audit.facts.vantage
    software = pairs(
        say("Software that measured"),
        (ours("IncaMail Runbook"), (code(vantage.version),)),
        (ours("Python"), (code(vantage.python),)),
        (ours("OpenSSL"), (code(vantage.openssl),)),
        (say("TLS library used"), (code(vantage.backend),)),
        (say("Record format"), (words(audit.schema_version),)),
    )
    platform = audit.facts.platform
    facts = tuple(_fact(getattr(platform, field), name) for field, name in _PLATFORM_FACTS)
    known = Table(
        (say("Fact"), say("Value"), say("Certainty"), say("Verified on"), say("Source")),
        facts,
        (20, 24, 16, 16, 24),
        say("Facts about the platform that were relied on"),
    )
    old = Table(
        (
            *(say("Relied on"), say("Oldest verified on"), say("Days before this judgement")),
            *(say("To be verified again by"), say("Overdue")),
        ),
        tuple(
            (
                (ours(age.kind),),
                on(age.oldest),
                (words(age.days),),
                on(age.due),
                codes(age.overdue),
            )
            for age in ages(platform, audit.judged_at.date())
        ),
        (26, 18, 16, 20, 20),
        say("How old the facts were that were relied on"),
    )
    note = say(
        "IncaMail Runbook is an independent project and not a product of Swiss Post. A result "
        "holds for the moment and the place of measurement."
    )
    return software, known, old, Paragraph(note, "note")


def _fact(fact: Sourced[Any], name: str) -> tuple[Cell, ...]:
    many = isinstance(fact.value, tuple)
    value = ", ".join(fact.value) if many else str(fact.value)
    told_from = words(fact.source) if "{" in fact.source else ours(fact.source)
    return (
        (ours(name),),
        (code(value),) if value else (),
        (word(fact.certainty),),
        on(fact.verified_on),
        (told_from,),
    )
