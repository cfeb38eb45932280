"""Hosts and addresses as facts: addresses, alias, TLSA, CAA, and the way back from an address."""

from __future__ import annotations

import asyncio
import ipaddress

import dns.asyncresolver
import dns.reversename

from incamail_lib.facts.dns import AddressFacts, DnsAnswer, DnsStatus, HostFacts
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.lookup.resolving import look_up

MAX_ADDRESSES = 16
MAX_REVERSE_NAMES = 10


async def look_up_host(
    host: str,
    *,
    resolver: dns.asyncresolver.Resolver,
    port: int = 25,
    climb: CaaClimb | None = None,
) -> HostFacts:
    """Addresses, alias, TLSA (at the port), CAA and reverse names of one host.

    An address literal in place of a name is no name (RFC 5321 §5.1) and is not looked up.
    """
    if _is_literal(host):
        blank = {kind: _not_asked(host, kind) for kind in ("A", "AAAA", "TLSA")}
        return HostFacts(
            host=host, is_ip_literal=True, a=blank["A"], aaaa=blank["AAAA"], tlsa=blank["TLSA"]
        )
    a, aaaa, tlsa, caa = await asyncio.gather(
        look_up(host, "A", resolver=resolver),
        look_up(host, "AAAA", resolver=resolver),
        look_up(f"_{port}._tcp.{host}", "TLSA", resolver=resolver),
        (climb or CaaClimb(resolver)).governing(host),
    )
    found = [*a.records, *aaaa.records][:MAX_ADDRESSES]
    addresses = await asyncio.gather(*(look_up_address(x, resolver=resolver) for x in found))
    return HostFacts(host=host, a=a, aaaa=aaaa, tlsa=tlsa, addresses=tuple(addresses), caa=caa)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _not_asked(name: str, kind: str) -> DnsAnswer:
    return DnsAnswer(name=name, type=kind, status=DnsStatus.NOT_ASKED)


async def look_up_address(address: str, *, resolver: dns.asyncresolver.Resolver) -> AddressFacts:
    """The reverse name of an address, and whether one leads back to it."""
    reverse = dns.reversename.from_address(address).to_text(omit_final_dot=True)
    ptr = await look_up(reverse, "PTR", resolver=resolver)
    confirmed = await _forward_confirmed(address, ptr, resolver)
    return AddressFacts(address=address, ptr=ptr, forward_confirmed=confirmed)


async def _forward_confirmed(
    address: str, ptr: DnsAnswer, resolver: dns.asyncresolver.Resolver
) -> Observation:
    if ptr.is_failure:
        return inconclusive(Reason.DNS_FAILURE, ptr.detail)
    kind = "AAAA" if ":" in address else "A"
    names = [record.rstrip(".") for record in ptr.records[:MAX_REVERSE_NAMES]]
    answers = await asyncio.gather(*(look_up(n, kind, resolver=resolver) for n in names))
    wanted = ipaddress.ip_address(address)
    for answer in answers:
        if any(ipaddress.ip_address(record) == wanted for record in answer.records):
            return yes(Reason.SEEN, answer.name)
    if any(answer.is_failure for answer in answers):
        return inconclusive(Reason.DNS_FAILURE, ", ".join(names))
    if ptr.is_cut or len(ptr.records) > len(names):
        return inconclusive(Reason.TOO_MUCH_DATA, ", ".join(names))
    return no(Reason.NOT_SEEN, ", ".join(names))


class CaaClimb:
    """Finds the CAA records that govern names; each name on the way is asked once."""

    def __init__(self, resolver: dns.asyncresolver.Resolver) -> None:
        self._resolver = resolver
        self._asked: dict[str, asyncio.Task[DnsAnswer]] = {}

    async def governing(self, name: str) -> DnsAnswer:
        """The records of `name`, else of the nearest name above (RFC 8659 §3)."""
        answer = await self._ask(name)
        while answer.is_absent and "." in name:
            name = name.partition(".")[2]
            answer = await self._ask(name)
        return answer

    async def _ask(self, name: str) -> DnsAnswer:
        if name not in self._asked:
            question = look_up(name, "CAA", resolver=self._resolver)
            self._asked[name] = asyncio.ensure_future(question)
        return await self._asked[name]


async def look_up_caa(domain: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """The CAA records that govern `domain`."""
    return await CaaClimb(resolver).governing(domain)
