"""What facts mean: about seventy small rules, and the fold of their findings into a verdict."""

from __future__ import annotations

import datetime as dt
import importlib.util

from incamail_lib.checks._core import Check, judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Audit, verdict

# Transitional, while the families are being written side by side.
_FAMILIES = ("routing", "dns", "network", "smtp", "tls", "certificate", "platform")
ALL_CHECKS: tuple[Check, ...] = tuple(
    rule
    for family in _FAMILIES
    if importlib.util.find_spec(f"incamail_lib.checks.{family}")
    for rule in importlib.import_module(f"incamail_lib.checks.{family}").CHECKS
)


def judge_facts(facts: AuditFacts, now: dt.datetime) -> Audit:
    """Judge every check on the facts as of `now`."""
    findings = judge(facts, ALL_CHECKS, now)
    return Audit(judged_at=now, verdict=verdict(findings), findings=findings, facts=facts)


__all__ = ["ALL_CHECKS", "Check", "judge_facts"]
