"""One question to the DNS and its answer as a fact; every way to fail stays a fact of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.names import ascii_name
from incamail_lib.printable import printable

MAX_RECORDS = 50
_GATE: ContextVar[AbstractAsyncContextManager[None]] = ContextVar("gate")
_OPEN: AbstractAsyncContextManager[None] = nullcontext()
MAX_TEXT = 4000  # a whole key in hexadecimal, or a long SPF record, must stay whole


def resolver_for(
    nameservers: Sequence[tuple[str, int]], timeout_s: float
) -> dns.asyncresolver.Resolver:
    """A resolver that asks exactly these servers (address, port)."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in nameservers]
    return _polite(resolver, timeout_s)


def system_resolver(timeout_s: float) -> dns.asyncresolver.Resolver:
    """The resolver this machine is set up with; without one, nothing can be asked."""
    try:
        resolver = dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
    return _polite(resolver, timeout_s)


def _polite(resolver: dns.asyncresolver.Resolver, timeout_s: float) -> dns.asyncresolver.Resolver:
    resolver.timeout = timeout_s / 2  # so that one retry fits
    resolver.lifetime = timeout_s
    resolver.search = []
    resolver.retry_servfail = False
    resolver.use_edns(0, dns.flags.DO, 1232)
    # AD in the question asks for it in the answer (RFC 6840 §5.7).
    resolver.flags = dns.flags.RD | dns.flags.AD
    return resolver


def ask_at_most(questions: int) -> None:
    """Let what this task and those that it begins ask wait, so that not more is open at once.

    A name server that is asked a thousand things in one moment loses some of them.
    """
    _GATE.set(asyncio.Semaphore(questions))


async def look_up(name: str, kind: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """One question. Never raises for what a name server does, nor for a name that is none."""
    asked = _as_asked(name)
    if asked is None:
        return DnsAnswer(name=printable(name, 260), type=kind, status=DnsStatus.BAD_NAME)
    async with _GATE.get(_OPEN):  # waiting here is not the name server's time
        return await _asked(name, kind, asked, resolver)


async def _asked(
    name: str, kind: str, asked: dns.name.Name, resolver: dns.asyncresolver.Resolver
) -> DnsAnswer:
    begun = time.perf_counter()
    try:
        # The resolver looks at its own limit between two tries only.
        async with asyncio.timeout(resolver.lifetime):
            answer = await resolver.resolve(asked, kind, search=False, raise_on_no_answer=False)
    except TimeoutError:
        took_s = round(time.perf_counter() - begun, 6)
        return DnsAnswer(
            name=name,
            type=kind,
            status=DnsStatus.TIMEOUT,
            elapsed_s=took_s,
            detail=f"no answer within {resolver.lifetime:g} s",
        )
    except dns.exception.DNSException as error:
        return _failed(name, kind, error, time.perf_counter() - begun)
    return _answered(name, kind, answer, time.perf_counter() - begun)


def _as_asked(name: str) -> dns.name.Name | None:
    """The name as it is asked; None for one that the DNS cannot hold."""
    text = ascii_name(name)
    if not text or len(text) > 255:
        return None
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError):
        return None


def _failed(name: str, kind: str, error: dns.exception.DNSException, elapsed_s: float) -> DnsAnswer:
    status, detail = DnsStatus.LAME, printable(str(error))
    authenticated = None
    if isinstance(error, dns.resolver.NXDOMAIN):
        status = DnsStatus.NXDOMAIN
        responses = error.kwargs.get("responses", {}).values()
        authenticated = any(bool(r.flags & dns.flags.AD) for r in responses)
    elif isinstance(error, dns.exception.Timeout | dns.resolver.NoNameservers):
        status = _status_of(error)
    return DnsAnswer(
        name=name,
        type=kind,
        status=status,
        authenticated=authenticated,
        elapsed_s=round(elapsed_s, 6),
        detail=detail,
    )


def _status_of(error: dns.exception.DNSException) -> DnsStatus:
    """Why no server gave a usable answer: what the servers said, else that they kept silent."""
    said = error.kwargs.get("errors", []) or []
    codes = {dns.rcode.to_text(e[4].rcode()) for e in said if len(e) > 4 and e[4] is not None}
    if "SERVFAIL" in codes:
        return DnsStatus.SERVFAIL
    if "REFUSED" in codes:
        return DnsStatus.REFUSED
    silent = isinstance(error, dns.exception.Timeout)
    return DnsStatus.TIMEOUT if silent or (not codes and _timed_out(said)) else DnsStatus.LAME


def _timed_out(said: Sequence[Sequence[object]]) -> bool:
    return any(len(e) > 3 and "timed out" in str(e[3]).lower() for e in said)


def _answered(name: str, kind: str, answer: dns.resolver.Answer, elapsed_s: float) -> DnsAnswer:
    response = answer.response
    found = [printable(r.to_text(), MAX_TEXT) for r in answer.rrset or ()]
    records = _sorted(kind, found)[:MAX_RECORDS]
    canonical = answer.canonical_name.to_text(omit_final_dot=True)
    asked = answer.qname.to_text(omit_final_dot=True)
    return DnsAnswer(
        name=name,
        type=kind,
        status=_found_or_not(records, response, answer.canonical_name),
        records=tuple(records),
        left_out=len(found) - len(records),
        canonical_name="" if canonical == asked else printable(canonical, 260),
        ttl_s=answer.rrset.ttl if answer.rrset is not None else None,
        authenticated=bool(response.flags & dns.flags.AD),
        elapsed_s=round(elapsed_s, 6),
    )


def _found_or_not(
    records: Sequence[str], response: dns.message.Message, canonical: dns.name.Name
) -> DnsStatus:
    """NODATA comes with an SOA or from an authority; anything else empty is a lame answer.

    An authority is one for the first name only (RFC 1035 §4.1.1): an alias that leads out of its
    zones, sent without an SOA of the target's zone, tells nothing of the target.
    """
    if records:
        return DnsStatus.FOUND
    zones = [s.name for s in response.authority if s.rdtype == dns.rdatatype.SOA]
    authoritative = bool(response.flags & dns.flags.AA)
    if response.answer:
        told = any(canonical.is_subdomain(zone) for zone in zones)
        recursive = bool(response.flags & dns.flags.RA) and not authoritative
        return DnsStatus.NO_DATA if told or recursive else DnsStatus.LAME
    return DnsStatus.NO_DATA if zones or authoritative else DnsStatus.LAME


def _sorted(kind: str, records: Sequence[str]) -> list[str]:
    """What matters most stands first, since long lists are cut: MX by preference, then SPF."""
    if kind == "MX":
        return sorted(records, key=lambda text: (preference(text), text))
    return sorted(
        records,
        key=lambda text: (
            not text.lower().startswith('"v=spf1'),
            not text.lower().startswith(('"v=', '"v =')),
            text,
        ),
    )


def preference(text: str) -> int:
    first = text.split(" ", 1)[0]
    return int(first) if first.isdigit() else 0


async def look_up_mx(name: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """The MX records of a name, by preference."""
    return await look_up(name, "MX", resolver=resolver)
