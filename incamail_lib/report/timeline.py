"""The validity of certificates on one axis, with the dates that matter, laid out for SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incamail_lib.checks.validity import Presented, earliest_renewal, held_by, shown_by
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.i18n import N_, Text, say

WIDTH = 720
MARGIN = 12
ROW = 44  # label and bar
MARK_ROW = 17
MARK_WIDTH = 190  # room for the label of a mark
AXIS = 30
MOST = 12  # bars
PAST = dt.timedelta(days=550)
FUTURE = dt.timedelta(days=1300)

# CA/B Forum ballot SC-081v3 (BR §6.3.2) and Chrome Root Program policy 1.8.
POLICY_DATES: tuple[tuple[dt.date, str], ...] = (
    (dt.date(2026, 3, 15), N_("lifetime ≤ 200 days")),
    (dt.date(2027, 3, 15), N_("≤ 100 days, no clientAuth")),
    (dt.date(2029, 3, 15), N_("lifetime ≤ 47 days")),
)


@dataclass(frozen=True)
class Bar:
    """One certificate: where its bar starts and ends, and whether it goes on beyond the axis."""

    label: str
    certificate: CertificateFacts
    end: dt.datetime  # of the certificate, or of what on its path ends first
    first_to_end: CertificateFacts
    y: int
    x: float
    width: float
    cut_left: bool
    cut_right: bool
    over: bool  # expired, or not yet valid, today


@dataclass(frozen=True)
class Mark:
    """A vertical line with its label."""

    text: Text
    date: dt.date
    kind: str  # today, golive, policy
    x: float
    y: int
    text_x: float
    anchor: str


@dataclass(frozen=True)
class Timeline:
    """Everything the SVG needs, in its own units."""

    height: int
    axis_y: int
    top: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    left_out: int
    width: int = WIDTH


def leaves(facts: AuditFacts) -> tuple[tuple[str, Presented], ...]:
    """Every distinct leaf with where it was seen: files, gateways, platform."""
    found: dict[str, tuple[list[str], Presented]] = {}
    sources = [(c.label, held_by(c)) for c in facts.credentials if c.chain]
    endpoints = (*facts.receiving, *facts.platform_endpoints)
    sources += [(e.target.host, shown_by(e)) for e in endpoints if e.leaf]
    for label, shown in sources:
        found.setdefault(shown.leaf.sha256, ([], shown))[0].append(label)
    return tuple((", ".join(dict.fromkeys(names)), shown) for names, shown in found.values())


def _dated(facts: AuditFacts, now: dt.datetime) -> list[_Dated]:
    found = []
    for name, shown in leaves(facts):
        renewal = earliest_renewal(shown, now)
        if renewal is not None and shown.leaf.not_before is not None:
            _, end, first = renewal
            found.append(_Dated(name, shown.leaf, shown.leaf.not_before, end, first))
    return found


@dataclass(frozen=True)
class _Dated:
    """A leaf from its start to the end of its path."""

    name: str
    leaf: CertificateFacts
    start: dt.datetime
    end: dt.datetime
    first: CertificateFacts


def timeline(facts: AuditFacts, now: dt.datetime) -> Timeline | None:
    """The laid-out chart; None where no certificate has dates."""
    now = now.astimezone(dt.UTC)
    dated = _dated(facts, now)
    if not dated:
        return None
    go_live = facts.declared.go_live
    start, end = _range(dated, now.date(), go_live)
    scale = _Scale(start, end)
    marks = _marks(scale, now.date(), go_live)
    top = MARK_ROW * (1 + max(m.y for m in marks)) + 8
    marks = tuple(_placed(mark) for mark in marks)
    shown = dated[:MOST]
    axis_y = top + ROW * len(shown) + 4
    return Timeline(
        height=axis_y + AXIS,
        axis_y=axis_y,
        top=top,
        bars=tuple(_bar(scale, each, now, top + ROW * n) for n, each in enumerate(shown)),
        marks=marks,
        ticks=_ticks(scale),
        left_out=len(dated) - len(shown),
    )


def _range(
    certificates: Iterable[_Dated], today: dt.date, go_live: dt.date | None
) -> tuple[dt.date, dt.date]:
    """From the earliest start to the latest end, but not beyond a readable span around today."""
    pad = dt.timedelta(days=30)
    dates = [today, POLICY_DATES[1][0], *([go_live] if go_live else [])]
    for certificate in certificates:
        dates += [certificate.start.date(), certificate.end.date()]
    return max(min(dates), today - PAST) - pad, min(max(dates), today + FUTURE) + pad


@dataclass(frozen=True)
class _Scale:
    start: dt.date
    end: dt.date

    def x(self, date: dt.date) -> float:
        inner = WIDTH - 2 * MARGIN
        share = (date - self.start) / (self.end - self.start)
        return round(MARGIN + inner * min(1.0, max(0.0, share)), 1)

    def holds(self, date: dt.date) -> bool:
        return self.start <= date <= self.end


def _bar(scale: _Scale, dated: _Dated, now: dt.datetime, y: int) -> Bar:
    begin, end = dated.start, dated.end
    x = scale.x(begin.date())
    return Bar(
        label=dated.name,
        certificate=dated.leaf,
        end=end,
        first_to_end=dated.first,
        y=y,
        x=x,
        width=max(2.0, round(scale.x(end.date()) - x, 1)),
        cut_left=not scale.holds(begin.date()) and begin.date() < scale.start,
        cut_right=not scale.holds(end.date()) and end.date() > scale.end,
        over=not begin <= now <= end,
    )


def _marks(scale: _Scale, today: dt.date, go_live: dt.date | None) -> tuple[Mark, ...]:
    """Marks from left to right, each on the first line where its label has room."""
    wanted = [(today, say("today"), "today")]
    if go_live:
        wanted.append((go_live, say("go-live"), "golive"))
    wanted += [(date, Text(template=text), "policy") for date, text in POLICY_DATES]
    ends: list[float] = []
    marks = []
    for date, text, kind in sorted((w for w in wanted if scale.holds(w[0])), key=lambda w: w[0]):
        x = scale.x(date)
        leans_left = x + MARK_WIDTH > WIDTH
        begin = x - MARK_WIDTH if leans_left else x
        line = next((n for n, taken in enumerate(ends) if taken <= begin), len(ends))
        ends[line:] = [x + 4 if leans_left else x + MARK_WIDTH, *ends[line + 1 :]]
        anchor = "end" if leans_left else "start"
        marks.append(Mark(text, date, kind, x, line, x - 4 if leans_left else x + 4, anchor))
    return tuple(marks)


def _placed(mark: Mark) -> Mark:
    y = MARK_ROW * (mark.y + 1) - 3
    return Mark(mark.text, mark.date, mark.kind, mark.x, y, mark.text_x, mark.anchor)


def _ticks(scale: _Scale) -> tuple[tuple[float, str], ...]:
    """A tick for every quarter, half year or year, as the span allows."""
    days = (scale.end - scale.start).days
    months: Sequence[int] = (1, 4, 7, 10) if days < 800 else (1, 7) if days < 1500 else (1,)
    years = range(scale.start.year, scale.end.year + 1)
    dates = [dt.date(year, month, 1) for year in years for month in months]
    inside = [d for d in dates if scale.holds(d) and MARGIN + 16 < scale.x(d) < WIDTH - 40]
    return tuple((scale.x(d), f"{d:%m.%Y}") for d in inside)
