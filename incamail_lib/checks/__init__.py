"""What facts mean: about a hundred small rules, and the fold of their findings into a verdict."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks import (
    certificate_client,
    certificate_server,
    dns,
    dns_policies,
    dns_sending,
    network,
    platform,
    routing,
    smtp,
    standpoint,
    tls,
    tls_cipher,
    tls_path,
)
from incamail_lib.checks._core import Check, judge
from incamail_lib.checks._subjects import domains
from incamail_lib.facts.audit import AuditFacts, Declared, Vantage
from incamail_lib.facts.dns import DnsFacts, DomainFacts
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.findings import Audit, Finding, verdict
from incamail_lib.guide import load_platform

# Prerequisites first: a check may only require what stands above it.
ALL_CHECKS: tuple[Check, ...] = (
    *routing.CHECKS,
    *dns.CHECKS,
    *dns_sending.CHECKS,
    *dns_policies.CHECKS,
    *standpoint.CHECKS,
    *network.CHECKS,
    *smtp.CHECKS,
    *tls.CHECKS_RECEIVING,
    *tls_cipher.CHECKS,
    *tls_path.CHECKS_RECEIVING,
    *certificate_server.CHECKS,
    *certificate_client.CHECKS,
    *platform.CHECKS,
    *tls.CHECKS_PLATFORM,
    *tls_path.CHECKS_PLATFORM,
)


def judge_facts(facts: AuditFacts, now: dt.datetime) -> Audit:
    """Judge every check on the facts as of `now`."""
    findings = judge(facts, ALL_CHECKS, now)
    return Audit(judged_at=now, verdict=verdict(findings), findings=findings, facts=facts)


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


__all__ = ["ALL_CHECKS", "Check", "judge_domain", "judge_facts"]
