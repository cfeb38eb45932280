"""The implementation plan: every decision of 4.1 to 6.8 with state, owner, date and remarks."""

from __future__ import annotations

from incamail_lib.dossier.model import Component as Declared
from incamail_lib.dossier.progress import Answer, Role, State
from incamail_lib.guide import Item
from incamail_lib.guide.contents import Component
from incamail_lib.guide.contents import Section as Chapter
from incamail_lib.i18n import Text, say
from incamail_lib.report.papers.model import (
    Cell,
    Dated,
    Document,
    Inline,
    Listing,
    Missing,
    Paragraph,
    Section,
    Table,
)
from incamail_lib.report.papers.parts import (
    Basis,
    contact_section,
    document,
    evidence_against,
    go_live,
    lines,
    number,
    or_missing,
    pairs,
    points,
    source,
    titled,
)
from incamail_lib.report.papers.terms import term

CHAPTERS = ("4", "5", "6")
ROLES = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.NETWORK_ADMIN, Role.SUPPORT, Role.POST)


def implementation_plan(basis: Basis) -> Document:
    """All decisions, the components, the way to go-live and what Post must still answer."""
    chapters = [c for c in basis.guide.sections if c.number in CHAPTERS]
    return document(
        basis,
        "implementation_plan",
        say("Implementation plan"),
        _overview(basis, chapters),
        *(_decisions(basis, chapter) for chapter in chapters),
        _components(basis),
        _to_go_live(basis),
        _questions(basis),
        contact_section(basis, ROLES),
    )


def _items(basis: Basis, chapter: Chapter) -> tuple[Item, ...]:
    return tuple(i for i in basis.guide.items if i.number.split(".")[0] == chapter.number)


def _overview(basis: Basis, chapters: list[Chapter]) -> Section:
    headings = (
        say("Section of the guide"),
        *(term(state) for state in State),
        say("without an answer"),
    )
    rows = tuple(_counts(basis, chapter) for chapter in chapters)
    return Section(say("Where the project stands"), (Table(headings, rows, (40, 15, 15, 15, 15)),))


def _counts(basis: Basis, chapter: Chapter) -> tuple[Cell, ...]:
    answers = [basis.answer(item.number) for item in _items(basis, chapter)]
    states = [answer.state for answer in answers if answer]
    counted = [states.count(state) for state in State] + [answers.count(None)]
    return (_title(chapter),), *((number(count),) for count in counted)


def _title(chapter: Chapter) -> Text:
    return titled(chapter.number, source(chapter.title))


def _decisions(basis: Basis, chapter: Chapter) -> Section:
    headings = (
        say("Question"),
        say("State"),
        say("Decision"),
        say("Owner, due"),
        say("To do, remarks"),
    )
    rows = tuple(_decision(basis, item) for item in _items(basis, chapter))
    return Section(_title(chapter), (Table(headings, rows, (26, 15, 26, 15, 18)),))


def _decision(basis: Basis, item: Item) -> tuple[Cell, ...]:
    answer = basis.answer(item.number)
    question = titled(item.number, basis.asked(item.number))
    asked = (question, *points(map(basis.platform.filled, item.sub_questions)))
    if answer is None:
        return (
            asked,
            (Missing(say("state")),),
            (Missing(say("decision")),),
            (),
            _against(basis, item),
        )
    return (
        asked,
        (term(answer.state),),
        or_missing(lines(answer.answer), say("decision")),
        _owner(basis, answer),
        (*lines(answer.note), *_against(basis, item, answer)),
    )


def _owner(basis: Basis, answer: Answer) -> Cell:
    if answer.state is State.CLEAR and not answer.owner and not answer.due:
        return ()
    late = answer.due is not None and answer.due < basis.today and answer.state is not State.CLEAR
    due: tuple[Inline, ...] = (answer.due,) if answer.due else (Missing(say("date")),)
    if late and answer.due:
        due = (Dated(say("{day} – overdue"), answer.due),)
    return (*or_missing(lines(answer.owner), say("owner")), *due)


def _against(basis: Basis, item: Item, answer: Answer | None = None) -> Cell:
    """What the audit found against an answer, and the client's reason to keep the answer."""
    found = tuple(
        say("Audit: failed – {title} ({code})", title=source(f.title), code=f.code)
        for f in evidence_against(basis, item.number)
    )
    if answer and answer.reason:
        return (*found, say("Reason given: {reason}", reason=answer.reason))
    return found


def _components(basis: Basis) -> Section:
    headings = (say("Component"), say("In use"), say("Product, operator"), say("What it must meet"))
    rows = tuple(
        _component(part, basis.dossier.components.get(part.key)) for part in basis.guide.components
    )
    return Section(say("Components"), (Table(headings, rows, (20, 12, 24, 44)),))


def _component(part: Component, declared: Declared | None) -> tuple[Cell, ...]:
    demands = points(map(source, (*part.organisational, *part.technical)))
    title: Cell = (source(part.title),)
    if declared is None or declared.present is None:
        return title, (Missing(say("yes or no")),), (Missing(say("product and operator")),), demands
    if not declared.present:
        return title, (say("no"),), (), ()
    product = or_missing(lines(declared.product), say("product"))
    operator = or_missing(lines(declared.operator), say("operator"))
    return title, (say("yes"),), (*product, *operator), demands


def _to_go_live(basis: Basis) -> Section:
    rows = [(say("Desired go-live date"), go_live(basis))]
    for item in (i for i in basis.guide.items if i.number.startswith("7.")):
        answer = basis.answer(item.number)
        state: Cell = (Missing(say("state")),)
        if answer:
            state = (term(answer.state), *lines(answer.answer), *lines(answer.note))
        name = titled(item.number, basis.asked(item.number))
        rows.append((name, state))
    return Section(say("Going live"), (pairs(*rows),))


def _questions(basis: Basis) -> Section:
    lead = Paragraph(
        say("Only Swiss Post can answer these. Put them early: several decisions hang on them.")
    )
    items = tuple(source(question.question) for question in basis.guide.questions)
    return Section(say("Open questions to Swiss Post"), (lead, Listing(items, numbered=True)))
