"""All checks together: what they say of facts, and the fold into a verdict.

Every module of this folder is loaded here, and a check enters itself where it is declared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from incamail_lib.checks._core import REGISTRY, Check, judge, judge_as_of
from incamail_lib.checks._subjects import domains
from incamail_lib.checks._until import Asked, until
from incamail_lib.facts.audit import AuditFacts, Declared, Vantage
from incamail_lib.facts.dns import DnsFacts, DomainFacts
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.findings import Audit, Finding, Waiver, verdict
from incamail_lib.guide import load_platform

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f"{__package__}.{_module.name}")

ALL_CHECKS: tuple[Check[Any], ...] = REGISTRY.ordered()


def judge_facts(facts: AuditFacts, now: dt.datetime, waivers: Sequence[Waiver] = ()) -> Audit:
    """Judge every check on the facts as of `now`; waivers of failures are kept beside them."""
    judged = judge_as_of(facts, ALL_CHECKS, now)
    met = tuple(w for w in waivers if any(w.covers(f) for f in judged.findings))
    return Audit(
        judged_at=now,
        verdict=verdict(judged.findings),
        findings=judged.findings,
        until=until(Asked(facts, ALL_CHECKS, now, met), judged),
        waivers=met,
        facts=facts,
    )


def judge_domain(domain: DomainFacts, now: dt.datetime) -> tuple[Finding, ...]:
    """What the DNS of one domain means by itself, of which no dossier tells anything else."""
    rules = RuleSet(method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST))
    facts = AuditFacts(
        measured_at=now,
        vantage=Vantage(ehlo_name="", version="", python="", openssl="", backend=""),
        declared=Declared(organisation="", domains=(domain.domain,), rules=rules),
        platform=load_platform(),
        dns=DnsFacts(domains=(domain,)),
    )
    return judge(facts, [c for c in ALL_CHECKS if c.subjects is domains], now)


def of_family(*families: str) -> tuple[Check[Any], ...]:
    """The checks of some families, e.g. of_family("NET", "PLAT")."""
    return tuple(c for c in ALL_CHECKS if c.family in families)
