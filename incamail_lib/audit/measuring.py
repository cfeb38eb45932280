"""Measure everything a plan asks for, politely: few connections per address, bounded in all."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, TypeVar

import dns.nameserver

from incamail_lib.audit.planning import CredentialSource, Plan
from incamail_lib.audit.standing import port_25
from incamail_lib.certificate import Credential, foreign_credential, load_credential, match_name
from incamail_lib.certificate.public import Root, root_of
from incamail_lib.certificate.stores import TrustStore, certifi_store, file_store, system_store
from incamail_lib.errors import MaterialError
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway
from incamail_lib.facts.certificate import (
    CertificateFacts,
    CredentialFacts,
    CredentialUse,
    NameMatch,
    TrustFacts,
)
from incamail_lib.facts.dns import DnsFacts, DomainFacts, HostFacts
from incamail_lib.facts.routing import MessageRouting, NextHopKind
from incamail_lib.facts.smtp import EndpointFacts, Role, ShownChain, Target
from incamail_lib.files import read_regular
from incamail_lib.i18n import Text, say
from incamail_lib.lookup import look_up_domain, look_up_host, look_up_mx
from incamail_lib.mailpolicy.senders import sending_addresses
from incamail_lib.probe import ProbeSettings, probe_endpoint
from incamail_lib.probe.untouched import untouched
from incamail_lib.routing import classify, classify_message, standard_samples
from incamail_lib.trust import judge_trust

Progress = Callable[[str, int, int], None]
"""Called with a stage token ("dns", "probe", "trust"), steps done and steps in all."""

CONCURRENCY = 20
MAX_ADDRESSES = 24
MAX_MESSAGE = 1_000_000
T = TypeVar("T")


async def measure(
    plan: Plan, *, now: dt.datetime | None = None, progress: Progress | None = None
) -> AuditFacts:
    """All facts of one audit. Never raises for what a peer does; such things are facts."""
    now = now or dt.datetime.now(dt.UTC)
    report = progress or (lambda _stage, _done, _all: None)
    stores = [store_named(name) for name in plan.trust_stores]
    own = _Credentials.load(plan, stores, now)
    dns_facts = await _look_everything_up(plan, report)
    receiving, left_out = _receiving_targets(plan, dns_facts)
    platform, also_left_out = _platform_targets(plan, dns_facts)
    endpoints = await _probe_all(plan, [*receiving, *platform], own.sending, now, report)
    endpoints = [with_trust(e, stores, now) for e in endpoints]
    seen = port_25(endpoints, dns_facts)
    return AuditFacts(
        measured_at=now,
        vantage=plan.vantage.model_copy(update={"port_25": seen}),
        declared=plan.declared,
        platform=plan.platform,
        routing=_routing(plan),
        dns=dns_facts,
        receiving=tuple(e for e in endpoints if e.target.role is not Role.PLATFORM),
        platform_endpoints=tuple(e for e in endpoints if e.target.role is Role.PLATFORM),
        credentials=own.facts,
        limits=(
            *plan.left_out,
            *_exchangers_left_out(dns_facts),
            *left_out,
            *also_left_out,
            *(text for store in stores for text in store.left_out),
        ),
    )


def store_named(name: str) -> TrustStore:
    """The store a dossier names: "certifi", "system", or a file or folder of certificates."""
    if name == "certifi":
        return certifi_store()
    if name == "system":
        return system_store()
    return file_store(Path(name))


@dataclass(frozen=True)
class _Credentials:
    """The client's certificate files: what may be told, and what is presented."""

    facts: tuple[CredentialFacts, ...]
    sending: Credential | None

    @classmethod
    def load(cls, plan: Plan, stores: Sequence[TrustStore], now: dt.datetime) -> _Credentials:
        facts: list[CredentialFacts] = []
        sending: Credential | None = None
        for source, uses in _sources(plan):
            told, credential = load_credential(
                source.file, key_path=source.key, passphrase=source.passphrase(), uses=uses
            )
            facts.append(told.model_copy(update={"trust": file_trust(told, stores, now)}))
            if CredentialUse.SENDING in uses:
                sending = credential
        return cls(tuple(facts), sending)


def _sources(plan: Plan) -> Iterable[tuple[CredentialSource, tuple[CredentialUse, ...]]]:
    both = plan.sending and plan.receiving and plan.sending.file == plan.receiving.file
    if plan.sending and both:
        yield plan.sending, (CredentialUse.SENDING, CredentialUse.RECEIVING)
        return
    if plan.sending:
        yield plan.sending, (CredentialUse.SENDING,)
    if plan.receiving:
        yield plan.receiving, (CredentialUse.RECEIVING,)


def file_trust(
    told: CredentialFacts, stores: Sequence[TrustStore], now: dt.datetime
) -> tuple[TrustFacts, ...]:
    """What each store says about the chain of a file, for each use of it."""
    if not told.chain:
        return ()
    purposes = {CredentialUse.SENDING: "clientAuth", CredentialUse.RECEIVING: "serverAuth"}
    root = root_of(told.chain, stores)
    return tuple(
        _rooted(judge_trust(told.chain, store, purpose=purposes[use], now=now), root)
        for use in told.uses
        for store in stores
    )


def _rooted(trust: TrustFacts, root: Root) -> TrustFacts:
    return trust.model_copy(update={"root_sha256": root.sha256, "public": root.public})


def _routing(plan: Plan) -> tuple[MessageRouting, ...]:
    rules, domains = plan.declared.rules, plan.declared.domains
    routed = list(standard_samples(rules, domains))
    for sample in plan.samples:
        if sample.file:
            message = read_message(sample.file)
            found = classify_message(
                message,
                rules,
                recipients=sample.recipients or None,
                own_domains=domains,
                label=sample.label,
            )
        else:
            found = classify(
                sample.recipients, sample.subject, rules, own_domains=domains, label=sample.label
            )
        routed.append(found)
    return tuple(routed)


def read_message(path: Path) -> bytes:
    """The bytes of a message file, at most MAX_MESSAGE of them (its headers are what matters)."""
    try:
        return read_regular(path, MAX_MESSAGE)
    except OSError as error:
        raise MaterialError(
            say(
                "The message {file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=error.strerror or type(error).__name__,
            )
        ) from None


async def _look_everything_up(plan: Plan, report: Progress) -> DnsFacts:
    """Domains, declared gateways and the platform's hosts, at most CONCURRENCY at once."""
    resolver, ports = plan.resolver, plan.ports
    declared = plan.declared
    named = [*declared.receiving, *declared.sending]
    if declared.incoming.kind is NextHopKind.SMART_HOST and declared.incoming.value:
        named.append(DeclaredGateway(host=declared.incoming.value))
    hosts = list(dict.fromkeys(g.host for g in named))
    platform_hosts = list(
        dict.fromkeys([g.host for g in plan.platform.gateways] + [plan.platform.smart_host.value])
    )
    singles = [
        look_up_host(h, resolver=resolver, port=ports.get(h, 25)) for h in [*hosts, *platform_hosts]
    ]
    looked_up = await _gather(singles, "dns", report)
    # SPF may depend on who sends, so the sending gateways' addresses are known first.
    senders = sending_addresses(declared.sending, {h.host: h for h in looked_up})
    domains = [
        look_up_domain(
            domain,
            resolver=resolver,
            ports=ports,
            fetch_policy=plan.fetch_policy,
            senders=senders[:MAX_ADDRESSES],
        )
        for domain in declared.domains
    ]
    found = await _gather(domains, "dns", report)
    suffixed = f"{declared.domains[0]}{plan.platform.suffix.value}"
    platform_mx = await look_up_mx(suffixed, resolver=resolver)
    return DnsFacts(
        resolver=", ".join(_nameserver(server) for server in resolver.nameservers),
        domains=tuple(found),
        hosts=tuple(looked_up[: len(hosts)]),
        platform_hosts=tuple(looked_up[len(hosts) :]),
        platform_mx=platform_mx,
    )


def _nameserver(server: str | dns.nameserver.Nameserver) -> str:
    if not isinstance(server, dns.nameserver.AddressAndPortNameserver):
        return str(server)
    host = f"[{server.address}]" if ":" in server.address else server.address
    return host if server.port == 53 else f"{host}:{server.port}"


async def _gather(work: Sequence[Coroutine[Any, Any, T]], stage: str, report: Progress) -> list[T]:
    """Run all, at most CONCURRENCY at once, reporting each that ends; results in order."""
    gate = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def one(job: Coroutine[Any, Any, T]) -> T:
        nonlocal done
        async with gate:
            result = await job
        done += 1
        report(stage, done, len(work))
        return result

    report(stage, 0, len(work))
    return list(await asyncio.gather(*(one(job) for job in work)))


def _receiving_targets(plan: Plan, facts: DnsFacts) -> tuple[list[Target], tuple[Text, ...]]:
    """Where IncaMail would deliver: declared gateways, and every address of every MX."""
    known = _hosts_by_name(facts)
    targets: dict[tuple[str, str, int], Target] = {}
    for gateway in plan.declared.receiving:
        _add(targets, Role.RECEIVING, gateway, plan.ports, known)
    for domain in facts.domains:
        for host in _mail_hosts(domain):
            _add(targets, Role.RECEIVING, DeclaredGateway(host=host), plan.ports, known)
    return _bounded(targets)


def _exchangers_left_out(facts: DnsFacts) -> tuple[Text, ...]:
    return tuple(
        say(
            "{domain} names {count} exchangers more than were looked up.",
            domain=d.domain,
            count=d.exchangers_left_out,
        )
        for d in facts.domains
        if d.exchangers_left_out
    )


def _mail_hosts(domain: DomainFacts) -> list[str]:
    if domain.implicit_mx:
        return [domain.domain]
    return [mx.host.host for mx in domain.exchangers]


def _platform_targets(plan: Plan, facts: DnsFacts) -> tuple[list[Target], tuple[Text, ...]]:
    """The platform's gateways; the smart host's addresses only where no gateway has them."""
    known = {h.host: h for h in facts.platform_hosts}
    targets: dict[tuple[str, str, int], Target] = {}
    for gateway in plan.platform.gateways:
        named = DeclaredGateway(host=gateway.host, port=gateway.port)
        _add(targets, Role.PLATFORM, named, plan.ports, known)
    taken = {(t.address, t.port) for t in targets.values()}
    smart = DeclaredGateway(host=plan.platform.smart_host.value)
    others: dict[tuple[str, str, int], Target] = {}
    _add(others, Role.PLATFORM, smart, plan.ports, known)
    targets.update({k: t for k, t in others.items() if (t.address, t.port) not in taken})
    return _bounded(targets)


def _hosts_by_name(facts: DnsFacts) -> dict[str, HostFacts]:
    exchangers = [mx.host for domain in facts.domains for mx in domain.exchangers]
    return {h.host: h for h in (*facts.hosts, *exchangers)}


def _add(
    targets: dict[tuple[str, str, int], Target],
    role: Role,
    gateway: DeclaredGateway,
    ports: Mapping[str, int],
    known: Mapping[str, HostFacts],
) -> None:
    host = known.get(gateway.host)
    found = [*host.a.records, *host.aaaa.records] if host else []
    port = gateway.port if gateway.port != 25 else ports.get(gateway.host, 25)
    for address in gateway.addresses or tuple(found):
        target = Target(role=role, host=gateway.host, address=address, port=port)
        targets.setdefault((gateway.host, address, port), target)


def _bounded(
    targets: Mapping[tuple[str, str, int], Target],
) -> tuple[list[Target], tuple[Text, ...]]:
    """At most MAX_ADDRESSES; what is left out is said, never silently dropped."""
    every = list(targets.values())
    if len(every) <= MAX_ADDRESSES:
        return every, ()
    return every[:MAX_ADDRESSES], (
        say(
            "{count} addresses were found; only the first {limit} were examined.",
            count=len(every),
            limit=MAX_ADDRESSES,
        ),
    )


async def _probe_all(
    plan: Plan,
    targets: Sequence[Target],
    own: Credential | None,
    now: dt.datetime,
    report: Progress,
) -> list[EndpointFacts]:
    foreign = foreign_credential(now)
    foreign_rsa = cache(lambda: foreign_credential(now, rsa=True))

    def settings(role: Role) -> ProbeSettings:
        purposes = plan.platform_purposes if role is Role.PLATFORM else plan.receiving_purposes
        return ProbeSettings(
            ehlo_name=plan.vantage.ehlo_name,
            limits=plan.limits,
            purposes=purposes,
            foreign=foreign,
            foreign_rsa=foreign_rsa,
            ask_postmaster=plan.ask_postmaster if role is Role.RECEIVING else "",
        )

    written = _written(plan)

    async def one(target: Target) -> EndpointFacts:
        known = (target.host, ip_address(target.address)) in written
        if not plan.reach.allows(target.address, written=known):
            return untouched(target, now)
        return await probe_endpoint(target, settings=settings(target.role), own=own, now=now)

    return await _gather([one(target) for target in targets], "probe", report)


def _written(plan: Plan) -> frozenset[tuple[str, IPv4Address | IPv6Address]]:
    """Host and address where the operator gave the address himself, in place of the DNS."""
    declared = [(g.host, g.addresses) for g in plan.declared.receiving + plan.declared.sending]
    declared += [(g.host, g.addresses) for g in plan.platform.gateways]
    return frozenset((host, ip_address(a)) for host, given in declared for a in given)


def with_trust(
    endpoint: EndpointFacts, stores: Sequence[TrustStore], now: dt.datetime
) -> EndpointFacts:
    """The endpoint with every chain it shows judged per store, and its names matched."""
    judged = [_shown(chain, endpoint.target.host, stores, now) for chain in endpoint.chains]
    if not judged:
        return endpoint
    first, *others = judged
    changes = {"trust": first.trust, "name_match": first.name_match, "others": tuple(others)}
    return endpoint.model_copy(update=changes)


def _shown(
    chain: tuple[CertificateFacts, ...], host: str, stores: Sequence[TrustStore], now: dt.datetime
) -> ShownChain:
    root = root_of(chain, stores)
    trust = tuple(
        _rooted(judge_trust(chain, store, purpose="serverAuth", now=now), root) for store in stores
    )
    name: NameMatch | None = match_name(chain[0], host)
    if name and not name.matched and "subject_alt_name" in chain[0].unreadable:
        name = None  # the host's name may be among those that could not be read
    return ShownChain(sha256=chain[0].sha256, trust=trust, name_match=name)
