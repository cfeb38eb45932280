"""The sound setting every scenario starts from: gateways, name server data, platform record."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from incamail_lib.guide.platform import Certainty, Platform, PlatformGateway, Sourced
from incamail_lib.i18n import N_
from incamail_lib.lab.pki import CA_ORGANISATION, PLATFORM_ORGANISATION, Pki, Variant
from incamail_lib.lab.plan import ClientAuth, GatewayPlan, TlsPlan
from incamail_lib.lab.scenario import DnsPlan, Names

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
REVERSE = "1.0.0.127.in-addr.arpa"
SUFFIX = ".incamail.ch"
SMART_HOST = "im.post.ch"
PLATFORM_HOSTS = ("gw1.incamail.com", "gw2.incamail.com")
_LAB = N_("the embedded lab")
SENDER_DOMAINS = ("im.post.ch", "incamail.com", "incamail.ch")


def sound_gateway(host: str, pki: Pki) -> GatewayPlan:
    """A client's gateway as the guide wants it: it asks for a certificate, verifies one that is
    shown, and still serves senders without (RFC 3207 §4)."""
    return GatewayPlan(
        host, TlsPlan(pki.leaf(Variant.BOTH, host), client=ClientAuth(roots=pki.roots))
    )


def sound_platform(host: str, pki: Pki) -> GatewayPlan:
    """A gateway of the platform: TLS and a recognised client certificate are required."""
    client = ClientAuth(required=True, roots=pki.roots)
    return GatewayPlan(host, TlsPlan(pki.platform(host), client=client), demands_tls=True)


def sound_dns(names: Names) -> DnsPlan:
    """Records of the client's domains and of the platform; every address is 127.0.0.1."""
    records: list[tuple[str, str, str]] = []
    for domain in names.domains:
        records += _domain_records(domain, names)
    addressed = (*names.hosts, names.outgoing, *PLATFORM_HOSTS, SMART_HOST)
    records += [(host, "A", LOOPBACK) for host in addressed]
    # All hosts share the one address; its reverse name is the gateway that is looked up most.
    # Whatever stands before the suffix, mail for it is IncaMail's.
    records += [(f"*{SUFFIX}", "MX", f"10 {host}.") for host in PLATFORM_HOSTS]
    records.append((REVERSE, "PTR", f"{names.hosts[0]}."))
    return DnsPlan(tuple(records))


def _domain_records(domain: str, names: Names) -> list[tuple[str, str, str]]:
    exchangers = [
        (domain, "MX", f"{10 * number} {host}.") for number, host in enumerate(names.hosts, start=1)
    ]
    return [
        *exchangers,
        (domain, "TXT", '"v=spf1 mx a:out.' + names.domain + ' -all"'),
        (f"_dmarc.{domain}", "TXT", f'"v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"'),
        (f"_smtp._tls.{domain}", "TXT", f'"v=TLSRPTv1; rua=mailto:tlsrpt@{domain}"'),
        (domain, "CAA", '0 issue "pki.lab.example"'),
    ]


def lab_platform(
    today: dt.date, *, documented: tuple[str, ...] = (LOOPBACK,), fingerprint_sha1: str = ""
) -> Platform:
    """The platform record of the lab, in place of the guide's: real names, lab certificates."""

    def fact(value: T) -> Sourced[T]:
        return Sourced(
            value=value,
            source=_LAB,
            certainty=Certainty.PRIMARY,
            verified_on=today,
        )

    gateways = tuple(
        PlatformGateway(
            host=host,
            addresses=documented,
            source=_LAB,
            certainty=Certainty.PRIMARY,
            verified_on=today,
        )
        for host in PLATFORM_HOSTS
    )
    return Platform(
        name="IncaMail (lab)",
        suffix=fact(SUFFIX),
        smart_host=fact(SMART_HOST),
        gateways=gateways,
        organisations=fact((PLATFORM_ORGANISATION,)),
        issuers=fact((CA_ORGANISATION,)),
        names=fact(("*.incamail.com",)),
        fingerprints_sha1=fact((fingerprint_sha1,) if fingerprint_sha1 else ()),
        spki_sha256=fact(()),
        message_limit_mb=fact(30),
        recommended_attachment_mb=fact(10),
        sender_domains=fact(SENDER_DOMAINS),
        tags=fact(("<im><c>", "<im><p>", "<im><r>")),
        contacts=fact(("support@lab.example",)),
        links=fact(()),
    )
