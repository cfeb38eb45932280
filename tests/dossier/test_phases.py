"""Where an organisation stands: what each phase has, lacks and waits for, and for whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dossier.complete import COMPONENTS, ITEMS, everything

from incamail_lib.dossier import Dossier, Progress, progress
from incamail_lib.dossier.agreed import Role, State, TestResult
from incamail_lib.dossier.phases import PhaseProgress, Step
from incamail_lib.dossier.words import phase_text, term
from incamail_lib.guide import contents

TODAY = dt.date(2026, 11, 24)


def told(today: dt.date = TODAY, **fields: Any) -> Progress:
    given = {"organisation": "Muster AG", "domains": ["muster.example"], **fields}
    return progress(Dossier.model_validate(given), contents(), today)


def phase(found: Progress, key: str) -> PhaseProgress:
    return next(one for one in found.phases if one.phase == key)


def step(found: Progress, key: str) -> Step:
    return next(s for one in found.phases for s in one.steps if s.key == key)


def test_each_phase_has_its_steps() -> None:
    """Questions, the five components twice, the thirteen messages and the two link tests."""
    keys = {one.phase: [s.key for s in one.steps] for one in told().phases}
    assert list(keys) == ["planning", "preparation", "set_up", "test"]
    assert keys["planning"][:5] == COMPONENTS
    assert keys["planning"][5:] == [n for n in ITEMS if n[0] in "45" or n in ("6.1", "6.2", "6.3")]
    assert keys["preparation"] == [*(f"6.{n}" for n in range(1, 9)), *COMPONENTS]
    assert keys["set_up"] == ["7.1", "7.2", "7.3"]
    assert keys["test"][:2] == ["link", "identity"]
    assert len(set(keys["test"])) == 15
    assert keys["test"][-1] == "incoming.html_attachment.external"


def test_nothing_is_done_at_the_start_and_everything_at_the_end() -> None:
    """An empty dossier has everything to do; a full one has nothing left, in any phase."""
    empty, full = told(), told(**everything())
    assert [one.done for one in empty.phases] == [0, 0, 0, 0]
    assert not empty.is_complete
    assert full.is_complete
    assert [one.next_step for one in full.phases] == [None] * 4
    assert [one.missing for one in full.phases] == [()] * 4


@pytest.mark.parametrize("missing", ["components", "answers", "acceptance", "signatures"])
def test_one_thing_missing_is_noticed(missing: str) -> None:
    """Every kind of step counts towards the end."""
    fields = everything()
    first = fields[missing]
    fields[missing] = dict(list(first.items())[1:]) if isinstance(first, dict) else first[1:]
    found = told(**fields)
    assert not found.is_complete
    assert len({s.key for one in found.phases for s in one.missing}) == 1


def test_states_are_counted() -> None:
    """Clear, not clear and to do; only what is clear is done, and the next step is the first."""
    answers = {"7.1": {"state": "clear"}, "7.2": {"state": "todo"}}
    found = phase(told(answers=answers), "set_up")
    assert found.questions == {State.CLEAR: 1, State.UNCLEAR: 1, State.TODO: 1}
    assert found.done == 1
    assert found.next_step is not None
    assert found.next_step.key == "7.2"


@pytest.mark.parametrize(
    ("component", "state"),
    [
        ({}, State.UNCLEAR),
        ({"product": "Postfix", "operator": "A"}, State.UNCLEAR),
        ({"present": False}, State.CLEAR),
        ({"present": True, "product": "Postfix"}, State.TODO),
        ({"present": True, "product": "Postfix", "operator": "A"}, State.CLEAR),
    ],
)
def test_a_component_is_clear_when_it_is_described(component: dict[str, Any], state: State) -> None:
    """What is there needs its product and who runs it; what is not there needs nothing."""
    found = told(components={"mail_gateway": component})
    assert step(found, "mail_gateway").state is state


@pytest.mark.parametrize(
    ("answered", "state"),
    [
        ({}, State.UNCLEAR),
        ({"current": True}, State.UNCLEAR),
        ({"current": True, "https": False}, State.TODO),
        ({"current": True, "https": True}, State.CLEAR),
        ({"current": True, "https": True, "unknown_key": False}, State.CLEAR),
    ],
)
def test_preparation_asks_whether_every_demand_is_met(
    answered: dict[str, bool], state: State
) -> None:
    """One demand without an answer leaves it open, one that is not met is to do."""
    browser = {"present": True, "product": "Edge", "operator": "A", "requirements": answered}
    steps = phase(told(components={"browser": browser}), "preparation").steps
    assert next(s for s in steps if s.key == "browser").state is state


def test_the_last_result_of_a_test_counts() -> None:
    """A message that failed and was sent again has passed; a failed one is not done."""
    test = {"direction": "outgoing", "kind": "personal", "audience": "external"}
    again = [test | {"result": "failed"}, test | {"result": "passed"}]
    assert step(told(acceptance=again), "outgoing.personal.external").is_done
    failed = phase(told(acceptance=again[::-1]), "test")
    assert failed.tests == {TestResult.OPEN: 14, TestResult.PASSED: 0, TestResult.FAILED: 1}
    assert failed.done == 0


@pytest.mark.parametrize(
    ("state", "due", "is_overdue"),
    [
        ("todo", "2026-11-23", True),
        ("unclear", "2026-11-23", True),
        ("todo", "2026-11-24", False),
        ("clear", "2026-11-23", False),
        ("todo", None, False),
    ],
)
def test_overdue_is_what_is_open_after_its_day(
    state: str, due: str | None, is_overdue: bool
) -> None:
    """The due day itself is still in time, and what is clear is never late."""
    found = told(answers={"6.4": {"state": state, "due": due}})
    assert step(found, "6.4").is_overdue is is_overdue
    assert bool(phase(found, "preparation").overdue) is is_overdue


@pytest.mark.parametrize(
    ("key", "role", "who"),
    [
        ("6.4", Role.NETWORK_ADMIN, "Nina"),
        ("firewall", Role.NETWORK_ADMIN, "Nina"),
        ("6.3", Role.MAIL_ADMIN, "Otto"),
        ("4.1", Role.PROJECT_LEAD, "Paula"),
        ("5.1", Role.COMMUNICATION, "Paula"),
        ("5.3", Role.POST, ""),
        ("5.2", Role.SUPPORT, "Paula"),
        ("6.1", Role.MAIL_ADMIN, "Paula"),
        ("6.8", Role.SECURITY, "Paula"),
        ("7.1", Role.PROJECT_LEAD, "Paula"),
        ("7.3", Role.POST, ""),
        ("incoming.personal.internal", Role.POST, ""),
        ("outgoing.personal.internal", Role.MAIL_ADMIN, "Paula"),
    ],
)
def test_who_must_act_is_named(key: str, role: Role, who: str) -> None:
    """The owner of the answer, else the contact in the role, else the client's project lead."""
    found = told(
        contacts=[
            {"role": "project_lead", "name": "Paula"},
            {"role": "network_admin", "name": "Nina"},
        ],
        answers={"6.3": {"owner": "Otto"}},
    )
    assert (step(found, key).role, step(found, key).who) == (role, who)


def test_progress_is_a_record() -> None:
    """It comes back from its JSON as it was."""
    found = told(**everything())
    assert Progress.model_validate_json(found.model_dump_json()) == found


def test_every_code_has_a_word() -> None:
    """No phase, role or state is shown as its code."""
    texts = [phase_text(one.phase) for one in told().phases]
    texts += [term(role) for role in Role]
    texts += [term(state) for state in (*State, *TestResult)]
    assert all(text.template and "_" not in text.template for text in texts)
