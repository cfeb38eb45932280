"""Everything measured for one organisation: what is saved, and judged again later."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from incamail_lib.facts.certificate import CredentialFacts
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.routing import MessageRouting, NextHopKind, RuleSet
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.guide import Platform
from incamail_lib.i18n import Language, Text
from incamail_lib.record import Record, UtcDatetime


class DeclaredGateway(Record):
    """A gateway as the client declares it; `addresses` only where they are fixed by the client."""

    host: str
    addresses: tuple[str, ...] = ()
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


class Vantage(Record):
    """From where and with what the measurement was made."""

    ehlo_name: str  # "" for the own address, as each peer sees it
    version: str  # of incamail_lib
    python: str
    openssl: str
    backend: str  # TLS back-end
    on_lab: bool = False  # the embedded lab, not the real platform
    scenario: str = ""


class AuditFacts(Record):
    """The facts of one audit, neutral and complete: `judge` needs nothing else but a date."""

    schema_version: Literal[1] = 1
    measured_at: UtcDatetime
    vantage: Vantage
    declared: Declared
    platform: Platform
    routing: tuple[MessageRouting, ...] = ()
    dns: DnsFacts
    receiving: tuple[EndpointFacts, ...] = ()
    platform_endpoints: tuple[EndpointFacts, ...] = ()
    credentials: tuple[CredentialFacts, ...] = ()
    limits: tuple[Text, ...] = ()  # what was left out, e.g. more than 10 exchangers
