"""The implementation plan is a plan: who does what by when, on paper and in a calendar."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from documents.dossiers import TODAY, audit, basis, empty, full
from icalendar import Calendar

from incamail_lib.documents import Basis
from incamail_lib.documents.calendar import plan_calendar
from incamail_lib.documents.measures import Task, tasks, when
from incamail_lib.documents.timing import counted_day, is_working_day
from incamail_lib.documents.writing import chosen, write_documents
from incamail_lib.dossier.agreed import Role
from incamail_lib.findings import Verdict
from incamail_lib.guide import contents
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.sheets.model import Mark

MEASURES = contents().measures
COMPONENTS: dict[str, Any] = {
    **{component.key: {"present": False} for component in contents().components},
    "mail_gateway": {"present": True, "product": "Postfix", "operator": "A"},
}
SIGNED = {"name": "A", "organisation": "B", "signed_on": TODAY}


def task(known: Basis, key: str) -> Task:
    return next(task for task in tasks(known) if task.key == key)


def test_measures_come_after_what_they_need() -> None:
    """Every key stands once, every need before it and on no later day; questions are the guide's;
    each question of the checklist belongs to one measure."""
    seen: dict[str, int] = {}
    order = {phase.key: place for place, phase in enumerate(contents().phases)}
    places = {m.key: order[m.phase] for m in MEASURES}
    for measure in MEASURES:
        assert measure.key not in seen
        for need in measure.after:
            assert seen[need] <= measure.days, (measure.key, need)
        seen[measure.key] = measure.days
        assert Role(measure.by)
        assert bool(measure.audience) == bool(measure.message)
        assert measure.days % 7 == 0
    assert places["people"] == 0
    numbers = [number for measure in MEASURES for number in measure.items]
    assert sorted(numbers) == sorted(item.number for item in contents().items)


@pytest.mark.parametrize(
    ("go_live", "days", "expected"),
    [
        ("2027-01-15", -7, "2027-01-08"),
        ("2027-01-15", -14, "2026-12-31"),  # New Year's Day
        ("2027-01-17", -7, "2027-01-08"),  # a Sunday: the Friday before
        ("2027-01-16", 14, "2027-01-29"),
        ("2027-01-17", 0, "2027-01-17"),  # as it was fixed
    ],
)
def test_days_are_working_days(go_live: str, days: int, expected: str) -> None:
    """Weekends and holidays of the whole country move to the working day before."""
    day = counted_day(dt.date.fromisoformat(go_live), days)
    assert day == dt.date.fromisoformat(expected)
    assert is_working_day(day) or not days


def test_without_a_date_distances_stand_in_weeks() -> None:
    """Nothing has a day and nothing is overdue; with a date everything has one."""
    found = tasks(basis(empty()))
    assert {t.day for t in found} == {None}
    assert not [t for t in found if t.overdue]
    assert [t.english() for t in when(found[0]) if not isinstance(t, dt.date | Mark)] == [  # type: ignore[union-attr]
        "10 weeks before going live"
    ]
    dated = tasks(basis(empty(go_live=dt.date(2027, 6, 4))))
    assert all(t.day for t in dated)


def test_overdue_from_the_day_after_and_never_once_done() -> None:
    """The day itself is not late; what is done is not late whatever the day."""
    known = basis(empty(go_live=TODAY + dt.timedelta(days=7)))
    assert not task(known, "pilot").overdue
    later = replace(known, today=TODAY + dt.timedelta(days=1))
    assert task(later, "pilot").overdue
    assert isinstance(when(task(later, "pilot"))[0], Mark)
    done = replace(later, dossier=empty(measures={"pilot": {"done": TODAY}}))
    assert task(done, "pilot").done
    assert not task(done, "pilot").overdue


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("policy", {"answers": {f"4.{n}": {"state": "clear"} for n in range(1, 5)}}),
        ("inner_hop", {"inner_hop": {"by": "Anna", "on": TODAY}}),
        ("pilot", {"measures": {"pilot": {"done": TODAY}}}),
        (
            "link_test",
            {"signatures": [SIGNED | {"document": d} for d in ("link", "identity")]},
        ),
        (
            "components",
            {"components": COMPONENTS},
        ),
    ],
)
def test_a_measure_is_done_when_something_shows_it(key: str, changes: dict[str, Any]) -> None:
    """Answers, signatures, a confirmation or a note; with less it stays open."""
    assert task(basis(empty(**changes)), key).done
    assert not task(basis(empty()), key).done
    for name, value in changes.items():
        first = dict(list(value.items())[1:]) if isinstance(value, dict) else value[1:]
        if name not in ("inner_hop",):
            assert not task(basis(empty(**{name: first})), key).done


def test_what_contradicts_itself_is_not_done() -> None:
    """A question that is clear in two ways is not decided."""
    clear = {n: {"state": "clear", "answer": "by content"} for n in ("6.1", "6.3")}
    assert task(basis(empty(answers=clear, routing={"method": "subject"})), "architecture").done
    twice = empty(answers=clear, routing={"method": "domain"})
    assert not task(basis(twice), "architecture").done


def test_a_note_of_the_future_is_no_done() -> None:
    """Only a day that has come; and an audit counts only when everything is ready."""
    tomorrow = TODAY + dt.timedelta(days=1)
    assert not task(basis(empty(measures={"pilot": {"done": tomorrow}})), "pilot").done
    found = audit()
    assert not task(basis(empty(), found), "audit").done
    ready = found.model_copy(update={"verdict": Verdict.READY})
    assert task(basis(empty(), ready), "audit").done


def test_what_was_arranged_goes_before_what_is_proposed() -> None:
    """Owner and day of the dossier; without a gateway there is no inner hop to encrypt."""
    arranged = {"rules": {"owner": "Zoë", "due": dt.date(2027, 1, 4)}}
    found = task(basis(full(measures=arranged)), "rules")
    assert (found.day, found.counted) == (dt.date(2027, 1, 4), None)
    assert "Zoë" in str(found.owner)
    bare = basis(empty(components={"mail_gateway": {"present": False}}))
    assert "inner_hop" not in [t.key for t in tasks(bare)]


def test_what_an_answer_leaves_to_do_is_a_task() -> None:
    """With its own owner and date, in the phase of its question."""
    found = task(basis(full()), "4.3")
    assert (found.phase, found.day, found.overdue) == ("planning", dt.date(2026, 11, 10), True)
    assert "Template for the subject" in str(found.title)
    assert task(basis(full()), "7.1").phase == "set_up"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_calendar_reads_back(language: Language) -> None:
    """A day for each task that is open, with an identifier that stays; no organiser, no words of
    the client but names."""
    secret = "Template for the subject"
    known = basis(full())
    data = plan_calendar(known, language)
    assert data is not None
    assert data == plan_calendar(known, language)
    calendar = Calendar.from_ical(data)
    assert calendar["version"] == "2.0"
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    events = calendar.walk("VEVENT")
    expected = [t for t in tasks(known) if t.day and not t.done]
    assert [event.decoded("dtstart") for event in events] == [t.day for t in expected]
    assert len({event["uid"] for event in events}) == len(events)
    assert not any("organizer" in event or "attendee" in event for event in events)
    assert all(
        event.decoded("dtend") - event.decoded("dtstart") == dt.timedelta(1) for event in events
    )
    assert secret not in str(events)
    moved = basis(full(go_live=dt.date(2027, 2, 12)))
    again = Calendar.from_ical(plan_calendar(moved, "en") or b"").walk("VEVENT")
    assert {e["uid"] for e in events} == {e["uid"] for e in again}


def test_french_signs_have_their_narrow_blank_in_the_calendar() -> None:
    """Titles and descriptions are set as sentences are: no word touches a colon."""
    made = plan_calendar(basis(full()), "fr")
    assert made
    calendar = Calendar.from_ical(made)
    texts = [str(calendar["x-wr-calname"])]
    texts += [str(e[name]) for e in calendar.walk("VEVENT") for name in ("summary", "description")]
    assert sum(text.startswith("IncaMail\u202f: ") for text in texts) == (len(texts) + 1) // 2
    for text in texts:
        assert not re.search(r"[^\u202f\u00a0][:;?!»](?:\s|$)|«[^\u202f\u00a0]", text), text


def test_hostile_names_stay_one_line() -> None:
    """A name with a line break and a property in it becomes text."""
    name = "X\r\nATTENDEE:mailto:x@example.org"
    known = basis(full(measures={"rules": {"owner": name}}))
    data = plan_calendar(known, "en")
    assert data is not None
    assert not re.search(rb"^ATTENDEE", data, re.MULTILINE)
    Calendar.from_ical(data)


def test_without_a_date_there_is_no_calendar_and_no_old_one(tmp_path: Path) -> None:
    """The file is written beside the plan, and goes when the date goes; so does a file of an
    older name. A plan in another language stays."""
    dated, undated = basis(full()), basis(empty())
    (tmp_path / "umsetzungsplan.ics").write_text("of another language")
    write(dated, tmp_path, "fr", "implementation_plan")
    assert Calendar.from_ical((tmp_path / "plan-de-mise-en-oeuvre.ics").read_bytes())
    (tmp_path / "acceptance-link.docx").write_text("of an older name")
    write(undated, tmp_path, "fr", "implementation_plan")
    assert not (tmp_path / "plan-de-mise-en-oeuvre.ics").exists()
    assert (tmp_path / "plan-de-mise-en-oeuvre.docx").exists()
    assert (tmp_path / "umsetzungsplan.ics").exists()
    assert (tmp_path / "acceptance-link.docx").exists()
    write(undated, tmp_path, "fr", "acceptance_link")
    assert not (tmp_path / "acceptance-link.docx").exists()


def write(known: Basis, folder: Path, language: Language, name: str) -> None:
    write_documents(chosen(known, name), known, folder, language=language)
