"""What each component must meet (guide 2): what was said of it, and what was seen.

A demand is met when a person says so. Evidence stands beside it and may contradict; it never
answers by itself, since a demand holds more than what is measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import HTML_TEST, State, TestResult
from incamail_lib.dossier.words import term
from incamail_lib.findings import Audit, Finding, Outcome
from incamail_lib.guide import Contents
from incamail_lib.guide.contents import Component, Demand
from incamail_lib.i18n import Text, say, say_n

# The machine that faces IncaMail is the one an audit looks at: the gateway, where there is one.
_FACING = ("mail_server", "mail_gateway")
_OWN_CHECKS = frozenset({"DNS07", "NET10"})  # these are about the gateway itself


@dataclass(frozen=True)
class DemandView:
    """One demand: what somebody said of it (None: nothing), and the evidence in words."""

    demand: Demand
    said: bool | None
    evidence: tuple[Text, ...] = ()
    speaks_against: bool = False  # a check or test failed

    @property
    def is_contradicted(self) -> bool:
        """Whether it is said to be met although something failed."""
        return self.said is True and self.speaks_against

    @property
    def answer(self) -> Text:
        """What was said, in words."""
        if self.said is None:
            return say("not answered yet")
        return say("met") if self.said else say("not met")


def demand_views(
    component: Component, dossier: Dossier, guide: Contents, audit: Audit | None
) -> tuple[DemandView, ...]:
    """Every demand on one component, in the guide's order."""
    declared = dossier.components.get(component.key)
    said = declared.requirements if declared else {}
    findings = _findings(component, dossier, audit)
    return tuple(_view(d, said.get(d.key), dossier, guide, findings) for d in component.demand)


def _view(
    demand: Demand,
    said: bool | None,
    dossier: Dossier,
    guide: Contents,
    findings: tuple[Finding, ...],
) -> DemandView:
    mine = [f for f in findings if f.code in demand.checks]
    failed = {f.code: f for f in mine if f.outcome is Outcome.FAILED}
    texts = [
        say("audit: {title} ({code})", title=Text(template=f.title), code=code)
        for code, f in failed.items()
    ]
    open_codes = dict.fromkeys(f.code for f in mine if f.outcome is Outcome.UNKNOWN)
    if open_codes:
        texts.append(say("audit: not known – {codes}", codes=", ".join(open_codes)))
    passed = {f.code for f in mine if f.outcome is Outcome.PASSED} - set(failed) - set(open_codes)
    if passed:
        texts.append(say_n("audit: {n} check passed", "audit: {n} checks passed", len(passed)))
    result = _result(demand, dossier)
    if result is not None:
        texts.append(say("test message: {result}", result=term(result)))
    texts += _settled(demand, dossier, guide)
    against = bool(failed) or result is TestResult.FAILED
    return DemandView(demand, said, tuple(texts), against)


def _findings(component: Component, dossier: Dossier, audit: Audit | None) -> tuple[Finding, ...]:
    """The findings that may be about this component."""
    if audit is None:
        return ()
    if component.key not in _FACING:
        return audit.findings
    gateway = dossier.components.get("mail_gateway")
    has_gateway = gateway is None or gateway.present is not False
    if has_gateway == (component.key == "mail_gateway"):
        return audit.findings
    return tuple(f for f in audit.findings if f.code in _OWN_CHECKS)


def _result(demand: Demand, dossier: Dossier) -> TestResult | None:
    """The last result of the test message that shows it; None where there is no such test."""
    if demand.test != HTML_TEST[1].value:
        return None
    results = [t.result for t in dossier.acceptance if t.key == HTML_TEST]
    return results[-1] if results else TestResult.OPEN


def _settled(demand: Demand, dossier: Dossier, guide: Contents) -> list[Text]:
    """The questions that settle it, with their states."""
    known = {item.number for item in guide.items}
    states = {n: dossier.answers[n].state for n in demand.items if n in dossier.answers}
    return [
        say(
            "question {number}: {state}",
            number=number,
            state=term(states.get(number, State.UNCLEAR)),
        )
        for number in demand.items
        if number in known
    ]
