"""What the chapters are built with: bounded words, marks of outcomes, findings as points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import Role
from incamail_lib.findings import Audit, Finding, Level, Outcome
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.order import Row
from incamail_lib.report.references import reference_text
from incamail_lib.report.words import WHO_ACTS, family, word
from incamail_lib.sheets.cleaning import LIMIT, clean
from incamail_lib.sheets.model import (
    Cell,
    Code,
    Inline,
    Mark,
    Phrase,
    Point,
    Quiet,
    State,
    Strong,
    Table,
)

VALUE = 200  # letters of a value in a sentence
LONG = 2000  # letters of what was said word for word
SUBJECTS = 6
NAMES = 20
STATES: dict[Outcome, State] = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.UNKNOWN: "open",
    Outcome.NOT_APPLICABLE: "quiet",
}
_ROLES = {
    "ROUT": Role.MAIL_ADMIN,
    "DNS": Role.NETWORK_ADMIN,
    "NET": Role.NETWORK_ADMIN,
    "SMTP": Role.MAIL_ADMIN,
    "TLS": Role.MAIL_ADMIN,
    "CERT": Role.SECURITY,
    "PLAT": Role.NETWORK_ADMIN,
}


@dataclass(frozen=True)
class Told:
    """What a report is told of: an audit, and the dossier for people and dates, if there is one."""

    audit: Audit
    dossier: Dossier | None = None


def words(value: object, limit: int = LIMIT) -> Text:
    """Words of somebody else, which no catalog translates; at most so many letters."""
    return Text(template="{words}", values={"words": clean(value, limit)})


def bounded(text: Text, limit: int = VALUE) -> Text:
    """The text with values of at most `limit` letters: they come from servers and files."""
    if not text.values:
        return text
    values = {
        name: bounded(value, limit)
        if isinstance(value, Text)
        else clean(value, limit)
        if isinstance(value, str)
        else value
        for name, value in text.values.items()
    }
    return text.model_copy(update={"values": values})


def ours(template: str) -> Text:
    """A text of the program that the catalogs hold."""
    return Text(template=template)


def code(value: object, limit: int = LIMIT) -> Code:
    """A name or line as it was seen, at most so many letters of it."""
    return Code(clean(value, limit))


def codes(values: Sequence[object], most: int = NAMES, left_out: int = 0) -> Cell:
    """Names one a line; how many more there are, where there are too many."""
    shown: Cell = tuple(code(value) for value in values[:most])
    more = max(len(values) - most, 0) + left_out
    return (*shown, say_n("and {n} more", "and {n} more", more)) if more else shown


def pairs(caption: Text | None, *rows: tuple[Text, Cell]) -> Table:
    """Names and values."""
    return Table((), tuple(((name,), value) for name, value in rows), (30, 70), caption)


def outcome(finding: Finding) -> Mark:
    """The sign and word of an outcome."""
    return Mark(STATES[finding.outcome], word(finding.outcome))


def named(finding: Finding) -> Phrase:
    """Its title and code."""
    return Phrase((Strong(ours(finding.title)), Quiet(words(finding.code))))


def point(row: Row, told: Told, *, whole: bool) -> Point:
    """An open finding: what was seen, what to do, who does it and until when.

    `whole` adds why it matters and on what it rests.
    """
    finding = row.finding
    state = Phrase((outcome(finding), Quiet(word(finding.level))))
    facts: list[tuple[Text, Cell]] = [
        (say("What to do"), (bounded(finding.remedy),)),
        (say("Who acts"), who(finding, told)),
        (say("Until"), (until(finding, told),)),
    ]
    if whole:
        facts.append((say("Why"), (ours(finding.why),)))
        facts.append((say("Source"), (source(finding),)))
    return Point(
        named(finding),
        STATES[finding.outcome],
        (state, *codes(row.subjects, SUBJECTS), bounded(finding.seen)),
        tuple(facts),
    )


def source(finding: Finding) -> Text:
    """The question of the guide and what else a check rests on."""
    rests = reference_text(finding.reference)
    if not finding.item:
        return rests
    return say("Guide {item}; {reference}", item=finding.item, reference=rests)


def who(finding: Finding, told: Told) -> Cell:
    """Who acts: by trade, and by name where the dossier gives one."""
    trade = ours(WHO_ACTS.get(family(finding.code), ""))
    names = tuple(words(name) for name in _names(finding, told.dossier))
    return (Phrase((trade, *(say("({name})", name=name) for name in names[:3]))),)


def _names(finding: Finding, dossier: Dossier | None) -> tuple[str, ...]:
    if dossier is None:
        return ()
    answer = dossier.answers.get(finding.item)
    if answer is not None and answer.owner.strip():
        return (answer.owner,)
    role = _ROLES.get(family(finding.code))
    return tuple(contact.name for contact in dossier.contacts if contact.role is role)


def until(finding: Finding, told: Told) -> Inline:
    """The day that was agreed on, else go-live for what is required."""
    answer = told.dossier.answers.get(finding.item) if told.dossier else None
    if answer is not None and answer.due is not None:
        return answer.due
    if finding.level is not Level.REQUIRED:
        return say("no day was agreed on")
    day = told.audit.facts.declared.go_live
    if day is None:
        return say("before go-live, of which no day is set")
    if day < told.audit.judged_at.date():
        return say("at once: the planned go-live, {day}, has passed", day=day)
    return say("before go-live, {day}", day=day)


def on(moment: dt.datetime | dt.date | None) -> Cell:
    """A date; none is a dash."""
    return () if moment is None else (moment,)


def listed(values: Iterable[object], joint: str = ", ", limit: int = LONG) -> Cell:
    """Values on one line; none is a dash."""
    joined = joint.join(str(clean(value, VALUE)) for value in values)
    return (code(joined, limit),) if joined else ()


def present(answer: bool | None) -> Text:
    """Yes, no, or that nobody said."""
    if answer is None:
        return say("not stated")
    return say("yes") if answer else say("no")
