"""The battery of probes: complete, labelled uniquely, and different for different rules."""

from __future__ import annotations

import pytest

from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, StandardSample
from incamail_lib.routing import standard_samples
from incamail_lib.routing.samples import REPLY_PREFIXES

HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
DOMAINS = ("muster.example", "zweite.example")


@pytest.mark.parametrize("method", list(Method))
def test_every_probe_is_there_under_every_method(method: Method) -> None:
    """Each kind occurs, labels are unique; without domains only theirs are missing."""
    rules = RuleSet(method=method, next_hop=HOP)
    found = standard_samples(rules, DOMAINS)
    assert {message.probe for message in found} == set(StandardSample)
    assert len({message.label for message in found}) == len(found)
    assert sum(m.probe is StandardSample.REPLY for m in found) == len(REPLY_PREFIXES)
    assert sum(m.probe is StandardSample.OWN_DOMAIN_SUFFIXED for m in found) == len(DOMAINS)
    without = {message.probe for message in standard_samples(rules, ())}
    assert set(StandardSample) - without == {
        StandardSample.OWN_DOMAIN_SUFFIXED,
        StandardSample.ALIAS,
    }


def test_probes_follow_another_platforms_suffix() -> None:
    """The lab, or another platform, has its own suffix."""
    rules = RuleSet(method=Method.DOMAIN, next_hop=HOP, suffix=".secure.example")
    first = standard_samples(rules, DOMAINS)[0].routes[0]
    assert first.recipient.endswith("@recipient.example.secure.example")
    assert first.to_incamail
