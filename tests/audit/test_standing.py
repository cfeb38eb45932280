"""Where the machine stands: its own addresses, and whether port 25 is open to it."""

from __future__ import annotations

import ipaddress
import socket

import attempts
import pytest
from factories import endpoint, mail_domain, unreached

from incamail_lib.audit.standing import own_addresses, port_25
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import EndpointFacts, Side, Stage, Target
from incamail_lib.reach import AddressKind, kind_of

DNS = DnsFacts(domains=(mail_domain("mx1.muster.example"),))
OURS = Target(role=Side.RECEIVING, host="mx1.muster.example", address="8.8.4.4")
THEIRS = Target(role=Side.PLATFORM, host="gw1.incamail.com", address="194.41.147.13")


def silent(target: Target, reason: Reason = Reason.TIMEOUT) -> EndpointFacts:
    return unreached(reason, Stage.CONNECT, target)


def at(target: Target, **changes) -> Target:
    return target.model_copy(update=changes)


def test_own_addresses_are_told_with_their_networks() -> None:
    """Nothing is sent to learn them, and what every machine has is left out."""
    with attempts.recorded() as tried:
        found = own_addresses()
    assert tried == []
    for text in found:
        ipaddress.ip_interface(text)
        kind = kind_of(text.partition("/")[0])
        assert kind not in (AddressKind.LOOPBACK, AddressKind.LINK_LOCAL)
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as bound:
            bound.bind((text.partition("/")[0], 0))  # the system agrees that it is ours


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.REFUSED, Reason.UNREACHABLE])
def test_when_nobody_answers_although_the_dns_does_the_port_is_blocked(reason: Reason) -> None:
    """Two parties, no connection at all: the cause lies near by."""
    found = port_25([silent(OURS, reason), silent(THEIRS, reason)], DNS)
    assert found is not None
    assert (found.answer, found.evidence) == (Answer.NO, "2")


def test_one_that_answers_shows_the_port_open() -> None:
    """Then the other one is silent itself."""
    found = port_25([silent(OURS), endpoint(THEIRS)], DNS)
    assert found is not None
    assert (found.answer, found.evidence) == (Answer.YES, THEIRS.label)


@pytest.mark.parametrize(
    ("endpoints", "dns"),
    [
        ([silent(OURS)], DNS),
        ([silent(THEIRS), silent(at(THEIRS, address="194.41.147.23"))], DNS),
        ([silent(OURS), silent(THEIRS)], DnsFacts()),
    ],
    ids=["one party", "the other party", "no answer of the DNS either"],
)
def test_less_than_that_decides_nothing(endpoints: list[EndpointFacts], dns: DnsFacts) -> None:
    """One party's machines may be down together; without DNS the network itself may be down."""
    found = port_25(endpoints, dns)
    assert found is not None
    assert found.answer is Answer.INCONCLUSIVE


def test_what_was_not_tried_on_a_way_out_says_nothing() -> None:
    """Loopback, other ports and addresses kept back are no evidence of anything."""
    kept_back = silent(OURS, Reason.NOT_CONTACTED)
    here = silent(at(OURS, address="127.0.0.1"))
    other = endpoint(at(THEIRS, port=2525))
    assert port_25([kept_back, here, other], DNS) is None
    assert port_25([], DNS) is None
