"""What a scenario is: a declaration of one situation, sound or faulty, and what it must show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cryptography import x509

from incamail_lib.facts.audit import IncomingRoute
from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.findings import Verdict
from incamail_lib.lab.authority import Issued
from incamail_lib.lab.pki import CLIENT_ORGANISATION, Pki, Variant
from incamail_lib.lab.plan import ClientAuth, GatewayPlan, TlsPlan

Twist = Callable[[GatewayPlan, Pki], GatewayPlan]
"""Turns a sound gateway into the one that a scenario wants."""


class Fault(StrEnum):
    """How the lab's name server misbehaves for one name."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LAME = "lame"


class Arrangement(StrEnum):
    """In which order a chain is sent or stored."""

    WHOLE = "whole"
    LEAF_ONLY = "leaf_only"
    WRONG_ORDER_WITH_ROOT = "wrong_order_with_root"
    NOTHING = "nothing"  # a file without any certificate


@dataclass(frozen=True)
class Names:
    """The names that a scenario's parts are built for."""

    domains: tuple[str, ...]
    hosts: tuple[str, ...]  # the client's receiving gateways, most preferred first

    @property
    def domain(self) -> str:
        """The client's first mail domain; its hosts live there."""
        return self.domains[0]

    @property
    def outgoing(self) -> str:
        """The client's sending gateway."""
        return f"out.{self.domain}"


@dataclass(frozen=True)
class DnsPlan:
    """What the lab's name server says: (name, type, value) triples, and faults by name.

    A name that begins with `_25._tcp.` is moved to the port that its host really listens on.
    """

    records: tuple[tuple[str, str, str], ...] = ()
    faults: tuple[tuple[str, Fault], ...] = ()
    authenticated: tuple[str, ...] = ()  # names answered as secured by DNSSEC

    def replaced(self, name: str, kind: str, *values: str) -> DnsPlan:
        """The plan with the record set of `name` and `kind` replaced; no values remove it."""
        others = tuple(r for r in self.records if r[:2] != (name, kind))
        return replace(self, records=(*others, *((name, kind, value) for value in values)))

    def without(self, *names: str) -> DnsPlan:
        """The plan with all records of `names` removed."""
        return replace(self, records=tuple(r for r in self.records if r[0] not in names))

    def secured(self, *names: str) -> DnsPlan:
        """The plan with the answers about `names` marked as authentic."""
        return replace(self, authenticated=(*self.authenticated, *names))

    def failing(self, name: str, fault: Fault) -> DnsPlan:
        """The plan with every question about `name` answered by `fault`."""
        return replace(self, faults=(*self.faults, (name, fault)))


DnsTwist = Callable[[DnsPlan, Names], DnsPlan]

ANY_TAG = "(?i)<(im|[cpr])>"
DOMAIN_RULE = RuleSet(
    method=Method.DOMAIN,
    next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch"),
    engine=Engine.EXIM_DECODED,
    suffix_key="*.incamail.ch",
    subject_pattern=ANY_TAG,
    refuses_tag_without_suffix=True,
)
BY_MX = IncomingRoute(kind=NextHopKind.MX)


def as_is(plan: GatewayPlan, _: Pki) -> GatewayPlan:
    """The sound gateway, unchanged."""
    return plan


def dns_as_is(plan: DnsPlan, _: Names) -> DnsPlan:
    """The sound records, unchanged."""
    return plan


@dataclass(frozen=True)
class Scenario:
    """One situation of a client. Everything not said is sound.

    `fails` are the check codes that fail in it – exactly these; `verdict` is what an audit must
    conclude. `waits` tells that part of it is only seen when the probe's time limit runs out, so
    the run takes as long as that limit.
    """

    name: str
    title: str
    description: str
    fails: frozenset[str]
    verdict: Verdict
    gateways: tuple[Twist, ...] = (as_is,)
    hosts: tuple[str, ...] = ("mx1.{domain}", "mx2.{domain}")
    platform: Twist = as_is
    dns: DnsTwist = dns_as_is
    rules: RuleSet = DOMAIN_RULE
    incoming: IncomingRoute = BY_MX
    sending_certificate: Variant | None = Variant.BOTH
    sending_host: str = "out.{domain}"  # the name in the certificate for sending
    sending_arrangement: Arrangement = Arrangement.WHOLE
    receiving_certificate: Variant | None = None
    declared: tuple[str, ...] = ()  # receiving gateways in the dossier; none: as the MX says
    go_live_in_days: int = 14
    documented: tuple[str, ...] = ("127.0.0.1",)  # addresses in the platform's record
    fingerprint_sha1: str = ""  # of the platform's certificate, as the set-up document gives it
    waits: bool = False

    def names(self, domains: tuple[str, ...]) -> Names:
        """The host names of this scenario for a client with `domains`."""
        flat = domains[0].replace(".", "-")
        used = self.hosts[: len(self.gateways)]
        return Names(domains, tuple(h.format(domain=domains[0], flat=flat) for h in used))


def arranged(issued: Issued, arrangement: Arrangement) -> tuple[x509.Certificate, ...]:
    """The certificates of `issued` in the given order."""
    orders = {
        Arrangement.WHOLE: issued.chain,
        Arrangement.LEAF_ONLY: issued.leaf_only,
        Arrangement.WRONG_ORDER_WITH_ROOT: issued.wrong_order_with_root,
        Arrangement.NOTHING: (),
    }
    return orders[arrangement]


def changing(**changes: Any) -> Twist:
    """A gateway with other fields of its plan."""
    return lambda plan, _: replace(plan, **changes)


def speaking(**changes: Any) -> Twist:
    """A gateway with other TLS settings."""
    return lambda plan, _: replace(plan, tls=replace(_tls(plan), **changes))


def asking(**changes: Any) -> Twist:
    """A gateway that asks the client for a certificate in another way."""

    def twist(plan: GatewayPlan, pki: Pki) -> GatewayPlan:
        usual = _tls(plan).client or ClientAuth(roots=pki.roots)
        return replace(plan, tls=replace(_tls(plan), client=replace(usual, **changes)))

    return twist


def showing(
    variant: Variant,
    arrangement: Arrangement = Arrangement.WHOLE,
    *,
    organisation: str = CLIENT_ORGANISATION,
) -> Twist:
    """A gateway that shows another certificate."""

    def twist(plan: GatewayPlan, pki: Pki) -> GatewayPlan:
        issued = pki.leaf(variant, plan.host, organisation=organisation)
        sent = arranged(issued, arrangement)
        return replace(plan, tls=replace(_tls(plan), identity=issued, sent=sent))

    return twist


def also_showing(variant: Variant) -> Twist:
    """A gateway with a second certificate, whose key is of another type than the first's."""
    return lambda plan, pki: replace(
        plan, tls=replace(_tls(plan), second=pki.leaf(variant, plan.host))
    )


def afterwards(other: Twist) -> Twist:
    """A gateway that is another machine from the second connection on."""
    return lambda plan, pki: replace(plan, later=(2, other(plan, pki)))


def both(first: Twist, second: Twist) -> Twist:
    """Two twists, one after the other."""
    return lambda plan, pki: second(first(plan, pki), pki)


def _tls(plan: GatewayPlan) -> TlsPlan:
    assert plan.tls is not None, "a twist of TLS needs a gateway that has it"
    return plan.tls
