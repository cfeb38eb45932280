"""What findings of ROUT, DNS, NET and SMTP are called: title and advice fit the outcome."""

from __future__ import annotations

from typing import Any

import pytest
from checks import test_checks_dns as zones
from checks import test_checks_routing as routed
from checks import test_inner_hop as inner
from factories import (
    GATEWAY,
    PLATFORM,
    answer,
    broken,
    declared,
    endpoint,
    facts,
    survey,
    unreached,
    vantage,
)
from judging import RULES, alone

from incamail_lib.checks import of_family
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, IncomingRoute, Place
from incamail_lib.facts.dns import DnsFacts, DnsStatus
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind
from incamail_lib.facts.smtp import EndpointFacts, Reply, Side, Stage, Starttls, Target
from incamail_lib.findings import Outcome
from incamail_lib.routing import classify

OURS = of_family("ROUT", "DNS", "NET", "SMTP")
V6 = Target(role=Side.RECEIVING, host=GATEWAY.host, address="2001:db8::1")
TIMEOUT = DnsStatus.TIMEOUT


def gateway(**changes: Any) -> AuditFacts:
    """An audit of a receiving gateway."""
    return facts(receiving=(endpoint(GATEWAY, **changes),))


def ended(reason: Reason, stage: Stage, target: Target = GATEWAY, **changes: Any) -> EndpointFacts:
    """An endpoint whose dialogue ended early."""
    found = unreached(reason, stage, target)
    return found.model_copy(update={"connections": (broken(reason, stage, **changes),)})


def surveyed(**changes: Any) -> AuditFacts:
    """An audit whose gateway showed this in its one dialogue."""
    return gateway(connections=(survey(**changes),))


def told(**changes: Any) -> AuditFacts:
    """An audit of a domain of which the DNS tells this."""
    return zones.measured(zones.domain(**changes))


def hop(value: str, kind: NextHopKind = NextHopKind.SMART_HOST) -> AuditFacts:
    """An audit whose rule hands over to this host."""
    return routed.measured(
        routed.rules(Method.DOMAIN, next_hop=NextHop(kind=kind, value=value)),
        said={"sending": (DeclaredGateway(host="out.muster.example"),)},
    )


def sample(*to: str) -> AuditFacts:
    """An audit with one message of the client's own."""
    given = routed.rules(Method.DOMAIN)
    return routed.measured(given, classify([*to], "<im><c> x", given, label="own"))


def caa(*records: str, **changes: Any) -> AuditFacts:
    """An audit whose exchanger has these CAA records, and a certificate of a public authority."""
    governed = zones.host(zones.MX1, "192.0.2.1", caa=answer(zones.DOMAIN, "CAA", *records))
    if changes:
        cut = governed.caa.model_copy(update=changes) if governed.caa else None
        governed = governed.model_copy(update={"caa": cut})
    return zones.measured(zones.domain(governed))


def blocked(count: str, known: bool) -> AuditFacts:
    """An audit from a place where nobody took a connection to port 25."""
    seen = no(Reason.NOT_SEEN, count) if known else inconclusive(Reason.TIMEOUT, count)
    return facts(vantage=vantage(Place.ELSEWHERE, port_25=seen), receiving_from=None)


def ready(method: Method, **changes: Any) -> AuditFacts:
    """An audit of rules, whose MX is known."""
    return routed.measured(routed.rules(method, **changes), dns=routed.WITH_MX)


LITERAL = zones.host("192.0.2.77", is_ip_literal=True)
ALIAS = answer(zones.MX1, "A", "192.0.2.1", canonical_name="real.example")
SILENT_A = answer(zones.MX1, "A", status=TIMEOUT)
MUTE = zones.host(zones.MX1, a=SILENT_A, aaaa=answer(zones.MX1, "AAAA", status=TIMEOUT))
HOSTED = zones.host("muster-example.mail.protection.outlook.com", "192.0.2.1")
FOREIGN = zones.host("mail.other.example", "192.0.2.1")
NO_MX = {"mx": answer(zones.DOMAIN, "MX"), "implicit_mx": True}
TLSA = answer(f"_25._tcp.{zones.MX1}", "TLSA", "3 1 1 " + zones.ZEROS, authenticated=True)
LONG = f"{'a' * 65}@x.example.incamail.ch"
RAW = ready(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="<im>")
DECLARES = declared(receiving=(DeclaredGateway(host=zones.MX2),))
LOOPBACK = GATEWAY.model_copy(update={"address": "127.0.0.5"})
CLOSED = {"receiving": (unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY),)}
FIXED = declared(incoming=IncomingRoute(kind=NextHopKind.STATIC, value="192.0.2.1"))


def with_host(**changes: Any) -> AuditFacts:
    """An audit with one exchanger, changed."""
    return zones.measured(zones.domain(zones.host(zones.MX1, "192.0.2.1", **changes)))


FAILS: dict[str, AuditFacts] = {
    "ROUT01": ready(Method.DOMAIN, suffix_key="incamail.ch", default_relay="relay.example"),
    "ROUT02": ready(Method.SUBJECT),
    "ROUT03": ready(Method.DOMAIN),
    "ROUT04": RAW,
    "ROUT05": RAW,
    "ROUT06": ready(Method.SUBJECT, subject_pattern="(?i)^<im>"),
    "ROUT07": ready(Method.SUBJECT),
    "ROUT08": hop(""),
    "ROUT09": hop("192.0.2.1", NextHopKind.STATIC),
    "ROUT10": hop("relay.other.example"),
    "ROUT11": ready(Method.DOMAIN, suffix="incamail.ch"),
    "ROUT12": ready(Method.SUBJECT, subject_pattern="(?i)im"),
    "ROUT13": sample(LONG),
    "ROUT14": sample("a@firm.incamail.ch"),
    "ROUT15": ready(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="(?i)<im>"),
    "ROUT16": ready(Method.SUBJECT, subject_pattern="<im>"),
    "ROUT17": ready(Method.SUBJECT),
    "DNS01": told(mx=answer(zones.DOMAIN, "MX", status=DnsStatus.NXDOMAIN)),
    "DNS02": told(mx=answer(zones.DOMAIN, "MX", "0 ."), null_mx=True),
    "DNS03": told(**NO_MX),
    "DNS04": zones.measured(zones.domain(LITERAL)),
    "DNS05": with_host(a=ALIAS),
    "DNS06": zones.measured(zones.domain(zones.host(zones.MX2), zones.host(zones.MX1, "::1"))),
    "DNS07": zones.measured(zones.domain(HOSTED)),
    "DNS08": told().model_copy(update={"declared": DECLARES}),
    "DNS09": facts(declared=FIXED),
    "DNS10": zones.measured(hosts=(zones.sending(zones.reverse("192.0.2.9", no())),)),
    "DNS11": told(spf=answer(zones.DOMAIN, "TXT")),
    "DNS12": told(dmarc=answer(zones.DOMAIN, "TXT")),
    "DNS13": told(mta_sts_policy=zones.policy(zones.MX2)),
    "DNS14": told(tls_rpt=answer(zones.DOMAIN, "TXT")),
    "DNS15": with_host(tlsa=TLSA),
    "DNS16": caa(),
    "DNS17": facts(dns=DnsFacts(platform_hosts=(zones.host(PLATFORM.host),))),
    "DNS18": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 nonsense:x -all")),
    "DNS19": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 +all")),
    "DNS20": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 ip4:192.0.2.99 -all")),
    "DNS21": zones.measured().model_copy(
        update={"receiving": (endpoint(GATEWAY, name_match=None),)}
    ),
    "DNS22": caa('0 issue "other.example"'),
    "DNS23": told(mx=answer(zones.DOMAIN, "MX", "0 .", "10 mx1.muster.example.")),
    "NET01": facts(receiving=(unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY),)),
    "NET02": facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),)),
    "NET03": facts(receiving=(endpoint(GATEWAY), unreached(Reason.REFUSED, Stage.CONNECT, V6))),
    "NET04": facts(dns=DnsFacts(platform_hosts=(zones.host(PLATFORM.host, "198.51.100.9"),))),
    "NET06": facts(platform_endpoints=(unreached(Reason.REJECTED, Stage.GREETING),)),
    "NET09": blocked("4", known=True),
    "NET10": inner.measured(inner.incoming("ESMTP"), inner.outgoing("ESMTPS")),
    "SMTP02": gateway(starttls=Starttls.NOT_OFFERED),
    "SMTP03": gateway(starttls=Starttls.REFUSED),
    "SMTP04": gateway(injection=yes()),
    "SMTP05": surveyed(plaintext_after_starttls="250 Ok"),
    "SMTP06": surveyed(capabilities_in_tls=("mx1", "SIZE 1000000")),
    "SMTP07": surveyed(greeting=Reply(code=220, lines=("mail ESMTP",))),
    "SMTP08": facts(receiving=(endpoint(GATEWAY), endpoint(V6, starttls=Starttls.NOT_OFFERED))),
    "SMTP09": facts(receiving=(ended(Reason.TLS_AT_ONCE, Stage.GREETING),)),
}
# What is not seen here says nothing of IncaMail, or stays to be declared or measured.
NEVER_FAIL = {"SMTP01", "NET05", "NET07", "NET08"}

UNCLASSIFIED = facts(declared=declared(rules=routed.rules(Method.SUBJECT)), routing=())
TIMED_OUT = answer(zones.DOMAIN, "TXT", status=TIMEOUT)
CUT_MX = answer(zones.DOMAIN, "MX", "10 mx1.muster.example.", left_out=40)
SILENT_GATEWAY = facts(receiving=(ended(Reason.TIMEOUT, Stage.GREETING),))
UNKNOWN: dict[str, AuditFacts] = {
    **{c.code: UNCLASSIFIED for c in OURS if c.family == "ROUT"},
    **{f"SMTP0{n}": SILENT_GATEWAY for n in (1, 2, 3, 4, 6, 9)},
    "ROUT14": sample(*(f"a{n}@partner.example.incamail.ch" for n in range(1001))),
    "ROUT15": ready(Method.SUBJECT, engine=Engine.NOT_KNOWN, subject_pattern="<im>"),
    **{c: told(mx=answer(zones.DOMAIN, "MX", status=TIMEOUT)) for c in ("DNS01", "DNS08")},
    **{c: told(mx=CUT_MX) for c in ("DNS03", "DNS04")},
    **{c: zones.measured(zones.domain(MUTE)) for c in ("DNS05", "DNS06")},
    "DNS02": zones.measured(zones.domain(MUTE, **NO_MX)),
    "DNS07": zones.measured(zones.domain(FOREIGN)),
    "DNS08": told(mx=answer(zones.DOMAIN, "MX", status=TIMEOUT)).model_copy(
        update={"declared": DECLARES}
    ),
    "DNS09": facts(declared=declared(undecided=("incoming.route",))),
    "DNS10": zones.measured(hosts=(zones.sending(zones.reverse("192.0.2.9", zones.OPEN)),)),
    "DNS11": told(spf=TIMED_OUT),
    "DNS12": told(dmarc=TIMED_OUT),
    "DNS13": told(mta_sts=TIMED_OUT),
    "DNS14": told(tls_rpt=TIMED_OUT),
    "DNS15": with_host(tlsa=TLSA).model_copy(update={"receiving": ()}),
    "DNS16": caa(status=TIMEOUT),
    "DNS17": facts(dns=DnsFacts(platform_hosts=())),
    "DNS18": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 include:a.example -all")),
    "DNS19": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 include:a.example -all")),
    "DNS20": told(spf=answer(zones.DOMAIN, "TXT", "v=spf1 include:a.example -all")),
    "DNS21": told(mta_sts_policy=zones.policy(zones.MX1)).model_copy(update={"receiving": ()}),
    "DNS22": zones.measured().model_copy(
        update={"receiving": (unreached(Reason.TIMEOUT, Stage.HANDSHAKE, GATEWAY),)}
    ),
    "NET01": facts(receiving=(unreached(Reason.TIMEOUT, Stage.CONNECT, GATEWAY),)),
    "NET02": facts(platform_endpoints=(unreached(Reason.TIMEOUT, Stage.CONNECT),)),
    "NET03": facts(receiving=(endpoint(GATEWAY), unreached(Reason.TIMEOUT, Stage.CONNECT, V6))),
    "NET04": facts(dns=DnsFacts(platform_hosts=(zones.host(PLATFORM.host, a=SILENT_A),))),
    "NET05": facts(declared=declared(sending=())),
    "NET06": facts(platform_endpoints=(unreached(Reason.TIMEOUT, Stage.GREETING),)),
    "NET07": facts(vantage=vantage(Place.ELSEWHERE)),
    "NET08": facts(vantage=vantage(Place.INSIDE), receiving_from=None),
    "NET09": blocked("1", known=False),
    "NET10": inner.measured(),
    "SMTP08": facts(receiving=(endpoint(GATEWAY), unreached(Reason.TIMEOUT, Stage.CONNECT, V6))),
}
# Judged from what the dossier, or the dialogue before, holds in any case.
NEVER_OPEN = {"ROUT08", "ROUT10", "SMTP05", "SMTP07"}


@pytest.mark.parametrize("code", [c.code for c in OURS if c.code not in NEVER_FAIL])
def test_a_failed_check_reads_as_failed(code: str) -> None:
    """The title says what is wrong, and there is something to do about it."""
    found = alone(code, FAILS[code])
    assert found.outcome is Outcome.FAILED
    assert found.title == RULES[code].fails
    assert found.remedy.template


@pytest.mark.parametrize("code", [c.code for c in OURS if c.code in UNKNOWN.keys() - NEVER_OPEN])
def test_an_open_check_reads_as_a_question(code: str) -> None:
    """The title asks, and the advice says how to find out; it does not have a fault mended."""
    found = alone(code, UNKNOWN[code])
    assert found.outcome is Outcome.UNKNOWN
    assert found.title == RULES[code].asks
    assert found.remedy.template == RULES[code].clarify


def test_no_check_of_these_families_is_left_out() -> None:
    """Each has facts that fail it and facts that leave it open, or a reason why not."""
    codes = {c.code for c in OURS}
    assert codes - FAILS.keys() == NEVER_FAIL
    assert codes - UNKNOWN.keys() - NEVER_OPEN == {"DNS23"}  # open by a cut answer only
