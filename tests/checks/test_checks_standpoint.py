"""What was seen counts only from where it counts: the client's way out, IncaMail's way in."""

from __future__ import annotations

import json

import pytest
from factories import GATEWAY, NOW, PLATFORM, endpoint, facts, unreached, vantage

from incamail_lib.checks import ALL_CHECKS, judge_facts
from incamail_lib.checks._core import SeenFrom
from incamail_lib.checks._subjects import platform
from incamail_lib.facts.audit import AuditFacts, Place, ReceivingFrom
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import Stage, Starttls
from incamail_lib.findings import Finding, Outcome

CLIENT = {c.code for c in ALL_CHECKS if c.seen_from is SeenFrom.CLIENT}
OUTSIDE = {c.code for c in ALL_CHECKS if c.seen_from is SeenFrom.OUTSIDE}
PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN


def at(place: Place, **changes) -> AuditFacts:
    """A sound audit measured at one place alone."""
    return facts(**({"vantage": vantage(place), "receiving_from": None} | changes))


def findings(measured: AuditFacts) -> dict[str, Finding]:
    """The first finding of each code."""
    found = judge_facts(measured, NOW).findings
    return {f.code: f for f in reversed(found)}


# No alias was looked up, and a single connection cannot be compared with another.
NOT_IN_THESE_FACTS = {"DNS17", "TLS19"}


def outcomes(measured: AuditFacts, codes: set[str]) -> set[Outcome]:
    found = {f.outcome for c, f in findings(measured).items() if c in codes}
    return found - {Outcome.NOT_APPLICABLE}


def test_which_checks_depend_on_the_place() -> None:
    """The outgoing path as a whole, and of the incoming one what a firewall decides."""
    assert {f"PLAT{n:02}" for n in range(1, 11)} | {"NET02", "NET06"} <= CLIENT
    assert {"TLS10", "TLS11", "TLS12", "TLS13", "TLS14"} <= CLIENT
    assert {"NET01", "NET03", "SMTP02", "SMTP03"} == OUTSIDE
    # One that comes later may not forget it.
    assert {c.code for c in ALL_CHECKS if c.subjects is platform} <= CLIENT


@pytest.mark.parametrize("place", [Place.GATEWAY, Place.INSIDE])
def test_the_way_out_counts_from_the_clients_network(place: Place) -> None:
    """On the gateway and behind the same firewall the path and its devices are the client's."""
    assert UNKNOWN not in outcomes(at(place), CLIENT - NOT_IN_THESE_FACTS)
    assert findings(at(place))["NET07"].outcome is PASSED


@pytest.mark.parametrize("place", [Place.ELSEWHERE, Place.UNDECLARED])
def test_the_way_out_is_unknown_from_anywhere_else(place: Place) -> None:
    """ "Accepted" on a consultant's computer says nothing of the client's gateway."""
    found = findings(at(place))
    assert outcomes(at(place), CLIENT) == {UNKNOWN}
    accepted = found["TLS12"]
    assert accepted.seen.english().startswith("Measured elsewhere")
    assert "Accepted" in accepted.seen.english()
    assert accepted.blocked_by == "NET07"
    assert found["NET07"].outcome is UNKNOWN
    assert "incamail measure" in found["NET07"].remedy.english()


def test_what_failed_elsewhere_stays_visible_and_is_not_held_against_the_client() -> None:
    """A stripped STARTTLS in a hotel is no finding about the client, but worth a line."""
    stripped = endpoint(starttls=Starttls.NOT_OFFERED)
    found = findings(at(Place.ELSEWHERE, platform_endpoints=(stripped,)))["PLAT01"]
    assert (found.outcome, found.blocked_by) == (UNKNOWN, "")
    assert "does not offer STARTTLS" in found.seen.english()
    here = findings(at(Place.GATEWAY, platform_endpoints=(stripped,)))["PLAT01"]
    assert here.outcome is FAILED


@pytest.mark.parametrize("place", [Place.GATEWAY, Place.INSIDE])
def test_from_inside_the_firewall_is_not_met(place: Place) -> None:
    """That the gateway answers its own network does not prove that IncaMail reaches it."""
    found = findings(at(place))
    for code in ("NET01", "SMTP02", "SMTP03"):
        assert (found[code].outcome, found[code].blocked_by) == (UNKNOWN, "NET08")
    assert found["NET08"].outcome is UNKNOWN
    # What the gateway itself is set up to do is the same from both sides.
    assert found["TLS05"].outcome is PASSED
    closed = unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY)
    refused = findings(at(place, receiving=(closed,)))["NET01"]
    assert (refused.outcome, refused.blocked_by) == (UNKNOWN, "")


def test_from_elsewhere_the_receiving_side_is_judged() -> None:
    """A closed port, seen from outside, is a failure; an open one is a pass."""
    assert findings(at(Place.ELSEWHERE))["NET01"].outcome is PASSED
    assert findings(at(Place.ELSEWHERE))["NET08"].outcome is PASSED
    closed = unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY)
    assert findings(at(Place.ELSEWHERE, receiving=(closed,)))["NET01"].outcome is FAILED


def test_an_undeclared_place_proves_neither_side_but_hides_no_failure() -> None:
    """Nobody said where: NET07 and NET08 are unknown, and a closed port is still told."""
    found = findings(at(Place.UNDECLARED))
    assert found["NET07"].outcome is found["NET08"].outcome is UNKNOWN
    assert "network.vantage" in found["NET08"].remedy.english()
    closed = unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY)
    assert findings(at(Place.UNDECLARED, receiving=(closed,)))["NET01"].outcome is FAILED


def test_the_two_sides_may_come_from_two_places() -> None:
    """The way out from the gateway, the way in from outside: nothing is left unknown."""
    found = findings(facts())
    assert found["NET07"].outcome is found["NET08"].outcome is PASSED
    assert outcomes(facts(), OUTSIDE | CLIENT - NOT_IN_THESE_FACTS) == {PASSED}


def test_the_machine_is_named_beside_its_place() -> None:
    """A laptop that was declared as the gateway by mistake is noticed by who reads it."""
    found = findings(at(Place.GATEWAY, vantage=vantage(Place.GATEWAY, machine="laptop-7")))
    assert "by the machine laptop-7" in found["NET07"].seen.english()


def test_the_lab_plays_every_part() -> None:
    """There everything counts, as the report says."""
    found = findings(at(Place.GATEWAY, vantage=vantage(Place.GATEWAY, on_lab=True)))
    assert {found[c].outcome for c in ("NET01", "NET02", "NET07", "NET08", "TLS12")} == {PASSED}


def test_a_machine_with_the_gateways_address_is_not_elsewhere() -> None:
    """Declared as outside, but the machine is the gateway: that contradicts itself."""
    own = vantage(Place.ELSEWHERE, addresses=(f"{GATEWAY.address}/24",))
    found = findings(at(Place.ELSEWHERE, vantage=own))["NET08"]
    assert found.outcome is UNKNOWN
    assert GATEWAY.address in found.seen.english()


@pytest.mark.parametrize(("place", "expected"), [(Place.INSIDE, UNKNOWN), (Place.GATEWAY, FAILED)])
def test_a_refusal_counts_on_the_gateway_only(place: Place, expected: Outcome) -> None:
    """Firewalls and block lists go by the sender's address: beside the gateway it may differ."""
    closed = unreached(Reason.REFUSED, Stage.CONNECT, PLATFORM)
    assert findings(at(place, platform_endpoints=(closed,)))["NET02"].outcome is expected
    denied = unreached(Reason.REJECTED, Stage.GREETING, PLATFORM)
    assert findings(at(place, platform_endpoints=(denied,)))["NET06"].outcome is expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (yes(Reason.SEEN, "gw1"), PASSED),
        (no(Reason.NOT_SEEN, "4"), FAILED),
        (inconclusive(Reason.TIMEOUT, "2"), UNKNOWN),
        (None, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_blocked_port_is_told_from_a_silent_server(
    seen: Observation | None, expected: Outcome
) -> None:
    """Only when machines of both parties stay out of reach while the DNS answers."""
    measured = at(Place.ELSEWHERE, vantage=vantage(Place.ELSEWHERE, port_25=seen))
    assert findings(measured)["NET09"].outcome is expected


def test_where_port_25_is_blocked_a_refusal_is_nobodys_fault() -> None:
    """The provider's firewall refuses in the gateway's name; the gateway may be open."""
    closed = unreached(Reason.REFUSED, Stage.CONNECT, GATEWAY)
    blocked = vantage(Place.ELSEWHERE, port_25=no(Reason.NOT_SEEN, "4"))
    found = findings(at(Place.ELSEWHERE, vantage=blocked, receiving=(closed,)))["NET01"]
    assert found.outcome is UNKNOWN
    assert "probably blocked here" in found.seen.english()
    opened = vantage(Place.ELSEWHERE, port_25=yes(Reason.SEEN, "gw1"))
    told = findings(at(Place.ELSEWHERE, vantage=opened, receiving=(closed,)))["NET01"]
    assert told.outcome is FAILED


def test_facts_saved_before_there_were_places_load_and_prove_nothing() -> None:
    """An old file says nothing of its place: it is judged as one of elsewhere."""
    old = json.loads(at(Place.GATEWAY).model_dump_json())
    del old["receiving_from"]
    for field in ("place", "machine", "addresses", "port_25"):
        del old["vantage"][field]
    loaded = AuditFacts.model_validate_json(json.dumps(old))
    assert loaded.vantage.place is Place.UNDECLARED
    found = findings(loaded)
    assert {found[c].outcome for c in ("TLS12", "NET02", "NET07", "NET08")} == {UNKNOWN}
    assert found["NET01"].outcome is PASSED


def test_merged_facts_survive_being_saved() -> None:
    """JSON both ways, with both places."""
    merged = facts(receiving_from=ReceivingFrom(vantage=vantage(Place.INSIDE), measured_at=NOW))
    assert AuditFacts.model_validate_json(merged.model_dump_json()) == merged
