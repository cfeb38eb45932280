"""Where the measuring machine stands: its own addresses, and whether port 25 is open to it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import psutil

from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import EndpointFacts, Side
from incamail_lib.reach import AddressKind, kind_of

MAX_ADDRESSES = 16
PORT = 25
_NOT_TOLD = frozenset({AddressKind.LOOPBACK, AddressKind.LINK_LOCAL})  # every machine has them


def own_addresses() -> tuple[str, ...]:
    """This machine's addresses with their networks, e.g. "192.0.2.7/24"; nothing is sent.

    None where the system does not tell them: they are a help to the reader, not evidence.
    """
    try:
        cards = psutil.net_if_addrs()
    except OSError:
        return ()
    found = [
        _with_prefix(entry.address, entry.netmask)
        for entries in cards.values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    ]
    told = [text for text in found if kind_of(text.partition("/")[0]) not in _NOT_TOLD]
    return tuple(sorted(dict.fromkeys(told)))[:MAX_ADDRESSES]


def _with_prefix(address: str, netmask: str | None) -> str:
    plain = address.partition("%")[0]  # a zone holds on this machine only
    if not netmask:
        return plain
    bits = int(ipaddress.ip_address(netmask)).bit_count()
    return f"{plain}/{bits}"


def port_25(endpoints: Iterable[EndpointFacts], dns: DnsFacts) -> Observation | None:
    """Whether this machine may use port 25, by what the audit met; None where it tried nothing.

    A block near by and a silent peer look alike. Only when machines of both parties, the client's
    and IncaMail's, take no connection at all while the DNS answers, the cause lies near by.
    """
    tried = [e for e in endpoints if _is_remote(e)]
    if not tried:
        return None
    answered = next((e for e in tried if e.survey.reached is not None), None)
    if answered is not None:
        return yes(Reason.SEEN, answered.target.label)
    machines = str(len({e.target.address for e in tried}))
    both = {e.target.role is Side.PLATFORM for e in tried} == {True, False}
    if both and any(d.mx.records for d in dns.domains):
        return no(Reason.NOT_SEEN, machines)
    return inconclusive(tried[0].survey.ended, machines)


def _is_remote(endpoint: EndpointFacts) -> bool:
    """Whether it was tried, on the port in question, on a way that leaves the network."""
    target = endpoint.target
    tried = endpoint.survey.ended not in (Reason.NOT_CONTACTED, Reason.OPTED_OUT)
    return tried and target.port == PORT and kind_of(target.address) is AddressKind.PUBLIC
