"""A fingerprint of everything that a comparison looks at: equal ones leave nothing to compare."""

from __future__ import annotations

import hashlib
import json

from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Audit, Finding, Outcome


def fingerprint(audit: Audit) -> str:
    """The same for two audits only if `compare` finds nothing between them, either way."""
    facts = audit.facts
    vantages = (facts.vantage, facts.receiving_vantage)
    day = audit.judged_at.date()
    seen = [
        audit.verdict,
        [_finding(finding) for finding in audit.findings],
        [_endpoint(endpoint) for endpoint in (*facts.receiving, *facts.platform_endpoints)],
        [(c.label, c.uses, c.chain[0].sha256 if c.chain else "") for c in facts.credentials],
        [(v.place, v.machine, v.version, v.on_lab) for v in vantages],
        facts.declared.model_dump(mode="json"),
        facts.platform.model_dump(mode="json"),
        [w.model_dump(mode="json") for w in audit.waivers if w.holds_on(day)],
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _finding(finding: Finding) -> tuple[str, ...]:
    why = (finding.level, finding.title) if finding.outcome is Outcome.FAILED else ()
    return (finding.code, finding.subject, finding.outcome, finding.blocked_by, *why)


def _endpoint(endpoint: EndpointFacts) -> tuple[str, list[str]]:
    return endpoint.target.label, [chain[0].sha256 for chain in endpoint.chains]
