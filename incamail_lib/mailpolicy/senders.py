"""From which public addresses the client sends, as declared or as its host names say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from incamail_lib.facts.audit import DeclaredGateway
from incamail_lib.facts.dns import HostFacts

_INNER = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("fc00::/7", "fe80::/10"),
    )
)


def is_inner(address: str) -> bool:
    """Whether an address is used inside networks only (RFC 1918, 6598, 3927, 4193, 4291)."""
    literal = ipaddress.ip_address(address)
    return any(literal in network for network in _INNER)


def sending_addresses(
    gateways: Iterable[DeclaredGateway], hosts: Mapping[str, HostFacts]
) -> list[tuple[str, str]]:
    """(address, host) of every public address from which a declared gateway sends."""
    pairs = [
        (address, gateway.host)
        for gateway in gateways
        for address in gateway.addresses or published(hosts.get(gateway.host))
    ]
    return list(dict.fromkeys(pair for pair in pairs if not is_inner(pair[0])))


def published(host: HostFacts | None) -> tuple[str, ...]:
    """The addresses that the DNS gives for a host."""
    return (*host.a.records, *host.aaaa.records) if host else ()
