"""NET: a refusal is a failure, silence is unknown, and addresses are compared with the matrix."""

from __future__ import annotations

import pytest
from factories import GATEWAY, NOW, PLATFORM, answer, declared, endpoint, facts, host, unreached

from incamail_lib.checks import of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import DnsFacts, DnsStatus
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Side, Stage, Target
from incamail_lib.findings import Finding, Outcome

V6 = Target(role=Side.RECEIVING, host=GATEWAY.host, address="2001:db8::1")


def finding(code: str, measured: AuditFacts) -> Finding:
    return next(f for f in judge(measured, of_family("NET"), NOW) if f.code == code)


def outcome(code: str, measured: AuditFacts) -> Outcome:
    return finding(code, measured).outcome


def test_a_sound_client_passes() -> None:
    """Every network check passes, or does not apply, on a sound client."""
    found = {f.code: f.outcome for f in judge(facts(), of_family("NET"), NOW)}
    assert found.pop("NET03") is Outcome.NOT_APPLICABLE
    assert found.pop("NET09") is Outcome.NOT_APPLICABLE  # no public address was tried
    assert found.pop("NET10") is Outcome.UNKNOWN  # no message was handed in
    assert set(found.values()) == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.REFUSED, Outcome.FAILED),
        (Reason.UNREACHABLE, Outcome.FAILED),
        (Reason.TIMEOUT, Outcome.UNKNOWN),
    ],
)
def test_only_a_refusal_proves_a_closed_port(reason: Reason, expected: Outcome) -> None:
    """A firewall that drops packets looks like a lost path, so silence proves nothing."""
    client = facts(receiving=(unreached(reason, Stage.CONNECT, GATEWAY),))
    assert outcome("NET01", client) is expected
    towards = facts(platform_endpoints=(unreached(reason, Stage.CONNECT),))
    assert outcome("NET02", towards) is expected


@pytest.mark.parametrize("address", ["10.1.2.3", "fd00::25", "100.64.0.9"])
def test_an_address_of_the_inside_proves_no_delivery(address: str) -> None:
    """The operator allowed it and it answers; IncaMail still cannot deliver there."""
    inside = endpoint(GATEWAY.model_copy(update={"address": address}))
    found = finding("NET01", facts(receiving=(inside,)))
    assert found.outcome is Outcome.UNKNOWN
    assert address in found.seen.english()
    assert "outside" in found.remedy.english()


def test_without_any_gateway_reachability_is_unknown() -> None:
    """No address to probe is no evidence of health."""
    assert outcome("NET01", facts(receiving=())) is Outcome.UNKNOWN
    assert outcome("NET02", facts(platform_endpoints=())) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (endpoint(V6), Outcome.PASSED),
        (unreached(Reason.REFUSED, Stage.CONNECT, V6), Outcome.FAILED),
        (unreached(Reason.TIMEOUT, Stage.CONNECT, V6), Outcome.UNKNOWN),
    ],
)
def test_ipv6_must_answer_where_it_is_published(second: object, expected: Outcome) -> None:
    """A dead AAAA record delays mail even when IPv4 works."""
    assert outcome("NET03", facts(receiving=(endpoint(GATEWAY), second))) is expected


def test_other_addresses_than_documented_are_reported() -> None:
    """The firewall rules name addresses; the DNS must agree with them."""
    other = facts(dns=DnsFacts(platform_hosts=(host(PLATFORM.host, "198.51.100.9"),)))
    assert outcome("NET04", other) is Outcome.FAILED
    assert "198.51.100.9" in finding("NET04", other).seen.english()


def test_addresses_that_could_not_be_looked_up_are_unknown() -> None:
    """A DNS failure never becomes a difference."""
    silent = host(PLATFORM.host).model_copy(
        update={"a": answer(PLATFORM.host, "A", status=DnsStatus.TIMEOUT)}
    )
    assert outcome("NET04", facts(dns=DnsFacts(platform_hosts=(silent,)))) is Outcome.UNKNOWN


def test_the_sending_gateway_must_be_named() -> None:
    """Without it the network matrix has a hole."""
    assert outcome("NET05", facts(declared=declared(sending=()))) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.REJECTED, Outcome.FAILED),
        (Reason.GREYLISTED, Outcome.UNKNOWN),
        (Reason.RATE_LIMITED, Outcome.UNKNOWN),
        (Reason.TIMEOUT, Outcome.UNKNOWN),
    ],
)
def test_a_platform_that_turns_us_away_is_told_apart(reason: Reason, expected: Outcome) -> None:
    """A permanent refusal is a failure; come back later is not."""
    measured = facts(platform_endpoints=(unreached(reason, Stage.GREETING),))
    assert outcome("NET06", measured) is expected
