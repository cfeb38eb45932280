"""Renewals as a calendar (RFC 5545): each certificate on the day on which its path ends."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from incamail_lib.history.digest import Held
from incamail_lib.i18n import Language, Text, say
from incamail_lib.portfolio.chapters import Portfolio
from incamail_lib.portfolio.sections import due
from incamail_lib.sheets.language import formatter

if TYPE_CHECKING:
    from icalendar import Event

_ALARM = dt.timedelta(days=-7)


def calendar_of(portfolio: Portfolio) -> bytes:
    """One entry of a whole day for each certificate that ends within 90 days, with a reminder.

    The same certificate keeps its identity from run to run, so that a calendar that takes the file
    again has each once.
    """
    from icalendar import Calendar  # late: only who wants the calendar waits for it

    calendar = Calendar()
    calendar.add("prodid", "-//IncaMail Runbook//portfolio//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    stamp = portfolio.run.started if portfolio.run else dt.datetime.now(dt.UTC)
    for every in due(portfolio.digests, portfolio.today).values():
        for organisation, each in every:
            calendar.add_component(_event(organisation, each, stamp, portfolio.language))
    return bytes(calendar.to_ical())


def _event(organisation: str, each: Held, stamp: dt.datetime, language: Language) -> Event:
    from icalendar import Alarm, Event

    tell = formatter(language)
    event = Event()
    which = hashlib.sha256(f"{organisation} {each.sha256}".encode()).hexdigest()
    event.add("uid", f"{which[:40]}@renewal.incamail-runbook")
    event.add("dtstamp", stamp)
    event.add("dtstart", each.ends.date())
    event.add("dtend", each.ends.date() + dt.timedelta(days=1))
    event.add("summary", str(tell.told(_summary(organisation, each))))
    event.add("description", str(tell.told(_description(each))))
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", str(tell.told(_summary(organisation, each))))
    alarm.add("trigger", min(each.renew_from - each.ends, _ALARM))
    event.add_component(alarm)
    return event


def _summary(organisation: str, each: Held) -> Text:
    return say(
        "{organisation}: the certificate {where} ends", organisation=organisation, where=each.where
    )


def _description(each: Held) -> Text:
    told = say("{name}. Renew it from {day} on.", name=each.name, day=each.renew_from)
    if each.client_use is None:
        return told
    return say("{sentence} {also}", sentence=told, also=each.client_use)
