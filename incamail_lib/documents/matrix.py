"""The network matrix (guide 6.4): every pair of a client's MTA and a gateway of IncaMail."""

from __future__ import annotations

import csv
import io
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from incamail_lib.documents.filling import gap_at, to_fill
from incamail_lib.documents.parts import Basis, document, known_from, or_missing
from incamail_lib.dossier.agreed import Direction
from incamail_lib.dossier.model import Gateway
from incamail_lib.dossier.words import term
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Language, Text, say
from incamail_lib.report.words import word
from incamail_lib.sheets.cleaning import spreadsheet_cell
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Code,
    Document,
    Listing,
    Paragraph,
    Section,
    Table,
)
from incamail_lib.sheets.telling import told


@dataclass(frozen=True)
class Side:
    """One end of a connection; `address` is empty where none is known, `field` what fills it."""

    host: str
    address: str
    port: int
    known_from: Text
    certainty: Certainty
    field: tuple[str, ...] = ("platform", "gateways")


@dataclass(frozen=True)
class Pair:
    """One connection that firewalls must let through, over TCP to the target's port."""

    direction: Direction
    source: Side
    target: Side


@dataclass(frozen=True)
class _Sides:
    """All ends of one dossier."""

    platform: tuple[Side, ...]
    sending: tuple[Side, ...]
    receiving: tuple[Side, ...]


def network_matrix(basis: Basis) -> Document:
    """The matrix in both directions, and what must be known before rules are written."""
    sides = _sides(basis)
    found = _all_pairs(sides)
    outgoing = _direction(Direction.OUTGOING, sides.sending, found)
    incoming = _direction(Direction.INCOMING, sides.receiving, found)
    title, web = say("Network matrix"), _browsers(web_pairs(basis))
    return document(basis, "network_matrix", title, outgoing, incoming, web, _notes())


def network_pairs(basis: Basis) -> tuple[Pair, ...]:
    """Every pair in both directions; none for a direction whose gateways nobody has named."""
    return _all_pairs(_sides(basis))


def web_pairs(basis: Basis) -> tuple[Pair, ...]:
    """From the users' browsers to where SAFE messages are opened (guide 8.2); hosts only.

    Web servers stand behind addresses that change: rules are to go by name, through a proxy.
    """
    known = basis.platform.web_hosts
    if known is None:
        return ()
    browsers = Side("", "", 0, say("users who open SAFE messages"), Certainty.PRIMARY)
    return tuple(
        Pair(
            Direction.OUTGOING,
            browsers,
            Side(host, "", 443, known_from(known.source), known.certainty),
        )
        for host in known.value
    )


def _sides(basis: Basis) -> _Sides:
    facts = basis.audit.facts if basis.audit else None
    return _Sides(
        _platform_sides(basis, facts),
        _client_sides(basis.dossier.gateways.sending, "sending", facts),
        _receiving_sides(basis, facts),
    )


def _all_pairs(sides: _Sides) -> tuple[Pair, ...]:
    outgoing = _paired(Direction.OUTGOING, sides.sending, sides.platform)
    return outgoing + _paired(Direction.INCOMING, sides.platform, sides.receiving)


def _platform_sides(basis: Basis, facts: AuditFacts | None) -> tuple[Side, ...]:
    """The gateways of the platform's file, and addresses that only the DNS gave."""
    hosts = facts.dns.platform_hosts if facts else ()
    measured = [side for host in hosts for side in _measured(host, 25, facts)]
    stated = [
        Side(g.host, address, g.port, known_from(g.source), g.certainty)
        for g in basis.platform.gateways
        for address in g.addresses
    ]
    known = {side.address for side in stated}
    sides = stated + [side for side in measured if side.address not in known]
    named = {side.host for side in sides}
    unknown = [
        Side(g.host, "", g.port, known_from(g.source), g.certainty)
        for g in basis.platform.gateways
        if g.host not in named
    ]
    return tuple(sides + unknown)


def _client_sides(
    gateways: Iterable[Gateway], way: str, facts: AuditFacts | None
) -> tuple[Side, ...]:
    return tuple(side for gateway in gateways for side in _client_side(gateway, way, facts))


def _client_side(gateway: Gateway, way: str, facts: AuditFacts | None) -> tuple[Side, ...]:
    """Declared addresses first, then what the DNS gave, else none."""
    if gateway.addresses:
        said = say("given by the organisation")
        sure = Certainty.PRIMARY
        return tuple(Side(gateway.host, a, gateway.port, said, sure) for a in gateway.addresses)
    measured = _measured_host(gateway.host, gateway.port, facts)
    field = ("gateways", way, gateway.host, "addresses")
    doubt = Certainty.UNCONFIRMED
    unknown = Side(gateway.host, "", gateway.port, say("not known yet"), doubt, field)
    return measured or (unknown,)


def _measured_host(host: str, port: int, facts: AuditFacts | None) -> tuple[Side, ...]:
    if facts is None:
        return ()
    exchangers = (mx.host for domain in facts.dns.domains for mx in domain.exchangers)
    found = next((h for h in (*facts.dns.hosts, *exchangers) if h.host == host), None)
    return _measured(found, port, facts) if found else ()


def _measured(host: HostFacts, port: int, facts: AuditFacts | None) -> tuple[Side, ...]:
    if facts is None:
        return ()
    said = say("DNS answer of {date}", date=facts.measured_at)
    records = (*host.a.records, *host.aaaa.records)
    return tuple(Side(host.host, a, port, said, Certainty.PRIMARY) for a in records)


def _receiving_sides(basis: Basis, facts: AuditFacts | None) -> tuple[Side, ...]:
    """The declared gateways; else the fixed one, else whatever the MX says."""
    declared = basis.dossier.gateways.receiving
    if declared:
        return _client_sides(declared, "receiving", facts)
    incoming = basis.dossier.incoming
    if incoming.route is not NextHopKind.MX and incoming.value:
        return _fixed_side(incoming.value, facts)
    if incoming.route is not NextHopKind.MX or facts is None:
        return ()
    hosts = {mx.host.host: mx.host for domain in facts.dns.domains for mx in domain.exchangers}
    return tuple(side for host in hosts.values() for side in _measured(host, 25, facts))


def _fixed_side(value: str, facts: AuditFacts | None) -> tuple[Side, ...]:
    said = say("given by the organisation")
    try:
        address = str(ipaddress.ip_address(value.strip("[] ")))
    except ValueError:
        unknown = Side(value, "", 25, said, Certainty.UNCONFIRMED, ("incoming", "value"))
        return _measured_host(value.lower().rstrip("."), 25, facts) or (unknown,)
    return (Side(address, address, 25, said, Certainty.PRIMARY),)


def _paired(
    direction: Direction, sources: tuple[Side, ...], targets: tuple[Side, ...]
) -> tuple[Pair, ...]:
    pairs = (Pair(direction, s, t) for s, t in product(sources, targets) if _fit(s, t))
    return tuple({_ends(pair): pair for pair in pairs}.values())


def _ends(pair: Pair) -> tuple[str, ...]:
    return pair.source.host, pair.source.address, pair.target.host, pair.target.address


def _fit(source: Side, target: Side) -> bool:
    """IPv4 does not talk to IPv6; an unknown address may turn out to be of either kind."""
    if not source.address or not target.address:
        return True
    return _version(source.address) == _version(target.address)


def _version(address: str) -> int:
    return ipaddress.ip_address(address).version


def _direction(direction: Direction, ours: tuple[Side, ...], found: tuple[Pair, ...]) -> Section:
    titles = {
        Direction.OUTGOING: say("Sending: from the organisation to IncaMail"),
        Direction.INCOMING: say("Receiving: from IncaMail to the organisation"),
    }
    pairs = tuple(pair for pair in found if pair.direction is direction)
    if not pairs:
        missing = say("gateways of the organisation in this direction, with addresses")
        way = "sending" if direction is Direction.OUTGOING else "receiving"
        return Section(titles[direction], (gap_at(missing, ("gateways", way)),))
    headings = (say("From"), say("To"), say("Port"), say("Known from"))
    table = Table(headings, tuple(_row(pair) for pair in pairs), (29, 29, 10, 32))
    return Section(titles[direction], (table, *_alone(ours, pairs)))


def _browsers(found: tuple[Pair, ...]) -> Section:
    title = say("Browsers: from the users to IncaMail")
    if not found:
        return Section(
            title, (gap_at(say("host names of IncaMail for browsers"), ("platform", "web_hosts")),)
        )
    headings = (say("From"), say("To"), say("Port"), say("Known from"))
    rows = tuple(
        (
            (say("browsers of the users"),),
            (Code(pair.target.host),),
            (Code(f"TCP {pair.target.port}"),),
            (_known(pair.target),),
        )
        for pair in found
    )
    lead = Paragraph(
        say(
            "«Open» in a registered mail, and the personal journal, go over HTTPS to IncaMail "
            "(guide 8.2). Let them through by name, at the proxy or the firewall."
        )
    )
    return Section(title, (lead, Table(headings, rows, (29, 29, 10, 32))))


def _alone(ours: tuple[Side, ...], pairs: tuple[Pair, ...]) -> tuple[Block, ...]:
    """Addresses of ours that no known address of IncaMail can talk to."""
    paired = {side.address for pair in pairs for side in (pair.source, pair.target)}
    return tuple(
        gap_at(say("address of IncaMail that talks to {address}", address=side.address), side.field)
        for side in ours
        if side.address not in paired
    )


def _row(pair: Pair) -> tuple[Cell, ...]:
    port: Cell = (Code(f"TCP {pair.target.port}"),)
    return _end(pair.source), _end(pair.target), port, (_known(pair.source), _known(pair.target))


def _end(side: Side) -> Cell:
    address: Cell = (Code(side.address),) if side.address else ()
    host: Cell = (Code(side.host),) if side.host != side.address else ()
    return (*host, *or_missing(address, say("address as seen from the Internet"), *side.field))


def _known(side: Side) -> Text:
    return say(
        "{host}: {source} ({certainty})",
        host=side.host,
        source=side.known_from,
        certainty=word(side.certainty),
    )


def _notes() -> Section:
    points = (
        say("SMTP with STARTTLS on TCP port 25; connections are opened by the side under «From»."),
        say(
            "Addresses are those seen from the Internet. Behind address translation enter the "
            "translated address here and the inner one in your own rules."
        ),
        say(
            "Addresses of IncaMail may change. Have every address confirmed by Swiss Post before "
            "rules go live, above all those that are unconfirmed."
        ),
        say(
            "No device on the way may take STARTTLS out of the dialogue. On a Cisco ASA, SMTP "
            "inspection must allow TLS (allow-tls)."
        ),
        say("Other services between these machines can stay closed."),
    )
    return Section(say("Before rules are written"), (Listing(points),))


def network_csv(found: Iterable[Pair], language: Language) -> str:
    """The matrix as a table for spreadsheets: a line for each pair, no cell a formula."""
    headings = (
        say("Direction"),
        *(say("From: host"), say("From: address")),
        *(say("To: host"), say("To: address")),
        *(say("Protocol"), say("Port")),
        *(say("From: known from"), say("From: how certain")),
        *(say("To: known from"), say("To: how certain")),
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(spreadsheet_cell(told(heading, language)) for heading in headings)
    for pair in found:
        writer.writerow(spreadsheet_cell(value) for value in _csv_row(pair, language))
    return out.getvalue()


def _csv_row(pair: Pair, language: Language) -> tuple[str, ...]:
    if pair.source.host:
        ends = (*_csv_end(pair.source, language), *_csv_end(pair.target, language))
    else:  # the addresses of browsers and web servers are not asked for: they change
        ends = (told(say("browsers of the users"), language), "", pair.target.host, "")
    origins = tuple(
        told(text, language)
        for side in (pair.source, pair.target)
        for text in (side.known_from, word(side.certainty))
    )
    direction = told(term(pair.direction), language)
    return direction, *ends, "TCP", str(pair.target.port), *origins


def _csv_end(side: Side, language: Language) -> tuple[str, str]:
    missing = to_fill(say("address as seen from the Internet"), side.field)
    return side.host, side.address or told(missing, language)
