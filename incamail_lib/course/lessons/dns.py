"""Lesson 8, DNS of a mail domain: what the library is asked. The texts: dns.toml."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from incamail_lib.certificate.reading import read_certificate
from incamail_lib.course.bench import DOMAIN, Bench, NotMeasured
from incamail_lib.course.changes import no_change
from incamail_lib.course.exercises import Change
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts
from incamail_lib.findings import Outcome, Verdict
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import DnsPlan, DnsTwist, Names, dns_as_is, showing
from incamail_lib.lab.scenarios.directory import (
    foreign_ptr,
    mx_is_alias,
    mx_without_address,
    no_mx,
    no_ptr,
)
from incamail_lib.lab.setting import REVERSE
from incamail_lib.lookup.policies import read_policy
from incamail_lib.mailpolicy.dmarc import discover
from incamail_lib.names import covers

_MX1, _MX2, _OUT = f"mx1.{DOMAIN}", f"mx2.{DOMAIN}", f"out.{DOMAIN}"


def _turned(plan: DnsPlan, names: Names) -> DnsPlan:
    """The second exchanger comes first."""
    return plan.replaced(names.domain, "MX", f"20 {_MX1}.", f"10 {_MX2}.")


_TWO = replace(SCENARIOS["sound_two_gateways"], dns=_turned)


def _domain(bench: Bench) -> DomainFacts:
    return bench.audit(_TWO).facts.dns.domains[0]


def _mx_lines(bench: Bench) -> tuple[str, ...]:
    """The records as `dig` shows them: in no order that means anything."""
    records = sorted(_domain(bench).mx.records, key=lambda record: record.split()[-1])
    return tuple(f"{DOMAIN}.  300  IN  MX  {record}" for record in records)


def _asked_first(bench: Bench) -> str:
    exchangers = _domain(bench).exchangers
    if len(exchangers) < len(_TWO.gateways):
        raise NotMeasured
    return exchangers[0].host.host


def _is_proof(_: Bench, status: DnsStatus) -> bool:
    return DnsAnswer(name=DOMAIN, type="MX", status=status).is_absent


_FAILING = SCENARIOS["dns_servfail"]


def _audit_says(bench: Bench, said: tuple[Verdict, frozenset[str]]) -> bool:
    return (bench.audit(_FAILING).verdict, frozenset(bench.failing(_FAILING))) == said


def _said(bench: Bench) -> tuple[Text, ...]:
    findings = bench.audit(_FAILING).findings
    told = (f for f in findings if f.code == "DNS01")
    return tuple(say("{code}: {seen}", code=f.code, seen=f.seen) for f in told)


def _counts(_: Bench, records: tuple[str, ...]) -> bool:
    status = DnsStatus.FOUND
    answer = DnsAnswer(name=f"_dmarc.{DOMAIN}", type="TXT", status=status, records=records)
    return discover((answer,), (DOMAIN,)).fault is None


_POLICY = (
    "version: STSv1",
    "mode: enforce",
    f"mx: {_MX1}",
    "mx: *.gateway.example",
    "max_age: 604800",
)


def _gets_nothing(_: Bench, host: str) -> bool:
    policy = read_policy("\r\n".join(_POLICY).encode())
    named = any(covers(pattern, host) for pattern in policy.mx_patterns)
    return policy.mode == "enforce" and not named


_OLD, _NEW = "old", "new"
_SHOWN = {_OLD: SCENARIOS["sound"].gateways, _NEW: (showing(Variant.RSA),)}
_VARIANTS = {_OLD: Variant.BOTH, _NEW: Variant.RSA}


@cache
def _publishing(*keys: str) -> DnsTwist:
    """TLSA records of these public keys, secured by DNSSEC."""

    def twist(plan: DnsPlan, names: Names) -> DnsPlan:
        name = f"_25._tcp.{names.hosts[0]}"
        return plan.replaced(name, "TLSA", *(f"3 1 1 {key}" for key in keys)).secured(name)

    return twist


def _delivers(bench: Bench, published: frozenset[str], shown: str) -> bool:
    """Whether a sender that uses DANE finds, and accepts, what the gateway shows."""
    leaves = {n: bench.pki.leaf(v, _MX1).certificate for n, v in _VARIANTS.items()}
    digests = {n: read_certificate(c.public_bytes(Encoding.DER)) for n, c in leaves.items()}
    keys = sorted(digests[name].spki_sha256 for name in published)
    state = replace(SCENARIOS["sound"], gateways=_SHOWN[shown], dns=_publishing(*keys))
    found = [f.outcome for f in bench.audit(state).findings if f.code == "DNS15"]
    if Outcome.UNKNOWN in found:
        raise NotMeasured
    return found == [Outcome.PASSED]


_STEPS = ("publish", "install", "remove")


def never_broken(bench: Bench, way: tuple[str, ...]) -> bool:
    published, shown = frozenset({_OLD}), _OLD
    for step in way:
        published = published | {_NEW} if step == "publish" else published
        published = published - {_OLD} if step == "remove" else published
        shown = _NEW if step == "install" else shown
        if not _delivers(bench, published, shown):
            return False
    return True


def _renewal(bench: Bench) -> tuple[str, ...]:
    return next(way for way in permutations(_STEPS) if never_broken(bench, way))


def _zone(twist: DnsTwist, **parts: Any) -> Change:
    """Other records, and what changes along with them."""
    return lambda scenario: replace(scenario, dns=twist, **parts)


def _spf(*records: str) -> Change:
    def twist(plan: DnsPlan, names: Names) -> DnsPlan:
        return plan.replaced(names.domain, "TXT", *(f'"{record}"' for record in records))

    return _zone(twist)


def _named_at_home(plan: DnsPlan, names: Names) -> DnsPlan:
    """The reverse name stands in the client's own zone, where nobody asks for it."""
    plan = no_ptr(plan, names)
    return plan.replaced(f"{REVERSE}.{names.domain}", "PTR", f"{names.outgoing}.")


def _named_by_provider(plan: DnsPlan, names: Names) -> DnsPlan:
    """The reverse name is the sending gateway's, which has that address."""
    return plan.replaced(REVERSE, "PTR", f"{names.outgoing}.")


_PROVIDER = "v=spf1 ip4:192.0.2.1"

DNS = read(
    "dns",
    {
        "first": Asked(material=_mx_lines, truth=_asked_first),
        "proof": Asked(
            holds=_is_proof,
            values={
                "nothing": DnsStatus.NO_DATA,
                "nxdomain": DnsStatus.NXDOMAIN,
                "servfail": DnsStatus.SERVFAIL,
                "timeout": DnsStatus.TIMEOUT,
                "refused": DnsStatus.REFUSED,
            },
        ),
        "failing": Asked(
            holds=_audit_says,
            proof=_said,
            values={
                "open": (Verdict.INCONCLUSIVE, frozenset()),
                "ready": (Verdict.READY, frozenset()),
                "no_mail": (Verdict.NOT_READY, frozenset({"DNS02"})),
                "gone": (Verdict.NOT_READY, frozenset({"DNS01"})),
            },
        ),
        "address": Asked(
            values={
                "name": _zone(dns_as_is),
                "alias": _zone(mx_is_alias),
                "later": _zone(mx_without_address),
                "none": _zone(no_mx, hosts=("{domain}",)),
            },
        ),
        "reverse": Asked(
            values={
                "provider": _zone(_named_by_provider),
                "own_zone": _zone(_named_at_home),
                "fancy": _zone(foreign_ptr),
                "spf": no_change(),
            },
        ),
        "senders": Asked(
            values={
                "added": _spf(f"{_PROVIDER} a:{_OUT} -all"),
                "second": _spf(f"{_PROVIDER} -all", f"v=spf1 a:{_OUT} -all"),
                "all": _spf(f"{_PROVIDER} +all"),
                "soft": _spf(f"{_PROVIDER} ~all"),
            },
        ),
        "policy": Asked(
            holds=_counts,
            values={
                "none": ("v=DMARC1; p=none; rua=mailto:dmarc@muster.example",),
                "small": ("v=dmarc1; p=reject",),
                "word": ("v=DMARC1; p=block",),
                "two": ("v=DMARC1; p=none", "v=DMARC1; p=reject"),
            },
        ),
        "moved": Asked(
            holds=_gets_nothing,
            material=lambda _: _POLICY,
            values={
                "mx1": _MX1,
                "mx2": _MX2,
                "wild": "zh.gateway.example",
                "deep": "mx.zh.gateway.example",
            },
        ),
        "renewal": Asked(order=_renewal),
    },
)
