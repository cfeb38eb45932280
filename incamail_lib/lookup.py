"""DNS look-ups as facts. The resolver is given; every way to fail stays a fact of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.reversename
import idna

from incamail_lib.facts.dns import (
    AddressFacts,
    DnsAnswer,
    DnsStatus,
    DomainFacts,
    HostFacts,
    MxHost,
    PolicyFetch,
)
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.printable import printable

MAX_EXCHANGERS = 20
MAX_ADDRESSES = 16
MAX_RECORDS = 50
MAX_TEXT, MAX_TLSA_TEXT = 600, 4000  # a whole key or certificate in hexadecimal must stay whole
MAX_POLICY_BYTES = 65_536  # RFC 8461 §3.3 asks for a limit
QUESTION_S = 10.0

PolicyFetcher = Callable[[str], Awaitable[bytes]]
"""Fetches https://mta-sts.<domain>/.well-known/mta-sts.txt; OSError or ValueError on failure."""


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


async def look_up(name: str, kind: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """One question. Never raises for what a name server does, nor for a name that is none."""
    asked = _a_label(name)
    if asked is None:
        return DnsAnswer(name=printable(name, 260), type=kind, status=DnsStatus.BAD_NAME)
    begun = time.perf_counter()
    try:
        # The resolver looks at its own limit between two tries only.
        async with asyncio.timeout(resolver.lifetime):
            answer = await resolver.resolve(asked, kind, search=False, raise_on_no_answer=False)
    except TimeoutError:
        took_s = round(time.perf_counter() - begun, 6)
        return DnsAnswer(name=name, type=kind, status=DnsStatus.TIMEOUT, elapsed_s=took_s)
    except dns.exception.DNSException as error:
        return _failed(name, kind, error, time.perf_counter() - begun)
    return _answered(name, kind, answer, time.perf_counter() - begun)


def _a_label(name: str) -> dns.name.Name | None:
    """The name as it is asked; None for one that the DNS cannot hold."""
    plain = name.strip().rstrip(".")
    if not plain or len(plain) > 255:
        return None
    try:
        text = plain if plain.isascii() else idna.encode(plain, uts46=True).decode()
        return dns.name.from_text(text)
    except (idna.IDNAError, dns.exception.DNSException, UnicodeError):
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
    limit = MAX_TLSA_TEXT if kind == "TLSA" else MAX_TEXT
    found = [printable(r.to_text(), limit) for r in answer.rrset or ()]
    records = _sorted(kind, found)[:MAX_RECORDS]
    canonical = answer.canonical_name.to_text(omit_final_dot=True)
    asked = answer.qname.to_text(omit_final_dot=True)
    return DnsAnswer(
        name=name,
        type=kind,
        status=_found_or_not(records, response),
        records=tuple(records),
        canonical_name="" if canonical == asked else printable(canonical, 260),
        ttl_s=answer.rrset.ttl if answer.rrset is not None else None,
        authenticated=bool(response.flags & dns.flags.AD),
        elapsed_s=round(elapsed_s, 6),
    )


def _found_or_not(records: Sequence[str], response: dns.message.Message) -> DnsStatus:
    """NODATA comes with an SOA or from an authority; anything else empty is a lame answer."""
    if records:
        return DnsStatus.FOUND
    has_soa = any(s.rdtype == dns.rdatatype.SOA for s in response.authority)
    authoritative = bool(response.flags & dns.flags.AA)
    recursive = bool(response.flags & dns.flags.RA) and bool(response.answer)
    return DnsStatus.NO_DATA if has_soa or authoritative or recursive else DnsStatus.LAME


def _sorted(kind: str, records: Sequence[str]) -> list[str]:
    """What matters most stands first, since long lists are cut: MX by preference, then SPF."""
    if kind == "MX":
        return sorted(records, key=lambda text: (_preference(text), text))
    return sorted(records, key=lambda text: (not text.lower().startswith('"v='), text))


def _preference(text: str) -> int:
    first = text.split(" ", 1)[0]
    return int(first) if first.isdigit() else 0


async def look_up_mx(name: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """The MX records of a name, by preference."""
    return await look_up(name, "MX", resolver=resolver)


async def look_up_host(
    host: str, *, resolver: dns.asyncresolver.Resolver, port: int = 25
) -> HostFacts:
    """Addresses, alias, TLSA (at the port) and reverse names of one host.

    An address literal in place of a name is no name (RFC 5321 §5.1) and is not looked up.
    """
    if _is_literal(host):
        blank = {kind: _not_asked(host, kind) for kind in ("A", "AAAA", "TLSA")}
        return HostFacts(
            host=host, is_ip_literal=True, a=blank["A"], aaaa=blank["AAAA"], tlsa=blank["TLSA"]
        )
    a, aaaa, tlsa = await asyncio.gather(
        look_up(host, "A", resolver=resolver),
        look_up(host, "AAAA", resolver=resolver),
        look_up(f"_{port}._tcp.{host}", "TLSA", resolver=resolver),
    )
    found = [*a.records, *aaaa.records][:MAX_ADDRESSES]
    addresses = await asyncio.gather(*(look_up_address(x, resolver=resolver) for x in found))
    return HostFacts(host=host, a=a, aaaa=aaaa, tlsa=tlsa, addresses=tuple(addresses))


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
    names = [record.rstrip(".") for record in ptr.records[:5]]
    answers = await asyncio.gather(*(look_up(n, kind, resolver=resolver) for n in names))
    wanted = ipaddress.ip_address(address)
    for answer in answers:
        if any(ipaddress.ip_address(record) == wanted for record in answer.records):
            return yes(Reason.SEEN, answer.name)
    if any(answer.is_failure for answer in answers):
        return inconclusive(Reason.DNS_FAILURE, ", ".join(names))
    return no(Reason.NOT_SEEN, ", ".join(names))


async def look_up_domain(
    domain: str,
    *,
    resolver: dns.asyncresolver.Resolver,
    ports: Mapping[str, int] | None = None,
    fetch_policy: PolicyFetcher | None = None,
) -> DomainFacts:
    """Everything the DNS says about one mail domain.

    `ports` gives the SMTP port of hosts where it is not 25, for TLSA names. The MTA-STS policy
    is fetched only through `fetch_policy`; without it, no HTTPS connection is ever made.
    """
    mx, txt, dmarc, sts, rpt, caa = await asyncio.gather(
        look_up_mx(domain, resolver=resolver),
        look_up(domain, "TXT", resolver=resolver),
        look_up(f"_dmarc.{domain}", "TXT", resolver=resolver),
        look_up(f"_mta-sts.{domain}", "TXT", resolver=resolver),
        look_up(f"_smtp._tls.{domain}", "TXT", resolver=resolver),
        look_up_caa(domain, resolver=resolver),
    )
    null_mx, implicit = _is_null(mx), mx.status is DnsStatus.NO_DATA
    hosts = [(0, domain)] if implicit else [] if null_mx else _exchangers(mx)
    found = await asyncio.gather(
        *(look_up_host(h, resolver=resolver, port=(ports or {}).get(h, 25)) for _, h in hosts)
    )
    sts = _only(sts, "v=STSv1")
    return DomainFacts(
        domain=domain,
        mx=mx,
        null_mx=null_mx,
        implicit_mx=implicit,
        exchangers=tuple(
            MxHost(preference=p, host=h) for (p, _), h in zip(hosts, found, strict=True)
        ),
        spf=_only(txt, "v=spf1"),
        dmarc=_only(dmarc, "v=DMARC1"),
        mta_sts=sts,
        mta_sts_policy=await _policy(domain, sts, fetch_policy),
        tls_rpt=_only(rpt, "v=TLSRPTv1"),
        caa=caa,
    )


def _is_null(mx: DnsAnswer) -> bool:
    """A null MX is the only record and names the root (RFC 7505 §3)."""
    return len(mx.records) == 1 and mx.records[0].split(" ", 1)[-1] == "."


def _exchangers(mx: DnsAnswer) -> list[tuple[int, str]]:
    pairs = [(_preference(r), r.split(" ", 1)[-1].rstrip(".").lower()) for r in mx.records]
    return [pair for pair in dict.fromkeys(pairs) if pair[1]][:MAX_EXCHANGERS]


def _only(answer: DnsAnswer, version: str) -> DnsAnswer:
    """The TXT records of one kind; others are of no interest here. Quoted pieces are joined."""
    texts = [_joined(record) for record in answer.records]
    kept = tuple(t for t in texts if _is_version(t, version))
    if answer.status is DnsStatus.FOUND and not kept:
        return answer.model_copy(update={"records": (), "status": DnsStatus.NO_DATA})
    return answer.model_copy(update={"records": kept})


def _is_version(text: str, version: str) -> bool:
    head = text[: len(version)].lower()
    return head == version.lower() and text[len(version) : len(version) + 1] in ("", " ", ";")


def _joined(record: str) -> str:
    if not record.startswith('"'):
        return record
    return record[1:].removesuffix('"').replace('" "', "")


async def look_up_caa(domain: str, *, resolver: dns.asyncresolver.Resolver) -> DnsAnswer:
    """The CAA records that govern `domain`: its own, else of the nearest name above (RFC 8659)."""
    name = domain
    answer = await look_up(name, "CAA", resolver=resolver)
    while answer.is_absent and name.count(".") > 1:
        name = name.partition(".")[2]
        answer = await look_up(name, "CAA", resolver=resolver)
    return answer


async def _policy(
    domain: str, record: DnsAnswer, fetch: PolicyFetcher | None
) -> PolicyFetch | None:
    if record.status is not DnsStatus.FOUND:
        return None
    if fetch is None:
        return PolicyFetch(fetched=inconclusive(Reason.NOT_TRIED))
    try:
        async with asyncio.timeout(QUESTION_S):
            body = await fetch(domain)
    except TimeoutError:
        return PolicyFetch(fetched=inconclusive(Reason.TIMEOUT))
    except (OSError, ValueError) as error:
        return PolicyFetch(fetched=inconclusive(Reason.CLOSED, printable(str(error))))
    return read_policy(body[:MAX_POLICY_BYTES])


def read_policy(body: bytes) -> PolicyFetch:
    """An MTA-STS policy document (RFC 8461 §3.2); what is wrong with it stands in `problem`."""
    text = body.decode("utf-8", "replace")
    pairs = [line.partition(":") for line in text.splitlines() if ":" in line]
    fields = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
    patterns = tuple(value.strip().lower() for key, _, value in pairs if key.strip() == "mx")
    age = fields.get("max_age", "")
    problem = ""
    if fields.get("version") != "STSv1":
        problem = "version"
    elif fields.get("mode") not in ("enforce", "testing", "none"):
        problem = "mode"
    elif not age.isdecimal():
        problem = "max_age"
    elif not patterns and fields.get("mode") != "none":
        problem = "mx"
    return PolicyFetch(
        fetched=yes(),
        body=printable(text, 2000),
        mode=printable(fields.get("mode", ""), 20),
        mx_patterns=tuple(printable(p, 260) for p in patterns[:MAX_RECORDS]),
        max_age_s=int(age[:10]) if age.isdecimal() else None,
        problem=problem,
    )
