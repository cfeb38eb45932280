"""Mail on the lab: the organisation's own mail server, IncaMail behind its gateways, an outside.

Whoever takes a message says 250 first and passes it on afterwards, as mail servers do: what a 250
proves is the hand-over. The gateways are those that the audit measures, with all their faults.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from incamail_lib.facts.audit import IncomingRoute
from incamail_lib.facts.delivery import TlsUse
from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.facts.routing import MessageRouting, NextHop, NextHopKind, Route, RuleSet
from incamail_lib.i18n import Text, say
from incamail_lib.lab import pki
from incamail_lib.lab.forwarding import (
    Decides,
    Forwarder,
    Found,
    Identity,
    LogLine,
    NoWay,
    Queue,
    Way,
)
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.mailbox import Arrival, Mailboxes
from incamail_lib.lab.message import Message, Taker, keeps
from incamail_lib.lab.plan import GatewayPlan, TlsPlan
from incamail_lib.lab.running import Running
from incamail_lib.lab.setting import LOOPBACK, PLATFORM_HOSTS, SMART_HOST
from incamail_lib.linktest.server import Mta
from incamail_lib.lookup import look_up, look_up_mx, resolver_for
from incamail_lib.report.words import word
from incamail_lib.routing import classify_message
from incamail_lib.routing.address import canonical_suffix, has_suffix, parse_address

OUTSIDE = "mail.outside.example"
SWISS_POST = "mail.post.example"  # where IncaMail's side writes its test messages
_DNS_S = 5.0


@dataclass(frozen=True)
class Organisation:
    """What the organisation's own servers do, and what they show."""

    rules: RuleSet
    domains: tuple[str, ...]
    incoming: IncomingRoute  # how IncaMail finds it
    certificate: Path | None = None  # shown to IncaMail
    key: Path | None = None
    passphrase: str = field(default="", repr=False)

    @classmethod
    def of(cls, running: Running) -> Organisation:
        """As the scenario has it."""
        return cls(
            running.rules, running.domains, running.incoming, running.certificate, running.key
        )


@dataclass(frozen=True)
class MailFlow:
    """Mail servers that run: where messages are handed in, and what became of them."""

    submission: Mta  # the organisation's own mail server
    outside: Mta  # the mail server of somebody else
    incamail: Mta  # where IncaMail's side hands in what it sends
    mailboxes: Mailboxes
    _queue: Queue = field(repr=False)

    @property
    def log(self) -> tuple[LogLine, ...]:
        """Every try to pass a message on, in order."""
        return tuple(self._queue.log)

    async def outcome(self, message_id: str) -> Outcome:
        """What became of one message, once nothing travels any more."""
        await self._queue.settled()
        lines = tuple(line for line in self.log if line.message_id == message_id)
        return Outcome(self.mailboxes.of(message_id), lines)


@dataclass(frozen=True)
class Outcome:
    """Where one message arrived, and what the servers on its way noted."""

    arrivals: tuple[Arrival, ...]
    log: tuple[LogLine, ...]

    @property
    def stopped(self) -> LogLine | None:
        """Where it ended, if it did not arrive."""
        if self.arrivals:
            return None
        # Not the last line: a server writes its own only after the next one has its reply sent.
        return next((line for line in reversed(self.log) if not line.passed_on), None)


@asynccontextmanager
async def mail(
    running: Running,
    organisation: Organisation | None = None,
    *,
    heard: Callable[[Arrival | LogLine], None] = lambda _: None,
    ports: Mapping[str, int] | None = None,
) -> AsyncIterator[MailFlow]:
    """Run the mail servers around a running lab; without an `organisation` as its scenario says.
    `heard` is told every arrival and every line of a log.

    They listen on 127.0.0.1 on the `ports` that they had before, else on free ones. On leaving,
    every connection and task is gone.
    """
    queue, boxes = Queue(heard), Mailboxes(heard)
    place = _Place(running, organisation or Organisation.of(running))
    own, outside = place.sending_host, OUTSIDE
    async with AsyncExitStack() as stack:
        opened = {
            host: await stack.enter_async_context(
                serve(_sound(running, host), now=running.pki.now, port=(ports or {}).get(host, 0))
            )
            for host in (own, outside, SWISS_POST)
        }
        stack.push_async_callback(queue.stop)
        servers = _Servers(place, boxes, queue, outside_port=opened[outside].port)
        opened[own].takes = servers.own().take
        opened[outside].takes = servers.outside().take
        # As what was handed in there by anybody, it goes on by IncaMail's own certificate and way.
        opened[SWISS_POST].takes = servers.incamail(PLATFORM_HOSTS[0]).take
        for host, gateway in running.gateways.items():
            made = servers.incamail(host) if host in PLATFORM_HOSTS else servers.receiving(host)
            gateway.takes = made.take
        yield MailFlow(
            submission=_mta(opened[own], running.trust_store),
            outside=_mta(opened[outside], running.trust_store),
            incamail=_mta(opened[SWISS_POST], running.trust_store),
            mailboxes=boxes,
            _queue=queue,
        )


def _sound(running: Running, host: str) -> GatewayPlan:
    return GatewayPlan(host, TlsPlan(running.pki.leaf(pki.Variant.BOTH, host)))


def _mta(gateway: Gateway, roots: Path) -> Mta:
    return Mta(LOOPBACK, gateway.port, name=gateway.plan.host, roots=roots, only_here=True)


class _Place:
    """Who lives where on this lab, and how one finds out."""

    def __init__(self, running: Running, organisation: Organisation) -> None:
        self.running, self.organisation = running, organisation
        self.own_domains = frozenset(organisation.domains)
        self.resolver = resolver_for([running.nameserver], _DNS_S)
        self.suffix = canonical_suffix(running.platform.suffix.value)

    @property
    def sending_host(self) -> str:
        """The organisation's server that sends."""
        return self.running.sending[0].host

    def routing(self, message: Message) -> MessageRouting:
        """Where the organisation's rules send a message."""
        return classify_message(
            message.content,
            self.organisation.rules,
            recipients=message.recipients,
            own_domains=self.organisation.domains,
        )

    async def by_mx(self, domain: str, *, tls: TlsUse, verify: bool) -> Found:
        """The servers of a domain, by its MX records."""
        mx = await look_up_mx(domain, resolver=self.resolver)
        hosts = [record.split(" ")[-1].rstrip(".") for record in mx.records]
        if mx.status is DnsStatus.NO_DATA:
            hosts = [domain]  # RFC 5321 §5.1: without MX, the address of the domain itself
        elif hosts == [""]:
            return NoWay(say("{domain} takes no mail (null MX)", domain=domain))
        elif not hosts:
            return NoWay(_not_found(mx))
        ways: list[Way] = []
        for host in hosts:
            found = await self.by_name(host, tls=tls, verify=verify)
            if not isinstance(found, NoWay):
                ways += found or ()
        return ways or NoWay(say("no server of {domain} has an address", domain=domain))

    async def by_name(
        self, host: str, *, tls: TlsUse = TlsUse.REQUIRED, verify: bool = True
    ) -> Found:
        """One server, by its name."""
        answer = await look_up(host, "A", resolver=self.resolver)
        if LOOPBACK not in answer.records or host not in self.running.ports:
            return NoWay(_not_found(answer))
        return [self._at(self.running.ports[host], tls=tls, verify=verify)]

    async def by_hop(self, hop: NextHop, *, default: str, tls: TlsUse, verify: bool) -> Found:
        """The server that a rule or a set-up document names; `default` is at the lab's address."""
        value = hop.value.strip("[] ").lower()
        if not value:
            return NoWay(say("the rule names no next hop"))
        if not _is_literal(value):
            return await self.by_name(value, tls=tls, verify=verify)
        if value != LOOPBACK:
            return NoWay(say("nothing of the lab is at {address}", address=value))
        return [self._at(self.running.ports[default], tls=tls, verify=verify)]

    def _at(self, port: int, *, tls: TlsUse, verify: bool) -> Way:
        """What is met at a port is the host that must prove its name there."""
        ports = self.running.ports
        host = next(host for host in self.running.gateways if ports[host] == port)
        return Way(host, port, tls, verify)


def _not_found(answer: DnsAnswer) -> Text:
    if answer.is_absent or answer.status is DnsStatus.FOUND:
        return say("no {type} record of {name} leads on", type=answer.type, name=answer.name)
    return say(
        "{type} record of {name}: {status}",
        type=answer.type,
        name=answer.name,
        status=word(answer.status),
    )


def _is_literal(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


class _Servers:
    """What stands behind each listener."""

    def __init__(self, place: _Place, boxes: Mailboxes, queue: Queue, *, outside_port: int) -> None:
        self._place, self._boxes, self._queue = place, boxes, queue
        self._outside = Way(OUTSIDE, outside_port, TlsUse.OPPORTUNISTIC, verify=False)
        self._roots = place.running.trust_store

    def own(self) -> Forwarder:
        """The organisation's mail server: its own rules decide, its own certificate is shown."""
        place, own = self._place, self._place.organisation
        identity = Identity(self._roots, own.certificate, own.key, own.passphrase)

        async def decides(message: Message, recipient: str) -> tuple[Found, str]:
            domain = parse_address(recipient).domain
            route = place.routing(message).routes[message.recipients.index(recipient)]
            if route.to_incamail:
                return await self._to_incamail(route, domain), recipient
            if domain in place.own_domains:
                return None, recipient
            return [self._outside], recipient

        def refuses(message: Message) -> str:
            routes = place.routing(message).routes
            if any(route.refused for route in routes):
                return "550 5.7.1 Error: a tag needs the suffix behind the address"
            if any(not route.is_known for route in routes):
                return "451 4.3.5 Error: which rule applies is not known"
            return ""

        return self._made(place.sending_host, identity, decides, refuses)

    async def _to_incamail(self, route: Route, domain: str) -> Found:
        hop, place = route.next_hop, self._place
        if hop is None or hop.kind is NextHopKind.MX:
            # By MX alone nothing demands TLS, let alone a name.
            return await place.by_mx(domain, tls=TlsUse.OPPORTUNISTIC, verify=False)
        return await place.by_hop(hop, default=SMART_HOST, tls=TlsUse.REQUIRED, verify=True)

    def incamail(self, host: str) -> Forwarder:
        """IncaMail behind one of its gateways: the suffix goes, the rest is delivered."""
        place, running = self._place, self._place.running
        folder = self._roots.parent
        certificate, key = pki.write_pem(running.pki.platform(host), folder, f"client-{host}")

        async def decides(_: Message, recipient: str) -> tuple[Found, str]:
            address = parse_address(recipient)
            domain = address.domain
            if has_suffix(domain, place.suffix):
                domain = domain.removesuffix(place.suffix)
            onward = f"{address.local}@{domain}"
            if domain not in place.own_domains:
                return None, onward
            return await self._to_the_organisation(domain), onward

        return self._made(host, Identity(self._roots, certificate, key), decides)

    async def _to_the_organisation(self, domain: str) -> Found:
        """Forced TLS to the receiving gateway, found as the set-up document says (guide 8.2)."""
        incoming, place = self._place.organisation.incoming, self._place
        if incoming.kind is NextHopKind.MX:
            return await place.by_mx(domain, tls=TlsUse.REQUIRED, verify=True)
        hop = NextHop(kind=incoming.kind, value=incoming.value)
        default = next(iter(place.running.gateways))
        return await place.by_hop(hop, default=default, tls=TlsUse.REQUIRED, verify=True)

    def receiving(self, host: str) -> Forwarder:
        """A receiving gateway: what is for the organisation lies in its mailboxes."""
        place = self._place

        async def decides(_: Message, recipient: str) -> tuple[Found, str]:
            return None, recipient

        def refuses(message: Message) -> str:
            foreign = {parse_address(r).domain for r in message.recipients} - place.own_domains
            return "554 5.7.1 Error: relay access denied" if foreign else ""

        return self._made(host, Identity(self._roots), decides, refuses)

    def outside(self) -> Forwarder:
        """Somebody else's mail server: ordinary mail, by MX, encrypted if that is offered."""
        place = self._place

        async def decides(_: Message, recipient: str) -> tuple[Found, str]:
            domain = parse_address(recipient).domain
            if domain not in place.own_domains:
                return None, recipient
            found = await place.by_mx(domain, tls=TlsUse.OPPORTUNISTIC, verify=False)
            return found, recipient

        return self._made(OUTSIDE, Identity(self._roots), decides)

    def _made(
        self, name: str, identity: Identity, decides: Decides, refuses: Taker = keeps
    ) -> Forwarder:
        def delivers(content: bytes, sender: str, recipient: str) -> None:
            now = dt.datetime.now(dt.UTC)
            self._boxes.put(content, sender=sender, recipient=recipient, at=now)

        return Forwarder(name, identity, self._queue, decides, delivers, refuses)
