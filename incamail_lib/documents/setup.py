"""The set-up document (guide 7.1): what Swiss Post needs to connect the client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from incamail_lib.documents.by_hand import by_hand
from incamail_lib.documents.certificates import certificate_sections
from incamail_lib.documents.declared import (
    measured_addresses,
    receiving_differences,
    sending_differences,
)
from incamail_lib.documents.filling import AUDIT, gap_at, to_fill
from incamail_lib.documents.measures import INNER_HOP
from incamail_lib.documents.parts import (
    Basis,
    alerts,
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
from incamail_lib.documents.signing import signed_sections
from incamail_lib.dossier.agreed import Role
from incamail_lib.dossier.model import Gateway
from incamail_lib.facts.routing import Engine, Method, NextHopKind
from incamail_lib.findings import Outcome
from incamail_lib.guide import Sourced
from incamail_lib.i18n import Text, say
from incamail_lib.report.words import word
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Code,
    Document,
    Inline,
    Mark,
    Paragraph,
    Section,
    Table,
)

ROLES = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.NETWORK_ADMIN, Role.SUPPORT)


def setup_document(basis: Basis) -> Document:
    """Domains, ways of mail, certificates of both directions, people and the desired date."""
    sections = (
        _organisation(basis),
        _receiving(basis),
        _sending(basis),
        _rules(basis),
        *certificate_sections(basis),
        by_hand(basis),
        contact_section(basis, ROLES),
        _platform(basis),
    )
    signs = say("The organisation confirms these particulars and asks Swiss Post to connect it.")
    signed = signed_sections(basis, "setup", signs, sections)
    return document(basis, "setup_document", say("Set-up document"), *signed)


def _organisation(basis: Basis) -> Section:
    table = pairs(
        (say("Organisation"), (words(organisation(basis)),)),
        (say("Mail domains"), codes(basis.dossier.domains)),
        (say("Desired go-live date"), go_live(basis)),
    )
    hint = Paragraph(
        say("Return this document as an attachment to your reply to the welcome mail."), "note"
    )
    return Section(say("Organisation"), (hint, table))


def _receiving(basis: Basis) -> Section:
    incoming = basis.dossier.incoming
    way: Cell = (word(incoming.route),)
    if incoming.route is not NextHopKind.MX:
        value = codes([incoming.value] if incoming.value else [])
        what = say("host name or address for incoming mail")
        way += or_missing(value, what, "incoming", "value")
    if "incoming.route" in basis.dossier.undecided:
        what = say("confirmation of this usual way by the organisation")
        way += (to_fill(what, ("incoming", "route")),)
    blocks: list[Block] = [pairs((say("IncaMail finds the gateway by"), way))]
    if incoming.route is NextHopKind.MX:
        blocks.append(_exchangers(basis))
    gateways = basis.dossier.gateways.receiving
    if gateways or incoming.route is not NextHopKind.MX:
        blocks.append(_gateways(basis, "receiving", say("receiving gateways and their addresses")))
    blocks += _warnings(receiving_differences(basis))
    return Section(say("Receiving: from IncaMail to the organisation"), tuple(blocks))


def _exchangers(basis: Basis) -> Block:
    """The MX records as measured; without a measurement they are missing."""
    known = basis.audit.facts.dns.domains if basis.audit else ()
    found = {domain.domain: domain.mx.records for domain in known}
    missing = say("MX records, by an audit")
    rows = tuple(
        (codes([domain]), or_missing(codes(found.get(domain, ())), missing, *AUDIT))
        for domain in basis.dossier.domains
    )
    return Table((say("Mail domain"), say("MX records")), rows, (40, 60))


def _warnings(texts: Iterable[Text]) -> list[Block]:
    return [Paragraph(text, "warning") for text in texts]


def _gateways(basis: Basis, way: Literal["receiving", "sending"], what: Text) -> Block:
    gateways: tuple[Gateway, ...] = getattr(basis.dossier.gateways, way)
    if not gateways:
        return gap_at(what, ("gateways", way))
    address = say("address as seen from the Internet")
    rows = tuple(
        (
            codes([gateway.host]),
            or_missing(
                _addresses(basis, gateway), address, "gateways", way, gateway.host, "addresses"
            ),
            codes([str(gateway.port)]),
        )
        for gateway in gateways
    )
    return Table((say("Gateway"), say("Addresses"), say("Port")), rows, (45, 40, 15))


def _addresses(basis: Basis, gateway: Gateway) -> Cell:
    """The addresses declared, else those that the DNS gave, with the day."""
    if gateway.addresses or basis.audit is None:
        return codes(gateway.addresses)
    found = measured_addresses(gateway.host, basis.audit.facts)
    day = say("measured on {day}", day=basis.audit.facts.measured_at)
    return (*codes(sorted(found)), day) if found else ()


def _sending(basis: Basis) -> Section:
    table = _gateways(basis, "sending", say("sending gateways and their addresses"))
    blocks = [table, *_warnings(sending_differences(basis)), *_inner_hop(basis)]
    return Section(say("Sending: from the organisation to IncaMail"), tuple(blocks))


def _inner_hop(basis: Basis) -> tuple[Block, ...]:
    """Whether the way between mail server and gateway is encrypted, and how that is known."""
    gateway = basis.dossier.components.get("mail_gateway")
    if gateway is not None and gateway.present is False:
        return ()
    said, found = basis.dossier.inner_hop, basis.audit.findings if basis.audit else ()
    seen = next((f for f in found if f.code == INNER_HOP), None)
    cell: tuple[Inline, ...] = ()
    if seen is not None and basis.audit and seen.outcome is Outcome.PASSED:
        day = basis.audit.facts.measured_at
        cell = (say("encrypted, by the Received lines of messages handed in ({day})", day=day),)
    elif seen is not None and seen.outcome is Outcome.FAILED:
        cell = (Mark("bad", say("not encrypted well enough: {seen}", seen=seen.seen)),)
    if said is not None:
        cell += (say("encrypted, confirmed by {name} on {day}", name=said.by, day=said.on),)
    what = say("proof that it is encrypted: a Received line, or who confirms it and when")
    name = say("Way between mail server and gateway")
    return (pairs((name, or_missing(cell, what, "inner_hop"))),)


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
    if "routing.method" not in basis.dossier.undecided:
        blocks: tuple[Block, ...] = (
            pairs(*rows),
            *(Paragraph(alert, "warning") for alert in alerts(basis, "6.3")),
        )
        return Section(say("Routing rules"), blocks)
    # The model fills in the usual rules; nobody has said yet that they are the client's.
    doubt = gap_at(
        say("confirmation of these usual rules by the organisation"), ("routing", "method")
    )
    return Section(say("Routing rules"), (doubt, pairs(*rows)))


def _next_hop(basis: Basis) -> Cell:
    routing = basis.dossier.routing
    if routing.next_hop is NextHopKind.MX:
        return ()
    if routing.next_hop is NextHopKind.SMART_HOST and not routing.value:
        return codes([basis.platform.smart_host.value])
    value = codes([routing.value] if routing.value else [])
    return or_missing(value, say("next hop"), "routing", "value")


def _platform(basis: Basis) -> Section:
    """What the organisation builds on, for Post to confirm or to correct."""
    known = basis.platform
    lead = Paragraph(
        say("The organisation goes by these facts. Please confirm them, or correct them here.")
    )
    rows = (
        _fact(say("Host for outgoing mail"), known.smart_host, "smart_host"),
        *(
            _row(say("Gateway"), codes([g.host, *g.addresses]), word(g.certainty), g.source)
            for g in known.gateways
        ),
        _fact(say("Organisation in the certificate"), known.organisations, "organisations"),
        _fact(say("Issuer of the certificate"), known.issuers, "issuers"),
        _fact(say("Names in the certificate"), known.names, "names"),
        _fact(
            say("SHA-1 fingerprint of the certificate"),
            known.fingerprints_sha1,
            "fingerprints_sha1",
        ),
        _fact(say("SHA-256 of the public key"), known.spki_sha256, "spki_sha256"),
        _fact(say("Largest message, in MB"), known.message_limit_mb, "message_limit_mb"),
    )
    headings = (say("Fact"), say("Value"), say("How certain"), say("Source"))
    return Section(
        say("Facts about IncaMail to be confirmed"), (lead, Table(headings, rows, (24, 28, 18, 30)))
    )


def _fact(
    name: Text, fact: Sourced[str] | Sourced[int] | Sourced[tuple[str, ...]], key: str
) -> tuple[Cell, ...]:
    value = fact.value
    cell: tuple[Inline, ...]
    match value:
        case str():
            cell = codes([value])
        case int():
            cell = (number(value),)
        case tuple():
            cell = or_missing(codes(value), say("to be given by Swiss Post"), "platform", key)
    return _row(name, cell, word(fact.certainty), fact.source)


def _row(name: Text, value: Cell, certainty: Text, stated: str) -> tuple[Cell, ...]:
    return (name,), value, (certainty,), (known_from(stated),)
