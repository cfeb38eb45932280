"""Drawn chains through all checks: what the path's verdict is, the findings are."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import factories
import pytest
from differential.chains import Case
from differential.judged import PURPOSES, judged
from differential.twists import cases

from incamail_lib.certificate import link, read_certificate
from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse, TrustFacts
from incamail_lib.facts.observation import Reason, inconclusive, yes
from incamail_lib.facts.smtp import ClientAuthFacts
from incamail_lib.findings import Finding, Level, Outcome

pytestmark = pytest.mark.xdist_group("differential")
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
CODES = {
    "serverAuth": [f"CERT{n:02}" for n in (1, 2, 3, 4, 7, 10, 11, 12)],
    "clientAuth": [f"CERT{n}" for n in (20, 22, 23, 25, 28, 29, 30, 31, 32)],
}
SEEN = ("requested", "demanded", "own_accepted", "foreign_accepted", "verified")


def measured(case: Case, answers: dict[str, TrustFacts]) -> AuditFacts:
    """The chain at the client's gateway and in its file; the platform says nothing about it."""
    chain = tuple(read_certificate(der) for der in case.chain)
    tls = factories.survey().tls
    assert tls is not None
    shown = factories.survey(tls=tls.model_copy(update={"chain": chain, "links": link(chain)}))
    file = CredentialFacts(
        label="f.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        chain=chain,
        links=link(chain),
        key_matches=yes(),
        trust=(answers["clientAuth"],),
    )
    nothing = inconclusive(Reason.NOT_TRIED)
    silent = dict.fromkeys(SEEN, nothing)
    trust = (answers["serverAuth"],)
    return factories.facts(
        receiving=(factories.endpoint(factories.GATEWAY, connections=(shown,), trust=trust),),
        platform_endpoints=(factories.endpoint(client_auth=ClientAuthFacts(**silent)),),
        credentials=(file,),
    )


def required(findings: dict[str, Finding], purpose: str) -> set[Outcome]:
    """The outcomes of what decides about a certificate of this direction."""
    found = [findings[code] for code in CODES[purpose]]
    return {f.outcome for f in found if f.level is Level.REQUIRED}


def test_a_refused_chain_never_passes_and_a_trusted_one_never_fails() -> None:
    """Only a self-signed certificate fails although a store trusts it: IncaMail wants none."""
    counted: Counter[tuple[bool, bool]] = Counter()
    for case in cases(3, NOW, single=5, combined=120):
        answers = {purpose: judged(case, purpose, NOW) for purpose in PURPOSES}
        facts = measured(case, answers)
        findings = {f.code: f for f in judge(facts, ALL_CHECKS, NOW)}
        for purpose, answer in answers.items():
            outcomes = required(findings, purpose)
            trusted, fails = answer.trusted.is_yes, Outcome.FAILED in outcomes
            counted[trusted, fails] += 1
            if not trusted:
                assert outcomes != {Outcome.PASSED}, (case.said, purpose)
            elif not any("self-signed" in said for said in case.said):
                assert outcomes == {Outcome.PASSED}, (case.said, purpose)
    assert counted[True, False] > 100
    assert counted[False, True] > 100
    assert counted[False, False] < 20  # open, and why: another check could not see the fault
