"""The way of a message through this client's set-up (guide 8.1, 8.2), with what is known of it.

A hop's state is evidence only: required findings about it decide, a single unknown among them
makes it unknown, and a hop that no finding is about was not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from incamail_lib.dossier.agreed import Direction
from incamail_lib.facts.audit import Declared
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.findings import Audit, Finding, Leg, Level, Outcome
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.report.order import by_weight
from incamail_lib.report.words import COMPONENTS

TITLES: dict[Direction, str] = {
    Direction.OUTGOING: N_("The way of an outgoing message"),
    Direction.INCOMING: N_("The way of an incoming message"),
}
MOST_CODES = 8
# Checks of the DNS by which IncaMail finds and believes the receiving gateway; the others are
# about mail in general.


class HopState(StrEnum):
    """What is known of one hop."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class Node:
    """One station; `detail` is product and host names, as declared."""

    key: str
    title: str  # English source text
    detail: str = ""
    present: bool | None = True  # None: the dossier does not say


@dataclass(frozen=True)
class Hop:
    """From one node to the next."""

    label: Text  # protocol and how the next node is found
    state: HopState = HopState.NOT_MEASURED
    codes: tuple[str, ...] = ()  # of the findings that decide the state
    advice: tuple[str, ...] = ()  # of recommended checks that failed; they decide nothing

    @property
    def words(self) -> Text:
        """The state as a phrase, with its codes."""
        if self.state is HopState.FAILED:
            return say("failed: {codes}", codes=_listed(self.codes))
        if self.state is HopState.UNKNOWN:
            return say("unknown, not proven: {codes}", codes=_listed(self.codes))
        if self.state is HopState.OK and self.advice:
            return say_n(
                "in order: {n} required check passed; only recommended, and failed: {codes}",
                "in order: {n} required checks passed; only recommended, and failed: {codes}",
                len(self.codes),
                codes=_listed(self.advice),
            )
        if self.state is HopState.OK:
            return say_n(
                "in order: {n} required check passed",
                "in order: {n} required checks passed",
                len(self.codes),
            )
        return say("not measured")


@dataclass(frozen=True)
class Flow:
    """A way: one hop less than nodes."""

    direction: Direction
    title: str  # English source text
    nodes: tuple[Node, ...]
    hops: tuple[Hop, ...]

    @property
    def worst(self) -> HopState:
        """The state of the whole way as far as it was measured."""
        order = (HopState.FAILED, HopState.UNKNOWN, HopState.OK)
        states = {hop.state for hop in self.hops}
        return next((state for state in order if state in states), HopState.NOT_MEASURED)


def flow(direction: Direction, declared: Declared, audit: Audit | None = None) -> Flow:
    """The way of a message in `direction` as declared; with `audit`, what was seen of it."""
    findings = audit.findings if audit else ()
    platform = ", ".join(g.host for g in audit.facts.platform.gateways) if audit else ""
    incamail = Node("incamail", N_("IncaMail's gateways"), platform)
    if direction is Direction.OUTGOING:
        inside = _inside(declared, (gateway.host for gateway in declared.sending))
        last = Node("recipient", N_("Recipient"))
        nodes = (*inside, incamail, last)
        hops = (*_submission(inside, findings), *_outgoing(declared, findings))
    else:
        seen = [e.target.host for e in audit.facts.receiving] if audit else []
        names = [gateway.host for gateway in declared.receiving] or seen
        inside = tuple(reversed(_inside(declared, names)))
        nodes = (Node("sender", N_("Sender")), incamail, *inside)
        hops = (*_incoming(declared, findings), *_delivery(inside, findings))
    return Flow(direction, TITLES[direction], nodes, hops)


def state_of(findings: Iterable[Finding]) -> tuple[HopState, tuple[str, ...]]:
    """What required findings say together, and the codes that decide it."""
    required = sorted((f for f in findings if f.level is Level.REQUIRED), key=by_weight)
    failed = [f.code for f in required if f.outcome is Outcome.FAILED]
    if failed:
        return HopState.FAILED, _once(failed)
    unknown = [f for f in required if f.outcome is Outcome.UNKNOWN]
    if unknown:
        # What was only kept from being judged is told by what kept it.
        open_ones = [f.code for f in unknown if not f.blocked_by]
        return HopState.UNKNOWN, _once(open_ones or [f.blocked_by for f in unknown])
    passed = [f.code for f in required if f.outcome is Outcome.PASSED]
    return (HopState.OK, _once(passed)) if passed else (HopState.NOT_MEASURED, ())


def _listed(codes: Sequence[str]) -> str:
    more = len(codes) - MOST_CODES
    return ", ".join([*codes[:MOST_CODES], *([f"+{more}"] if more > 0 else [])])


def _once(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))


def _inside(declared: Declared, names: Iterable[str]) -> tuple[Node, ...]:
    """The client's own nodes from the mail client to the firewall; `names` face IncaMail."""
    components = {c.key: c for c in declared.components}
    hosts = ", ".join(_once(names))
    gateway = components.get("mail_gateway")
    has_gateway = gateway is None or gateway.present is not False
    nodes = []
    for key in ("mail_client", "mail_server", "mail_gateway", "firewall"):
        if key == "mail_gateway" and not has_gateway:
            continue
        known = components.get(key)
        # The machine before the firewall is the one that faces IncaMail.
        faces = key == ("mail_gateway" if has_gateway else "mail_server")
        detail = ", ".join(t for t in (known.product if known else "", hosts if faces else "") if t)
        # Without a mail client and a mail server there would be no mail at all.
        optional = key in ("mail_gateway", "firewall")
        present = (known.present if known else None) if optional else True
        nodes.append(Node(key, COMPONENTS[key], detail, present))
    return tuple(nodes)


def _submission(inside: Sequence[Node], findings: Sequence[Finding]) -> tuple[Hop, ...]:
    """The hops from the mail client up to the machine before the firewall."""
    hops = [Hop(say("submission, with tag and suffix"))]
    if len(inside) > 3:
        route = say("SMTP, encrypted by your own means")
        hops.append(_judged(route, Leg.INSIDE, findings))
    return tuple(hops)


def _delivery(inside: Sequence[Node], findings: Sequence[Finding]) -> tuple[Hop, ...]:
    """The hops from the machine behind the firewall to the mail client."""
    hops = [Hop(say("access to the mailbox"))]
    if len(inside) > 3:
        route = say("SMTP after the malware scan, encrypted by your own means")
        hops.insert(0, _judged(route, Leg.INSIDE, findings))
    return tuple(hops)


def _outgoing(declared: Declared, findings: Sequence[Finding]) -> tuple[Hop, ...]:
    hop = declared.rules.next_hop
    if hop.kind is NextHopKind.MX:
        route = say("SMTP, next hop by MX look-up")
    else:
        route = say("SMTP, next hop {host}", host=hop.value or "–")
    return (
        _judged(route, Leg.ROUTE, findings),
        _judged(say("SMTP on port 25, STARTTLS, certificates on both sides"), Leg.LINK, findings),
        Hop(say("forced TLS or SAFE")),
    )


def _incoming(declared: Declared, findings: Sequence[Finding]) -> tuple[Hop, ...]:
    route = declared.incoming
    if route.kind is NextHopKind.MX:
        found = say("SMTP, your gateway found by MX look-up")
    else:
        found = say("SMTP, your gateway found as {host}", host=route.value or "–")
    return (
        Hop(say("as the sender is connected")),
        _judged(found, Leg.LOOK_UP, findings),
        _judged(
            say("SMTP on port 25, STARTTLS, certificates on both sides"), Leg.ARRIVAL, findings
        ),
    )


def _judged(label: Text, leg: Leg, findings: Sequence[Finding]) -> Hop:
    mine = sorted((f for f in findings if f.leg is leg), key=by_weight)
    advice = (f.code for f in mine if f.outcome is Outcome.FAILED and f.level is Level.RECOMMENDED)
    return Hop(label, *state_of(mine), _once(advice))
