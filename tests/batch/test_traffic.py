"""A run's traffic: shared servers are met once, nobody too often, and verdicts stay the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from batch import town

from incamail_lib.audit import load_audit
from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.batch.results import CaseOutcome
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Purpose
from incamail_lib.findings import Audit, Outcome
from incamail_lib.lab.setting import PLATFORM_HOSTS
from incamail_lib.probe.traffic import Bounds
from incamail_lib.reach import Spared

PLAIN = Options(with_pdf=False)
CLIENTS, GATEWAYS = 12, 3


def findings(audit: Audit) -> list[tuple[str, ...]]:
    """What was judged, without what differs from one connection to the next."""
    return [(f.code, f.subject, f.outcome, f.level, f.blocked_by) for f in audit.findings]


def record(outcome: CaseOutcome) -> Audit:
    assert outcome.record is not None, outcome.problem
    return load_audit(outcome.record)


def test_clients_behind_shared_gateways_cost_no_more_than_the_gateways(tmp_path: Path) -> None:
    """Twelve clients behind three gateways: the connections of three, never more than the bound
    at once, and each verdict as if the client had been audited alone."""
    with town.running(tmp_path / "town", CLIENTS, GATEWAYS) as there:
        dossiers = sorted(there.dossiers.iterdir())
        one = audit_all(dossiers[:1], output=tmp_path / "one", options=PLAIN).outcomes[0]
        alone = there.gateways()
        bounds = Bounds(per_address=2)
        run = audit_all(dossiers, output=tmp_path / "all", options=replace(PLAIN, bounds=bounds))
        after = there.gateways()
    made = {name: after[name]["connections"] - alone[name]["connections"] for name in after}
    base = alone[town.host(0)]["connections"]
    assert base >= 4
    assert {name: made[name] for name in map(town.host, range(GATEWAYS))} == {
        town.host(number): base for number in range(GATEWAYS)
    }
    for name in PLATFORM_HOSTS:  # one certificate for all clients: shared as well
        assert made[name] == alone[name]["connections"]
        assert after[name]["most"] <= 2
    outcomes = list(run.outcomes)
    assert [outcome.organisation for outcome in outcomes] == [f"Client {n}" for n in range(CLIENTS)]
    assert sum(outcome.cost.connections for outcome in outcomes) == sum(made.values())
    assert findings(record(outcomes[0])) == findings(record(one))
    again = record(outcomes[GATEWAYS])  # behind the same gateway, from shared connections
    renamed = [
        (code, subject.replace("c0.", "c3."), *rest)
        for code, subject, *rest in findings(record(one))
    ]
    assert [tuple(row) for row in renamed] == findings(again)
    purposes = {c.purpose for c in again.facts.receiving[0].connections}
    assert {Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE} <= purposes


def test_who_is_busy_is_asked_again_and_who_does_not_want_is_let_alone(tmp_path: Path) -> None:
    """A greylisting gateway is met again later in the run; hosts, domains and networks of the list
    have not one connection, and what could not be seen of them is unknown, with the reason."""
    spared = Spared.of([town.host(1), "# a remark", f"{town.address(2)}/32", "c3.example"])
    bounds = Bounds(tries=2, pause_s=0.5)
    options = replace(PLAIN, spared=spared, bounds=bounds, at_once=1)
    with town.running(tmp_path / "town", 4, 4, "--greylisting", "1") as there:
        dossiers = sorted(there.dossiers.iterdir())
        run = audit_all(dossiers, output=tmp_path / "reports", options=options)
        after = there.gateways()
    made = [after[town.host(number)]["connections"] for number in range(4)]
    assert made[0] > 1
    assert made[1:] == [0, 0, 0]
    outcomes = list(run.outcomes)
    put_off = record(outcomes[0]).facts.receiving[0]
    assert put_off.survey.ended is Reason.SEEN
    for outcome in outcomes[1:]:
        audit = record(outcome)
        assert {e.survey.ended for e in audit.facts.receiving} == {Reason.OPTED_OUT}
        told = [f for f in audit.findings if f.code.startswith("NET")]
        assert any(
            f.outcome is Outcome.UNKNOWN and "list of those" in f.seen.english() for f in told
        ), [(f.code, f.outcome, f.seen.english()) for f in told]


def test_a_list_of_whom_to_spare_is_understood_whole_or_not_at_all() -> None:
    """Names spare what is below them; a line that is none of the kinds is told by its number."""
    spared = Spared.of(["Muster.example.", "*.wild.example", "bücher.example", "2001:db8::/32"])
    assert spared.spares_name("mx.muster.example")
    assert spared.spares_name("wild.example")
    assert spared.spares_name("xn--bcher-kva.example")
    assert not spared.spares_name("notmuster.example")
    assert spared.spares("mx.other.example", "2001:db8::25")
    assert not spared.spares("mx.other.example", "192.0.2.1")
    for line in ("a b", "https://muster.example", "anna@muster.example", "192.0.2.0/99"):
        with pytest.raises(ValueError, match=r"^2$"):
            Spared.of(["ok.example", line])
