"""Where what an organisation declared of its gateways is not what an audit measured.

Swiss Post sets up the connection from what is declared, so each difference is told where it
stands. What could not be measured differs from nothing.
"""

from __future__ import annotations

import ipaddress

from incamail_lib.documents.parts import Basis
from incamail_lib.dossier.model import Gateway
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.dns import DomainFacts, HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.i18n import Text, say


def receiving_differences(basis: Basis) -> tuple[Text, ...]:
    """Names, addresses and certificates of the receiving gateways that are not as declared."""
    if basis.audit is None:
        return ()
    facts, gateways = basis.audit.facts, basis.dossier.gateways.receiving
    by_mx = basis.dossier.incoming.route is NextHopKind.MX
    return (
        *(_names(basis, facts) if by_mx and gateways else ()),
        *(text for gateway in gateways for text in _addresses(gateway, facts)),
        *_certificates(facts),
    )


def sending_differences(basis: Basis) -> tuple[Text, ...]:
    """Sending gateways whose name leads to none of the addresses declared."""
    if basis.audit is None:
        return ()
    facts, gateways = basis.audit.facts, basis.dossier.gateways.sending
    return tuple(text for gateway in gateways for text in _elsewhere(gateway, facts))


def _names(basis: Basis, facts: AuditFacts) -> tuple[Text, ...]:
    """Declared gateways that no MX record names, and the other way round."""
    known = [domain for domain in facts.dns.domains if _is_whole(domain)]
    declared = dict.fromkeys(g.host for g in basis.dossier.gateways.receiving)
    named = dict.fromkeys(mx.host.host for domain in known for mx in domain.exchangers)
    domains = ", ".join(domain.domain for domain in known)
    unnamed = [host for host in declared if host not in named]
    found = [
        say(
            "{gateway} is declared, but the MX records of {domains} do not name it.",
            gateway=host,
            domains=domains,
        )
        for host in (unnamed if known and len(known) == len(basis.dossier.domains) else ())
    ]
    for host in named:
        if host not in declared:
            naming = [d.domain for d in known if host in (mx.host.host for mx in d.exchangers)]
            found.append(
                say(
                    "The MX records of {domains} name {gateway}, which is not declared.",
                    domains=", ".join(naming),
                    gateway=host,
                )
            )
    return tuple(found)


def _is_whole(domain: DomainFacts) -> bool:
    return bool(domain.mx.records) and not domain.exchangers_left_out and not domain.null_mx


def measured_addresses(host: str, facts: AuditFacts) -> frozenset[str]:
    """The addresses that the DNS gave for a host; none where a look-up failed."""
    exchangers = (mx.host for domain in facts.dns.domains for mx in domain.exchangers)
    found: HostFacts | None = next(
        (h for h in (*facts.dns.hosts, *exchangers) if h.host == host), None
    )
    if found is None or any(a.is_failure or a.is_cut for a in (found.a, found.aaaa)):
        return frozenset()
    return frozenset(_same(a) for a in (*found.a.records, *found.aaaa.records))


def _same(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _addresses(gateway: Gateway, facts: AuditFacts) -> tuple[Text, ...]:
    declared, measured = set(gateway.addresses), measured_addresses(gateway.host, facts)
    if not declared or not measured or declared == measured:
        return ()
    return (_not_the_same(gateway, measured),)


def _elsewhere(gateway: Gateway, facts: AuditFacts) -> tuple[Text, ...]:
    """A gateway may send from an address that its name does not lead to; from none is odd."""
    declared, measured = set(gateway.addresses), measured_addresses(gateway.host, facts)
    if not declared or not measured or declared & measured:
        return ()
    return (_not_the_same(gateway, measured),)


def _not_the_same(gateway: Gateway, measured: frozenset[str]) -> Text:
    return say(
        "{gateway}: declared is {declared}, measured was {measured}.",
        gateway=gateway.host,
        declared=", ".join(gateway.addresses),
        measured=", ".join(sorted(measured)),
    )


def _certificates(facts: AuditFacts) -> tuple[Text, ...]:
    """A gateway that shows another certificate than the declared file, or one of another name."""
    files = [c for c in facts.credentials if c.chain and CredentialUse.RECEIVING in c.uses]
    declared = {c.chain[0].sha256 for c in files if not c.chain[0].problem}
    found = []
    for endpoint in facts.receiving:
        leaf, match, gateway = endpoint.leaf, endpoint.name_match, endpoint.target.label
        shown = {one.sha256 for one in endpoint.others}
        if leaf is None or leaf.problem:
            continue
        if declared and not declared & (shown | {leaf.sha256}):
            names = ", ".join(c.label for c in files)
            found.append(
                say(
                    "{gateway} shows another certificate than the one declared ({file}).",
                    gateway=gateway,
                    file=names,
                )
            )
        if match is not None and not match.matched:
            names = ", ".join(match.presented) or "–"
            found.append(
                say(
                    "{gateway}: the certificate is not valid for {host}; it names {names}.",
                    gateway=gateway,
                    host=match.host,
                    names=names,
                )
            )
    return tuple(found)
