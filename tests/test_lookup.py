"""Look-ups against a name server on loopback: what it says, and every way in which it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib import lookup
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts, HostFacts, PolicyFetch
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.lab import nameserver
from incamail_lib.lookup import resolving

T = TypeVar("T")
Records = Sequence[tuple[str, str, str]]
DOMAIN = "muster.example"
TIMEOUT_S = 2.0
SHORT_S = 0.5  # only where a server keeps silent
CERTIFICATE_HASH = "ab" * 32

MUSTER: Records = (
    (DOMAIN, "MX", "20 mx2.muster.example."),
    (DOMAIN, "MX", "5 mx0.muster.example."),
    (DOMAIN, "MX", "10 MX1.Muster.example."),
    ("mx0.muster.example", "A", "192.0.2.10"),
    ("mx1.muster.example", "A", "192.0.2.1"),
    ("mx1.muster.example", "A", "192.0.2.2"),
    ("mx1.muster.example", "AAAA", "2001:db8::1"),
    ("mx2.muster.example", "AAAA", "2001:db8::2"),
    ("_25._tcp.mx1.muster.example", "TLSA", f"3 1 1 {CERTIFICATE_HASH}"),
    ("1.2.0.192.in-addr.arpa", "PTR", "mx1.muster.example."),
    ("2.2.0.192.in-addr.arpa", "PTR", "www.muster.example."),
    ("www.muster.example", "A", "192.0.2.80"),
    (DOMAIN, "TXT", '"v=spf1 ip4:192.0.2.1 " "-all"'),
    (DOMAIN, "TXT", '"some-site-verification=1"'),
    (f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=reject"'),
    (f"_mta-sts.{DOMAIN}", "TXT", '"v=STSv1; id=1"'),
    (f"_smtp._tls.{DOMAIN}", "TXT", '"v=TLSRPTv1; rua=mailto:tls@muster.example"'),
    (DOMAIN, "CAA", '0 issue "swisssign.com"'),
)


def asked(
    question: Callable[[dns.asyncresolver.Resolver], Awaitable[T]],
    records: Records = MUSTER,
    faults: Mapping[str, str] | None = None,
    *,
    authenticated: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> T:
    """Ask the server of these records and faults one question, with short time limits."""

    async def run() -> T:
        async with nameserver.serve(records, faults, authenticated=authenticated) as server:
            return await question(lookup.resolver_for([server], timeout_s))

    return asyncio.run(run())


def look_up(name: str, kind: str, records: Records = MUSTER, **how: object) -> DnsAnswer:
    return asked(lambda r: lookup.look_up(name, kind, resolver=r), records, **how)  # type: ignore[arg-type]


def domain(
    name: str = DOMAIN,
    records: Records = MUSTER,
    *,
    fetch: lookup.PolicyFetcher | None = None,
    ports: Mapping[str, int] | None = None,
    **how: object,
) -> DomainFacts:
    def question(resolver: dns.asyncresolver.Resolver) -> Awaitable[DomainFacts]:
        return lookup.look_up_domain(name, resolver=resolver, fetch_policy=fetch, ports=ports)

    return asked(question, records, **how)  # type: ignore[arg-type]


def host(name: str, records: Records = MUSTER, **how: object) -> HostFacts:
    return asked(lambda r: lookup.look_up_host(name, resolver=r), records, **how)  # type: ignore[arg-type]


def test_exchangers_come_by_preference_with_every_address() -> None:
    """Numbers are compared as numbers; each exchanger has all its A and AAAA records."""
    found = domain()
    assert found.mx.records[0].startswith("5 ")
    assert [(m.preference, m.host.host) for m in found.exchangers] == [
        (5, "mx0.muster.example"),
        (10, "mx1.muster.example"),
        (20, "mx2.muster.example"),
    ]
    first, second, third = (m.host for m in found.exchangers)
    assert first.a.records == ("192.0.2.10",)
    assert first.aaaa.status is DnsStatus.NO_DATA
    assert second.a.records == ("192.0.2.1", "192.0.2.2")
    assert second.aaaa.records == ("2001:db8::1",)
    assert [a.address for a in second.addresses] == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert third.a.status is DnsStatus.NO_DATA
    assert (found.null_mx, found.implicit_mx) == (False, False)
    assert DomainFacts.model_validate_json(found.model_dump_json()) == found


def test_of_many_exchangers_the_preferred_ones_are_kept() -> None:
    """A list is cut at its end, never at its preferred side."""
    crowd = [(DOMAIN, "MX", f"{n + 100} mx{n}.muster.example.") for n in range(70)]
    found = domain(records=[*crowd, (DOMAIN, "MX", "1 best.muster.example.")])
    assert found.exchangers[0].host.host == "best.muster.example"
    assert len(found.exchangers) == lookup.MAX_EXCHANGERS
    assert len(found.mx.records) == lookup.MAX_RECORDS


def test_a_null_mx_is_told_and_nothing_is_looked_up_for_it() -> None:
    """A single record naming the root says: no mail (RFC 7505). Beside another it says nothing."""
    found = domain("null.example", [("null.example", "MX", "0 .")])
    assert (found.null_mx, found.implicit_mx, found.exchangers) == (True, False, ())
    mixed = [("null.example", "MX", "0 ."), ("null.example", "MX", "10 mx.null.example.")]
    both = domain("null.example", mixed)
    assert not both.null_mx
    assert [m.host.host for m in both.exchangers] == ["mx.null.example"]


def test_without_mx_the_domain_itself_is_the_exchanger() -> None:
    """No MX but an existing name: its own address is used (RFC 5321 §5.1)."""
    found = domain("web.example", [("web.example", "A", "192.0.2.80")])
    assert found.mx.status is DnsStatus.NO_DATA
    assert found.implicit_mx
    assert [(m.preference, m.host.host) for m in found.exchangers] == [(0, "web.example")]
    assert found.exchangers[0].host.a.records == ("192.0.2.80",)


def limit(fault: str) -> float:
    """Short where it will be used up; long where a loaded machine must not look silent."""
    return SHORT_S if fault == "timeout" else TIMEOUT_S


FAULTS = {
    "servfail": DnsStatus.SERVFAIL,
    "refused": DnsStatus.REFUSED,
    "timeout": DnsStatus.TIMEOUT,
    "lame": DnsStatus.LAME,
}


@pytest.mark.parametrize(("fault", "status"), FAULTS.items())
def test_a_failure_never_becomes_no_record(fault: str, status: DnsStatus) -> None:
    """Each failure is a fact of its own; no implicit MX is made out of silence."""
    found = domain(faults={DOMAIN: fault}, timeout_s=limit(fault))
    assert found.mx.status is status
    assert found.mx.is_failure
    assert not found.mx.is_absent
    assert (found.implicit_mx, found.null_mx, found.exchangers) == (False, False, ())
    assert (found.spf.status, found.spf.records) == (status, ())
    assert found.caa.status is status
    assert found.dmarc.status is DnsStatus.FOUND
    assert domain().mx.status is DnsStatus.FOUND


def test_a_name_that_does_not_exist_is_not_a_failure() -> None:
    """NXDOMAIN and "not this type" are answers, told apart, and no implicit MX for the former."""
    found = domain("nowhere.example")
    assert found.mx.status is DnsStatus.NXDOMAIN
    assert (found.mx.is_absent, found.mx.is_failure) == (True, False)
    assert (found.implicit_mx, found.exchangers) == (False, ())
    assert look_up("www.muster.example", "MX").status is DnsStatus.NO_DATA


def test_silence_ends_with_the_time_limit() -> None:
    """A server that never answers costs the limit, once; names are asked at the same time."""
    begun = time.perf_counter()
    found = domain(faults={DOMAIN: "timeout"}, timeout_s=SHORT_S)
    assert found.mx.status is DnsStatus.TIMEOUT
    assert time.perf_counter() - begun < 10 * SHORT_S
    assert found.mx.elapsed_s >= SHORT_S / 2


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ([("late", None)], DnsStatus.TIMEOUT),
        ([("late", "FORMERR")], DnsStatus.LAME),
        ([("late", None), ("odd", "SERVFAIL")], DnsStatus.SERVFAIL),
        ([("late", None), ("odd", "REFUSED")], DnsStatus.REFUSED),
        ([("odd", None)], DnsStatus.LAME),
        ([], DnsStatus.LAME),
    ],
)
def test_what_several_servers_said_goes_before_their_silence(
    said: list[tuple[str, str | None]], status: DnsStatus
) -> None:
    """One that answered was no silence; only where all kept silent it was the time limit."""
    words = {"late": "The DNS operation timed out.", "odd": "what?"}
    errors = []
    for kind, code in said:
        response = dns.message.make_response(dns.message.make_query("x.example", "A"))
        response.set_rcode(dns.rcode.from_text(code or "NOERROR"))
        errors.append(("192.0.2.53", False, 53, words[kind], response if code else None))
    query = dns.message.make_query("x.example", "A")
    error = dns.resolver.NoNameservers(request=query, errors=errors)
    assert resolving._status_of(error) is status


def test_nobody_listening_is_no_answer() -> None:
    """A closed port is a failure to look up, whatever it is called; it is never "no record"."""

    async def run() -> DnsAnswer:
        async with nameserver.serve(()) as server:
            pass
        resolver = lookup.resolver_for([server], SHORT_S)
        return await lookup.look_up(DOMAIN, "MX", resolver=resolver)

    found = asyncio.run(run())
    assert found.is_failure
    assert found.detail


def test_a_second_server_answers_for_a_broken_first_one() -> None:
    """One failing resolver of two does not hide what the other knows."""

    async def run(second_fault: Mapping[str, str]) -> DnsAnswer:
        async with (
            nameserver.serve(MUSTER, {DOMAIN: "servfail"}) as first,
            nameserver.serve(MUSTER, second_fault) as second,
        ):
            resolver = lookup.resolver_for([first, second], TIMEOUT_S)
            return await lookup.look_up(DOMAIN, "MX", resolver=resolver)

    assert asyncio.run(run({})).status is DnsStatus.FOUND
    assert asyncio.run(run({DOMAIN: "refused"})).status is DnsStatus.SERVFAIL


def test_a_truncated_answer_is_fetched_over_tcp() -> None:
    """What does not fit into a datagram is still seen whole."""
    assert len(domain(faults={DOMAIN: "truncated"}).exchangers) == 3


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", " ", "a..b", ".a", f"{'a' * 64}.example", "a." * 130, "a" * 300),
        *("\u202eexample", "a\\999.example", "\ud800.example", "xn--\u00e9.example"),
    ],
    ids=repr,
)
def test_what_is_no_domain_name_is_told_and_not_asked(name: str) -> None:
    """A name that the DNS cannot hold is a fact of the dossier, not a failure of the DNS."""
    found = look_up(name, "MX")
    assert found.status is DnsStatus.BAD_NAME
    assert not found.is_failure
    assert len(found.name) <= 260
    facts = domain(name)
    assert (facts.mx.status, facts.exchangers) == (DnsStatus.BAD_NAME, ())


def test_names_of_other_scripts_are_asked_as_a_labels() -> None:
    """münchen and its A-label are the same name; a final dot changes nothing."""
    records = [("xn--mnchen-3ya.example", "MX", "10 mx1.muster.example.")]
    for name in ("m\u00fcnchen.example", "M\u00dcNCHEN.example.", "xn--mnchen-3ya.example"):
        assert look_up(name, "MX", records).status is DnsStatus.FOUND
    assert look_up("munchen.example", "MX", records).status is DnsStatus.NXDOMAIN


def test_an_exchanger_that_is_an_alias_is_told() -> None:
    """The CNAME is a fact (RFC 5321 §5.1 forbids it), and its addresses are found all the same."""
    records = [
        (DOMAIN, "MX", "10 alias.muster.example."),
        (DOMAIN, "MX", "20 real.muster.example."),
        ("alias.muster.example", "CNAME", "real.muster.example."),
        ("real.muster.example", "A", "192.0.2.9"),
    ]
    alias, real = (m.host for m in domain(records=records).exchangers)
    assert (alias.is_alias, alias.a.canonical_name) == (True, "real.muster.example")
    assert alias.a.records == ("192.0.2.9",)
    assert (real.is_alias, real.a.canonical_name) == (False, "")


def test_an_alias_to_nowhere_and_a_loop_are_told_apart() -> None:
    """A dangling alias does not exist; a loop leads to no usable answer."""
    records = [
        ("dangling.example", "CNAME", "gone.example."),
        ("a.example", "CNAME", "b.example."),
        ("b.example", "CNAME", "a.example."),
    ]
    assert look_up("dangling.example", "A", records).status is DnsStatus.NXDOMAIN
    assert look_up("a.example", "A", records).is_failure


def test_an_address_in_place_of_a_name_is_not_looked_up() -> None:
    """An MX that names an address is told as such; there is nothing to ask."""
    records = [(DOMAIN, "MX", "10 192.0.2.77."), (DOMAIN, "MX", "20 mx1.muster.example.")]
    literal, named = (m.host for m in domain(records=records).exchangers)
    assert (literal.host, literal.is_ip_literal) == ("192.0.2.77", True)
    assert {literal.a.status, literal.aaaa.status, literal.tlsa.status} == {DnsStatus.NOT_ASKED}
    assert literal.addresses == ()
    assert not named.is_ip_literal
    assert host("[2001:db8::1]").is_ip_literal


def test_reverse_names_are_confirmed_or_not() -> None:
    """Forward confirmation is yes, no, or open; and no reverse name at all is a no."""
    found = {a.address: a for a in host("mx1.muster.example").addresses}
    assert found["192.0.2.1"].forward_confirmed.is_yes
    assert found["192.0.2.1"].forward_confirmed.evidence == "mx1.muster.example"
    assert found["192.0.2.1"].ptr.name == "1.2.0.192.in-addr.arpa"  # as `dig -x` shows it
    assert found["192.0.2.2"].ptr.records == ("www.muster.example.",)
    assert found["192.0.2.2"].forward_confirmed.is_no
    assert found["2001:db8::1"].ptr.status is DnsStatus.NXDOMAIN
    assert found["2001:db8::1"].forward_confirmed.is_no


@pytest.mark.parametrize("broken", ["1.2.0.192.in-addr.arpa", "elsewhere.example"])
@pytest.mark.parametrize("fault", ["servfail", "timeout", "lame"])
def test_a_reverse_name_that_cannot_be_looked_up_stays_open(broken: str, fault: str) -> None:
    """A failure on the way there or back is no "not confirmed"."""
    records = [
        ("one.example", "A", "192.0.2.1"),
        ("1.2.0.192.in-addr.arpa", "PTR", "elsewhere.example."),
    ]
    how = {"faults": {broken: fault}, "timeout_s": limit(fault)}
    found = host("one.example", records, **how).addresses[0]
    assert found.forward_confirmed.answer is Answer.INCONCLUSIVE
    assert found.forward_confirmed.reason is Reason.DNS_FAILURE


def test_ipv6_is_confirmed_however_it_is_written() -> None:
    """Addresses are compared as addresses, and one of several reverse names is enough."""
    name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    records = [
        (name, "PTR", "a.example."),
        (name, "PTR", "b.example."),
        ("b.example", "AAAA", "2001:db8:0:0::1"),
        ("a.example", "AAAA", "2001:db8::2"),
    ]

    def confirmed(address: str) -> bool:
        found = asked(lambda r: lookup.look_up_address(address, resolver=r), records)
        return found.forward_confirmed.is_yes

    assert confirmed("2001:0db8:0000::0001")
    assert not confirmed("2001:db8::2")


def test_policies_are_found_each_at_its_place() -> None:
    """SPF, DMARC, MTA-STS, TLS-RPT, CAA and TLSA; pieces of a TXT are joined, others left out."""
    found = domain()
    assert found.spf.records == ("v=spf1 ip4:192.0.2.1 -all",)
    assert found.dmarc.records == ("v=DMARC1; p=reject",)
    assert found.mta_sts.records == ("v=STSv1; id=1",)
    assert found.tls_rpt.records == ("v=TLSRPTv1; rua=mailto:tls@muster.example",)
    assert found.caa.records == ('0 issue "swisssign.com"',)
    tlsa = {m.host.host: m.host.tlsa for m in found.exchangers}
    assert tlsa["mx1.muster.example"].records[0].replace(" ", "") == f"311{CERTIFICATE_HASH}"
    assert tlsa["mx0.muster.example"].is_absent


def test_policies_that_are_not_there_are_absent() -> None:
    """Other TXT records at the same place are not taken for a policy."""
    records = [
        ("plain.example", "TXT", '"hello"'),
        ("plain.example", "TXT", '"v=spf10 -all"'),
        ("_dmarc.plain.example", "TXT", '"see v=DMARC1"'),
    ]
    found = domain("plain.example", records)
    for answer in (found.spf, found.dmarc, found.mta_sts, found.tls_rpt, found.caa):
        assert answer.is_absent
        assert answer.records == ()


def test_two_spf_records_both_count() -> None:
    """Two void each other (RFC 7208 §4.5): both are told. Case does not matter."""
    records = [(DOMAIN, "TXT", '"v=spf1 -all"'), (DOMAIN, "TXT", '"V=SPF1 mx ~all"')]
    assert len(domain(records=records).spf.records) == 2


def test_caa_is_inherited_from_the_nearest_name_above() -> None:
    """The own record governs, else the parent's (RFC 8659 §3); a failure on the way stays one."""
    records = [
        ("ch.example", "CAA", '0 issue "parent.example"'),
        ("own.ch.example", "CAA", '0 issue "own.example"'),
        ("mail.ch.example", "A", "192.0.2.1"),
    ]

    def caa(name: str, faults: Mapping[str, str] | None = None) -> DnsAnswer:
        return asked(lambda r: lookup.look_up_caa(name, resolver=r), records, faults)

    assert caa("a.mail.ch.example").records == ('0 issue "parent.example"',)
    assert caa("own.ch.example").records == ('0 issue "own.example"',)
    assert caa("other.example").is_absent
    assert caa("a.mail.ch.example", {"mail.ch.example": "servfail"}).status is DnsStatus.SERVFAIL


def test_tlsa_is_asked_at_the_port_of_the_host() -> None:
    """Where a gateway listens elsewhere, its TLSA name differs; names of 25 do not count."""
    records = [
        (DOMAIN, "MX", "10 mx1.muster.example."),
        ("_2525._tcp.mx1.muster.example", "TLSA", f"3 1 1 {CERTIFICATE_HASH}"),
    ]
    there = domain(records=records, ports={"mx1.muster.example": 2525})
    assert there.exchangers[0].host.tlsa.status is DnsStatus.FOUND
    assert domain(records=records).exchangers[0].host.tlsa.is_absent


def test_a_long_tlsa_record_stays_whole() -> None:
    """A whole RSA 4096 key in place of a hash can still be compared."""
    data = "cd" * 550
    records = [("_25._tcp.mx1.muster.example", "TLSA", f"3 1 0 {data}")]
    (record,) = host("mx1.muster.example", records).tlsa.records
    assert record.replace(" ", "") == f"310{data}"


def test_the_ad_flag_is_told_as_seen() -> None:
    """Authenticated or not is a fact of each answer, also of "there is none"; None without one."""
    secured = [DOMAIN, "gone.example"]
    assert look_up(DOMAIN, "MX", authenticated=secured).authenticated is True
    assert look_up("gone.example", "MX", authenticated=secured).authenticated is True
    assert look_up("www.muster.example", "A", authenticated=secured).authenticated is False
    assert look_up("elsewhere.example", "MX", authenticated=secured).authenticated is False
    assert look_up(DOMAIN, "MX", faults={DOMAIN: "servfail"}).authenticated is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"v=spf1 \\000\\226\\128\\174x -all"', "v=spf1 \\000\\226\\128\\174x -all"),
        ('"v=spf1 <script>alert(1)</script>"', "v=spf1 <script>alert(1)</script>"),
        ('"v=spf1 a\\"b" "\\010c"', 'v=spf1 a\\"b\\010c'),
    ],
)
def test_hostile_text_is_kept_printable(value: str, expected: str) -> None:
    """Control and bidi bytes stay escaped; markup stays text."""
    found = domain(records=[(DOMAIN, "TXT", value)])
    assert found.spf.records == (expected,)
    assert found.spf.records[0].isprintable()


def test_huge_text_is_bounded() -> None:
    """A TXT of 10 kB and hundreds of records cost no more than the limit; the cut shows."""
    pieces = " ".join(f'"{"x" * 250}"' for _ in range(40))
    (record,) = look_up("big.example", "TXT", [("big.example", "TXT", pieces)]).records
    assert len(record) == lookup.MAX_TEXT
    assert record.endswith("…")
    crowd = [("big.example", "TXT", f'"verification={n:04}"') for n in range(300)]
    found = domain("big.example", [*crowd, ("big.example", "TXT", '"v=spf1 -all"')])
    assert found.spf.records == ("v=spf1 -all",)
    assert len(look_up("big.example", "TXT", crowd).records) == lookup.MAX_RECORDS


def test_a_host_with_many_addresses_is_bounded() -> None:
    """Nobody is probed at hundreds of addresses."""
    records = [("many.example", "A", f"192.0.2.{n}") for n in range(60)]
    found = host("many.example", records)
    assert len(found.addresses) == lookup.MAX_ADDRESSES
    assert found.a.status is DnsStatus.FOUND


POLICY = (
    b"version: STSv1\r\nmode: enforce\r\n"
    b"mx: MX1.muster.example\r\nmx: *.b.ch\r\nmax_age: 604800\r\n"
)


async def sound_policy(name: str) -> bytes:
    assert name == DOMAIN
    return POLICY


def test_the_policy_is_fetched_by_the_fetcher_that_was_given() -> None:
    """It gets the domain, and what it brings is read."""
    policy = domain(fetch=sound_policy).mta_sts_policy
    assert policy is not None
    assert policy.fetched.is_yes
    assert (policy.mode, policy.max_age_s, policy.problem) == ("enforce", 604_800, "")
    assert policy.mx_patterns == ("mx1.muster.example", "*.b.ch")


def test_no_fetcher_means_no_fetching() -> None:
    """Without one it is said that nothing was tried, and no connection is made."""
    policy = domain().mta_sts_policy
    assert policy is not None
    assert policy.fetched.reason is Reason.NOT_TRIED
    assert (policy.fetched.answer, policy.body) == (Answer.INCONCLUSIVE, "")


@pytest.mark.parametrize("fault", [None, "servfail"])
def test_without_a_record_the_fetcher_is_not_called(fault: str | None) -> None:
    """No record, or none that could be seen: nobody's web server is bothered."""
    called: list[str] = []

    async def fetch(name: str) -> bytes:
        called.append(name)
        return POLICY

    name = f"_mta-sts.{DOMAIN}"
    records = [r for r in MUSTER if r[0] != name]
    faults = {name: fault} if fault else None
    assert domain(records=records, fetch=fetch, faults=faults).mta_sts_policy is None
    assert called == []
    domain(fetch=fetch)
    assert called == [DOMAIN]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), Reason.TIMEOUT),
        (ConnectionRefusedError("refused \u202e"), Reason.CLOSED),
        (ValueError("not a certificate for mta-sts.muster.example"), Reason.CLOSED),
    ],
)
def test_a_policy_that_cannot_be_fetched_stays_open(error: Exception, reason: Reason) -> None:
    """A failed fetch is no missing policy; its cause is kept, made printable."""

    async def fetch(_: str) -> bytes:
        raise error

    policy = domain(fetch=fetch).mta_sts_policy
    assert policy is not None
    assert (policy.fetched.answer, policy.fetched.reason) == (Answer.INCONCLUSIVE, reason)
    assert "\u202e" not in policy.fetched.evidence


def test_an_endless_fetch_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server that never answers costs the limit of one question."""
    monkeypatch.setattr(lookup.policies, "QUESTION_S", 0.05)

    async def fetch(_: str) -> bytes:
        await asyncio.Event().wait()
        return POLICY

    policy = domain(fetch=fetch).mta_sts_policy
    assert policy is not None
    assert policy.fetched.reason is Reason.TIMEOUT


def test_a_bug_in_the_fetcher_is_not_hidden() -> None:
    """What is neither OSError nor ValueError surfaces."""

    async def fetch(_: str) -> bytes:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        domain(fetch=fetch)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ((b"", b""), ""),
        ((b"version: STSv1", b"version: STSv2"), "version"),
        ((b"version: STSv1\r\n", b""), "version"),
        ((b"enforce", b"maybe"), "mode"),
        ((b"mode: enforce\r\n", b""), "mode"),
        ((b"604800", b"long"), "max_age"),
        ((b"604800", b"-1"), "max_age"),
        ((b"mx: MX1.muster.example\r\nmx: *.b.ch\r\n", b""), "mx"),
        ((POLICY, b""), "version"),
        ((POLICY, b"<html>404</html>"), "version"),
        ((POLICY, bytes(range(256))), "version"),
        ((POLICY, b"version: STSv1\nmode: none\nmax_age: 1"), ""),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(changed: tuple[bytes, bytes], problem: str) -> None:
    """The first field that is missing or wrong is told (RFC 8461 §3.2)."""
    assert lookup.read_policy(POLICY.replace(*changed)).problem == problem


def test_a_huge_policy_is_bounded() -> None:
    """Megabytes, thousands of patterns and numbers of any length end at the limits."""

    async def fetch(_: str) -> bytes:
        return POLICY + b"mx: evil.example\n" * 500_000

    policy = domain(fetch=fetch).mta_sts_policy
    assert policy is not None
    assert len(policy.mx_patterns) <= lookup.MAX_RECORDS
    assert len(policy.body) <= 2000

    async def fetch_late(_: str) -> bytes:
        return b"x: y\n" * lookup.MAX_POLICY_BYTES + POLICY

    late = domain(fetch=fetch_late).mta_sts_policy
    assert late is not None
    assert late.problem == "version"  # what stands behind the limit is not read
    endless = lookup.read_policy(POLICY.replace(b"604800", b"9" * 10_000))
    assert endless.max_age_s == 9_999_999_999


@given(st.binary(max_size=300))
def test_policies_of_any_bytes_are_read(body: bytes) -> None:
    """Whatever a web server sends becomes a fact that can be saved."""
    found = lookup.read_policy(body)
    assert PolicyFetch.model_validate_json(found.model_dump_json()) == found
    found = lookup.read_policy(POLICY + body)
    assert PolicyFetch.model_validate_json(found.model_dump_json()) == found


def test_the_resolver_asks_these_servers_and_no_search_list() -> None:
    """A given resolver is independent of the machine; the machine's own keeps the same limits."""
    given_ones = lookup.resolver_for([("127.0.0.1", 5300)], 4.0)
    assert [str(server) for server in given_ones.nameservers] == ["Do53:127.0.0.1@5300"]
    for resolver in (given_ones, lookup.system_resolver(4.0)):
        assert (resolver.timeout, resolver.lifetime, resolver.search) == (2.0, 4.0, [])
        assert resolver.nameservers
        # AD is asked for (RFC 6840 §5.7), and DNSSEC records with it.
        assert resolver.flags == dns.flags.RD | dns.flags.AD
        assert resolver.ednsflags == dns.flags.DO


def test_a_machine_without_a_resolver_asks_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its questions then end in silence or in an answer of its own, and not in a traceback."""
    usual = dns.asyncresolver.Resolver

    def bare(configure: bool = True) -> dns.asyncresolver.Resolver:
        if configure:
            raise dns.resolver.NoResolverConfiguration
        return usual(configure=False)

    monkeypatch.setattr(dns.asyncresolver, "Resolver", bare)
    found = resolving.system_resolver(4.0)
    assert [str(server) for server in found.nameservers] == ["127.0.0.1"]
    assert (found.timeout, found.lifetime, found.search) == (2.0, 4.0, [])
