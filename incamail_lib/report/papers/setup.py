"""The set-up document (guide 7.1): what Swiss Post needs to connect the client."""

from __future__ import annotations

from incamail_lib.dossier.model import Gateway
from incamail_lib.dossier.progress import Role
from incamail_lib.facts.routing import Engine, Method, NextHopKind
from incamail_lib.guide import Sourced
from incamail_lib.i18n import Text, say
from incamail_lib.report.papers.certificates import certificate_sections
from incamail_lib.report.papers.model import (
    Block,
    Cell,
    Code,
    Document,
    Gap,
    Inline,
    Missing,
    Paragraph,
    Section,
    Table,
)
from incamail_lib.report.papers.parts import (
    Basis,
    codes,
    contact_section,
    document,
    go_live,
    known_from,
    number,
    or_missing,
    organisation,
    pairs,
    words,
)
from incamail_lib.report.words import word

ROLES = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.NETWORK_ADMIN, Role.SUPPORT)


def setup_document(basis: Basis) -> Document:
    """Domains, ways of mail, certificates of both directions, people and the desired date."""
    return document(
        basis,
        "setup_document",
        say("Set-up document"),
        _organisation(basis),
        _receiving(basis),
        _sending(basis),
        _rules(basis),
        *certificate_sections(basis),
        contact_section(basis, ROLES),
        _platform(basis),
    )


def _organisation(basis: Basis) -> Section:
    table = pairs(
        (say("Organisation"), (words(organisation(basis)),)),
        (say("Mail domains"), codes(basis.dossier.domains)),
        (say("Desired go-live date"), go_live(basis)),
    )
    hint = Paragraph(say("Return it as an attachment to your reply to the welcome mail."), "note")
    return Section(say("Organisation"), (hint, table))


def _receiving(basis: Basis) -> Section:
    incoming = basis.dossier.incoming
    way: Cell = (word(incoming.route),)
    if incoming.route is not NextHopKind.MX:
        value = codes([incoming.value] if incoming.value else [])
        way += or_missing(value, say("host name or address for incoming mail"))
    if "incoming" not in basis.dossier.model_fields_set:
        way += (Missing(say("confirmation of this usual way by the organisation")),)
    blocks: list[Block] = [pairs((say("IncaMail finds the gateway by"), way))]
    if incoming.route is NextHopKind.MX:
        blocks.append(_exchangers(basis))
    gateways = basis.dossier.gateways.receiving
    if gateways or incoming.route is not NextHopKind.MX:
        blocks.append(_gateways(gateways, say("receiving gateways and their addresses")))
    return Section(say("Receiving: from IncaMail to the organisation"), tuple(blocks))


def _exchangers(basis: Basis) -> Block:
    """The MX records as measured; without a measurement they are missing."""
    known = basis.audit.facts.dns.domains if basis.audit else ()
    found = {domain.domain: domain.mx.records for domain in known}
    missing = say("MX records, by an audit")
    rows = tuple(
        (codes([domain]), or_missing(codes(found.get(domain, ())), missing))
        for domain in basis.dossier.domains
    )
    return Table((say("Mail domain"), say("MX records")), rows, (40, 60))


def _gateways(gateways: tuple[Gateway, ...], what: Text) -> Block:
    if not gateways:
        return Gap(what)
    rows = tuple(
        (
            codes([gateway.host]),
            or_missing(codes(gateway.addresses), say("address as seen from the Internet")),
            codes([str(gateway.port)]),
        )
        for gateway in gateways
    )
    return Table((say("Gateway"), say("Addresses"), say("Port")), rows, (45, 40, 15))


def _sending(basis: Basis) -> Section:
    gateways = basis.dossier.gateways.sending
    table = _gateways(gateways, say("sending gateways and their addresses"))
    return Section(say("Sending: from the organisation to IncaMail"), (table,))


def _rules(basis: Basis) -> Section:
    routing = basis.dossier.routing
    rows: list[tuple[Text, Cell]] = [
        (say("Mail for IncaMail is recognised"), (word(routing.method),))
    ]
    if routing.engine is not Engine.NOT_KNOWN:
        rows.append((say("Mail server that applies the rule"), (word(routing.engine),)))
    if routing.method in (Method.DOMAIN, Method.BOTH):
        key = routing.suffix_key or basis.platform.suffix.value
        rows.append((say("Domain suffix"), (Code(key),)))
    if routing.method in (Method.SUBJECT, Method.BOTH):
        pattern: Cell = (Code(routing.subject_pattern), word(routing.subject_view))
        rows.append((say("Expression in the subject, and where it is searched"), pattern))
    if routing.method is not Method.NONE:
        sent_back = say("yes") if routing.refuses_tag_without_suffix else say("no")
        rows.append((say("Mail with a tag but without the suffix is sent back"), (sent_back,)))
    rows.append((say("IncaMail is found by"), (word(routing.next_hop), *_next_hop(basis))))
    if "routing" in basis.dossier.model_fields_set:
        return Section(say("Routing rules"), (pairs(*rows),))
    # The model fills in the usual rules; nobody has said yet that they are the client's.
    doubt = Gap(say("confirmation of these usual rules by the organisation"))
    return Section(say("Routing rules"), (doubt, pairs(*rows)))


def _next_hop(basis: Basis) -> Cell:
    routing = basis.dossier.routing
    if routing.next_hop is NextHopKind.MX:
        return ()
    if routing.next_hop is NextHopKind.SMART_HOST and not routing.value:
        return codes([basis.platform.smart_host.value])
    return or_missing(codes([routing.value] if routing.value else []), say("next hop"))


def _platform(basis: Basis) -> Section:
    """What the organisation builds on, for Post to confirm or to correct."""
    known = basis.platform
    lead = Paragraph(
        say("The organisation goes by these facts. Please confirm them, or correct them here.")
    )
    rows = (
        _fact(say("Host for outgoing mail"), known.smart_host),
        *(
            _row(say("Gateway"), codes([g.host, *g.addresses]), word(g.certainty), g.source)
            for g in known.gateways
        ),
        _fact(say("Organisation in the certificate"), known.organisations),
        _fact(say("Issuer of the certificate"), known.issuers),
        _fact(say("Names in the certificate"), known.names),
        _fact(say("SHA-1 fingerprint of the certificate"), known.fingerprints_sha1),
        _fact(say("SHA-256 of the public key"), known.spki_sha256),
        _fact(say("Largest message, in MB"), known.message_limit_mb),
    )
    headings = (say("Fact"), say("Value"), say("How certain"), say("Source"))
    return Section(
        say("Facts about IncaMail to be confirmed"), (lead, Table(headings, rows, (24, 28, 18, 30)))
    )


def _fact(
    name: Text, fact: Sourced[str] | Sourced[int] | Sourced[tuple[str, ...]]
) -> tuple[Cell, ...]:
    value = fact.value
    cell: tuple[Inline, ...]
    match value:
        case str():
            cell = codes([value])
        case int():
            cell = (number(value),)
        case tuple():
            cell = codes(value) or (Missing(say("to be given by Swiss Post")),)
    return _row(name, cell, word(fact.certainty), fact.source)


def _row(name: Text, value: Cell, certainty: Text, stated: str) -> tuple[Cell, ...]:
    return (name,), value, (certainty,), (known_from(stated),)
