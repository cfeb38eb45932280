"""The chapters of the portfolio as values: tables that say everything in words."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from incamail_lib.changes import Change, Kind
from incamail_lib.changes.words import kind_text
from incamail_lib.checks import ALL_CHECKS
from incamail_lib.findings import Level, Verdict
from incamail_lib.guide import contents
from incamail_lib.history import Digest, Run
from incamail_lib.history.differing import Between
from incamail_lib.history.digest import Failing, Held
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.outputs import PAGE, PAPER
from incamail_lib.report.telling import words
from incamail_lib.report.words import word
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Code,
    Inline,
    Link,
    Listing,
    Mark,
    Paragraph,
    Phrase,
    Quiet,
    Section,
    State,
    Strong,
    Table,
)

NO_RUN = say("No run is kept yet. «incamail batch» keeps what became of each.")
SPANS = (30, 60, 90)  # days
_MOST_CODES = 4  # of what decides, on one line
_STATES: dict[Verdict, State] = {
    Verdict.READY: "good",
    Verdict.NOT_READY: "bad",
    Verdict.INCONCLUSIVE: "open",
}
# What needs a person first stands first: no verdict at all, then the verdicts by weight.
_ORDER = (None, Verdict.NOT_READY, Verdict.INCONCLUSIVE, Verdict.READY)
_GOOD = frozenset({Kind.BETTER, Kind.RENEWED})
ORGANISATION = say("Organisation")


def deciding(digest: Digest) -> tuple[str, ...]:
    """The codes that keep an organisation from being ready."""
    if digest.verdict is Verdict.READY:
        return ()
    failed = tuple(f.code for f in digest.failing if f.level is Level.REQUIRED)
    return failed or digest.unknown


def verdicts(digests: Sequence[Digest], folder: Path | None) -> Section:
    """Organisations by verdict, those that need a person first."""
    ranked = sorted(digests, key=lambda d: (_ORDER.index(d.verdict), d.organisation.casefold()))
    rows = tuple(
        (
            (
                Strong(words(digest.organisation)),
                *((Quiet(words(digest.owner)),) if digest.owner else ()),
            ),
            _verdict(digest),
            _decides(digest),
            (Code(_day(digest.until[0].at)),) if digest.until else (),
            (Code(digest.go_live.isoformat()),) if digest.go_live else (),
            tuple(_links(digest, folder)),
        )
        for digest in ranked
    )
    headings = (
        *(ORGANISATION, say("Verdict"), say("What decides"), say("May change on")),
        *(say("Go-live"), say("Audit")),
    )
    return Section(
        title=say("Organisations by verdict"),
        blocks=(_counts(digests), *_table(headings, rows, (23, 15, 34, 11, 10, 7))),
        key="verdicts",
    )


def _whose(digest: Digest) -> Cell:
    """The organisation, and who leads the project there."""
    name = Strong(words(digest.organisation))
    return (name, Quiet(words(digest.owner))) if digest.owner else (name,)


def _verdict(digest: Digest) -> Cell:
    """The verdict as a sign and in words; what is accepted is never told as ready."""
    if digest.verdict is None:
        return (Mark("bad", say("without a verdict")),)
    if digest.accepted_until is not None:
        return (Mark("open", say("accepted")), say("until {day}", day=digest.accepted_until))
    return (Mark(_STATES[digest.verdict], word(digest.verdict)),)


def _counts(digests: Sequence[Digest]) -> Block:
    told = Counter(d.verdict for d in digests if d.accepted_until is None)
    accepted = sum(d.accepted_until is not None for d in digests)
    counts = [(told[v], say("without a verdict") if v is None else word(v)) for v in _ORDER]
    named = [(n, name) for n, name in (*counts, (accepted, say("accepted for a time"))) if n]
    if not named:
        return Paragraph(say("No organisation."))
    return Listing(tuple(say("{times} × {name}", times=n, name=name) for n, name in named))


def _links(digest: Digest, folder: Path | None) -> Iterator[Inline]:
    """The report as page and on paper, as far as they were written."""
    for name, file in (("HTML", PAGE), ("PDF", PAPER)):
        path = Path(digest.folder) / file if folder is not None and digest.folder else None
        if path and path.exists():
            target = os.path.relpath(path, folder).replace(os.sep, "/")
            yield Link(Text(template=name), target)


def _decides(digest: Digest) -> Cell:
    """The checks that decide, by title and code."""
    if digest.problem is not None:
        return (digest.problem,)
    every = deciding(digest)
    titles = {check.code: check.asks for check in ALL_CHECKS}
    titles |= {failing.code: failing.title for failing in digest.failing}
    shown: list[Inline] = []
    for code in every[:_MOST_CODES]:
        known = Text(template=titles[code]) if code in titles else words(code)
        shown.append(Phrase((known, Quiet(words(code)))))
    more = len(every) - _MOST_CODES
    return (*shown, *((say_n("and {n} more", "and {n} more", more),) if more > 0 else ()))


def changes(changed: Sequence[Between], before: Run | None) -> Section:
    """What got worse stands first, then what is otherwise, then what got better."""
    title = say("What got better or worse")
    if before is None:
        nothing = Paragraph(say("There is no earlier run to compare with."))
        return Section(title=title, blocks=(nothing,), key="changes")
    since = say("Since run {number} of {day}.", number=before.number, day=before.started)
    every = [(each, change) for each in changed for change in each.changes]
    every.sort(key=lambda pair: (not pair[1].alarm, pair[1].kind in _GOOD))
    rows = tuple(
        (
            _plain(each.organisation),
            (Mark(_state(change), kind_text(change.kind)),),
            (change.text, *_where(change)),
        )
        for each, change in every
    )
    notes = tuple(
        Paragraph(say("{organisation}: {note}", organisation=b.organisation, note=b.note), "note")
        for b in changed
        if b.note
    )
    headings = (ORGANISATION, say("Change"), say("What changed"))
    table = _table(headings, rows, (25, 15, 60), say("Nothing changed."))
    return Section(title=title, blocks=(Paragraph(since), *table, *notes), key="changes")


def _state(change: Change) -> State:
    if change.alarm:
        return "bad"
    return "good" if change.kind in _GOOD else "quiet"


def _where(change: Change) -> Iterator[Inline]:
    if change.code or change.subject:
        told = " ".join(part for part in (change.code, change.subject) if part)
        yield Quiet(words(told))


def held(digests: Iterable[Digest]) -> list[tuple[str, Held]]:
    """Every certificate with its organisation, the first to end first."""
    every = [(d.organisation, each) for d in digests for each in d.certificates]
    return sorted(every, key=lambda pair: (pair[1].ends, pair[0].casefold()))


def certificates(digests: Sequence[Digest], today: dt.date) -> Section:
    """Every certificate by the days left; and which lose their use as a client."""
    rows = tuple(
        (
            _plain(organisation),
            (Code(each.where), Quiet(words(each.name))),
            (Code(_day(each.ends)),),
            (Code(str((each.ends.date() - today).days)),),
            _client_use(each),
        )
        for organisation, each in held(digests)
    )
    headings = (
        *(ORGANISATION, say("Certificate"), say("Ends on"), say("Days left")),
        say("Use as a client"),
    )
    table = _table(headings, rows, (20, 30, 12, 10, 28))
    return Section(title=say("Certificates"), blocks=table, key="certificates")


def _client_use(each: Held) -> Cell:
    if not each.for_sending:
        return ()
    if each.client_use is None:
        return (say("no end is known"),)
    return (Mark("bad", say("ends")), each.client_use)


def due(digests: Iterable[Digest], today: dt.date) -> dict[int, list[tuple[str, Held]]]:
    """Certificates that end within 30, 60 and 90 days, each where it is first."""
    found: dict[int, list[tuple[str, Held]]] = {span: [] for span in SPANS}
    for organisation, each in held(digests):
        left = (each.ends.date() - today).days
        span = next((span for span in SPANS if left <= span), None)
        if span is not None:
            found[span].append((organisation, each))
    return found


def renewals(digests: Sequence[Digest], today: dt.date) -> Section:
    """By span, the first to end first."""
    blocks: list[Block] = []
    for span, every in due(digests, today).items():
        rows = tuple(
            (
                (Code(_day(each.ends)),),
                _plain(organisation),
                (Code(each.where),),
                (Code(_day(each.renew_from)),),
            )
            for organisation, each in every
        )
        headings = (say("Ends on"), ORGANISATION, say("Certificate"), say("Renew from"))
        caption = say_n("Within {n} day", "Within {n} days", span)
        blocks += _table(headings, rows, (16, 38, 30, 16), say("None."), caption)
    note = Paragraph(say("The same as a calendar: renewals.ics beside this page."), "note")
    return Section(title=say("Renewals"), blocks=(*blocks, note), key="renewals")


def failing(digests: Iterable[Digest]) -> list[tuple[Failing, int]]:
    """Each check that fails with the number of organisations, the most frequent first."""
    every = [f for digest in digests for f in digest.failing]
    counts = Counter(f.code for f in every)
    first = {f.code: f for f in reversed(every)}
    levels = tuple(Level)
    ranked = sorted(counts, key=lambda c: (-counts[c], levels.index(first[c].level), c))
    return [(first[code], counts[code]) for code in ranked]


def failures(digests: Sequence[Digest]) -> Section:
    """The most frequent failures."""
    rows = tuple(
        (
            (Text(template=each.title),),
            (Code(each.code),),
            (word(each.level),),
            (Code(str(count)),),
        )
        for each, count in failing(digests)
    )
    headings = (say("What fails"), say("Code"), say("Level"), say("Organisations"))
    table = _table(headings, rows, (55, 12, 17, 16))
    return Section(title=say("Most frequent failures"), blocks=table, key="failures")


def phases(digests: Sequence[Digest]) -> Section:
    """Steps done of those that a phase has, by the dossier."""
    titles = {phase.key: Text(template=phase.title) for phase in contents().phases}
    known = [d for d in digests if d.phases]
    rows = tuple(
        (_plain(digest.organisation), *(_code(f"{p.done}/{p.steps}") for p in digest.phases))
        for digest in sorted(known, key=lambda d: d.organisation.casefold())
    )
    headings = (ORGANISATION, *titles.values())
    table = _table(headings, rows, (36, *(16 for _ in titles)))
    return Section(title=say("Progress by phase"), blocks=table, key="phases")


def _plain(name: str) -> Cell:
    return (words(name),)


def _code(value: str) -> Cell:
    return (Code(value),)


def _table(
    headings: tuple[Text, ...],
    rows: tuple[tuple[Cell, ...], ...],
    widths: tuple[int, ...],
    empty: Text | None = None,
    caption: Text | None = None,
) -> tuple[Block, ...]:
    if not rows:
        nothing = empty or say("None.")
        told = say("{caption}: {nothing}", caption=caption, nothing=nothing) if caption else nothing
        return (Paragraph(told),)
    return (Table(headings, rows, widths, caption),)


def _day(moment: dt.datetime) -> str:
    """As it sorts."""
    return moment.date().isoformat()
