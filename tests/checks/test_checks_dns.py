"""DNS: what the records mean; silence stays unknown, whatever was asked."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from certificate.made import der, made
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from factories import GATEWAY, NOW, PLATFORM, answer, certificate, declared, endpoint, facts, survey
from factories import host as plain_host

from incamail_lib.certificate import read_certificate
from incamail_lib.checks import of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, IncomingRoute
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import (
    AddressFacts,
    DnsFacts,
    DnsStatus,
    DomainFacts,
    HostFacts,
    MxHost,
    PolicyFetch,
)
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Finding, Level, Outcome

DOMAIN, MX1, MX2 = "muster.example", "mx1.muster.example", "mx2.muster.example"
FAILURES = [DnsStatus.SERVFAIL, DnsStatus.REFUSED, DnsStatus.TIMEOUT, DnsStatus.LAME]
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CHECKS = of_family("DNS")


def host(name: str, *addresses: str, **changes: Any) -> HostFacts:
    caa = {"caa": answer(DOMAIN, "CAA", '0 issue "swisssign.com"')}
    return plain_host(name, *addresses).model_copy(update=caa | changes)


def silent(name: str, kind: str, status: DnsStatus = DnsStatus.TIMEOUT) -> Any:
    return answer(name, kind, status=status)


def policy(*patterns: str, **changes: Any) -> PolicyFetch:
    sound: dict[str, Any] = {"fetched": yes(), "mode": "enforce", "mx_patterns": patterns}
    return PolicyFetch(**(sound | changes))


def domain(*hosts: HostFacts, **changes: Any) -> DomainFacts:
    """A sound mail domain with these exchangers."""
    exchangers = hosts or (host(MX1, "192.0.2.1"),)
    records = [f"{n + 10} {h.host}." for n, h in enumerate(exchangers)]
    sound: dict[str, Any] = {
        "domain": DOMAIN,
        "mx": answer(DOMAIN, "MX", *records),
        "exchangers": tuple(MxHost(preference=n + 10, host=h) for n, h in enumerate(exchangers)),
        "spf": answer(DOMAIN, "TXT", "v=spf1 ip4:192.0.2.9 -all"),
        "spf_answers": (),
        "dmarc": answer(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none"),
        "mta_sts": answer(f"_mta-sts.{DOMAIN}", "TXT", "v=STSv1; id=1"),
        "mta_sts_policy": policy(MX1),
        "tls_rpt": answer(f"_smtp._tls.{DOMAIN}", "TXT", "v=TLSRPTv1; rua=mailto:a@b.ch"),
        "caa": answer(DOMAIN, "CAA", '0 issue "swisssign.com"'),
    }
    found = sound | changes
    above = answer("_dmarc.example", "TXT", status=DnsStatus.NXDOMAIN)
    return DomainFacts(**({"dmarc_walk": (found["dmarc"], above)} | found))


def sending(*addresses: AddressFacts, **changes: Any) -> HostFacts:
    name = "out.muster.example"
    return host(name, *(a.address for a in addresses), addresses=addresses, **changes)


def reverse(
    address: str, confirmed: Observation, status: DnsStatus = DnsStatus.FOUND
) -> AddressFacts:
    records = ("out.muster.example.",) if status is DnsStatus.FOUND else ()
    ptr = answer(address, "PTR", *records, status=status)
    return AddressFacts(address=address, ptr=ptr, forward_confirmed=confirmed)


def measured(found: DomainFacts | None = None, **changes: Any) -> AuditFacts:
    """A sound audit whose DNS is `found`; `changes` are those of DnsFacts."""
    sound: dict[str, Any] = {
        "domains": (found or domain(),),
        "hosts": (sending(reverse("192.0.2.9", yes())),),
        "platform_hosts": (host(PLATFORM.host, PLATFORM.address),),
    }
    return facts(dns=DnsFacts(**(sound | changes)))


def finding(code: str, audit: AuditFacts) -> Finding:
    return next(f for f in judge(audit, CHECKS, NOW) if f.code == code)


def outcome(code: str, found: DomainFacts | None = None, **changes: Any) -> Outcome:
    return finding(code, measured(found, **changes)).outcome


def test_a_sound_domain_passes() -> None:
    """Every check passes, or does not apply, and the findings name the domain."""
    found = {f.code: f for f in judge(measured(), CHECKS, NOW)}
    assert found["DNS02"].subject == DOMAIN
    outcomes = {code: f.outcome for code, f in found.items()}
    assert (outcomes.pop("DNS08"), outcomes.pop("DNS15")) == (NOT_APPLICABLE, NOT_APPLICABLE)
    assert set(outcomes.values()) == {PASSED}


@pytest.mark.parametrize("status", FAILURES)
def test_a_domain_that_gives_no_answer_is_unknown(status: DnsStatus) -> None:
    """No failure becomes "does not exist", and everything behind it stays open."""
    mute = domain(mx=silent(DOMAIN, "MX", status), exchangers=())
    audit = measured(mute)
    assert finding("DNS01", audit).outcome is UNKNOWN
    for code in ("DNS02", "DNS03", "DNS06", "DNS11"):
        behind = finding(code, audit)
        assert behind.outcome is UNKNOWN
        assert behind.blocked_by in ("DNS01", "DNS02")


@pytest.mark.parametrize("status", [DnsStatus.NXDOMAIN, DnsStatus.BAD_NAME])
def test_a_domain_that_does_not_exist_blocks(status: DnsStatus) -> None:
    """A spelling mistake in the dossier is a failure, not a riddle."""
    gone = domain(mx=silent(DOMAIN, "MX", status), exchangers=())
    assert finding("DNS01", measured(gone)).blocks


def test_a_null_mx_blocks() -> None:
    """The domain says that it takes no mail; nothing is said of exchangers then."""
    closed = domain(mx=answer(DOMAIN, "MX", "0 ."), null_mx=True, exchangers=())
    assert finding("DNS02", measured(closed)).blocks
    assert finding("DNS06", measured(closed)).blocked_by == "DNS02"


def test_an_implicit_mx_is_a_recommendation() -> None:
    """Mail still flows to the domain's own address, so it weighs less."""
    found = finding("DNS03", measured(domain(mx=answer(DOMAIN, "MX"), implicit_mx=True)))
    assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)


def test_an_address_in_an_mx_record_blocks_and_is_named() -> None:
    """And whether it has an address is no question any more."""
    literal = host("192.0.2.77", is_ip_literal=True)
    found = finding("DNS04", measured(domain(literal)))
    assert found.blocks
    assert "192.0.2.77" in found.seen.english()
    assert finding("DNS06", measured(domain(literal))).blocked_by == "DNS04"


@pytest.mark.parametrize("kind", ["a", "aaaa"])
def test_an_alias_as_exchanger_is_named(kind: str) -> None:
    """A CNAME seen on the way to either kind of address counts."""
    target = answer(MX1, kind.upper(), "192.0.2.1", canonical_name="real.example")
    found = finding("DNS05", measured(domain(host(MX1, "192.0.2.1", **{kind: target}))))
    assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)
    assert MX1 in found.seen.english()


def test_an_exchanger_without_address_weighs_by_how_many_are_left() -> None:
    """None with an address blocks; one of two delays mail only."""
    alone = finding("DNS06", measured(domain(host(MX1))))
    assert (alone.outcome, alone.level) == (FAILED, Level.REQUIRED)
    one_of_two = finding("DNS06", measured(domain(host(MX1, "192.0.2.1"), host(MX2))))
    assert (one_of_two.outcome, one_of_two.level) == (FAILED, Level.RECOMMENDED)
    assert MX2 in one_of_two.seen.english()
    v6 = host(MX1, aaaa=answer(MX1, "AAAA", "2001:db8::1"))
    assert outcome("DNS06", domain(v6)) is PASSED


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_an_address_that_could_not_be_looked_up_is_unknown(kind: str, status: DnsStatus) -> None:
    """Neither "has one" nor "has none"; the look-up that failed is the one that is named."""
    mute = host(MX1, **{kind.lower(): silent(MX1, kind, status)})
    found = finding("DNS06", measured(domain(mute)))
    assert found.outcome is UNKNOWN
    assert f"look-up of {kind} for" in found.seen.english()
    other = host(MX1, "192.0.2.1", aaaa=silent(MX1, "AAAA", status))
    assert outcome("DNS06", domain(other)) is PASSED


def test_a_hosted_gateway_is_told_by_its_provider() -> None:
    """The provider sees decrypted mail; one's own host does not become one by its look."""
    hosted = host("muster-example.mail.protection.outlook.com", "192.0.2.1")
    found = finding("DNS07", measured(domain(hosted)))
    assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)
    assert "Microsoft" in found.seen.english()
    own = host("mail.protection.outlook.com.muster.example", "192.0.2.1")
    assert outcome("DNS07", domain(own)) is PASSED


def declaring(
    found: DomainFacts, *hosts: str, kind: NextHopKind = NextHopKind.MX, value: str = ""
) -> AuditFacts:
    gateways = tuple(DeclaredGateway(host=name) for name in hosts)
    said = declared(receiving=gateways, incoming=IncomingRoute(kind=kind, value=value))
    return measured(found).model_copy(update={"declared": said})


def test_declared_gateways_must_be_published() -> None:
    """Where the route is by MX, a gateway that no MX names stays idle."""
    assert finding("DNS08", declaring(domain(), MX1)).outcome is PASSED
    missing = finding("DNS08", declaring(domain(), MX1, MX2))
    assert missing.outcome is FAILED
    assert MX2 in missing.seen.english()
    by_name = declaring(domain(), MX2, kind=NextHopKind.SMART_HOST, value=MX2)
    assert finding("DNS08", by_name).outcome is NOT_APPLICABLE


@pytest.mark.parametrize("status", FAILURES)
def test_gateways_are_not_missed_in_silence(status: DnsStatus) -> None:
    """MX records that could not be seen do not lack anything."""
    mute = domain(mx=silent(DOMAIN, "MX", status), exchangers=())
    assert finding("DNS08", declaring(mute, MX1)).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (NextHopKind.MX, "", PASSED),
        (NextHopKind.SMART_HOST, MX1, PASSED),
        (NextHopKind.STATIC, "192.0.2.1", FAILED),
    ],
)
def test_a_fixed_address_as_incoming_route_is_advised_against(
    kind: NextHopKind, value: str, expected: Outcome
) -> None:
    """The guide itself says that addresses may change."""
    found = finding("DNS09", declaring(domain(), kind=kind, value=value))
    assert (found.outcome, found.level) == (expected, Level.RECOMMENDED)
    assert value in found.seen.english()


def test_a_way_that_nobody_decided_is_open_and_required() -> None:
    """MX is the usual way; what was measured by it proves nothing while nobody chose it."""
    said = declared(undecided=("incoming.route",))
    found = finding("DNS09", measured(domain()).model_copy(update={"declared": said}))
    assert (found.outcome, found.level) == (UNKNOWN, Level.REQUIRED)
    assert "Nobody has decided" in found.seen.english()


OPEN = inconclusive(Reason.DNS_FAILURE, "out.muster.example")


@pytest.mark.parametrize(
    ("gateway", "expected", "words"),
    [
        (sending(reverse("192.0.2.9", yes())), PASSED, "out.muster.example"),
        (sending(reverse("192.0.2.9", no())), FAILED, "192.0.2.9"),
        (sending(reverse("192.0.2.9", no(), DnsStatus.NXDOMAIN)), FAILED, "192.0.2.9"),
        (
            sending(reverse("192.0.2.9", yes()), reverse("192.0.2.10", no())),
            *(FAILED, "192.0.2.10"),
        ),
        (sending(reverse("192.0.2.9", OPEN, DnsStatus.TIMEOUT)), UNKNOWN, "look-up of PTR"),
        (sending(reverse("192.0.2.9", OPEN)), UNKNOWN, "the DNS gave no usable answer"),
        (sending(), UNKNOWN, "No address"),
        (sending(a=silent("out.muster.example", "A")), UNKNOWN, "look-up of A for"),
        (sending(aaaa=silent("out.muster.example", "AAAA")), UNKNOWN, "look-up of AAAA for"),
        (
            sending(reverse("192.0.2.9", yes()), aaaa=silent("out.muster.example", "AAAA")),
            *(UNKNOWN, "look-up of AAAA for"),
        ),
        (
            sending(reverse("192.0.2.9", yes()), a=silent("out.muster.example", "A")),
            *(UNKNOWN, "look-up of A for"),
        ),
        (
            sending(
                reverse("192.0.2.9", yes()),
                a=answer("out.muster.example", "A", "192.0.2.9", "192.0.2.10"),
            ),
            *(UNKNOWN, "Only the first address"),
        ),
    ],
    ids=[
        *("confirmed", "not confirmed", "no name", "one of two", "silent", "no way back"),
        *("no address", "a silent", "aaaa silent"),
        *("confirmed but aaaa silent", "confirmed but a silent", "not all looked at"),
    ],
)
def test_the_reverse_name_of_the_sending_gateway(
    gateway: HostFacts, expected: Outcome, words: str
) -> None:
    """Every address needs a name that leads back; a failed look-up is told as what it was."""
    found = finding("DNS10", measured(hosts=(gateway,)))
    assert found.outcome is expected
    assert words in found.seen.english()


def test_without_a_sending_gateway_there_is_no_reverse_name() -> None:
    """A dossier that names none is asked about it elsewhere."""
    audit = measured().model_copy(update={"declared": declared(sending=())})
    assert finding("DNS10", audit).outcome is NOT_APPLICABLE


POLICIES = {
    "DNS11": ("spf", "v=spf1 -all"),
    "DNS12": ("dmarc", "v=DMARC1; p=reject"),
    "DNS14": ("tls_rpt", "v=TLSRPTv1; rua=mailto:a@b.ch"),
}


@pytest.mark.parametrize(("code", "field", "one"), [(c, *f) for c, f in POLICIES.items()])
def test_exactly_one_policy_record_is_wanted(code: str, field: str, one: str) -> None:
    """One passes, none and two fail, silence is unknown."""
    assert outcome(code, domain(**{field: answer(DOMAIN, "TXT", one)})) is PASSED
    assert outcome(code, domain(**{field: answer(DOMAIN, "TXT")})) is FAILED
    assert outcome(code, domain(**{field: answer(DOMAIN, "TXT", one, f"{one} ")})) is FAILED
    for status in FAILURES:
        assert outcome(code, domain(**{field: silent(DOMAIN, "TXT", status)})) is UNKNOWN


BOTH_HOSTS = (host(MX1, "192.0.2.1"), host(MX2, "192.0.2.2"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (policy(MX1, MX2), PASSED),
        (policy("*.muster.example"), PASSED),
        (policy(MX1), FAILED),
        (policy("muster.example"), FAILED),
        (policy("*.example"), FAILED),
        (policy(mode="none"), PASSED),
        (policy(MX1, MX2, problem="max_age"), FAILED),
        (policy(fetched=inconclusive(Reason.NOT_TRIED)), UNKNOWN),
        (policy(fetched=inconclusive(Reason.TIMEOUT)), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_an_mta_sts_policy_must_cover_every_exchanger(
    given: PolicyFetch | None, expected: Outcome
) -> None:
    """A wildcard is one label (RFC 8461 §4.1); a policy that was not fetched proves nothing."""
    assert outcome("DNS13", domain(*BOTH_HOSTS, mta_sts_policy=given)) is expected


def test_what_the_policy_lacks_is_named() -> None:
    """The forgotten exchanger, or the damaged field."""
    forgotten = finding("DNS13", measured(domain(*BOTH_HOSTS)))
    assert MX2 in forgotten.seen.english()
    assert MX1 not in forgotten.seen.english()
    damaged = domain(mta_sts_policy=policy(MX1, problem="version"))
    assert "version" in finding("DNS13", measured(damaged)).seen.english()


def test_without_mta_sts_there_is_no_policy_to_judge() -> None:
    """No record: not applicable. A record that could not be seen: unknown."""
    name = f"_mta-sts.{DOMAIN}"
    without = domain(mta_sts=answer(name, "TXT"), mta_sts_policy=None)
    assert outcome("DNS13", without) is NOT_APPLICABLE
    mute = domain(mta_sts=silent(name, "TXT"), mta_sts_policy=None)
    assert outcome("DNS13", mute) is UNKNOWN


MADE = made()
LEAF = read_certificate(der(MADE))
SPKI = MADE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ISSUER = certificate(der=b"issuer", spki_sha256="dd" * 32)
ZEROS = "00" * 32


DATA = {
    "key": f"{SPKI[:30].hex()} {SPKI[30:].hex()}",
    "key_256": hashlib.sha256(SPKI).hexdigest(),
    "upper_case": hashlib.sha256(SPKI).hexdigest().upper(),
    "key_512": hashlib.sha512(SPKI).hexdigest(),
    "whole": LEAF.der.hex(),
    "whole_256": hashlib.sha256(LEAF.der).hexdigest(),
    "whole_512": hashlib.sha512(LEAF.der).hexdigest(),
    "issuer": ISSUER.spki_sha256,
    "zeros": ZEROS,
}


def showing(*chain: CertificateFacts) -> EndpointFacts:
    tls = survey().tls
    assert tls is not None
    return endpoint(GATEWAY, connections=(survey(tls=tls.model_copy(update={"chain": chain})),))


def secured(*records: str, shown: EndpointFacts | None = None, **changes: Any) -> Finding:
    """The finding about TLSA where the gateway shows leaf and issuer."""
    tlsa = answer(f"_25._tcp.{MX1}", "TLSA", *records, **({"authenticated": True} | changes))
    audit = measured(domain(host(MX1, "192.0.2.1", tlsa=tlsa)))
    receiving = (shown or showing(LEAF, ISSUER),)
    return finding("DNS15", audit.model_copy(update={"receiving": receiving}))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("3 1 1 {key_256}", PASSED),
        ("3 1 1 {upper_case}", PASSED),
        ("3 1 2 {key_512}", PASSED),
        ("3 1 0 {key}", PASSED),
        ("3 0 1 {whole_256}", PASSED),
        ("3 0 2 {whole_512}", PASSED),
        ("3 0 0 {whole}", PASSED),
        ("2 1 1 {issuer}", PASSED),
        ("2 1 1 {key_256}", PASSED),
        ("3 1 1 {issuer}", FAILED),
        ("3 1 1 {zeros}", FAILED),
        ("3 0 1 {key_256}", FAILED),
        ("1 1 1 {key_256}", FAILED),
        ("0 1 1 {issuer}", FAILED),
        ("3 2 1 {key_256}", FAILED),
        ("3 1 3 {key_256}", FAILED),
        ("nonsense", FAILED),
    ],
)
def test_a_tlsa_record_must_match_what_is_shown(record: str, expected: Outcome) -> None:
    """Every selector and matching type; usage 3 is the leaf, 2 any of the chain, others void."""
    assert secured(record.format(**DATA)).outcome is expected


def test_one_matching_tlsa_record_of_several_is_enough() -> None:
    """The next certificate is announced before it is shown."""
    good = f"3 1 1 {LEAF.spki_sha256}"
    assert secured(f"3 1 1 {ZEROS}", good).outcome is PASSED
    assert secured(f"3 1 1 {ZEROS}").blocks


def test_tlsa_without_dnssec_or_without_a_certificate_is_unknown() -> None:
    """Unsecured records bind nobody, and nothing seen is nothing compared."""
    good = f"3 1 1 {LEAF.spki_sha256}"
    assert secured(good, authenticated=False).outcome is UNKNOWN
    assert secured(good, authenticated=None).outcome is UNKNOWN
    assert secured(good, shown=showing()).outcome is UNKNOWN
    assert secured(good, shown=endpoint()).outcome is UNKNOWN  # another host


@pytest.mark.parametrize("matching", [0, 1, 2])
def test_a_damaged_certificate_matches_no_key(matching: int) -> None:
    """An illegible certificate is compared as it is; its key is none, and nothing crashes."""
    damaged = read_certificate(LEAF.der[:-3])
    assert secured(f"3 1 {matching} {ZEROS}", shown=showing(damaged)).outcome is FAILED
    whole = f"3 0 1 {hashlib.sha256(damaged.der).hexdigest()}"
    assert secured(whole, shown=showing(damaged)).outcome is PASSED


def test_caa_is_information() -> None:
    """Absent is worth a line, silence is unknown."""
    without = host(MX1, "192.0.2.1", caa=answer("example", "CAA"))
    found = finding("DNS16", measured(domain(without)))
    assert (found.outcome, found.level) == (FAILED, Level.INFO)
    assert MX1 in found.seen.english()
    for status in FAILURES:
        mute = host(MX1, "192.0.2.1", caa=silent(MX1, "CAA", status))
        assert outcome("DNS16", domain(mute)) is UNKNOWN


def test_old_facts_know_the_caa_of_the_domain_only() -> None:
    """Facts that were saved before the gateways' own names were asked are still judged."""
    old = host(MX1, "192.0.2.1", caa=None)
    assert outcome("DNS16", domain(old)) is PASSED
    assert outcome("DNS16", domain(old, caa=answer(DOMAIN, "CAA"))) is FAILED


def test_incamail_itself_must_be_found() -> None:
    """One host with an address is enough; none blocks; silence and no question are unknown."""
    lost, found = host("gw1.incamail.com"), host("gw2.incamail.com", "192.0.2.5")
    assert outcome("DNS17", platform_hosts=(lost, found)) is PASSED
    assert finding("DNS17", measured(platform_hosts=(lost,))).blocks
    for status in FAILURES:
        mute = host("gw1.incamail.com", a=silent("gw1.incamail.com", "A", status))
        assert outcome("DNS17", platform_hosts=(mute,)) is UNKNOWN
    assert outcome("DNS17", platform_hosts=()) is UNKNOWN


def test_each_domain_is_judged_by_itself() -> None:
    """One silent domain leaves the verdict on the other alone."""
    other = domain(domain="other.example", mx=silent("other.example", "MX"), exchangers=())
    audit = measured(domains=(domain(), other))
    spf = {f.subject: f.outcome for f in judge(audit, CHECKS, NOW) if f.code == "DNS11"}
    assert spf == {DOMAIN: PASSED, "other.example": UNKNOWN}
