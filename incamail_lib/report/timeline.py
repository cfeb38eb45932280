"""The validity of certificates on one axis, with the dates that matter, as a drawing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from incamail_lib.checks.validity import Presented, earliest_renewal, held_by, shown_by
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import Language, Text, say, say_n
from incamail_lib.report.shapes import GREY, element, label, together
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.model import Picture

WIDTH = 720
MARGIN = 12
ROW = 44  # label and bar
MARK_ROW = 17
MARK_WIDTH = 190  # room for the label of a mark
AXIS = 30
MOST = 12  # bars
PAST = dt.timedelta(days=550)
FUTURE = dt.timedelta(days=1300)
_COLOURS = {"today": "#b3001b", "golive": "#004a99", "policy": "#595959"}


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
    line: int  # of the label: 0 at the top
    text_x: float
    anchor: str

    @property
    def y(self) -> int:
        """Where the label stands."""
        return MARK_ROW * (self.line + 1) - 3


@dataclass(frozen=True)
class Timeline:
    """The chart laid out, in its own units; it draws itself."""

    height: int
    axis_y: int
    top: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    left_out: int
    width: int = WIDTH

    def shapes(self, language: Language) -> str:
        """Ground, ticks, bars, marks and the axis."""
        ground = element("rect", x=0, y=0, width=self.width, height=self.height, fill="#ffffff")
        axis = _line(MARGIN, self.axis_y, self.width - MARGIN, self.axis_y, stroke="#1a1a1a")
        ticks = (shape for tick in self.ticks for shape in self._tick(*tick))
        bars = (shape for bar in self.bars for shape in _drawn(bar, language))
        marks = (shape for mark in self.marks for shape in self._mark(mark, language))
        return together((ground, *ticks, *bars, *marks, axis))

    def _tick(self, x: float, text: str) -> tuple[Markup, Markup]:
        line = _line(x, self.top, x, self.axis_y, stroke="#e3e3e3")
        at = label(text, x, self.axis_y + 18, font_size=11, fill=GREY, text_anchor="middle")
        return line, at

    def _mark(self, mark: Mark, language: Language) -> tuple[Markup, Markup]:
        tell, colour = formatter(language), _COLOURS[mark.kind]
        dashes = {"stroke_dasharray": "3 3"} if mark.kind == "policy" else {}
        line = _line(mark.x, mark.y - 10, mark.x, self.axis_y, stroke=colour, **dashes)
        words = f"{tell.short_day(mark.date)} {tell.told(mark.text)}"
        text = label(words, mark.text_x, mark.y, font_size=11, fill=colour, text_anchor=mark.anchor)
        return line, text


def picture(facts: AuditFacts, now: dt.datetime) -> Picture | None:
    """The chart with what it shows in words; None where no certificate has dates."""
    made = timeline(facts, now)
    if made is None:
        return None
    caption = say(
        "Solid lines: today and the go-live date. Dashed lines: dates from which public "
        "authorities shorten lifetimes (CA/Browser Forum SC-081v3) and Chrome's root programme no "
        "longer accepts client authentication in new certificates."
    )
    if made.left_out:
        more = say_n(
            "{n} more certificate is not drawn.",
            "{n} more certificates are not drawn.",
            made.left_out,
        )
        caption = say("{first} {second}", first=caption, second=more)
    marks = (say("{label}: {value}.", label=m.date, value=m.text) for m in made.marks)
    first, *others = (*(_told(bar) for bar in made.bars), *marks)
    for other in others:
        first = say("{first} {second}", first=first, second=other)
    return Picture(made, say("Validity of the certificates over time"), (first,), caption)


def _told(bar: Bar) -> Text:
    valid = say(
        "{name}: valid {start} – {end}.",
        name=clean(bar.label, 200),
        start=bar.certificate.not_before or "–",
        end=bar.end,
    )
    if bar.first_to_end.sha256 == bar.certificate.sha256:
        return valid
    first = say("It ends with {name} on its path.", name=clean(bar.first_to_end.name, 200))
    return say("{first} {second}", first=valid, second=first)


def _line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def _drawn(bar: Bar, language: Language) -> tuple[Markup, ...]:
    tell = formatter(language)
    begin = tell.short_day(bar.certificate.not_before or bar.end)
    words = f"{clean(bar.label, 60)} – {begin} – {tell.short_day(bar.end)}"
    if bar.first_to_end.sha256 != bar.certificate.sha256:
        words += f" ({clean(bar.first_to_end.name, 40)})"
    fill = "#d9a0a8" if bar.over else "#7f9db9"
    shapes = [
        label(words, MARGIN, bar.y + 15),
        element("rect", x=bar.x, y=bar.y + 22, width=bar.width, height=11, fill=fill),
    ]
    if bar.cut_left:
        shapes.append(_cut(f"M{bar.x + 8} {bar.y + 22} l-8 5.5 l8 5.5"))
    if bar.cut_right:
        shapes.append(_cut(f"M{bar.x + bar.width - 8} {bar.y + 22} l8 5.5 l-8 5.5"))
    return tuple(shapes)


def _cut(d: str) -> Markup:
    return element("path", d=d, fill="#ffffff", stroke="#1a1a1a", stroke_width=1)


def leaves(facts: AuditFacts) -> tuple[tuple[str, Presented], ...]:
    """Every distinct leaf with where it was seen: files, gateways, platform."""
    found: dict[str, tuple[list[str], Presented]] = {}
    sources = [(c.label, held_by(c)) for c in facts.credentials if c.chain]
    endpoints = (*facts.receiving, *facts.platform_endpoints)
    sources += [(e.target.host, shown_by(e)) for e in endpoints if e.leaf]
    for name, shown in sources:
        found.setdefault(shown.leaf.sha256, ([], shown))[0].append(name)
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
    top = MARK_ROW * (1 + max(m.line for m in marks)) + 8
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
    dates = [today, ca_policy().root_programme.ends_on, *([go_live] if go_live else [])]
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
    wanted += [(date, text, "policy") for date, text in policy_dates()]
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


def policy_dates() -> tuple[tuple[dt.date, Text], ...]:
    """From when on public authorities allow less, as the shipped policy has it, by date."""
    policy = ca_policy()
    last = policy.root_programme.ends_on
    found = {last: say("no clientAuth")}
    for rule in policy.lifetime:
        days = rule.days
        found[rule.issued_from] = (
            say_n("≤ {n} day, no clientAuth", "≤ {n} days, no clientAuth", days)
            if rule.issued_from == last
            else say_n("lifetime ≤ {n} day", "lifetime ≤ {n} days", days)
        )
    return tuple(sorted(found.items(), key=lambda entry: entry[0]))


def _ticks(scale: _Scale) -> tuple[tuple[float, str], ...]:
    """A tick for every quarter, half year or year, as the span allows."""
    days = (scale.end - scale.start).days
    months: Sequence[int] = (1, 4, 7, 10) if days < 800 else (1, 7) if days < 1500 else (1,)
    years = range(scale.start.year, scale.end.year + 1)
    dates = [dt.date(year, month, 1) for year in years for month in months]
    inside = [d for d in dates if scale.holds(d) and MARGIN + 16 < scale.x(d) < WIDTH - 40]
    return tuple((scale.x(d), f"{d:%m.%Y}") for d in inside)
