"""Which addresses may be contacted: public ones, and what the operator himself named.

A name in the DNS is somebody else's word. Where it leads into a private network, to this very
machine or to an address that no mail server can have, nothing is sent there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from incamail_lib.names import ascii_name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressKind(StrEnum):
    """What an address is for, by the registries of the IANA (RFC 6890)."""

    PUBLIC = "public"
    PRIVATE = "private"
    SHARED = "shared"  # behind a provider's NAT
    LOOPBACK = "loopback"
    LINK_LOCAL = "link_local"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    UNSPECIFIED = "unspecified"
    MAPPED = "mapped"  # an IPv4 address in IPv6 clothes
    RESERVED = "reserved"


INTERNAL = frozenset({AddressKind.PRIVATE, AddressKind.SHARED})
"""What a network's own name server may rightly answer; all others but PUBLIC are never right."""

# The registries themselves, not `ipaddress.is_global`: its answers changed between the Python
# versions that we run on. Of nested blocks the longer prefix stands first.
_BLOCKS: tuple[tuple[str, AddressKind], ...] = (
    # https://www.iana.org/assignments/iana-ipv4-special-registry
    ("0.0.0.0/8", AddressKind.UNSPECIFIED),  # RFC 791 §3.2
    ("10.0.0.0/8", AddressKind.PRIVATE),  # RFC 1918
    ("100.64.0.0/10", AddressKind.SHARED),  # RFC 6598
    ("127.0.0.0/8", AddressKind.LOOPBACK),  # RFC 1122 §3.2.1.3
    ("169.254.0.0/16", AddressKind.LINK_LOCAL),  # RFC 3927
    ("172.16.0.0/12", AddressKind.PRIVATE),  # RFC 1918
    ("192.0.0.0/24", AddressKind.RESERVED),  # RFC 6890 §2.1
    ("192.0.2.0/24", AddressKind.RESERVED),  # RFC 5737
    ("192.88.99.0/24", AddressKind.RESERVED),  # RFC 7526
    ("192.168.0.0/16", AddressKind.PRIVATE),  # RFC 1918
    ("198.18.0.0/15", AddressKind.RESERVED),  # RFC 2544
    ("198.51.100.0/24", AddressKind.RESERVED),  # RFC 5737
    ("203.0.113.0/24", AddressKind.RESERVED),  # RFC 5737
    ("224.0.0.0/4", AddressKind.MULTICAST),  # RFC 1112
    ("255.255.255.255/32", AddressKind.BROADCAST),  # RFC 919
    ("240.0.0.0/4", AddressKind.RESERVED),  # RFC 1112 §4
    # https://www.iana.org/assignments/iana-ipv6-special-registry
    ("::/128", AddressKind.UNSPECIFIED),  # RFC 4291 §2.5.2
    ("::1/128", AddressKind.LOOPBACK),  # RFC 4291 §2.5.3
    ("::ffff:0:0/96", AddressKind.MAPPED),  # RFC 4291 §2.5.5.2
    ("64:ff9b:1::/48", AddressKind.PRIVATE),  # RFC 8215: a NAT64 of one's own
    ("2001::/23", AddressKind.RESERVED),  # RFC 2928, with Teredo and ORCHID
    ("2001:db8::/32", AddressKind.RESERVED),  # RFC 3849
    ("3fff::/20", AddressKind.RESERVED),  # RFC 9637
    ("fc00::/7", AddressKind.PRIVATE),  # RFC 4193
    ("fe80::/10", AddressKind.LINK_LOCAL),  # RFC 4291 §2.5.6
    ("fec0::/10", AddressKind.PRIVATE),  # RFC 3879: withdrawn, still found
    ("ff00::/8", AddressKind.MULTICAST),  # RFC 4291 §2.7
)
_TABLE = tuple((ipaddress.ip_network(block), kind) for block, kind in _BLOCKS)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 §2.4, IANA: nothing else is given
_HERE = tuple(block for block, kind in _TABLE if kind is AddressKind.LOOPBACK)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1: the last 32 bits are an address
_6TO4 = ipaddress.IPv6Network("2002::/16")  # RFC 3056 §2: the 32 bits after the prefix


def kind_of(address: str) -> AddressKind:
    """The kind of an IPv4 or IPv6 literal; an IPv6 address that holds one of IPv4 is of its kind.

    Errors: ValueError for what is no address.
    """
    found = ipaddress.ip_address(address)
    inner = _embedded(found)
    if inner is not None:
        return kind_of(str(inner))
    known = (kind for block, kind in _TABLE if found in block)
    kind = next(known, AddressKind.PUBLIC)
    if kind is AddressKind.PUBLIC and found.version == 6 and found not in _GLOBAL_UNICAST:
        return AddressKind.RESERVED
    return kind


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return None


@dataclass(frozen=True)
class Reach:
    """What may be contacted in one audit.

    `networks` are the operator's own, so that names may lead there. `only_here` is the lab's
    promise: nothing but this computer, whatever else is allowed.
    """

    networks: tuple[Network, ...] = ()
    only_here: bool = False

    def allows(self, address: str, *, written: bool = False) -> bool:
        """Whether `address` may be contacted; `written`: the operator gave the address itself."""
        found = ipaddress.ip_address(address)
        if self.only_here:
            return any(found in network for network in _HERE)
        if written or kind_of(address) is AddressKind.PUBLIC:
            return True
        return any(found in network for network in self.networks)


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks or single addresses, e.g. "10.1.0.0/16" or "fd00::25". Errors: ValueError."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)


@dataclass(frozen=True)
class Spared:
    """Who does not want to be probed: names with all below them, addresses and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Spared:
        """From lines of text: a name, an address or a network each; what follows # is a remark.

        Errors: ValueError with the number of a line that is none of them.
        """
        names: set[str] = set()
        networks: list[Network] = []
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip().lower().rstrip(".")
            if not text:
                continue
            try:
                networks += networks_of([text])
            except ValueError:
                name = ascii_name(text.removeprefix("*."))
                if not name or any(c in name for c in "/:@* \t,;"):
                    raise ValueError(number) from None
                names.add(name)
        return cls(frozenset(names), tuple(networks))

    def spares_name(self, name: str) -> bool:
        """Whether a host or domain, or one above it, stands there."""
        labels = name.lower().rstrip(".").split(".")
        return any(".".join(labels[at:]) in self.names for at in range(len(labels)))

    def spares(self, host: str, address: str) -> bool:
        """Whether a host at an address must be let alone."""
        found = ipaddress.ip_address(address)
        return self.spares_name(host) or any(found in network for network in self.networks)


class NotContacted(OSError):
    """Nothing was sent: a name leads only to addresses that must not be contacted."""
