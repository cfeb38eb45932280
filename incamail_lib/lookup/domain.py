"""Everything that the DNS says about one mail domain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import dns.asyncresolver

from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts, HostFacts, MxHost
from incamail_lib.lookup.hosts import CaaClimb, look_up_host
from incamail_lib.lookup.policies import PolicyFetcher, fetched_policy
from incamail_lib.lookup.resolving import look_up, look_up_mx, preference
from incamail_lib.lookup.spf import Senders, follow_spf
from incamail_lib.mailpolicy.dmarc import is_dmarc, walk
from incamail_lib.mailpolicy.spf_record import is_spf
from incamail_lib.mailpolicy.text import chosen, has_version, is_tagged
from incamail_lib.names import ascii_name

MAX_EXCHANGERS = 20


async def look_up_domain(
    domain: str,
    *,
    resolver: dns.asyncresolver.Resolver,
    ports: Mapping[str, int] | None = None,
    fetch_policy: PolicyFetcher | None = None,
    senders: Senders = (),
) -> DomainFacts:
    """Everything the DNS says about one mail domain.

    `ports` gives the SMTP port of hosts where it is not 25, for TLSA names. The MTA-STS policy
    is fetched only through `fetch_policy`; without it, no HTTPS connection is ever made. SPF is
    followed for `senders` (address, name in HELO) where its records depend on who sends.
    """
    domain = ascii_name(domain) or domain
    climb = CaaClimb(resolver)
    mx, txt, sts, rpt, caa, *walked = await asyncio.gather(
        look_up_mx(domain, resolver=resolver),
        look_up(domain, "TXT", resolver=resolver),
        look_up(f"_mta-sts.{domain}", "TXT", resolver=resolver),
        look_up(f"_smtp._tls.{domain}", "TXT", resolver=resolver),
        climb.governing(domain),
        *(look_up(f"_dmarc.{name}", "TXT", resolver=resolver) for name in walk(domain)),
    )
    null_mx, implicit = _is_null(mx), mx.status is DnsStatus.NO_DATA
    hosts = [(0, domain)] if implicit else [] if null_mx else _exchangers(mx)
    spf, sts = chosen(txt, is_spf), chosen(sts, _versioned("STSv1"))
    answers, policy, *found = await asyncio.gather(
        follow_spf(domain, spf, senders, resolver=resolver),
        fetched_policy(domain, sts, fetch_policy),
        *(_host(h, resolver, climb, (ports or {}).get(h, 25)) for _, h in hosts),
    )
    exchangers = [MxHost(preference=p, host=h) for (p, _), h in zip(hosts, found, strict=True)]
    return DomainFacts(
        domain=domain,
        mx=mx,
        null_mx=null_mx,
        implicit_mx=implicit,
        exchangers=tuple(exchangers),
        spf=spf,
        spf_answers=answers,
        dmarc=chosen(walked[0], is_dmarc),
        dmarc_walk=tuple(chosen(answer, is_tagged) for answer in walked),
        mta_sts=sts,
        mta_sts_policy=policy,
        tls_rpt=chosen(rpt, _versioned("TLSRPTv1")),
        caa=caa,
    )


async def _host(
    host: str, resolver: dns.asyncresolver.Resolver, climb: CaaClimb, port: int
) -> HostFacts:
    return await look_up_host(host, resolver=resolver, port=port, climb=climb)


def _versioned(version: str) -> Callable[[str], bool]:
    return lambda text: has_version(text, version)


def _is_null(mx: DnsAnswer) -> bool:
    """A null MX names the root, and nothing else is named beside it (RFC 7505 §3)."""
    return bool(mx.records) and all(not _exchanger(record) for record in mx.records)


def _exchanger(record: str) -> str:
    return record.split(" ", 1)[-1].rstrip(".").lower()


def _exchangers(mx: DnsAnswer) -> list[tuple[int, str]]:
    pairs = [(preference(record), _exchanger(record)) for record in mx.records]
    return [pair for pair in dict.fromkeys(pairs) if pair[1]][:MAX_EXCHANGERS]
