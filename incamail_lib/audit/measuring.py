"""Measure everything a plan asks for, politely: few connections per address, bounded in all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dns.nameserver

from incamail_lib.audit.messages import read_message
from incamail_lib.audit.planning import CredentialSource, Plan
from incamail_lib.audit.probing import Asking, Progress, gather, probe_all
from incamail_lib.audit.standing import port_25
from incamail_lib.audit.trusting import file_trust, store_named, with_trust
from incamail_lib.certificate import Credential, load_credential
from incamail_lib.certificate.stores import TrustStore
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway
from incamail_lib.facts.certificate import (
    CredentialFacts,
    CredentialUse,
)
from incamail_lib.facts.dns import DnsFacts, DomainFacts, HostFacts
from incamail_lib.facts.routing import MessageRouting, NextHopKind
from incamail_lib.facts.smtp import Side, Target
from incamail_lib.facts.transfer import MessageHops
from incamail_lib.i18n import Text, say_n
from incamail_lib.lookup import look_up_domain, look_up_host, look_up_mx
from incamail_lib.mailpolicy.senders import sending_addresses
from incamail_lib.probe.traffic import Visitor
from incamail_lib.routing import classify, classify_message, standard_samples
from incamail_lib.routing.received import read_hops

MAX_ADDRESSES = 24


async def measure(
    plan: Plan,
    *,
    now: dt.datetime | None = None,
    progress: Progress | None = None,
    visitor: Visitor | None = None,
) -> AuditFacts:
    """All facts of one audit; with a `visitor`, as part of the traffic of a run.

    Never raises for what a peer does; such things are facts.
    """
    now = now or dt.datetime.now(dt.UTC)
    report = progress or (lambda _stage, _done, _all: None)
    stores = [store_named(name) for name in plan.trust_stores]
    own = _Credentials.load(plan, stores, now)
    dns_facts = await _look_everything_up(plan, report)
    receiving, left_out = _receiving_targets(plan, dns_facts)
    platform, also_left_out = _platform_targets(plan, dns_facts)
    endpoints = await probe_all(
        plan, [*receiving, *platform], own.sending, Asking(now, report, visitor)
    )
    endpoints = [with_trust(e, stores, now) for e in endpoints]
    seen = port_25(endpoints, dns_facts)
    return AuditFacts(
        measured_at=now,
        vantage=plan.vantage.model_copy(update={"port_25": seen}),
        declared=plan.declared,
        platform=plan.platform,
        routing=_routing(plan),
        hops=_hops(plan),
        dns=dns_facts,
        receiving=tuple(e for e in endpoints if e.target.role is not Side.PLATFORM),
        platform_endpoints=tuple(e for e in endpoints if e.target.role is Side.PLATFORM),
        credentials=own.facts,
        limits=(
            *plan.left_out,
            *_exchangers_left_out(dns_facts),
            *left_out,
            *also_left_out,
            *(text for store in stores for text in store.left_out),
        ),
    )


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


def _hops(plan: Plan) -> tuple[MessageHops, ...]:
    """The hand-overs of every message that was handed in as a file."""
    return tuple(read_hops(read_message(s.file), s.label) for s in plan.samples if s.file)


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
    looked_up = await gather(singles, "dns", report)
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
    found = await gather(domains, "dns", report)
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


def _receiving_targets(plan: Plan, facts: DnsFacts) -> tuple[list[Target], tuple[Text, ...]]:
    """Where IncaMail would deliver: declared gateways, and every address of every MX."""
    known = _hosts_by_name(facts)
    targets: dict[tuple[str, str, int], Target] = {}
    for gateway in plan.declared.receiving:
        _add(targets, Side.RECEIVING, gateway, plan.ports, known)
    for domain in facts.domains:
        for host in _mail_hosts(domain):
            _add(targets, Side.RECEIVING, DeclaredGateway(host=host), plan.ports, known)
    return _bounded(targets)


def _exchangers_left_out(facts: DnsFacts) -> tuple[Text, ...]:
    return tuple(
        say_n(
            "{domain} names {n} exchanger more than were looked up.",
            "{domain} names {n} exchangers more than were looked up.",
            d.exchangers_left_out,
            domain=d.domain,
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
        _add(targets, Side.PLATFORM, named, plan.ports, known)
    taken = {(t.address, t.port) for t in targets.values()}
    smart = DeclaredGateway(host=plan.platform.smart_host.value)
    others: dict[tuple[str, str, int], Target] = {}
    _add(others, Side.PLATFORM, smart, plan.ports, known)
    targets.update({k: t for k, t in others.items() if (t.address, t.port) not in taken})
    return _bounded(targets)


def _hosts_by_name(facts: DnsFacts) -> dict[str, HostFacts]:
    exchangers = [mx.host for domain in facts.domains for mx in domain.exchangers]
    return {h.host: h for h in (*facts.hosts, *exchangers)}


def _add(
    targets: dict[tuple[str, str, int], Target],
    role: Side,
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
        say_n(
            "{n} address was found; only the first {limit} were examined.",
            "{n} addresses were found; only the first {limit} were examined.",
            len(every),
            limit=MAX_ADDRESSES,
        ),
    )
