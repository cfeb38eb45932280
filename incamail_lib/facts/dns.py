"""What the DNS answered: every failure mode stays a fact of its own."""

from __future__ import annotations

import ipaddress
from enum import StrEnum

from pydantic import model_validator

from incamail_lib.facts.observation import Observation
from incamail_lib.record import IpAddress, Record


class DnsStatus(StrEnum):
    """How a look-up ended. A timeout never becomes "no record"."""

    FOUND = "found"
    NO_DATA = "no_data"  # the name exists, not this type
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LAME = "lame"  # answered without authority or usable content
    BAD_NAME = "bad_name"  # not a legal domain name
    NOT_ASKED = "not_asked"


_ADDRESS_TYPES = frozenset({"A", "AAAA"})


class DnsAnswer(Record):
    """One question and its answer; records in presentation form, MX sorted by preference."""

    name: str
    type: str
    status: DnsStatus
    records: tuple[str, ...] = ()
    canonical_name: str = ""  # where a CNAME chain led; "" without one
    ttl_s: int | None = None
    authenticated: bool | None = None  # AD flag as seen from the resolver; None: no answer
    elapsed_s: float = 0.0
    detail: str = ""
    left_out: int = 0  # records that came as well and are not kept

    @model_validator(mode="after")
    def _addresses_are_some(self) -> DnsAnswer:
        if self.type in _ADDRESS_TYPES:
            for record in self.records:
                ipaddress.ip_address(record)
        return self

    @property
    def is_cut(self) -> bool:
        """True when `records` is not all that came: it is never judged as the whole."""
        return self.left_out > 0

    @property
    def is_absent(self) -> bool:
        """True when the DNS positively said that there is no such record."""
        return self.status in (DnsStatus.NO_DATA, DnsStatus.NXDOMAIN)

    @property
    def is_failure(self) -> bool:
        """True when nothing is known: SERVFAIL, REFUSED, timeout, lame."""
        return self.status in (
            DnsStatus.SERVFAIL,
            DnsStatus.REFUSED,
            DnsStatus.TIMEOUT,
            DnsStatus.LAME,
        )


class AddressFacts(Record):
    """One address and its reverse mapping."""

    address: IpAddress
    ptr: DnsAnswer
    forward_confirmed: Observation  # a PTR name resolves back to the address


class HostFacts(Record):
    """One host name: addresses, alias, TLSA."""

    host: str
    is_ip_literal: bool = False
    a: DnsAnswer
    aaaa: DnsAnswer
    tlsa: DnsAnswer  # _<port>._tcp.<host>
    addresses: tuple[AddressFacts, ...] = ()
    caa: DnsAnswer | None = None  # of the host or the nearest name above; None: not asked

    @property
    def is_alias(self) -> bool:
        """Whether the name is a CNAME (forbidden for an MX target, RFC 5321 §5.1)."""
        return bool(self.a.canonical_name or self.aaaa.canonical_name)


class MxHost(Record):
    """One mail exchanger of a domain."""

    preference: int
    host: HostFacts


class PolicyFetch(Record):
    """The MTA-STS policy document, fetched only through an injected fetcher (RFC 8461 §3.3)."""

    fetched: Observation
    body: str = ""
    mode: str = ""
    mx_patterns: tuple[str, ...] = ()
    max_age_s: int | None = None
    problem: str = ""


class DomainFacts(Record):
    """One mail domain of the client."""

    domain: str  # A-label form
    mx: DnsAnswer
    null_mx: bool = False
    implicit_mx: bool = False  # no MX record: the domain's own address is used
    exchangers: tuple[MxHost, ...] = ()
    spf: DnsAnswer  # TXT records that start with v=spf1
    spf_answers: tuple[DnsAnswer, ...] | None = None  # what it leads to; None: not followed
    dmarc: DnsAnswer
    # Tagged TXT records at _dmarc of the domain and of the names above (RFC 9989 §4.10)
    dmarc_walk: tuple[DnsAnswer, ...] | None = None
    mta_sts: DnsAnswer
    mta_sts_policy: PolicyFetch | None = None
    tls_rpt: DnsAnswer
    caa: DnsAnswer

    @property
    def exchangers_left_out(self) -> int:
        """How many of the exchangers that MX records name were not looked up."""
        named = {record.lower() for record in self.mx.records if not record.endswith(" .")}
        return max(len(named) - len(self.exchangers), 0) + self.mx.left_out


class DnsFacts(Record):
    """All look-ups of one audit."""

    resolver: str = ""  # addresses asked, e.g. "127.0.0.1:5300"
    domains: tuple[DomainFacts, ...] = ()
    hosts: tuple[HostFacts, ...] = ()  # declared gateways that no MX names
    platform_hosts: tuple[HostFacts, ...] = ()
    platform_mx: DnsAnswer | None = None  # MX of a sub-domain of the suffix, where asked
