"""Findings of ROUT, DNS, NET and SMTP by the way they came about: title and advice follow it."""

from __future__ import annotations

import pytest
from checks import test_checks_dns as zones
from checks import test_checks_routing as routed
from checks.test_titles_paths import (
    CLOSED,
    CUT_MX,
    FAILS,
    LOOPBACK,
    NO_MX,
    SILENT_GATEWAY,
    TLSA,
    blocked,
    caa,
    ended,
    gateway,
    hop,
    ready,
    sample,
    told,
    with_host,
)
from factories import (
    NOW,
    PLATFORM,
    answer,
    declared,
    facts,
    survey,
    trusted,
)
from judging import RULES, alone

from incamail_lib.checks import judge_facts
from incamail_lib.checks.words import stores_text
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway
from incamail_lib.facts.certificate import TrustReason
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.routing import Engine, Method, NextHopKind
from incamail_lib.facts.smtp import Reply, Stage, Starttls
from incamail_lib.findings import Outcome

NO_EHLO = survey(capabilities=None, ehlo_refusal=Reply(code=502, lines=("what?",)))
TWO_SPF = answer(zones.DOMAIN, "TXT", "v=spf1 -all", "v=spf1 ~all")
TWO_RPT = answer(zones.DOMAIN, "TXT", *["v=TLSRPTv1; rua=mailto:a@b.ch"] * 2)
TWO_STS = answer(zones.DOMAIN, "TXT", "v=STSv1; id=1", "v=STSv1; id=2")
NO_ID = answer(zones.DOMAIN, "TXT", "v=STSv1; id=a-b")
PKIX_ONLY = TLSA.model_copy(update={"records": ("1 1 1 " + zones.ZEROS,)})
NOTHING = zones.domain(zones.host(zones.DOMAIN), **NO_MX)
SPECIAL_FAILURES = [
    ("SMTP02", gateway(starttls=Starttls.MASKED), "STARTTLS is masked on the way", "inspection"),
    (
        "SMTP02",
        gateway(starttls=Starttls.VANISHED),
        "STARTTLS is missing on some connections",
        "several machines",
    ),
    (
        "SMTP02",
        gateway(starttls=Starttls.UNKNOWN, connections=(NO_EHLO,)),
        "The gateway does not know EHLO, and so no STARTTLS",
        "inspection",
    ),
    (
        "DNS01",
        told(mx=answer(zones.DOMAIN, "MX", status=DnsStatus.BAD_NAME)),
        "The domain has a name that the DNS does not allow",
        "spelling",
    ),
    (
        "DNS02",
        zones.measured(NOTHING),
        "The domain has neither an MX record nor an address",
        "Publish an MX record",
    ),
    (
        "DNS06",
        zones.measured(zones.domain(zones.host(zones.MX1))),
        "No mail exchanger has an address",
        "A records",
    ),
    ("DNS11", told(spf=TWO_SPF), "Several SPF records make each other void", "but one"),
    ("DNS14", told(tls_rpt=TWO_RPT), "Several TLS-RPT records make each other void", "but one"),
    ("DNS13", told(mta_sts=TWO_STS), "Senders ignore the MTA-STS policy", "but one"),
    ("DNS13", told(mta_sts=NO_ID), "Senders ignore the MTA-STS policy", "32 letters"),
    (
        "DNS13",
        told(mta_sts_policy=zones.policy(problem="max_age")),
        "The MTA-STS policy is damaged",
        "named field",
    ),
    (
        "DNS15",
        with_host(tlsa=PKIX_ONLY),
        "No TLSA record has a usage that SMTP allows",
        "usage 3",
    ),
    (
        "DNS22",
        caa('128 tbs "unknown"'),
        "A CAA record may keep the authority from issuing",
        "this property",
    ),
    (
        "DNS12",
        told(dmarc=answer(zones.DOMAIN, "TXT", "v=DMARC1; p=none", "v=DMARC1; p=reject")),
        "No valid DMARC policy is published",
        "but one",
    ),
    (
        "ROUT01",
        ready(
            Method.DOMAIN,
            engine=Engine.POSTFIX_TABLE,
            suffix_key="*.incamail.ch",
            default_relay="relay.example",
        ),
        "Mail to suffixed addresses does not reach IncaMail",
        "smtp:[im.post.ch]",
    ),
    ("ROUT14", sample("a@x.example"), "A sample message of your own leaves in clear", "hazards"),
    (
        "NET01",
        facts(receiving=(ended(Reason.NOT_CONTACTED, Stage.CONNECT, LOOPBACK),)),
        "The client's gateway cannot be reached",
        "Correct the DNS",
    ),
]


@pytest.mark.parametrize(("code", "audit", "title", "remedy"), SPECIAL_FAILURES)
def test_a_failure_of_another_kind_is_called_by_its_name(
    code: str, audit: AuditFacts, title: str, remedy: str
) -> None:
    """Where a check fails in more than one way, title and advice follow what was seen."""
    found = alone(code, audit)
    assert found.outcome is Outcome.FAILED
    assert found.title == title
    assert remedy in found.remedy.english()


NO_RECIPIENT = sample()
ALLOWED = '0 issue "swisssign.com"'
NO_CAA = zones.host(zones.MX1, "192.0.2.1", caa=None)
UNSIGNED = TLSA.model_copy(update={"authenticated": False})
CUT_TLSA = TLSA.model_copy(update={"left_out": 3})
INNER = declared(sending=(DeclaredGateway(host="out.muster.example", addresses=("10.0.0.9",)),))
RATE, GREY = (ended(r, Stage.EHLO) for r in (Reason.RATE_LIMITED, Reason.GREYLISTED))
SPECIAL_UNKNOWNS = [
    ("ROUT01", ready(Method.DOMAIN, engine=Engine.NOT_KNOWN), "suffix_key"),
    ("ROUT01", routed.measured(routed.rules(Method.NONE)), "default_relay"),
    (
        "ROUT01",
        routed.measured(routed.rules(Method.NONE, default_relay="")),
        "dig probe.incamail.ch MX",
    ),
    ("ROUT14", NO_RECIPIENT, "samples: recipients"),
    ("DNS02", told(**NO_MX, exchangers=()), "older version"),
    ("DNS10", zones.measured(hosts=(zones.sending(),)), "gateways: sending: addresses"),
    ("DNS12", told(dmarc=answer(zones.DOMAIN, "TXT"), dmarc_walk=None), "older version"),
    ("DNS13", told(mta_sts_policy=None), "mta-sts.txt"),
    ("DNS15", with_host(tlsa=UNSIGNED), "DNSSEC"),
    ("DNS15", with_host(tlsa=CUT_TLSA), "all records"),
    ("DNS18", told(spf_answers=None), "older version"),
    ("DNS19", told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 nonsense:x")), "can be evaluated"),
    ("DNS20", zones.measured().model_copy(update={"declared": INNER}), "public address"),
    ("DNS22", caa(ALLOWED, left_out=1), "all records"),
    ("DNS22", caa('0 iodef "mailto:a@b.ch"', left_out=1), "all records"),
    ("DNS22", caa('0 issue "other.example"', left_out=1), "all records"),
    ("DNS22", zones.measured(zones.domain(NO_CAA)), "dig HOST CAA"),
    ("DNS23", told(mx=CUT_MX), "all records"),
    ("NET01", blocked("4", known=True).model_copy(update=CLOSED), "--vantage elsewhere"),
    ("NET06", facts(platform_endpoints=(ended(Reason.GREYLISTED, Stage.EHLO, PLATFORM),)), "half"),
    ("SMTP01", facts(receiving=(RATE,)), "limit on connections"),
    ("SMTP01", facts(receiving=(GREY,)), "greylisting"),
    ("SMTP01", facts(receiving=(ended(Reason.UNAVAILABLE, Stage.GREETING),)), "an hour"),
    ("SMTP01", facts(receiving=(ended(Reason.REJECTED, Stage.GREETING),)), "block list"),
    (
        "SMTP04",
        gateway(injection=inconclusive(Reason.NOT_TRIED), left_alone=Reason.RATE_LIMITED),
        "limit on connections",
    ),
    (
        "TLS11",
        facts(platform_endpoints=(ended(Reason.RATE_LIMITED, Stage.EHLO, PLATFORM),)),
        "Wait an hour",
    ),
    ("TLS08", gateway(connections=(survey(tls=None),)), "X25519MLKEM768"),
    (
        "CERT07",
        facts(receiving=(ended(Reason.GREYLISTED, Stage.EHLO),)),
        "greylisting",
    ),
]


@pytest.mark.parametrize(("code", "audit", "advice"), SPECIAL_UNKNOWNS)
def test_an_open_question_says_what_opens_it(code: str, audit: AuditFacts, advice: str) -> None:
    """Each cause of an unknown has the advice that helps against it."""
    found = alone(code, audit)
    assert found.outcome is Outcome.UNKNOWN
    assert found.title == RULES[code].asks
    assert advice in found.remedy.english()


OWN_ADDRESS = zones.domain(zones.host(zones.DOMAIN, "192.0.2.1"), **NO_MX)
SPECIAL_PASSES = [
    ("ROUT08", hop("", NextHopKind.MX), "The next hop is found by its MX record"),
    ("ROUT10", hop("", NextHopKind.MX), "The next hop is found by its MX record"),
    ("ROUT10", hop("out.muster.example"), "The next hop is a gateway of your own"),
    ("DNS02", zones.measured(OWN_ADDRESS), RULES["DNS02"].passes),
    (
        "DNS13",
        told(mta_sts_policy=zones.policy(mode="none")),
        "The MTA-STS policy asks nothing of senders",
    ),
    ("DNS22", caa('0 iodef "mailto:a@b.ch"'), "Every authority may issue"),
    ("DNS22", caa(ALLOWED), RULES["DNS22"].passes),
]


@pytest.mark.parametrize(("code", "audit", "title"), SPECIAL_PASSES)
def test_a_tick_says_no_more_than_was_seen(code: str, audit: AuditFacts, title: str) -> None:
    """Where a check passes in more than one way, the title is what was seen."""
    found = alone(code, audit)
    assert found.outcome is Outcome.PASSED
    assert found.title == title


@pytest.mark.parametrize(
    ("code", "audit", "words"),
    [
        ("ROUT14", sample("a@x.example.incamail.ch"), "The recipient is reached through"),
        ("ROUT14", sample(*["a@x.example.incamail.ch", "b@x.example.incamail.ch"]), "All 2 rec"),
        ("DNS03", told(), "1 exchanger."),
        ("DNS03", told(mx=CUT_MX), "Only 1 exchanger of 41 was"),
        ("DNS18", told(), "0 look-ups of the 10 allowed."),
        ("NET09", blocked("1", known=False), "The one address tried took no"),
        ("NET09", blocked("4", known=True), "None of the 4 addresses tried,"),
    ],
)
def test_what_counts_has_its_plural(code: str, audit: AuditFacts, words: str) -> None:
    """One is not told as several."""
    assert words in alone(code, audit).seen.english()


def test_a_useless_answer_is_told_as_such() -> None:
    """An answer of no use may be a loop of aliases or noise: nothing is said of who is at fault."""
    useless = told(mx=answer(zones.DOMAIN, "MX", status=DnsStatus.LAME))
    assert alone("DNS01", useless).seen.english() == (
        "The look-up of MX for muster.example brought no result: no name server gave a usable "
        "answer."
    )


def test_a_silent_gateway_is_told_once() -> None:
    """One open question names the silence; what waits for it is folded into it."""
    found = judge_facts(SILENT_GATEWAY, NOW).findings
    open_ones = [f for f in found if f.code.startswith("SMTP") and f.outcome is Outcome.UNKNOWN]
    assert [f.code for f in open_ones if not f.blocked_by] == ["SMTP09"]
    assert {f.blocked_by for f in open_ones if f.code == "SMTP01"} == {"SMTP09"}


def test_tls_at_once_stays_a_failure_that_blocks() -> None:
    """Whatever else waits for it, a port that never begins in clear is not ready."""
    audit = judge_facts(FAILS["SMTP09"], NOW)
    found = next(f for f in audit.findings if f.code == "SMTP09")
    assert found.blocks


def test_a_domain_without_exchanger_and_address_is_not_ready() -> None:
    """No mail can be delivered: one failure says so, and the rest waits for it."""
    found = {f.code: f for f in judge_facts(zones.measured(NOTHING), NOW).findings}
    assert found["DNS02"].blocks
    assert found["DNS06"].blocked_by == "DNS02"


def test_stores_are_joined_by_templates() -> None:
    """Colon and semicolon stand in the catalog, where French sets its blank before them."""
    stores = (trusted(), trusted("system", TrustReason.EXPIRED), trusted("mta.pem"))
    told = stores_text(stores)
    assert told.english() == "certifi: trusted; system: expired; mta.pem: trusted"
    assert told.template == "{first}; {then}"
    assert stores_text(()).english() == ""
