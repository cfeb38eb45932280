"""The implementation plan: who does what by when, and the checklist it rests on."""

from __future__ import annotations

from incamail_lib.documents.filling import answer_field, to_fill
from incamail_lib.documents.measures import NEEDED, Task, tasks, when
from incamail_lib.documents.parts import (
    Basis,
    contact_section,
    decision,
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
from incamail_lib.dossier.agreed import Answer, State
from incamail_lib.dossier.model import Component as Declared
from incamail_lib.dossier.words import phase_text, term
from incamail_lib.guide import ChecklistQuestion
from incamail_lib.guide.contents import Component, Phase
from incamail_lib.guide.contents import Section as Chapter
from incamail_lib.i18n import Text, say
from incamail_lib.report.demands import DemandView, demand_views
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Document,
    FileName,
    Inline,
    Listing,
    Mark,
    Paragraph,
    Section,
    Table,
)

CHAPTERS = ("4", "5", "6", "7")


def implementation_plan(basis: Basis) -> Document:
    """Where the project stands, its tasks phase by phase, and the checklist as an annex."""
    chapters = [c for c in basis.guide.sections if c.number in CHAPTERS]
    found = tasks(basis)
    return document(
        basis,
        "implementation_plan",
        say("Implementation plan"),
        _standing(basis, found),
        *(_phase(phase, found) for phase in basis.guide.phases),
        _questions(basis),
        contact_section(basis, NEEDED),
        _overview(basis, chapters),
        *(_decisions(basis, chapter) for chapter in chapters),
        _components(basis),
    )


def _standing(basis: Basis, found: tuple[Task, ...]) -> Section:
    """The date, how much is done, what is late and what comes next."""
    done = sum(task.done for task in found)
    late = sum(task.overdue for task in found)
    following = [task for task in found if not task.done and not task.overdue and task.day]
    calendar: Cell = ()
    if any(task.day and not task.done for task in found):
        calendar = (FileName("implementation_plan", "ics"),)
    table = pairs(
        (say("Desired go-live date"), go_live(basis)),
        (say("Tasks done"), (say("{done} of {all}", done=done, all=len(found)),)),
        (say("Overdue"), (Mark("bad", number(late)),) if late else (number(late),)),
        (say("Next"), _next(following)),
        (say("As a calendar"), calendar),
    )
    return Section(say("Where the project stands"), (table,))


def _next(following: list[Task]) -> Cell:
    if not following:
        return ()
    first = min(task.day for task in following if task.day)
    return (first, *(task.title for task in following if task.day == first))


def _phase(phase: Phase, found: tuple[Task, ...]) -> Section:
    headings = (say("Until"), say("What"), say("Who"), say("State"))
    rows = tuple(_row(task) for task in found if task.phase == phase.key)
    blocks: tuple[Block, ...] = (
        Paragraph(source(phase.objective)),
        Table(headings, rows, (22, 42, 22, 14)),
    )
    if phase.key == "planning":
        note = say(
            "The days are a proposal, counted back from going live; a weekend or a holiday of the "
            "whole country moves to the working day before. Move what falls on other holidays or "
            "into a change freeze, and ask Swiss Post how long it needs."
        )
        blocks = (Paragraph(note, "note"), *blocks)
    return Section(phase_text(phase.key), blocks)


def _row(task: Task) -> tuple[Cell, ...]:
    state = say("done") if task.done else say("open")
    return when(task)[:1], (task.title,), task.owner, (state,)


def _items(basis: Basis, chapter: Chapter) -> tuple[ChecklistQuestion, ...]:
    return tuple(i for i in basis.guide.items if i.number.split(".")[0] == chapter.number)


def _overview(basis: Basis, chapters: list[Chapter]) -> Section:
    headings = (
        say("Section of the guide"),
        *(term(state) for state in State),
        say("without an answer"),
    )
    rows = tuple(_counts(basis, chapter) for chapter in chapters)
    table = Table(headings, rows, (40, 15, 15, 15, 15))
    return Section(say("Checklist"), (table,), new_page=True, annex=True)


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
    return Section(_title(chapter), (Table(headings, rows, (26, 15, 26, 15, 18)),), annex=True)


def _decision(basis: Basis, item: ChecklistQuestion) -> tuple[Cell, ...]:
    answer = basis.answer(item.number)
    question = titled(item.number, basis.asked(item.number))
    asked = (question, *points(map(basis.platform.filled, item.sub_questions)))
    if answer is None:
        return (
            asked,
            (to_fill(say("state"), answer_field(item.number, "state")),),
            decision(basis, item.number),
            (),
            _against(basis, item),
        )
    return (
        asked,
        (term(answer.state),),
        decision(basis, item.number),
        _owner(basis, item.number, answer),
        (*lines(answer.note), *_against(basis, item, answer)),
    )


def _owner(basis: Basis, number: str, answer: Answer) -> Cell:
    if answer.state is State.CLEAR and not answer.owner and not answer.due:
        return ()
    late = answer.due is not None and answer.due < basis.today and answer.state is not State.CLEAR
    due: Cell = (answer.due,) if answer.due else ()
    if late and answer.due:
        due = (Mark("bad", say("{day} – overdue", day=answer.due)),)
    return (
        *or_missing(lines(answer.owner), say("owner"), *answer_field(number, "owner")),
        *or_missing(due, say("date"), *answer_field(number, "due")),
    )


def _against(basis: Basis, item: ChecklistQuestion, answer: Answer | None = None) -> Cell:
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
        _component(basis, part, basis.dossier.components.get(part.key))
        for part in basis.guide.components
    )
    return Section(say("Components"), (Table(headings, rows, (20, 12, 24, 44)),), annex=True)


def _component(basis: Basis, part: Component, declared: Declared | None) -> tuple[Cell, ...]:
    views = demand_views(part, basis.dossier, basis.guide, basis.audit)
    demands = tuple(line for view in views for line in _demand(part.key, view))
    title: Cell = (source(part.title),)
    field = ("components", part.key)
    known = declared or Declared()
    if known.present is False:
        return title, (say("no"),), (), ()
    present = or_missing(
        (say("yes"),) if known.present else (), say("yes or no"), *field, "present"
    )
    told = (
        *or_missing(lines(known.product), say("product"), *field, "product"),
        *or_missing(lines(known.operator), say("operator"), *field, "operator"),
    )
    return title, present, told, demands


def _demand(component: str, view: DemandView) -> Cell:
    """A demand, what was said of it, and what was seen."""
    field = ("components", component, "requirements", view.demand.key)
    said: Inline = view.answer
    if view.said is None:
        said = to_fill(say("whether this is met"), field)
    warning = Mark("bad", say("This is said to be met although something failed."))
    against = (warning,) if view.is_contradicted else ()
    return (*points([source(view.demand.text)]), said, *view.evidence, *against)


def _questions(basis: Basis) -> Section:
    lead = Paragraph(
        say("Only Swiss Post can answer these. Put them early: several decisions hang on them.")
    )
    items = tuple(source(question.question) for question in basis.guide.questions)
    return Section(say("Open questions to Swiss Post"), (lead, Listing(items, numbered=True)))
