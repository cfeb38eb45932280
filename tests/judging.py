"""One check by itself on literal facts: for tests of what each finding says."""

from __future__ import annotations

import dataclasses
from typing import Any

from factories import NOW

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import Check, judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Finding

RULES = {check.code: check for check in ALL_CHECKS}


def alone(code: str, audit: AuditFacts) -> Finding:
    """What one check says by itself, whatever stands before it."""
    rule: Check[Any] = dataclasses.replace(RULES[code], requires=())
    return judge(audit, [rule], NOW)[0]
