"""Everything measured for one organisation: what is saved, and judged again later."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from incamail_lib.facts.certificate import CredentialFacts
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.routing import MessageRouting, NextHopKind, RuleSet
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.facts.transfer import MessageHops
from incamail_lib.guide import Platform
from incamail_lib.i18n import Language, Text
from incamail_lib.record import IpAddress, OurTime, Record


class DeclaredGateway(Record):
    """A gateway as the client declares it; `addresses` only where they are fixed by the client."""

    host: str
    addresses: tuple[IpAddress, ...] = ()
    port: int = 25


class IncomingRoute(Record):
    """How IncaMail finds the client's gateway (guide 8.2): MX, or a static name or address."""

    kind: NextHopKind = NextHopKind.MX
    value: str = ""


class ComponentFacts(Record):
    """One component of guide section 2 as the client declares it."""

    key: str  # key in guide/components.toml
    present: bool | None = None
    product: str = ""
    operator: str = ""
    hosts: tuple[str, ...] = ()  # names and addresses of its machines, as Received lines have them


class Declared(Record):
    """What the client says about itself; everything else in AuditFacts was measured."""

    organisation: str
    language: Language = "en"
    go_live: dt.date | None = None
    domains: tuple[str, ...]  # A-label form
    receiving: tuple[DeclaredGateway, ...] = ()  # empty: whatever the MX says
    sending: tuple[DeclaredGateway, ...] = ()
    incoming: IncomingRoute = IncomingRoute()
    rules: RuleSet
    components: tuple[ComponentFacts, ...] = ()
    # settings that nobody has decided, as "routing.method": the usual ones were assumed
    undecided: tuple[str, ...] = ()


class Place(StrEnum):
    """Where a measurement was made, as its operator declares it."""

    UNDECLARED = "undeclared"
    GATEWAY = "gateway"  # on the sending gateway itself
    INSIDE = "inside"  # in the organisation's network, behind the same firewall
    ELSEWHERE = "elsewhere"  # outside of it, as IncaMail is


class Vantage(Record):
    """From where and with what the measurement was made."""

    place: Place = Place.UNDECLARED  # also of facts saved before there was this field
    machine: str = ""  # its own name; on the lab nothing of the machine is kept
    addresses: tuple[str, ...] = ()  # its own, with their networks, e.g. "192.0.2.7/24"
    # Whether any public address took a connection to port 25; None: none was tried.
    port_25: Observation | None = None
    ehlo_name: str  # "" for the own address, as each peer sees it
    version: str  # of incamail_lib
    python: str
    openssl: str
    backend: str  # TLS back-end
    on_lab: bool = False  # the embedded lab, not the real platform
    scenario: str = ""


class ReceivingFrom(Record):
    """Where and when the receiving side was measured, when not together with the rest."""

    vantage: Vantage
    measured_at: OurTime


class AuditFacts(Record):
    """The facts of one audit, neutral and complete: `judge` needs nothing else but a date."""

    schema_version: Literal[2] = 2  # when it rises: incamail_lib/audit/migrating.py
    measured_at: OurTime
    vantage: Vantage
    declared: Declared
    platform: Platform
    routing: tuple[MessageRouting, ...] = ()
    hops: tuple[MessageHops, ...] = ()  # of the client's own sample messages
    dns: DnsFacts
    receiving: tuple[EndpointFacts, ...] = ()
    platform_endpoints: tuple[EndpointFacts, ...] = ()
    credentials: tuple[CredentialFacts, ...] = ()
    limits: tuple[Text, ...] = ()  # what was left out, e.g. more than 10 exchangers
    receiving_from: ReceivingFrom | None = None  # set where measurements were merged

    @property
    def complete_at(self) -> dt.datetime:
        """When the last of it was measured; `measured_at` is of all but the receiving side."""
        other = self.receiving_from
        return max(self.measured_at, other.measured_at) if other else self.measured_at

    @property
    def receiving_vantage(self) -> Vantage:
        """From where the domains and the receiving gateways were looked at."""
        return self.receiving_from.vantage if self.receiving_from else self.vantage
