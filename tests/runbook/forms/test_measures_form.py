"""The plan's measures are arranged where the plan is shown, and the plan follows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from factories import NOW, facts
from runbook.forms.test_forms import opened

from incamail_lib.checks import judge_facts
from incamail_lib.dossier import read_dossier
from incamail_lib.runbook.forms.measures import Measures
from incamail_lib.runbook.forms.shape import Card, Note, all_parts
from incamail_lib.runbook.forms.signatures import DOCUMENTS


def card(form: Measures, key: str) -> Card:
    """The line of one measure."""
    return next(p for p in all_parts(form.parts()) if isinstance(p, Card) and p.name == key)


def overdue(form: Measures) -> int:
    """How many the line of all of them says are late."""
    said = card(form, "all").facts[1].text
    return int(said.split()[0]) if said else 0


def test_what_is_arranged_goes_before_what_is_proposed(tmp_path: Path) -> None:
    """Owner and day are written to the dossier and shown at once; emptied, the proposal is back."""
    runbook = opened(tmp_path)
    form = runbook.measures
    before, late = card(form, "look_back").facts, overdue(form)
    form.enter("look_back/owner", "Regula Keller")
    form.enter("look_back/due", "2019-01-07")
    arranged = read_dossier(tmp_path / "muster.yaml").measures["look_back"]
    assert (arranged.owner, arranged.due) == ("Regula Keller", dt.date(2019, 1, 7))
    owner, due, state = card(form, "look_back").facts
    assert (owner.text, due.tone, state.text) == ("Regula Keller", "bad", "open")
    assert overdue(form) == late + 1
    form.enter("look_back/done", "2019-01-06")
    assert card(form, "look_back").facts[2].text == "done"
    assert overdue(form) == late
    for name in ("owner", "due", "done"):
        form.enter(f"look_back/{name}", "")
    assert card(form, "look_back").facts == before


def test_a_day_that_is_none_is_refused_and_kept(tmp_path: Path) -> None:
    """What was typed stays in its input with the reason; the dossier is as it was."""
    runbook = opened(tmp_path)
    form = runbook.measures
    form.enter("look_back/due", "soon")
    assert form.inputs()["look_back/due"].value == "soon"
    assert form.inputs()["look_back/due"].problem
    assert read_dossier(tmp_path / "muster.yaml").measures == {}


def test_each_paper_that_is_signed_can_be_noted(tmp_path: Path) -> None:
    """The set-up document first; a new line stands for the first paper without a name."""
    form = opened(tmp_path).signatures
    for number, document in enumerate(DOCUMENTS):
        form.press("more")
        assert form.inputs()[f"{number}/document"].value == document
        form.enter(f"{number}/name", "Anna Muster")
        form.enter(f"{number}/organisation", "Muster AG")
    noted = read_dossier(tmp_path / "muster.yaml").signatures
    assert [one.document for one in noted] == list(DOCUMENTS)


def test_who_signs_a_paper_with_gaps_is_told_so(tmp_path: Path) -> None:
    """Before and after the name is there; nobody is told of papers that nobody signs yet."""
    form = opened(tmp_path).signatures
    assert not [part for part in form.parts() if isinstance(part, Note) and part.warns]
    form.press("more")
    (note,) = [part for part in form.parts() if isinstance(part, Note) and part.warns]
    assert note.text.startswith("Set-up document: ")
    assert "accepts nothing" in note.text


def test_who_compared_the_identity_is_noted_with_the_day(tmp_path: Path) -> None:
    """Once something was measured; the report then names the person."""
    runbook = opened(tmp_path)
    assert "identity_checked" not in runbook.identity.inputs()
    runbook.session.audit = judge_facts(facts(), NOW)
    form = runbook.identity
    form.enter("identity_checked", "Luca Beispiel")
    noted = read_dossier(tmp_path / "muster.yaml").identity_checked
    assert noted
    assert noted.by == form.inputs()["identity_checked"].value == "Luca Beispiel"


def test_the_plan_is_taken_along_as_a_calendar_too(tmp_path: Path) -> None:
    """Each file that was written has a button that bears its name."""
    plan = opened(tmp_path).document("implementation_plan")
    plan.press("write")
    made = {name.removeprefix("file/") for name in plan.buttons() if name.startswith("file/")}
    assert made == {f"implementation-plan.{ending}" for ending in ("html", "pdf", "docx", "ics")}
