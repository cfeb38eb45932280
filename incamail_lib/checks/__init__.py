"""What facts mean: about ninety small rules, and the fold of their findings into a verdict."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks import (
    certificate_client,
    certificate_server,
    dns,
    dns_policies,
    network,
    platform,
    routing,
    smtp,
    tls,
    tls_path,
)
from incamail_lib.checks._core import Check, judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Audit, verdict

# Prerequisites first: a check may only require what stands above it.
ALL_CHECKS: tuple[Check, ...] = (
    *routing.CHECKS,
    *dns.CHECKS,
    *dns_policies.CHECKS,
    *network.CHECKS,
    *smtp.CHECKS,
    *tls.CHECKS_RECEIVING,
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


__all__ = ["ALL_CHECKS", "Check", "judge_facts"]
