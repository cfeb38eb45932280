"""Facts grow old: each has its dates, and one that is overdue fails here, today, by its name."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from factories import platform as bare_platform

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.guide import load_platform
from incamail_lib.guide.freshness import (
    Dated,
    ages,
    authority_dates,
    link_dates,
    overdue,
    platform_facts,
    standard_dates,
    standards,
)

SHIPPED = (
    *platform_facts(load_platform()),
    *authority_dates(),
    *standard_dates(),
    *link_dates(),
)
CITED = re.compile(r"RFC \d+|CA/B Forum BR|Chrome Root Program Policy|DSG|CVE-[\d-]+")


def test_nothing_is_overdue_today() -> None:
    """With the present date: what must be verified again is named."""
    assert overdue(SHIPPED, dt.datetime.now(dt.UTC).date()) == ()


def test_what_is_overdue_is_named() -> None:
    """The test above can fail: a day after its term a fact is named, on the day itself not."""
    day = dt.date(2027, 1, 1)
    facts = (Dated("a", day, day), Dated("b", day, None))
    assert overdue(facts, day) == ()
    assert overdue(facts, day + dt.timedelta(days=1)) == ("a",)
    assert len(overdue(SHIPPED, dt.date(2040, 1, 1))) == len(SHIPPED)


@pytest.mark.parametrize("fact", SHIPPED, ids=lambda f: f.name)
def test_every_shipped_fact_has_both_dates(fact: Dated) -> None:
    """No fact without a day on which it was verified, and a later one by which it must be again."""
    assert fact.reverify_by is not None
    assert fact.verified_on < fact.reverify_by <= fact.verified_on + dt.timedelta(days=366)


def test_every_standard_that_is_cited_is_listed_and_holds() -> None:
    """A check cites no standard that another of the list has replaced."""
    listed = {s.name for s in standards()}
    replaced = {name for s in standards() for name in s.replaces}
    cited = {name for c in ALL_CHECKS for name in CITED.findall(c.reference)}
    assert cited <= listed
    assert not cited & replaced
    assert {"RFC 8446", "RFC 5246", "RFC 7489"} <= replaced
    assert listed <= cited, "a standard that nobody cites needs no dates"


def test_no_public_standard_is_cited_without_being_listed() -> None:
    """What a reference names beside the guide and manual pages is one of the list."""
    others = re.compile(r"Post MGI guide|IncaMail HTML|Postfix |Exim specification|openssl-")
    for rule in ALL_CHECKS:
        for part in rule.reference.split(";"):
            assert CITED.search(part) or others.search(part), rule.code


def test_a_fact_says_how_old_it_is() -> None:
    """The oldest of each kind counts; a client's own statement has no term."""
    stated = bare_platform()
    day = dt.date(2026, 12, 4)
    ours, authorities, norms, pages = ages(stated, day)
    assert (ours.days, ours.due, ours.overdue) == (10, None, ())
    assert authorities.due is not None
    assert pages.days == 10
    assert norms.oldest == min(s.verified_on for s in standards())
    late = ages(load_platform(), dt.date(2040, 1, 1))
    assert any("incamail.com" in name for name in late[3].overdue)
    assert "platform.toml issuers" in late[0].overdue
    assert "standards.toml RFC 9846" in late[2].overdue
