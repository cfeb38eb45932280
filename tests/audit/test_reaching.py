"""Names of the DNS lead nowhere that the operator did not allow; nothing is even tried there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import attempts
import pytest

from incamail_lib.audit import measure, plan
from incamail_lib.audit.case import on_lab, plan_on_lab
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.observation import Reason
from incamail_lib.findings import Finding, Outcome, Verdict
from incamail_lib.lab import SCENARIOS, nameserver, run

HOST = "mx1.muster.example"
PLATFORM_HOST = "gw1.incamail.com"
INSIDE = [
    *("10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "127.0.0.5", "100.64.0.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.1.2.3"),
    *("64:ff9b::a01:203", "2002:a01:203::1", "ff02::1"),
]
RIGHT_INSIDE = {"10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "fd00::1"} | {
    "64:ff9b::a01:203",
    "2002:a01:203::1",
}


def zone(*addresses: str, host: str = HOST) -> list[tuple[str, str, str]]:
    """muster.example with one exchanger, or another host, at these addresses."""
    kinds = [("AAAA" if ":" in a else "A", a) for a in addresses]
    return [("muster.example", "MX", f"10 {HOST}."), *((host, kind, a) for kind, a in kinds)]


def seen(records: list[tuple[str, str, str]], **fields) -> tuple[AuditFacts, list[tuple[str, int]]]:
    """What is measured when the DNS says `records`, and the connections that were tried."""

    async def measured() -> AuditFacts:
        async with nameserver.serve(records) as (address, port):
            network = {"nameservers": [f"{address}:{port}"], "timeout_s": 1} | fields.pop(
                "network", {}
            )
            dossier = Dossier.model_validate(
                {"organisation": "Muster AG", "domains": ["muster.example"]}
                | fields
                | {"network": network}
            )
            return await measure(plan(dossier))

    with attempts.recorded() as tried:
        facts = asyncio.run(measured())
    return facts, tried


def finding(facts: AuditFacts, code: str) -> Finding:
    return next(f for f in judge_facts(facts, facts.measured_at).findings if f.code == code)


@pytest.mark.parametrize("address", INSIDE)
def test_an_exchanger_that_leads_inside_is_a_finding_and_not_contacted(address: str) -> None:
    """Private addresses may be right in the own network and stay unknown; the rest is wrong."""
    facts, tried = seen(zone(address))
    assert tried == []
    assert facts.receiving[0].survey.ended is Reason.NOT_CONTACTED
    found = finding(facts, "NET01")
    expected = Outcome.UNKNOWN if address in RIGHT_INSIDE else Outcome.FAILED
    assert found.outcome is expected
    assert "Not contacted" in found.seen.english()
    if expected is Outcome.UNKNOWN:
        assert "network.internal_networks" in found.remedy.english()
    assert finding(facts, "SMTP01").blocked_by == "NET01"


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "::1"])
def test_incamails_name_that_leads_inside_is_not_contacted_either(address: str) -> None:
    """A resolver that sends IncaMail's names elsewhere does not choose whom we talk to."""
    facts, tried = seen(zone(address, host=PLATFORM_HOST))
    assert tried == []
    found = [e for e in facts.platform_endpoints if e.target.host == PLATFORM_HOST]
    assert [e.survey.ended for e in found] == [Reason.NOT_CONTACTED]
    assert finding(facts, "NET02").outcome is not Outcome.PASSED


def test_a_network_of_the_organisation_may_be_named() -> None:
    """network.internal_networks lets a name lead there; a neighbour of it stays out."""
    records = zone("127.0.0.5", "127.0.1.5")
    network = {"internal_networks": ["127.0.0.0/24"], "ports": {HOST: 9}}
    facts, tried = seen(records, network=network)
    assert {host for host, _ in tried} == {"127.0.0.5"}
    ended = {e.target.address: e.survey.ended for e in facts.receiving}
    assert ended == {"127.0.0.5": Reason.REFUSED, "127.0.1.5": Reason.NOT_CONTACTED}


def test_an_address_written_in_the_dossier_is_allowed_for_that_host_alone() -> None:
    """What the operator wrote is contacted; the same address behind another name is not."""
    records = [*zone("127.0.0.6"), ("muster.example", "MX", "20 mx2.muster.example.")]
    records.append(("mx2.muster.example", "A", "127.0.0.5"))
    written = {"host": HOST, "addresses": ["127.0.0.5"], "port": 9}
    facts, tried = seen(records, gateways={"receiving": [written]})
    assert set(tried) == {("127.0.0.5", 9)}
    ended = {e.target.label: e.survey.ended for e in facts.receiving}
    assert ended[f"{HOST} [127.0.0.5]:9"] is Reason.REFUSED
    assert ended["mx2.muster.example [127.0.0.5]:25"] is Reason.NOT_CONTACTED


def test_the_policys_server_is_asked_by_the_dossiers_name_servers(tmp_path: Path) -> None:
    """mta-sts.<domain> is looked up where everything else is, and not contacted inside."""
    records = [
        *zone("127.0.0.6"),
        ("_mta-sts.muster.example", "TXT", '"v=STSv1; id=1"'),
        ("mta-sts.muster.example", "A", "10.1.2.3"),
    ]
    facts, tried = seen(records)
    assert tried == []
    policy = facts.dns.domains[0].mta_sts_policy
    assert policy is not None
    assert (policy.fetched.reason, policy.fetched.evidence) == (Reason.NOT_CONTACTED, "10.1.2.3")
    assert "10.1.2.3" in finding(facts, "DNS13").seen.english()


def test_the_lab_never_leaves_this_computer(tmp_path: Path) -> None:
    """Neither a written address nor an allowed network of the dossier leads outside of it."""
    dossier = Dossier.model_validate(
        {
            "organisation": "Muster AG",
            "domains": ["muster.example"],
            "platform": "lab",
            "gateways": {"receiving": [{"host": HOST, "addresses": ["10.1.2.3", "8.8.8.8"]}]},
            "network": {"internal_networks": ["0.0.0.0/0"], "timeout_s": 1},
        }
    )

    async def measured() -> AuditFacts:
        async with run(SCENARIOS["sound"], domains=dossier.domains, directory=tmp_path) as lab:
            return await measure(plan_on_lab(dossier, lab))

    with attempts.recorded() as tried:
        facts = asyncio.run(measured())
    assert {host for host, _ in tried} == {"127.0.0.1"}
    ended = {e.target.address: e.survey.ended for e in facts.receiving}
    assert ended["10.1.2.3"] is ended["8.8.8.8"] is Reason.NOT_CONTACTED
    assert judge_facts(facts, facts.measured_at).verdict is Verdict.INCONCLUSIVE


def test_the_labs_allowance_is_the_labs_own(tmp_path: Path) -> None:
    """Without what the lab gives, a plan for the same names would not go to loopback."""
    dossier = Dossier(organisation="Muster AG", domains=("muster.example",), platform="lab")

    async def measured() -> AuditFacts:
        async with run(SCENARIOS["sound"], domains=dossier.domains, directory=tmp_path) as lab:
            real = on_lab(dossier, lab).model_copy(update={"platform": "incamail"})
            return await measure(plan(real, platform=lab.platform))

    facts = asyncio.run(measured())
    assert {e.survey.ended for e in facts.receiving} == {Reason.NOT_CONTACTED}
    # The platform's addresses stand in its own record, which the operator named.
    assert {e.survey.ended for e in facts.platform_endpoints} == {Reason.ALERT}  # demands ours
