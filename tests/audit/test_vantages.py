"""A real measurement, twice: only both places together prove that the link is ready."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from incamail_lib.audit import measure, merged_facts, plan, save_record
from incamail_lib.audit.case import limits_of, on_lab
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.findings import Audit, Verdict
from incamail_lib.lab import SCENARIOS, run
from incamail_lib.reach import Reach, networks_of
from incamail_lib.report.order import decisive

PUBLIC, REVERSE = "8.8.4.4", "4.4.8.8.in-addr"
LOOPBACK = Reach(networks_of(["127.0.0.0/8"]))  # the operator's own network, for once


@cache
def measured(scenario: str) -> dict[Place, AuditFacts]:
    """The servers of a scenario, measured as real ones by machines at each place."""
    dossier = Dossier.model_validate(
        {
            "organisation": "Muster AG",
            "domains": ["muster.example"],
            "platform": "lab",
            "network": {"timeout_s": 2},
        }
    )

    async def from_everywhere(folder: Path) -> dict[Place, AuditFacts]:
        async with run(SCENARIOS[scenario], domains=dossier.domains, directory=folder) as lab:
            found = {}
            for place in Place:
                there = on_lab(dossier, lab)
                network = there.network.model_copy(update={"vantage": place})
                real = there.model_copy(update={"platform": "incamail", "network": network})
                made = plan(real, platform=lab.platform, reach=LOOPBACK, limits=limits_of(real))
                found[place] = _as_public(await measure(made))
            return found

    with TemporaryDirectory() as folder:
        return asyncio.run(from_everywhere(Path(folder)))


def _as_public(facts: AuditFacts) -> AuditFacts:
    """The same facts with a public address in the place of loopback."""
    text = facts.model_dump_json().replace("127.0.0.1", PUBLIC)
    return AuditFacts.model_validate_json(text.replace("1.0.0.127.in-addr", REVERSE))


def judged(facts: AuditFacts) -> Audit:
    return judge_facts(facts, facts.measured_at)


def merged(folder: Path, *places: Place, scenario: str = "sound") -> AuditFacts:
    files = [save_record(measured(scenario)[p], folder / f"{p.value}.json") for p in places]
    return merged_facts(files)


def decides(audit: Audit) -> set[str]:
    return {row.finding.code for row in decisive(audit)}


@pytest.mark.parametrize("place", Place)
def test_a_sound_link_is_never_ready_from_one_place_alone(place: Place) -> None:
    """Each place misses one side, and page 1 says which; nothing is held against the client."""
    audit = judged(measured("sound")[place])
    assert audit.verdict is Verdict.INCONCLUSIVE
    missing = {
        Place.GATEWAY: {"NET08"},
        Place.INSIDE: {"NET08"},
        Place.ELSEWHERE: {"NET07"},
        Place.UNDECLARED: {"NET07", "NET08"},
    }
    assert decides(audit) == missing[place]


@pytest.mark.parametrize("inner", [Place.GATEWAY, Place.INSIDE])
def test_two_places_together_prove_it(tmp_path: Path, inner: Place) -> None:
    """The same link, seen from the client's network and from outside, is ready."""
    audit = judged(merged(tmp_path, inner, Place.ELSEWHERE))
    assert audit.verdict is Verdict.READY, decides(audit)


def test_two_places_of_the_same_side_do_not(tmp_path: Path) -> None:
    """On the gateway and beside it: from outside nobody looked."""
    audit = judged(merged(tmp_path, Place.GATEWAY, Place.INSIDE))
    assert decides(audit) == {"NET08"}


def test_a_device_in_the_way_out_is_found_on_the_gateway_only(tmp_path: Path) -> None:
    """The intercepting box is seen in the client's network: required, failed. A place elsewhere
    would tell of its own path, and decides nothing."""
    inside = judged(measured("intercepted")[Place.GATEWAY])
    assert inside.verdict is Verdict.NOT_READY
    assert {"PLAT02", "PLAT03", "TLS11"} <= decides(inside)
    assert judged(measured("intercepted")[Place.ELSEWHERE]).verdict is Verdict.INCONCLUSIVE
    mixed = merged(tmp_path, Place.GATEWAY, Place.ELSEWHERE, scenario="intercepted")
    assert judged(mixed).verdict is Verdict.NOT_READY


def test_a_machine_is_told_and_the_lab_tells_nothing_of_it() -> None:
    """Name and addresses stand in the facts of a real measurement only."""
    found = measured("sound")[Place.ELSEWHERE].vantage
    assert found.machine
    assert not found.on_lab
