"""Days counted from going live, for every document that says who does what by when.

A day on which nobody works moves to the last working day before it: weekends, and the holidays of
the whole of Switzerland. Those of a canton would need the canton, which no dossier knows, and a
library that knows them all would still leave school holidays and change freezes to people; so the
plan says that such days are theirs to move.
"""

from __future__ import annotations

import datetime as dt

from incamail_lib.i18n import Text, say, say_n

_WEEK = 7
_SATURDAY = 5
_HOLIDAYS = frozenset({(1, 1), (8, 1), (12, 25)})  # month, day


def counted_day(go_live: dt.date, days: int) -> dt.date:
    """The working day that lies `days` from going live; the day itself stays as it was fixed."""
    day = go_live + dt.timedelta(days=days)
    while days and not is_working_day(day):
        day -= dt.timedelta(days=1)
    return day


def is_working_day(day: dt.date) -> bool:
    """Whether people work on a day anywhere in Switzerland."""
    return day.weekday() < _SATURDAY and (day.month, day.day) not in _HOLIDAYS


def counted_text(days: int) -> Text:
    """The distance in words, e.g. "2 weeks before going live"."""
    weeks = abs(days) // _WEEK
    if not weeks:
        return say("on the day of going live")
    if days > 0:
        return say_n("{n} week after going live", "{n} weeks after going live", weeks)
    return say_n("{n} week before going live", "{n} weeks before going live", weeks)
