"""Odd zones, served by a name server on loopback: what may be concluded of each, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from factories import NOW, declared, facts

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import yes
from incamail_lib.findings import Finding, Outcome
from incamail_lib.lab import nameserver
from incamail_lib.lookup import look_up_domain, look_up_host, resolver_for
from incamail_lib.mailpolicy.senders import sending_addresses

P, F, U, N = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
DOMAIN, OUT = "muster.example", "out.muster.example"
CHECKS = [c for c in ALL_CHECKS if c.code.startswith("DNS")]
Wanted = Mapping[str, tuple[Outcome, str]]

SOUND = {
    "@ MX": ["10 mx1.muster.example."],
    "mx1 A": ["192.0.2.1"],
    "out A": ["192.0.2.9"],
    "9.2.0.192.in-addr.arpa. PTR": ["out.muster.example."],
    "@ TXT": ['"v=spf1 a:out.muster.example -all"'],
    "_dmarc TXT": ['"v=DMARC1; p=reject"'],
    "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:t@muster.example"'],
    "@ CAA": ['0 issue "swisssign.com"'],
}
POLICY = b"version: STSv1\nmode: enforce\nmx: mx1.muster.example\nmax_age: 86400\n"


@dataclass(frozen=True)
class Zone:
    """A sound zone with these record sets in place of others, and what is concluded of it."""

    name: str
    sets: Mapping[str, list[str]]
    wanted: Wanted
    faults: Mapping[str, str] = field(default_factory=dict)
    domain: str = DOMAIN
    policy: bytes | None = None
    timeout_s: float = 2.0


def spf(record: str, code: str, outcome: Outcome, words: str) -> Zone:
    return Zone(f"spf {record}", {"@ TXT": [f'"{record}"']}, {code: (outcome, words)})


def dmarc(record: str, outcome: Outcome, words: str) -> Zone:
    return Zone(f"dmarc {record}", {"_dmarc TXT": [f'"{record}"']}, {"DNS12": (outcome, words)})


def below(
    above: str, outcome: Outcome, words: str, more: Mapping[str, list[str]] | None = None
) -> Zone:
    """A mail domain two labels below the one that has the record."""
    name = "a.b.muster.example"
    given = {"a.b MX": ["10 mx1.muster.example."], "_dmarc TXT": [f'"{above}"'], **(more or {})}
    wanted = {"DNS12": (outcome, words)}
    return Zone(f"below {above} {more}", given, wanted, domain=name)


def sts(
    name: str, records: list[str], policy: bytes | None, code: str, said: tuple[Outcome, str]
) -> Zone:
    return Zone(f"sts {name}", {"_mta-sts TXT": records}, {code: said}, policy=policy)


INCLUDES = {f"{c}.example. TXT": ['"v=spf1 -all"'] for c in "abcdefghijk"}
ELEVEN = "v=spf1 " + " ".join(f"include:{c}.example" for c in "abcdefghijk")
STS = ['"v=STSv1; id=20261126"']
CROWD = [f"{n} mx{n}.muster.example." for n in range(1, 1801)]

ZONES = [
    Zone("sound", {}, {c: (P, "") for c in ("DNS02", "DNS07", "DNS18", "DNS19", "DNS20", "DNS12")}),
    # SPF: the record, and what it leads to
    Zone(
        "spf eleven includes",
        {"@ TXT": [f'"{ELEVEN} +all"'], **INCLUDES},
        {"DNS18": (F, "11 look-ups"), "DNS19": (F, "+all"), "DNS20": (U, "DNS18")},
    ),
    Zone(
        "spf ten includes", {"@ TXT": [f'"{ELEVEN[:-18]} -all"'], **INCLUDES}, {"DNS18": (P, "10")}
    ),
    spf("v=spf1 ip4:192.0.2.9", "DNS19", F, "does not end"),
    spf("v=spf1 ip4:192.0.2.9 ?all", "DNS19", F, "?all"),
    spf("v=spf1 ip4:192.0.2.9 ~all", "DNS19", P, "~all"),
    spf("v=spf1 ip4:192.0.2.0/24 -all", "DNS20", P, "192.0.2.9"),
    spf("v=spf1 ip4:198.51.100.1 -all", "DNS20", F, "192.0.2.9 (fail)"),
    spf("v=spf1 ip4:198.51.100.1 ~all", "DNS20", F, "192.0.2.9 (softfail)"),
    spf("v=spf1 mx -all", "DNS20", F, "192.0.2.9 (fail)"),
    spf("v=spf1 ptr:muster.example -all", "DNS20", P, "192.0.2.9"),
    spf("v=spf1 exists:%{ir}.list.example -all", "DNS20", F, "(fail)"),
    Zone(
        "spf exists by address",
        {
            "@ TXT": ['"v=spf1 exists:%{ir}.list.example -all"'],
            "9.2.0.192.list.example. A": ["127.0.0.2"],
        },
        {"DNS20": (P, "192.0.2.9"), "DNS19": (P, "-all")},
    ),
    spf("v=spf1 ipv4:192.0.2.9 -all", "DNS18", F, "«ipv4:192.0.2.9»"),
    spf("v=spf1 ip4:192.0.2.9 -all;", "DNS18", F, "«-all;»"),
    spf("v=spf1 ip4:192.0.2.900 -all", "DNS18", F, "«ip4:192.0.2.900»"),
    spf("v=spf1 include:nowhere.example -all", "DNS18", F, "nowhere.example"),
    spf("v=spf1 include:muster.example -all", "DNS18", F, "leads back"),
    spf("v=spf1 redirect=muster.example", "DNS18", F, "leads back"),
    spf("v=spf1 redirect=nowhere.example", "DNS18", F, "nowhere.example"),
    spf("v=spf1 a:x.example a:y.example a:z.example -all", "DNS18", F, "3 look-ups find nothing"),
    spf("v=spf1 a:x.example a:y.example -all", "DNS18", P, "2 look-ups of the 10"),
    spf("v=spf10 -all", "DNS11", F, "No such record"),
    spf("V=SPF1 IP4:192.0.2.9 -ALL", "DNS20", P, "192.0.2.9"),
    Zone(
        "spf redirect",
        {
            "@ TXT": ['"v=spf1 redirect=_spf.muster.example"'],
            "_spf TXT": ['"v=spf1 a:out.%{d2} -all"'],
        },
        {"DNS19": (P, "-all"), "DNS20": (P, "192.0.2.9"), "DNS18": (P, "2 look-ups of the 10")},
    ),
    Zone(
        "spf include lets all in",
        {"@ TXT": ['"v=spf1 include:a.example -all"'], "a.example. TXT": ['"v=spf1 +all"']},
        {"DNS19": (F, "include:a.example")},
    ),
    Zone("spf twice", {"@ TXT": ['"v=spf1 -all"', '"v=spf1 ~all"']}, {"DNS11": (F, "2 records")}),
    Zone(
        "spf include has two",
        {
            "@ TXT": ['"v=spf1 include:a.example -all"'],
            "a.example. TXT": ['"v=spf1 -all"', '"v=spf1 ~all"'],
        },
        {"DNS18": (F, "a.example publishes 2")},
    ),
    Zone(
        "spf include silent",
        {"@ TXT": ['"v=spf1 include:a.example -all"']},
        {"DNS18": (U, "temperror"), "DNS19": (U, "temperror")},  # it might let everybody send
        faults={"a.example": "servfail"},
    ),
    Zone(
        "spf redirect refused",
        {"@ TXT": ['"v=spf1 redirect=a.example"']},
        {"DNS18": (U, "temperror"), "DNS19": (U, "temperror")},
        faults={"a.example": "refused"},
    ),
    Zone("spf silent", {}, {"DNS11": (U, "SERVFAIL")}, faults={"muster.example/TXT": "servfail"}),
    Zone(
        "spf in pieces",
        {"@ TXT": ['"v=spf1 ip4:192.0" ".2.9 -all"']},
        {"DNS20": (P, "192.0.2.9")},
    ),
    Zone(
        "spf with many neighbours",
        {"@ TXT": ['"v=spf1 ip4:192.0.2.9 -all"', *(f'"v=x{n}"' for n in range(90))]},
        {"DNS11": (P, "v=spf1"), "DNS20": (P, "192.0.2.9")},
    ),
    Zone(
        "spf longer than is kept",
        {"@ TXT": [" ".join(['"v=spf1 "', *['" ip4:198.51.100.1 "'] * 300, '"+all"'])]},
        {"DNS18": (U, "too long"), "DNS19": (U, "too long")},
    ),
    Zone(
        "spf mx of a crowd",
        {"@ TXT": ['"v=spf1 mx:c.example -all"'], "c.example. MX": CROWD[:12]},
        {"DNS18": (F, "more than 10 mail exchangers")},
    ),
    Zone("spf inner address", {"out A": ["10.1.2.3"]}, {"DNS20": (U, "10.1.2.3")}),
    Zone(
        "spf sender without address", {"out A": []}, {"DNS20": (U, "No address"), "DNS10": (U, "")}
    ),
    Zone(
        "sender silent",
        {"@ TXT": ['"v=spf1 ip4:192.0.2.9 -all"']},
        {"DNS20": (U, "SERVFAIL"), "DNS10": (U, "SERVFAIL")},
        faults={OUT: "servfail"},
    ),
    # DMARC: the record, blanks, policies, the way up
    dmarc("v = DMARC1 ; p = reject", P, "reject"),
    dmarc("v=DMARC1;p=none;", P, "none"),
    dmarc("v=DMARC1; P=Quarantine", P, "Quarantine"),
    dmarc("v=DMARC1; p=reject; sp=none; np=reject; t=y", P, "reject"),
    dmarc("v=DMARC1; p=rejekt", F, "p=rejekt"),
    dmarc("v=DMARC1; p=reject; sp=maybe", F, "sp=maybe"),
    dmarc("v=DMARC1; p=reject; np=", F, "np="),
    dmarc("v=DMARC1; rua=mailto:d@muster.example", F, "p=none"),
    dmarc("v=DMARC1", F, "receivers ignore"),
    dmarc("v=DMARC1; p=rejekt; rua=mailto:d@muster.example", F, "p=none"),
    dmarc("v=dmarc1; p=reject", F, "must begin with v=DMARC1"),
    dmarc("v=DMARC2; p=reject", F, "must begin with v=DMARC1"),
    dmarc("p=reject; v=DMARC1", F, "No such record"),
    Zone(
        "dmarc twice",
        {"_dmarc TXT": ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"']},
        {"DNS12": (F, "2 records")},
    ),
    Zone(
        "dmarc beside others", {"_dmarc TXT": ['"hello"', '"v=DMARC1; p=none"']}, {"DNS12": (P, "")}
    ),
    Zone("no dmarc", {"_dmarc TXT": []}, {"DNS12": (F, "No such record")}),
    Zone(
        "dmarc silent",
        {},
        {"DNS12": (U, "SERVFAIL")},
        faults={"_dmarc.muster.example": "servfail"},
    ),
    Zone(
        "dmarc by alias",
        {
            "_dmarc TXT": [],
            "_dmarc CNAME": ["d.example."],
            "d.example. TXT": ['"v=DMARC1; p=none"'],
        },
        {"DNS12": (P, "none")},
    ),
    below("v=DMARC1; p=reject", P, "p=reject applies, from the record of muster.example"),
    below("v=DMARC1; p=reject; sp=quarantine", P, "sp=quarantine"),
    below("v=DMARC1; p=nothing", F, "muster.example"),
    below("v=DMARC1; p=reject; psd=y", P, "p=none", {"_dmarc.b TXT": ['"v=DMARC1; p=none"']}),
    below("v=DMARC1; p=reject", P, "p=reject", {"_dmarc.b TXT": ['"v=DMARC1; p=none"']}),
    below("v=DMARC1; p=reject", P, "p=none", {"_dmarc.b TXT": ['"v=DMARC1; p=none; psd=n"']}),
    below("v=DMARC1; p=reject", P, "none", {"_dmarc.a.b TXT": ['"v=DMARC1; p=none"']}),
    Zone(
        "dmarc above silent",
        {"a MX": ["10 mx1.muster.example."]},
        {"DNS12": (U, "SERVFAIL")},
        faults={"_dmarc.muster.example": "servfail"},
        domain="a.muster.example",
    ),
    Zone(
        "dmarc of nine labels",
        {"1.2.3.4.5.6.7 MX": ["10 mx1.muster.example."]},
        {"DNS12": (P, "muster.example")},
        domain="1.2.3.4.5.6.7.muster.example",
    ),
    # TLS-RPT and MTA-STS
    Zone("tls-rpt without rua", {"_smtp._tls TXT": ['"v=TLSRPTv1"']}, {"DNS14": (F, "rua")}),
    Zone("tls-rpt empty rua", {"_smtp._tls TXT": ['"v=TLSRPTv1; rua="']}, {"DNS14": (F, "rua")}),
    Zone(
        "tls-rpt twice",
        {"_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:a@b.ch"', '"v=TLSRPTv1; rua=mailto:c@d.ch"']},
        {"DNS14": (F, "2 records")},
    ),
    Zone(
        "tls-rpt with blanks",
        {"_smtp._tls TXT": ['"v = TLSRPTv1 ; rua = https://r.example/x"']},  # only DMARC allows
        {"DNS14": (F, "No such record")},
    ),
    Zone(
        "tls-rpt to the web",
        {"_smtp._tls TXT": ['"v=TLSRPTv1 ; rua=https://r.example/x,mailto:a@b.ch;"']},
        {"DNS14": (P, "r.example")},
    ),
    sts("sound", STS, POLICY, "DNS13", (P, "enforce")),
    sts("two records", [*STS, '"v=STSv1; id=2"'], POLICY, "DNS13", (F, "2 records")),
    sts("other letters", ['"v=stsv1; id=1"'], POLICY, "DNS13", (N, "No MTA-STS")),
    sts("no id", ['"v=STSv1;"'], POLICY, "DNS13", (F, "id")),
    sts("other host", STS, POLICY.replace(b"mx1", b"mx9"), "DNS13", (F, "mx1.muster.example")),
    sts("wildcard", STS, POLICY.replace(b"mx1", b"*"), "DNS13", (P, "enforce")),
    sts("wildcard too high", STS, POLICY.replace(b"mx1.muster", b"*"), "DNS13", (F, "mx1")),
    sts("not fetched", STS, None, "DNS13", (U, "not fetched")),
    sts("enforce, certificate for another name", STS, POLICY, "DNS21", (F, "mx1.muster.example")),
    sts("testing", STS, POLICY.replace(b"enforce", b"testing"), "DNS21", (N, "enforce")),
    # CAA at the gateway's name
    Zone(
        "caa of the host", {"mx1 CAA": ['0 issue "letsencrypt.org"']}, {"DNS22": (F, "letsencrypt")}
    ),
    Zone("caa of the domain", {}, {"DNS22": (P, "SwissSign"), "DNS16": (P, "swisssign.com")}),
    Zone(
        "caa of the top", {"@ CAA": [], "example. CAA": ['0 issue ";"']}, {"DNS22": (F, "forbid")}
    ),
    Zone("caa nowhere", {"@ CAA": []}, {"DNS22": (P, "No CAA"), "DNS16": (F, "mx1")}),
    Zone("caa iodef alone", {"@ CAA": ['0 iodef "mailto:a@b.ch"']}, {"DNS22": (P, "No CAA")}),
    Zone(
        "caa with parameters",
        {"@ CAA": ['0 issue "swisssign.com; account=1"', '0 issuewild ";"']},
        {"DNS22": (P, "SwissSign")},
    ),
    Zone("caa critical", {"@ CAA": ['128 tbs "x"']}, {"DNS22": (F, "tbs")}),
    Zone(
        "caa silent",
        {},
        {"DNS22": (U, "SERVFAIL"), "DNS16": (U, "SERVFAIL")},
        faults={"mx1.muster.example/CAA": "servfail"},
    ),
    Zone(
        "caa elsewhere",
        {"@ MX": ["10 gw.other.example."], "gw.other.example. A": ["192.0.2.1"]},
        {"DNS16": (F, "gw.other.example")},
    ),
    # Exchangers
    Zone("null mx", {"@ MX": ["0 ."]}, {"DNS02": (F, "null MX"), "DNS23": (U, "DNS02")}),
    Zone("null mx with weight", {"@ MX": ["10 ."]}, {"DNS02": (F, "null MX")}),
    Zone(
        "null mx beside others",
        {"@ MX": ["0 .", "10 mx1.muster.example."]},
        {"DNS02": (P, ""), "DNS23": (F, "0 ."), "DNS06": (P, "")},
    ),
    Zone(
        "a crowd of exchangers",
        {"@ MX": CROWD, **{f"mx{n} A": ["192.0.2.1"] for n in range(1, 21)}},
        {
            **{c: (U, "20 exchangers of 1800") for c in ("DNS03", "DNS04", "DNS05", "DNS07")},
            "DNS06": (U, "DNS04"),
            "DNS16": (U, "20 exchangers of 1800"),
        },
    ),
    Zone(
        "aaaa silent",
        {},
        {"DNS06": (P, ""), "NET03": (U, "AAAA")},
        faults={"mx1.muster.example/AAAA": "servfail"},
    ),
    Zone(
        "a silent, no aaaa",
        {},
        {"DNS06": (U, "SERVFAIL")},
        faults={"mx1.muster.example/A": "servfail"},
    ),
    Zone(
        "alias without its target",
        {"mx1 A": [], "mx1 CNAME": ["gw.other.example."]},
        {
            "DNS06": (U, "gave a usable answer"),
            "DNS05": (F, "mx1.muster.example"),
            "DNS07": (U, "mx1.muster.example"),
        },
        faults={"mx1.muster.example": "alias_only"},
    ),
    Zone(
        "alias into a cloud",
        {
            "mx1 A": [],
            "mx1 CNAME": ["x.mail.protection.outlook.com."],
            "x.mail.protection.outlook.com. A": ["192.0.2.1"],
        },
        {"DNS07": (F, "Microsoft")},
    ),
    Zone(
        "exchanger of a stranger",
        {"@ MX": ["10 gw.other.example."], "gw.other.example. A": ["192.0.2.1"]},
        {"DNS07": (U, "gw.other.example")},
    ),
    Zone(
        "tlsa silent",
        {},
        {"DNS15": (U, "TLSA")},
        faults={"_25._tcp.mx1.muster.example": "servfail"},
    ),
    Zone("sender's aaaa silent", {}, {"DNS10": (U, "AAAA")}, faults={f"{OUT}/AAAA": "servfail"}),
    Zone("domain missing", {}, {"DNS01": (F, ""), "DNS12": (U, "DNS01")}, domain="gone.example"),
    Zone("timeout", {}, {"DNS01": (U, "time limit")}, faults={DOMAIN: "timeout"}, timeout_s=0.4),
]


def absolute(name: str) -> str:
    if name.endswith("."):
        return name
    return DOMAIN if name == "@" else f"{name}.{DOMAIN}"


async def measured(zone: Zone) -> AuditFacts:
    """The DNS of a zone as an audit looks it up; the gateway's certificate is a literal one."""
    sets = {**SOUND, **zone.sets}
    records = [
        (absolute(key.split(" ")[0]), key.split(" ")[1], value)
        for key, values in sets.items()
        for value in values
    ]

    async def fetch(_: str) -> bytes:
        if zone.policy is None:
            raise OSError("unreachable")
        return zone.policy

    gateways = (DeclaredGateway(host=OUT),)
    async with nameserver.serve(records, zone.faults) as server:
        resolver = resolver_for([server], zone.timeout_s)
        host = await look_up_host(OUT, resolver=resolver)
        senders = sending_addresses(gateways, {OUT: host})
        found = await look_up_domain(
            zone.domain, resolver=resolver, fetch_policy=fetch, senders=senders
        )
    platform_hosts = facts().dns.platform_hosts
    dns = DnsFacts(domains=(found,), hosts=(host,), platform_hosts=platform_hosts)
    said = declared(sending=gateways, domains=(zone.domain,))
    return AuditFacts.model_validate_json(facts(dns=dns, declared=said).model_dump_json())


def judged(audit: AuditFacts, code: str) -> Finding:
    # A certificate for another name stands for what «enforce» makes senders refuse.
    if code == "DNS21":
        (gateway,) = audit.receiving
        match = gateway.name_match
        assert match is not None
        wrong = gateway.model_copy(
            update={"name_match": match.model_copy(update={"matched": False})}
        )
        audit = audit.model_copy(update={"receiving": (wrong,)})
    return next(f for f in judge(audit, ALL_CHECKS, NOW) if f.code == code)


@pytest.mark.parametrize("zone", ZONES, ids=lambda z: z.name)
def test_of_a_zone_no_more_is_concluded_than_it_says(zone: Zone) -> None:
    """Each check ends as it may, and says by which record or name."""
    audit = asyncio.run(measured(zone))
    for code, (outcome, words) in zone.wanted.items():
        found = judged(audit, code)
        said = f"{code} {found.outcome.value}: {found.seen.english()}"
        assert found.outcome is outcome, said
        assert words in f"{found.seen.english()} {found.blocked_by}", said


def test_the_table_is_as_wide_as_promised() -> None:
    """At least sixty zones, each with a name of its own."""
    assert len(ZONES) == len({z.name for z in ZONES}) >= 60


def test_the_sound_zone_differs_from_each_other_one() -> None:
    """What a zone fails or leaves open, the sound one passes: each expectation can fail."""
    sound = {f.code: f.outcome for f in judge(asyncio.run(measured(ZONES[0])), CHECKS, NOW)}
    wanted = {(c, o) for z in ZONES[1:] for c, (o, _) in z.wanted.items() if o is not P}
    never = {"DNS13", "DNS15", "DNS21"}  # without MTA-STS and TLSA they do not apply
    assert {c for c, _ in wanted if c.startswith("DNS") and sound[c] is not P} <= never
    assert sound["DNS13"] is N


def test_the_certificate_that_fits_satisfies_enforce() -> None:
    """With the name it should have, the same policy is satisfied."""
    zone = next(z for z in ZONES if "another name" in z.name)
    audit = asyncio.run(measured(zone))
    assert next(f for f in judge(audit, ALL_CHECKS, NOW) if f.code == "DNS21").outcome is P
    assert audit.dns.domains[0].mta_sts_policy is not None
    assert audit.dns.domains[0].mta_sts_policy.fetched == yes()


NEW = frozenset({"left_out", "spf_answers", "dmarc_walk", "acceptable_cas_left_out", "reverify_by"})


def as_before(data: object) -> object:
    """Facts as they were saved before SPF was followed and the names above were asked."""
    if isinstance(data, dict):
        host = "addresses" in data and "tlsa" in data
        gone = NEW | ({"caa"} if host else set())
        return {k: as_before(v) for k, v in data.items() if k not in gone}
    return [as_before(v) for v in data] if isinstance(data, list) else data


def test_facts_that_were_saved_before_are_still_judged() -> None:
    """They load; what they do not hold is unknown, what they hold is judged as ever."""
    audit = asyncio.run(measured(ZONES[0]))
    old = AuditFacts.model_validate(as_before(audit.model_dump(mode="json")))
    found = {f.code: f.outcome for f in judge(old, ALL_CHECKS, NOW)}
    wanted = {"DNS11": P, "DNS12": P, "DNS16": P, "DNS18": U, "DNS19": P, "DNS20": U, "DNS22": U}
    assert {code: found[code] for code in wanted} == wanted
    domain = old.dns.domains[0].model_copy(
        update={"dmarc": old.dns.domains[0].dmarc.model_copy(update={"records": ()})}
    )
    dns = old.dns.model_copy(update={"domains": (domain,)})
    assert judged(old.model_copy(update={"dns": dns}), "DNS12").outcome is U
