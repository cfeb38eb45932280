"""The implementation plan as iCalendar (RFC 5545): a day for each task that is not done.

Days have no time and no zone. Entries are events, since common calendars leave out to-dos when a
file is opened, and are free, so that nobody seems busy. Who imports the file again gets the same
entries: an identifier depends on organisation and task alone. What people wrote stays in the plan;
in a calendar, which is soon shared, stands only what the guide says and who does it.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from icalendar import Calendar, Event

from incamail_lib.documents.measures import Task, tasks
from incamail_lib.documents.parts import Basis, source, titled
from incamail_lib.dossier.words import phase_text
from incamail_lib.i18n import Language, Text, say
from incamail_lib.sheets.model import Missing
from incamail_lib.sheets.telling import told

_PRODUCT = "-//IncaMail Runbook//implementation plan//"


def plan_calendar(basis: Basis, language: Language) -> bytes | None:
    """The days of the plan; None where no task has a day."""
    dated = [task for task in tasks(basis) if task.day and not task.done]
    if not dated:
        return None
    calendar = Calendar()
    calendar.add("prodid", f"{_PRODUCT}{language.upper()}")
    calendar.add("version", "2.0")
    name = say("IncaMail: implementation plan of {name}", name=basis.dossier.organisation)
    calendar.add("x-wr-calname", str(told(name, language)))
    for task in dated:
        calendar.add_component(_event(basis, task, language))
    return bytes(calendar.to_ical())


def _event(basis: Basis, task: Task, language: Language) -> Event:
    assert task.day is not None
    event = Event()
    event.add("uid", _identifier(basis, task))
    event.add("dtstamp", dt.datetime.combine(basis.today, dt.time(), dt.UTC))
    event.add("dtstart", task.day)
    event.add("dtend", task.day + dt.timedelta(days=1))
    # Not put together here: French has a narrow blank before the colon.
    title = say("{label}: {value}", label="IncaMail", value=_summary(basis, task))
    event.add("summary", str(told(title, language)))
    owners = ", ".join(told(who, language) for who in task.owner if not isinstance(who, Missing))
    who = say("Responsible: {names}", names=owners or "–")
    event.add("description", f"{told(phase_text(task.phase), language)}\n{told(who, language)}")
    event.add("transp", "TRANSPARENT")
    return event


def _summary(basis: Basis, task: Task) -> Text:
    if task.measure is not None:
        return source(task.measure.title)
    return titled(task.key, basis.asked(task.key))


def _identifier(basis: Basis, task: Task) -> str:
    whose = hashlib.sha256(f"{basis.dossier.organisation}\n{task.key}".encode()).hexdigest()
    return f"{whose[:32]}@incamail-runbook"
