"""Exim routes as we say: thousands of deliveries by the real one, none of them a leak."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from mta import exim
from mta.corpus import ADDRESSES
from mta.differential import (
    OWN,
    RECIPIENTS,
    Compared,
    compare,
    contents,
    done_with,
    leaks,
    on_the_safe_side,
    said_of,
    table,
)
from mta.sink import Mail, Sink, hand_over, sinks

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.routing import classify

pytestmark = [pytest.mark.exim, pytest.mark.xdist_group("mta"), pytest.mark.timeout(600)]

HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")


@dataclass(frozen=True)
class Condition:
    """One subject rule: what it looks at, and the expression between \\N and \\N."""

    variable: str
    expression: str

    @property
    def rules(self) -> RuleSet:
        """The same, as a dossier declares it."""
        decoded = self.variable == "h_subject"
        return RuleSet(
            method=Method.SUBJECT,
            next_hop=HOP,
            engine=Engine.EXIM_DECODED if decoded else Engine.EXIM_RAW,
            subject_pattern=f"\\N{self.expression}\\N",
            default_relay="relay.example",
        )


CONDITIONS = (
    Condition("h_subject", "<im>"),
    Condition("h_subject", r"(?i)^\s*((re|aw|wg|fwd?):\s*)*<(im|[cpr])>"),
    Condition("rh_subject", "^<im>"),
    Condition("rh_subject", "(?i)^ ?<im>.*$"),
)


def configuration(incamail: Sink, other: Sink) -> str:
    """A router for each condition, chosen by the sender's domain, then the ordinary one."""
    routers = "".join(
        f"by_subject_{n}:\n  driver = manualroute\n  senders = *@c{n}.example\n"
        f"  condition = ${{if match{{${c.variable}:}}{{\\N{c.expression}\\N}}{{yes}}{{no}}}}\n"
        "  transport = incamail\n  route_list = * 127.0.0.1 byname\n  self = send\n"
        for n, c in enumerate(CONDITIONS)
    )
    return routers + ordinary(incamail, other)


def ordinary(incamail: Sink, other: Sink) -> str:
    """The last router, and the two transports."""
    return (
        "other:\n  driver = manualroute\n  transport = other\n"
        + "  route_list = * 127.0.0.1 byname\n  self = send\n"
        + exim.transports(incamail=incamail.port, other=other.port)
    )


def through_conditions(incamail: Sink, other: Sink) -> list[list[Compared]]:
    """Every message under every condition: what was said of it and what became of it."""
    batches = [
        [Mail(f"m{i}@c{n}.example", RECIPIENTS, content) for i, content in enumerate(contents())]
        for n in range(len(CONDITIONS))
    ]
    with exim.routing(configuration(incamail, other)) as mta:
        for batch in batches:
            assert len(hand_over(mta.port, batch)) == len(batch) * len(RECIPIENTS)
        exim.deliver(mta)  # all of it when this returns; lines over 998 octets are bounced
    return [
        compare(batch, c.rules, incamail, other)
        for c, batch in zip(CONDITIONS, batches, strict=True)
    ]


def test_no_subject_that_is_said_to_reach_incamail_leaves_another_way() -> None:
    """Four conditions, every subject, three recipients: not one false "to IncaMail", and no
    difference on the safe side either."""
    with sinks(2) as (incamail, other):
        found = through_conditions(incamail, other)
    everything = [c for compared in found for c in compared]
    assert leaks(everything) == []
    assert on_the_safe_side(everything) == []
    assert {c.done for c in everything} == {"incamail", "elsewhere", "nothing"}
    assert table(everything)["unknown", "incamail"] < 100  # NUL and rare character sets


KEYS = ("*.incamail.ch", ".incamail.ch", "incamail.ch", "*incamail.ch", r"\N^.*\.incamail\.ch$\N")


def rules_with(key: str) -> RuleSet:
    """A router for `domains = key`, as a dossier declares it."""
    return RuleSet(
        method=Method.DOMAIN,
        next_hop=HOP,
        engine=Engine.EXIM_DECODED,
        suffix_key=key,
        default_relay="relay.example",
    )


def by_domain(incamail: Sink, other: Sink) -> str:
    """A router for each key, chosen by the sender's domain, then the ordinary one."""
    routers = "".join(
        f"by_domain_{n}:\n  driver = manualroute\n  senders = *@k{n}.example\n"
        f"  domains = {key}\n  transport = incamail\n"
        "  route_list = * 127.0.0.1 byname\n  self = send\n"
        for n, key in enumerate(KEYS)
    )
    return routers + ordinary(incamail, other)


def test_no_address_that_is_said_to_reach_incamail_leaves_another_way() -> None:
    """Five ways to write the suffix: not one false "to IncaMail"; addresses that Exim refuses go
    nowhere."""
    batches = [
        [
            Mail(f"a{i}@k{n}.example", (address,), b"Subject: x\r\n\r\nx\r\n")
            for i, address in enumerate(ADDRESSES)
        ]
        for n in range(len(KEYS))
    ]
    with sinks(2) as (incamail, other):
        with exim.routing(by_domain(incamail, other)) as mta:
            for batch in batches:
                hand_over(mta.port, batch)
            exim.deliver(mta)
        everything = [
            _compared(mail, key, incamail, other)
            for key, batch in zip(KEYS, batches, strict=True)
            for mail in batch
        ]
    assert leaks(everything) == []
    assert on_the_safe_side(everything) == []
    for key in KEYS:
        routed = {c.recipient for c in everything if (c.case, c.done) == (key, "incamail")}
        assert ("a@partner.example.incamail.ch" in routed) is key.startswith(("*", r"\N"))
        assert ("a@incamail.ch" in routed) is (key in ("incamail.ch", "*incamail.ch"))


def _compared(mail: Mail, key: str, incamail: Sink, other: Sink) -> Compared:
    said = classify(mail.recipients, "x", rules_with(key), own_domains=OWN)
    done = done_with(mail, mail.recipients[0], incamail, other)
    return Compared(key, mail.recipients[0], said_of(said, 0), done)
