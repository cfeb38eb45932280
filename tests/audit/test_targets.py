"""What is measured follows from the dossier and the DNS: which addresses, in which order."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace
from typing import Any

import dns.nameserver
import pytest
from factories import answer, declared, host, mail_domain, platform, sourced

from incamail_lib.audit.measuring import (
    MAX_ADDRESSES,
    _exchangers_left_out,
    _nameserver,
    _platform_targets,
    _receiving_targets,
)
from incamail_lib.audit.probing import gather
from incamail_lib.facts.audit import DeclaredGateway
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.guide import Certainty, PlatformGateway, Sourced

SMART = "im.post.ch"


def plan(**changes: Any) -> Any:
    """The parts of a plan that choose targets."""
    usual = {"declared": declared(receiving=()), "platform": platform(), "ports": {}}
    return SimpleNamespace(**(usual | changes))


def seen(found: tuple[list[Any], Any]) -> list[tuple[str, str, int]]:
    return [(t.host, t.address, t.port) for t in found[0]]


def gateway(name: str, port: int = 25) -> PlatformGateway:
    day = dt.date(2026, 11, 24)
    certain = {"source": "test", "certainty": Certainty.PRIMARY, "verified_on": day}
    return PlatformGateway(host=name, port=port, **certain)


def test_the_smart_hosts_own_addresses_are_probed_as_well() -> None:
    """Where mail is handed to counts, also where no gateway of the platform has that address."""
    hosts = (host("gw1.incamail.com", "192.0.2.1"), host(SMART, "192.0.2.1", "192.0.2.7"))
    given = plan(
        platform=platform(
            gateways=(gateway("gw1.incamail.com"),), smart_host=Sourced[str](**sourced(SMART))
        )
    )
    assert seen(_platform_targets(given, DnsFacts(platform_hosts=hosts))) == [
        ("gw1.incamail.com", "192.0.2.1", 25),
        (SMART, "192.0.2.7", 25),
    ]


def test_an_address_on_another_port_is_another_place() -> None:
    """The smart host answers on 25 even where a gateway has its address on another port."""
    hosts = (host("gw1.incamail.com", "192.0.2.1"), host(SMART, "192.0.2.1"))
    given = plan(
        platform=platform(
            gateways=(gateway("gw1.incamail.com", 2525),), smart_host=Sourced[str](**sourced(SMART))
        )
    )
    assert seen(_platform_targets(given, DnsFacts(platform_hosts=hosts))) == [
        ("gw1.incamail.com", "192.0.2.1", 2525),
        (SMART, "192.0.2.1", 25),
    ]


def test_declared_gateways_come_before_those_of_the_dns_and_each_once() -> None:
    """With the addresses and ports that the dossier names, else with those of the DNS."""
    domain = mail_domain("mx1.muster.example", "mx2.muster.example")
    named = (
        DeclaredGateway(host="mx2.muster.example"),
        DeclaredGateway(host="own.muster.example", addresses=("192.0.2.9",), port=2525),
        DeclaredGateway(host="nowhere.example"),
    )
    given = plan(declared=declared(receiving=named), ports={"mx1.muster.example": 2500})
    assert seen(_receiving_targets(given, DnsFacts(domains=(domain,)))) == [
        ("mx2.muster.example", "192.0.2.1", 25),
        ("own.muster.example", "192.0.2.9", 2525),
        ("mx1.muster.example", "192.0.2.1", 2500),
    ]


def test_without_an_mx_record_the_domain_itself_is_met() -> None:
    """RFC 5321 §5.1: its own address, in both families."""
    own = host("muster.example", "192.0.2.3").model_copy(
        update={"aaaa": answer("muster.example", "AAAA", "2001:db8::3")}
    )
    domain = mail_domain("mx1.muster.example").model_copy(update={"implicit_mx": True})
    found = _receiving_targets(plan(), DnsFacts(domains=(domain,), hosts=(own,)))
    assert seen(found) == [
        ("muster.example", "192.0.2.3", 25),
        ("muster.example", "2001:db8::3", 25),
    ]


@pytest.mark.parametrize("more", [0, 1, 7])
def test_what_is_too_much_is_left_out_and_said(more: int) -> None:
    """The first addresses are examined; how many there were is told."""
    many = tuple(f"192.0.2.{n}" for n in range(MAX_ADDRESSES + more))
    named = DeclaredGateway(host="mx.muster.example", addresses=many)
    targets, told = _receiving_targets(plan(declared=declared(receiving=(named,))), DnsFacts())
    assert len(targets) == MAX_ADDRESSES
    assert [t.address for t in targets] == list(many[:MAX_ADDRESSES])
    assert [str(len(many)) in text.english() for text in told] == ([True] if more else [])


def test_exchangers_that_were_not_looked_up_are_said() -> None:
    """With their number and domain; where none was left out, nothing."""
    domain = mail_domain("mx1.muster.example")
    assert _exchangers_left_out(DnsFacts(domains=(domain,))) == ()
    records = [f"10 mx{n}.muster.example." for n in range(1, 5)]
    cut = domain.model_copy(update={"mx": answer("muster.example", "MX", *records)})
    (told,) = _exchangers_left_out(DnsFacts(domains=(domain, cut)))
    assert "3" in told.english()
    assert "muster.example" in told.english()


def test_progress_is_told_from_nothing_to_all() -> None:
    """Once before, and once as each ends; results keep their order."""
    heard: list[tuple[str, int, int]] = []

    async def late(number: int) -> int:
        await asyncio.sleep(0.01 if number == 0 else 0)
        return number

    async def run() -> list[int]:
        jobs = [late(n) for n in range(3)]
        return await gather(jobs, "dns", lambda *told: heard.append(told))

    assert asyncio.run(run()) == [0, 1, 2]
    assert heard == [("dns", 0, 3), ("dns", 1, 3), ("dns", 2, 3), ("dns", 3, 3)]


@pytest.mark.parametrize(
    ("address", "port", "told"),
    [
        ("192.0.2.53", 53, "192.0.2.53"),
        ("192.0.2.53", 5300, "192.0.2.53:5300"),
        ("2001:db8::53", 53, "[2001:db8::53]"),
        ("2001:db8::53", 52, "[2001:db8::53]:52"),
    ],
)
def test_a_name_server_is_told_as_a_dossier_names_it(address: str, port: int, told: str) -> None:
    """With its port where it is not the usual one; a bare text stays as it is."""
    assert _nameserver(dns.nameserver.Do53Nameserver(address, port)) == told
    assert _nameserver(address) == address
