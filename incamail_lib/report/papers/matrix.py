"""The network matrix (guide 6.4): every pair of a client's MTA and a gateway of IncaMail."""

from __future__ import annotations

import csv
import io
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from incamail_lib.dossier.model import Gateway
from incamail_lib.dossier.progress import Direction
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Language, Text, say
from incamail_lib.report.cleaning import spreadsheet_cell
from incamail_lib.report.papers.model import (
    Block,
    Cell,
    Code,
    Document,
    Gap,
    Listing,
    Missing,
    Section,
    Table,
)
from incamail_lib.report.papers.parts import Basis, document, known_from, or_missing
from incamail_lib.report.papers.telling import told
from incamail_lib.report.papers.terms import term
from incamail_lib.report.words import word


@dataclass(frozen=True)
class Side:
    """One end of a connection; `address` is empty where none is known."""

    host: str
    address: str
    port: int
    known_from: Text
    certainty: Certainty


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
    return document(basis, "network_matrix", say("Network matrix"), outgoing, incoming, _notes())


def network_pairs(basis: Basis) -> tuple[Pair, ...]:
    """Every pair in both directions; none for a direction whose gateways nobody has named."""
    return _all_pairs(_sides(basis))


def _sides(basis: Basis) -> _Sides:
    facts = basis.audit.facts if basis.audit else None
    return _Sides(
        _platform_sides(basis, facts),
        _client_sides(basis.dossier.gateways.sending, facts),
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


def _client_sides(gateways: Iterable[Gateway], facts: AuditFacts | None) -> tuple[Side, ...]:
    return tuple(side for gateway in gateways for side in _client_side(gateway, facts))


def _client_side(gateway: Gateway, facts: AuditFacts | None) -> tuple[Side, ...]:
    """Declared addresses first, then what the DNS gave, else none."""
    if gateway.addresses:
        said = say("given by the organisation")
        sure = Certainty.PRIMARY
        return tuple(Side(gateway.host, a, gateway.port, said, sure) for a in gateway.addresses)
    measured = _measured_host(gateway.host, gateway.port, facts)
    unknown = Side(gateway.host, "", gateway.port, say("not known yet"), Certainty.UNCONFIRMED)
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
    # No day in words here: the value goes into tables, CSV and rules alike.
    said = say("DNS answer of {date}", date=facts.measured_at.date().isoformat())
    records = (*host.a.records, *host.aaaa.records)
    return tuple(Side(host.host, a, port, said, Certainty.PRIMARY) for a in records)


def _receiving_sides(basis: Basis, facts: AuditFacts | None) -> tuple[Side, ...]:
    """The declared gateways; else the fixed one, else whatever the MX says."""
    declared = basis.dossier.gateways.receiving
    if declared:
        return _client_sides(declared, facts)
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
        unknown = Side(value, "", 25, said, Certainty.UNCONFIRMED)
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
        return Section(titles[direction], (Gap(missing),))
    headings = (say("From"), say("To"), say("Port"), say("Known from"))
    table = Table(headings, tuple(_row(pair) for pair in pairs), (29, 29, 10, 32))
    return Section(titles[direction], (table, *_alone(ours, pairs)))


def _alone(ours: tuple[Side, ...], pairs: tuple[Pair, ...]) -> tuple[Block, ...]:
    """Addresses of ours that no known address of IncaMail can talk to."""
    paired = {side.address for pair in pairs for side in (pair.source, pair.target)}
    return tuple(
        Gap(say("address of IncaMail that talks to {address}", address=side.address))
        for side in ours
        if side.address not in paired
    )


def _row(pair: Pair) -> tuple[Cell, ...]:
    port: Cell = (Code(f"TCP {pair.target.port}"),)
    return _end(pair.source), _end(pair.target), port, (_known(pair.source), _known(pair.target))


def _end(side: Side) -> Cell:
    address: Cell = (Code(side.address),) if side.address else ()
    host: Cell = (Code(side.host),) if side.host != side.address else ()
    return (*host, *or_missing(address, say("address as seen from the Internet")))


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
    ends = tuple(v for side in (pair.source, pair.target) for v in _csv_end(side, language))
    origins = tuple(
        told(text, language)
        for side in (pair.source, pair.target)
        for text in (side.known_from, word(side.certainty))
    )
    direction = told(term(pair.direction), language)
    return direction, *ends, "TCP", str(pair.target.port), *origins


def _csv_end(side: Side, language: Language) -> tuple[str, str]:
    missing = Missing(say("address as seen from the Internet"))
    return side.host, side.address or told(missing, language)
