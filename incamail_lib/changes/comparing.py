"""Two audits of one organisation, compared: what was seen, and what it means."""

from __future__ import annotations

from incamail_lib.changes.certificates import certificate_changes
from incamail_lib.changes.judged import Judged, finding_changes, verdict_changes
from incamail_lib.changes.model import Change, worst_first
from incamail_lib.changes.places import domain_changes, gateway_changes, renamed
from incamail_lib.changes.surroundings import surrounding_changes, waiver_changes
from incamail_lib.checks import judge_facts
from incamail_lib.findings import Audit


def compare(before: Audit, after: Audit) -> tuple[Change, ...]:
    """What changed from one audit of an organisation to a later one, worst first.

    Nothing for an audit and itself. On the lab, which makes its servers and certificates anew for
    each audit, those are not compared; what they mean is.
    """
    judged = _judged(before, after)
    found = [
        *verdict_changes(judged),
        *finding_changes(judged),
        *waiver_changes(before, after),
        *surrounding_changes(before.facts, after.facts),
        *domain_changes(before.facts, after.facts),
    ]
    if not (before.facts.vantage.on_lab and after.facts.vantage.on_lab):
        found += gateway_changes(before.facts, after.facts)
        found += certificate_changes(before.facts, after.facts)
    return worst_first(found)


def compare_supposed(today: Audit, supposed: Audit) -> tuple[Change, ...]:
    """What a supposition would make of an audit: verdict and findings that would be others, worst
    first. All of it is the supposition's doing, whatever program and date say."""
    names = renamed(today.facts, supposed.facts)
    judged = Judged(today, today, today, supposed, names)
    return worst_first([*verdict_changes(judged), *finding_changes(judged)])


def _judged(before: Audit, after: Audit) -> Judged:
    """Both audits with the two between them: the older facts by the rules of today, which the
    platform's facts belong to, and the same as of the later day."""
    names = renamed(before.facts, after.facts)
    if before.findings == after.findings:
        return Judged(before, before, before, after, names)
    facts = before.facts.model_copy(update={"platform": after.facts.platform})
    by_rules = judge_facts(facts, before.judged_at)
    return Judged(before, by_rules, judge_facts(facts, after.judged_at), after, names)
