"""Literal facts for tests of the judging wing: a sound client, to be changed piece by piece."""

from __future__ import annotations

import datetime as dt
from typing import Any

from incamail_lib.facts.audit import (
    AuditFacts,
    Declared,
    DeclaredGateway,
    Place,
    ReceivingFrom,
    Vantage,
)
from incamail_lib.facts.certificate import (
    CertificateFacts,
    ChainFacts,
    CredentialFacts,
    CredentialUse,
    NameMatch,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.dns import (
    DnsAnswer,
    DnsFacts,
    DnsStatus,
    DomainFacts,
    HostFacts,
    MxHost,
)
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    Reply,
    Side,
    SmtpFacts,
    Stage,
    Starttls,
    Target,
    TlsFacts,
)
from incamail_lib.guide import Certainty, Platform, PlatformGateway, Sourced
from incamail_lib.routing import standard_samples

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
GATEWAY = Target(role=Side.RECEIVING, host="mx1.muster.example", address="192.0.2.1")
PLATFORM = Target(role=Side.PLATFORM, host="gw1.incamail.com", address="194.41.147.13")


def certificate(**changes: Any) -> CertificateFacts:
    """A sound server certificate of the platform."""
    sound: dict[str, Any] = {
        "der": b"0",
        "sha1": "aa" * 20,
        "sha256": "bb" * 32,
        "spki_sha256": "cc" * 32,
        "subject": "CN=gw1.incamail.com,O=Post CH AG",
        "subject_cn": ("gw1.incamail.com",),
        "subject_o": ("Post CH AG",),
        "issuer": "CN=Issuing CA,O=SwissSign AG",
        "issuer_cn": ("Issuing CA",),
        "issuer_o": ("SwissSign AG",),
        "not_before": NOW - dt.timedelta(days=30),
        "not_after": NOW + dt.timedelta(days=150),
        "san_dns": ("gw1.incamail.com",),
        "key_type": "RSA",
        "key_bits": 3072,
        "signature_algorithm": "sha256WithRSAEncryption",
        "signature_hash": "sha256",
        "ext_key_usage": ("serverAuth",),
    }
    return CertificateFacts(**(sound | changes))


def survey(**changes: Any) -> SmtpFacts:
    """A complete survey connection over TLS 1.3."""
    sound: dict[str, Any] = {
        "purpose": Purpose.SURVEY,
        "started_at": NOW,
        "elapsed_s": 0.1,
        "reached": Stage.QUIT,
        "ended": Reason.SEEN,
        "ended_in": Stage.QUIT,
        "greeting": Reply(code=220, lines=("mx1 ESMTP",)),
        "capabilities": ("mx1", "STARTTLS", "SIZE 52428800"),
        "starttls": Starttls.ACCEPTED,
        "starttls_reply": Reply(code=220, lines=("go",)),
        "tls": TlsFacts(
            established=True,
            version="TLSv1.3",
            cipher="TLS_AES_256_GCM_SHA384",
            cipher_bits=256,
            group="X25519MLKEM768",
            post_quantum=True,
            chain=(certificate(), certificate(subject="CN=Issuing CA", is_ca=True)),
            links=ChainFacts(length=2, in_order=True, root_sent=False),
            certificate_requested=yes(),
            accepted=yes(Reason.SMTP_REPLY, "250"),
        ),
        "capabilities_in_tls": ("mx1", "SIZE 52428800"),
    }
    return SmtpFacts(**(sound | changes))


def broken(ended: Reason, stage: Stage, **changes: Any) -> SmtpFacts:
    """A survey that ended early in `stage` for the reason given."""
    order = list(Stage)
    reached = order[order.index(stage) - 1] if stage is not Stage.CONNECT else None
    nothing: dict[str, Any] = {
        "reached": reached,
        "ended": ended,
        "ended_in": stage,
        "greeting": None,
        "capabilities": None,
        "starttls": Starttls.UNKNOWN,
        "starttls_reply": None,
        "tls": None,
        "capabilities_in_tls": None,
    }
    return survey(**(nothing | changes))


def trusted(store: str = "certifi", reason: TrustReason = TrustReason.TRUSTED) -> TrustFacts:
    """One store's verdict."""
    answer = yes() if reason is TrustReason.TRUSTED else no(Reason.SEEN)
    return TrustFacts(store=store, trusted=answer, reason=reason, public=_known(store, reason))


def _known(store: str, reason: TrustReason) -> bool | None:
    """Mozilla's store knows public roots alone; what it does not know may be anything."""
    unknown = (TrustReason.UNKNOWN_ROOT, TrustReason.MISSING_INTERMEDIATE)
    if store not in ("certifi", "system") or reason is TrustReason.SELF_SIGNED:
        return False
    return None if reason in unknown else True


def endpoint(target: Target = PLATFORM, **changes: Any) -> EndpointFacts:
    """A sound endpoint with mutual TLS."""
    sound: dict[str, Any] = {
        "target": target,
        "connections": (survey(),),
        "starttls": Starttls.ACCEPTED,
        "client_auth": ClientAuthFacts(
            requested=yes(),
            demanded=yes(Reason.ALERT, "116"),
            demanded_in=Stage.EHLO_IN_TLS,
            own_accepted=yes(Reason.SMTP_REPLY),
            foreign_accepted=no(Reason.ALERT, "48"),
            verified=yes(),
        ),
        "legacy": no(Reason.ALERT, "70"),
        "injection": no(),
        "trust": (trusted(), trusted("system")),
        "name_match": NameMatch(host=target.host, matched=True, presented=(target.host,)),
    }
    return EndpointFacts(**(sound | changes))


def unreached(ended: Reason, stage: Stage, target: Target = PLATFORM) -> EndpointFacts:
    """An endpoint of which nothing could be seen."""
    nothing = inconclusive(Reason.NOT_REACHED)
    return endpoint(
        target,
        connections=(broken(ended, stage),),
        starttls=Starttls.UNKNOWN,
        client_auth=ClientAuthFacts(
            requested=nothing,
            demanded=nothing,
            own_accepted=nothing,
            foreign_accepted=nothing,
            verified=nothing,
        ),
        legacy=nothing,
        injection=nothing,
        trust=(),
        name_match=None,
    )


def answer(name: str, kind: str, *records: str, **changes: Any) -> DnsAnswer:
    """A DNS answer; without records it is a clean "no such record"."""
    status = DnsStatus.FOUND if records else DnsStatus.NO_DATA
    return DnsAnswer(
        **({"name": name, "type": kind, "status": status, "records": records} | changes)
    )


def host(name: str, *addresses: str) -> HostFacts:
    """A host with IPv4 addresses."""
    return HostFacts(
        host=name,
        a=answer(name, "A", *addresses),
        aaaa=answer(name, "AAAA"),
        tlsa=answer(f"_25._tcp.{name}", "TLSA"),
    )


def mail_domain(*exchangers: str) -> DomainFacts:
    """muster.example with these exchangers, each at one address, and nothing else published."""
    name = "muster.example"
    blank = {kind: answer(name, "TXT") for kind in ("spf", "dmarc", "mta_sts", "tls_rpt", "caa")}
    hosts = tuple(MxHost(preference=10, host=host(e, "192.0.2.1")) for e in exchangers)
    mx = answer(name, "MX", *(f"10 {e}." for e in exchangers))
    return DomainFacts(domain=name, mx=mx, exchangers=hosts, **blank)


def sourced(value: Any, certainty: Certainty = Certainty.PRIMARY) -> dict[str, Any]:
    """A platform fact with its source."""
    return {
        "value": value,
        "source": "test",
        "certainty": certainty,
        "verified_on": dt.date(2026, 11, 24),
    }


def platform(**changes: Any) -> Platform:
    """The platform as a test expects it."""
    gateway = PlatformGateway(
        host=PLATFORM.host,
        addresses=(PLATFORM.address,),
        source="test",
        certainty=Certainty.PRIMARY,
        verified_on=dt.date(2026, 11, 24),
    )
    return Platform(
        **(
            {
                "name": "IncaMail",
                "gateways": (gateway,),
                "suffix": Sourced[str](**sourced(".incamail.ch")),
                "smart_host": Sourced[str](**sourced("im.post.ch")),
                "organisations": sourced(("Post CH AG",)),
                "issuers": sourced(("SwissSign AG",)),
                "names": sourced(("gw1.incamail.com", "*.incamail.com")),
                "fingerprints_sha1": sourced(()),
                "spki_sha256": sourced(()),
                "message_limit_mb": sourced(30),
                "recommended_attachment_mb": sourced(10),
                "sender_domains": sourced(("im.post.ch",)),
                "tags": sourced(("<im><c>", "<im><p>", "<im><r>")),
                "contacts": sourced(("business@incamail.ch",)),
                "links": sourced(()),
            }
            | changes
        )
    )


def declared(**changes: Any) -> Declared:
    """A client with a suffix rule and one gateway."""
    sound: dict[str, Any] = {
        "organisation": "Muster AG",
        "language": "de",
        "go_live": dt.date(2027, 1, 15),
        "domains": ("muster.example",),
        "sending": (DeclaredGateway(host="out.muster.example"),),
        "rules": RuleSet(
            method=Method.DOMAIN,
            next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch"),
        ),
    }
    return Declared(**(sound | changes))


def vantage(place: Place = Place.UNDECLARED, **changes: Any) -> Vantage:
    """A machine at a place, with the software that measured."""
    usual: dict[str, Any] = {
        "place": place,
        "ehlo_name": "audit.muster.example",
        "version": "1.2.3",
        "python": "3.11",
        "openssl": "OpenSSL 4.0.3",
        "backend": "pyopenssl",
    }
    return Vantage(**(usual | changes))


def facts(**changes: Any) -> AuditFacts:
    """A sound audit, of which a test changes what it is about."""
    sound: dict[str, Any] = {
        "measured_at": NOW,
        "vantage": vantage(Place.GATEWAY),
        "receiving_from": ReceivingFrom(vantage=vantage(Place.ELSEWHERE), measured_at=NOW),
        "declared": declared(),
        "platform": platform(),
        "dns": DnsFacts(platform_hosts=(host(PLATFORM.host, PLATFORM.address),)),
        "receiving": (endpoint(GATEWAY),),
        "platform_endpoints": (endpoint(),),
    }
    return AuditFacts(**(sound | changes))


def client_file(**changes: Any) -> CredentialFacts:
    """A sound certificate for sending, with its key."""
    leaf = certificate(
        sha256="56" * 32,
        subject="CN=out.muster.example,O=Muster AG",
        subject_cn=("out.muster.example",),
        san_dns=("out.muster.example",),
        ext_key_usage=("clientAuth",),
        issuer_o=("Private CA",),
    )
    authority = certificate(
        sha256="78" * 32, subject="CN=Private CA", is_ca=True, ext_key_usage=None
    )
    sound: dict[str, Any] = {
        "label": "client.pem",
        "uses": (CredentialUse.SENDING,),
        "format": "PEM",
        "readable": yes(),
        "chain": (leaf, authority),
        "links": ChainFacts(length=2, in_order=True, root_sent=False),
        "has_key": True,
        "key_matches": yes(),
        "trust": (trusted("own").model_copy(update={"purpose": "clientAuth", "public": False}),),
    }
    return CredentialFacts(**(sound | changes))


def ready(**changes: Any) -> AuditFacts:
    """Facts whose verdict is ready."""
    rules = declared().rules.model_copy(
        update={"suffix_key": ".incamail.ch", "engine": Engine.POSTFIX_TABLE}
    )
    told = declared(rules=rules)
    lets_in = endpoint().client_auth.model_copy(update={"demanded": no(), "demanded_in": None})
    sound: dict[str, Any] = {
        "declared": told,
        "receiving": (endpoint(GATEWAY, client_auth=lets_in),),
        "routing": tuple(standard_samples(told.rules, told.domains)),
        "dns": DnsFacts(
            domains=(mail_domain("mx1.muster.example"),),
            hosts=(host("out.muster.example", "192.0.2.2"),),
            platform_hosts=(host(PLATFORM.host, PLATFORM.address),),
        ),
        "credentials": (client_file(),),
    }
    return facts(**(sound | changes))
