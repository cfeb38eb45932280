"""The first pages of a report: the verdict, what decides it, what is next; then all open points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from incamail_lib.changes import Change, Kind
from incamail_lib.changes.words import kind_text
from incamail_lib.checks import until_text
from incamail_lib.facts.audit import Vantage
from incamail_lib.findings import Audit, Verdict
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.order import Row, decisive, next_steps, sort_findings, waiting
from incamail_lib.report.telling import (
    Told,
    bounded,
    code,
    codes,
    listed,
    named,
    on,
    outcome,
    pairs,
    point,
    words,
)
from incamail_lib.report.words import VERDICT_STATES, place_text, verdict_text
from incamail_lib.sheets.model import (
    Banner,
    Block,
    Cell,
    Heading,
    Listing,
    Mark,
    Paragraph,
    Phrase,
    Point,
    Points,
    State,
)

DECIDING = 3  # told whole on page 1
NAMED = 3  # of the others, told on page 1 in a line each
CHANGES = 6
STEPS = 60
_STATES: dict[Kind, State] = {
    Kind.WORSE: "bad",
    Kind.BETTER: "good",
    Kind.RENEWED: "good",
    Kind.MOVED: "quiet",
    Kind.NEW: "quiet",
    Kind.GONE: "quiet",
    Kind.BECAME_KNOWN: "quiet",
    Kind.BECAME_UNKNOWN: "open",
    Kind.OTHER_CAUSE: "bad",
    Kind.REPLACED: "open",
    Kind.KEY_CHANGED: "open",
    Kind.ISSUER_CHANGED: "open",
    Kind.VANTAGE: "quiet",
    Kind.RULES: "quiet",
    Kind.DOSSIER: "quiet",
    Kind.WAIVED: "quiet",
}


_MEASURE = say("Measure what could not be seen; «Open points» says from where, and with what.")


def verdict_sentence(audit: Audit) -> Text:
    """The verdict as one sentence."""
    deciding = len(decisive(audit))
    if audit.verdict is Verdict.NOT_READY:
        failed = say_n(
            "The connection must not go live yet: {n} required check failed.",
            "The connection must not go live yet: {n} required checks failed.",
            deciding,
        )
        unknown = len(waiting(audit))
        if not unknown:
            return failed
        return say_n(
            "{failed} {n} more could not be judged.",
            "{failed} {n} more could not be judged.",
            unknown,
            failed=failed,
        )
    if audit.verdict is Verdict.INCONCLUSIVE and deciding:
        return say_n(
            "Nothing required failed, but {n} required check could not be judged; "
            "readiness is not proven.",
            "Nothing required failed, but {n} required checks could not be judged; "
            "readiness is not proven.",
            deciding,
        )
    if audit.verdict is Verdict.INCONCLUSIVE:
        return say("Nothing was measured that could prove readiness.")
    advice = len(next_steps(audit))
    if advice:
        return say_n(
            "Every required check passed; the connection can go live. {n} recommendation remains.",
            "Every required check passed; the connection can go live. {n} recommendations remain.",
            advice,
        )
    return say("Every required and recommended check passed; the connection can go live.")


def summary(told: Told, before: Audit | None, changes: tuple[Change, ...]) -> tuple[Block, ...]:
    """Page 1."""
    audit = told.audit
    banner = Banner(
        VERDICT_STATES[audit.verdict],
        verdict_text(audit.verdict, audit.accepted_until),
        verdict_sentence(audit),
    )
    return (
        banner,
        *_deciding(told),
        Heading(say("What is next")),
        Listing(tuple(_next(audit))),
        *_since(before, changes),
        *_about(audit),
    )


def _is_full(audit: Audit) -> bool:
    """Whether what decides needs page 1: of what was audited it then says the place alone."""
    if audit.verdict is Verdict.READY:
        return False
    return len(decisive(audit)) + len(waiting(audit)) >= DECIDING


def _about(audit: Audit) -> tuple[Block, ...]:
    rows = _places(audit) if _is_full(audit) else (*_audited(audit), *_places(audit))
    return (pairs(say("What was audited"), *rows),)


def _deciding(told: Told) -> tuple[Block, ...]:
    """The first three of what decides; of a sound organisation, of what is recommended."""
    audit = told.audit
    ready = audit.verdict is Verdict.READY
    rows = next_steps(audit) if ready else _roots_first(decisive(audit), audit)
    if not rows:
        return ()
    heading = say("What is recommended first") if ready else say("What decides")
    points = tuple(point(row, told, whole=False) for row in rows[:DECIDING])
    rest = _more(rows[DECIDING:]) if ready else _named(rows[DECIDING:])
    unknown = waiting(audit)
    also: tuple[Block, ...] = ()
    if unknown:
        also = (Heading(say("What else is required, and not known yet")), *_named(unknown))
    return (Heading(heading), Points(points), *rest, *also)


def _named(rows: tuple[Row, ...]) -> tuple[Block, ...]:
    """What else decides, a line each with its remedy: nothing that decides waits on page 2."""
    if not rows:
        return ()
    lines = tuple(
        Phrase((outcome(row.finding), named(row.finding), bounded(row.finding.remedy)))
        for row in rows[:NAMED]
    )
    return (Listing(lines), *_more(rows[NAMED:]))


def _more(rows: tuple[Row, ...]) -> tuple[Block, ...]:
    if not rows:
        return ()
    text = say_n(
        "{n} more point stands under «Open points».",
        "{n} more points stand under «Open points».",
        len(rows),
    )
    return (Paragraph(text, "note"),)


def _roots_first(rows: tuple[Row, ...], audit: Audit) -> tuple[Row, ...]:
    """What kept others from being judged comes first: mending one mends many."""
    behind = Counter(finding.blocked_by for finding in audit.findings if finding.blocked_by)
    return tuple(sorted(rows, key=lambda row: -behind[row.finding.code]))


def _next(audit: Audit) -> Iterator[Text]:
    day = audit.facts.declared.go_live
    passed = day is not None and day < audit.judged_at.date()
    if audit.verdict is Verdict.NOT_READY:
        yield say("Whoever is named repairs what failed.")
        if waiting(audit):
            yield _MEASURE
        yield say("Then audit again: the next report says what got better.")
    elif audit.verdict is Verdict.INCONCLUSIVE:
        yield _MEASURE
        yield say("Then audit again: unknown is never taken for passed.")
    else:
        yield say("Send the test messages, and sign the acceptance reports.")
    if day is None:
        yield say("Agree on a day for go-live with Swiss Post.")
    elif passed:
        yield say("The planned go-live, {day}, has passed: agree on a new day.", day=day)
    else:
        yield say("Planned go-live: {date}.", date=day)
    yield until_text(audit.until)


def _since(before: Audit | None, changes: tuple[Change, ...]) -> tuple[Block, ...]:
    if before is None:
        return ()
    heading = Heading(say("Since the audit of {day}", day=before.judged_at))
    if not changes:
        return heading, Paragraph(say("Nothing changed."))
    shown = tuple(_change(change) for change in changes[:CHANGES])
    more = len(changes) - CHANGES
    rest = (say_n("and {n} more", "and {n} more", more),) if more > 0 else ()
    return heading, Listing((*shown, *rest))


def _change(change: Change) -> Phrase:
    state, text = _STATES[change.kind], kind_text(change.kind)
    place = (code(change.subject),) if change.subject else ()
    return Phrase((Mark(state, text), bounded(change.text), *place))


def _audited(audit: Audit) -> tuple[tuple[Text, Cell], ...]:
    facts = audit.facts
    return (
        (say("Mail domains"), listed(facts.declared.domains[:20])),
        (say("Measured"), (facts.measured_at,)),
        (say("Judged as of"), (audit.judged_at,)),
        (say("Planned go-live"), on(facts.declared.go_live)),
    )


def _places(audit: Audit) -> tuple[tuple[Text, Cell], ...]:
    facts = audit.facts
    other = facts.receiving_from
    if other is None:
        return ((say("Measured from"), _standpoint(facts.vantage)),)
    return (
        (say("Way to IncaMail measured from"), _standpoint(facts.vantage)),
        (
            say("Receiving side measured from"),
            (*_standpoint(other.vantage), other.measured_at),
        ),
    )


def _standpoint(vantage: Vantage) -> Cell:
    if vantage.on_lab:
        return (say("the embedded lab, which plays every part"),)
    name = (
        words(vantage.ehlo_name) if vantage.ehlo_name else say("a machine without a full host name")
    )
    machine = say("{machine}, as {name}", machine=words(vantage.machine or "–"), name=name)
    return place_text(vantage.place), machine, *codes(vantage.addresses, 16)


def steps(told: Told) -> tuple[Block, ...]:
    """Every open point that weighs, the heaviest first; then what kept others from being judged."""
    rows = next_steps(told.audit)
    blocks: list[Block] = []
    if rows:
        lead = say("In this order: what keeps the connection from going live comes first.")
        blocks = [Paragraph(lead), Points(tuple(_point(row, told) for row in rows[:STEPS]))]
    else:
        blocks = [Paragraph(say("Nothing: every required and recommended check passed."))]
    if len(rows) > STEPS:
        blocks.append(Paragraph(say_n("and {n} more", "and {n} more", len(rows) - STEPS)))
    blocked = sort_findings(f for f in told.audit.findings if f.blocked_by).blocks
    if blocked:
        lines = tuple(
            Phrase(
                (
                    say(
                        "Not judged: first {code} must be shown to pass: {codes}.",
                        code=block.prerequisite,
                        codes=", ".join(block.codes),
                    ),
                    *((code(block.subject),) if block.subject else ()),
                )
            )
            for block in blocked
        )
        blocks += [Heading(say("What could not be judged")), Listing(lines)]
    if told.audit.facts.limits:
        limits = tuple(bounded(limit) for limit in told.audit.facts.limits)
        blocks += [Heading(say("What to keep in mind")), Listing(limits)]
    if _is_full(told.audit):
        blocks.append(pairs(say("What was audited, in detail"), *_audited(told.audit)))
    return tuple(blocks)


def _point(row: Row, told: Told) -> Point:
    return point(row, told, whole=True)
