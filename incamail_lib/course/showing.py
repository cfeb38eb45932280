"""Exercises, markings, progress and results, told in the blocks of every other document."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.course.exam import Graded, Question
from incamail_lib.course.exercises import Exercise, Given, Option, options_of
from incamail_lib.course.learning import Learnt
from incamail_lib.course.lesson import Lesson
from incamail_lib.course.marking import Marking, State, check, solution
from incamail_lib.course.progress import Progress, standing
from incamail_lib.course.rule_words import fields_told, rule_lines
from incamail_lib.course.telling_gains import learnt_blocks
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.telling import ours, words
from incamail_lib.sheets.model import (
    Banner,
    Block,
    Code,
    Document,
    Listing,
    Paragraph,
    Phrase,
    Quiet,
    Section,
    Strong,
    Table,
    Verbatim,
)


def question_blocks(exercise: Exercise, bench: Bench, seed: str = "") -> tuple[Block, ...]:
    """The exercise to be read. With a `seed` its options stand in it, shuffled and lettered."""
    material = exercise.material(bench)
    options = options_of(exercise, seed) if seed else ()
    fields: tuple[str, ...] = getattr(exercise, "fields", ()) if seed else ()
    return (
        Paragraph(ours(exercise.situation)),
        *((Verbatim(tuple(Code(line) for line in material)),) if material else ()),
        *exercise.pages(bench),
        Paragraph(Strong(ours(exercise.question))),
        *(
            Paragraph(Phrase((Quiet(words(f"{letter})")), ours(option.text))))
            for letter, option in zip("abcdefgh", options, strict=False)
        ),
        *((Listing(fields_told(fields)),) if fields else ()),
    )


def marking_blocks(
    exercise: Exercise, marking: Marking, hints: Sequence[str] = ()
) -> tuple[Block, ...]:
    """The hints that were unfolded, what the answer is worth, and what was seen."""
    unfolded = (
        Paragraph(Phrase((Quiet(say("Hint {n}", n=n)), ours(hint))))
        for n, hint in enumerate(hints, start=1)
    )
    parts = [say("Guide {item}", item=exercise.item)]
    if exercise.codes:
        parts.append(say("Checks: {codes}", codes=", ".join(exercise.codes)))
    return (*unfolded, *_worth(marking), Paragraph(_joined(parts), "note"))


def _worth(marking: Marking) -> tuple[Block, ...]:
    """Right or wrong with the first reason beside it; of an open one, what hindered it."""
    if marking.state is State.OPEN:
        return tuple(Paragraph(text, "warning") for text in marking.told)
    first, *more = marking.told
    right = marking.state is State.RIGHT
    word = say("Right.") if right else say("Not yet.")
    seen = (Paragraph(say("What was seen:"), "note"), Listing(marking.seen))
    return (
        Banner("good" if right else "bad", word, first),
        *(Paragraph(text) for text in more),
        *(seen if marking.seen else ()),
    )


def aim_blocks(lesson: Lesson) -> tuple[Block, ...]:
    """What one can do after a lesson, and how long it takes."""
    told = say_n(
        "{n} exercise, about {minutes} minutes.",
        "{n} exercises, about {minutes} minutes.",
        len(lesson.exercises),
        minutes=lesson.minutes,
    )
    return Paragraph(Strong(ours(lesson.aim))), Paragraph(told)


def summary_blocks(lesson: Lesson) -> tuple[Block, ...]:
    """What stays of a lesson, with the checks and questions that it explains."""
    codes = sorted({code for exercise in lesson.exercises for code in exercise.codes})
    items = sorted({exercise.item for exercise in lesson.exercises})
    explained = (
        say("Checks that this lesson explains: {codes}.", codes=", ".join(codes)),
        say("Questions of the guide: {items}.", items=", ".join(items)),
    )
    listing = Listing(tuple(ours(text) for text in lesson.summary))
    return (listing, Paragraph(Phrase(explained))) if codes else (listing,)


def progress_blocks(progress: Progress, lessons: Sequence[Lesson]) -> tuple[Block, ...]:
    """How far a learner is, lesson by lesson."""
    headings = (say("Lesson"), say("Minutes"), say("Right"), say("Wrong"), say("Open"), say("Done"))
    standings = standing(progress, lessons)
    rows = tuple(
        (
            (_numbered(s.lesson.number, s.lesson.title),),
            *((words(n),) for n in (s.lesson.minutes, s.right, s.wrong, s.all - s.right - s.wrong)),
            (say("{percent} %", percent=s.percent),),
        )
        for s in standings
    )
    blocks: list[Block] = [
        Paragraph(say("Progress of {name}", name=progress.learner)),
        Table(headings, rows, (40, 12, 12, 12, 12, 12)),
    ]
    for s in standings:
        if s.beliefs:
            look = say(
                "In «{lesson}», look once more at these pictures – none is quite true:",
                lesson=ours(s.lesson.title),
            )
            blocks += [Paragraph(look), Listing(tuple(ours(text) for text in s.beliefs))]
    return tuple(blocks)


def result(graded: Graded, bench: Bench, gained: Learnt | None = None) -> Document:
    """A graded exam: each question with the answer, its reason, and what would have been right;
    first what was learnt since the first exam, where there is one."""
    learning = (Section(say("What was learnt"), learnt_blocks(gained)),) if gained else ()
    paper = graded.paper
    about = (words(paper.learner), words(paper.label), say("seed {seed}", seed=str(paper.seed)))
    return Document(
        key="exam_result",
        title=say("{right} of {all} right", right=graded.count(State.RIGHT), all=len(graded.marks)),
        subtitle=_joined((say("Result of the exam"), *about)),
        sections=(
            *learning,
            *(
                _section(number, question, paper.answers.get(question.place), marking, bench=bench)
                for number, (question, marking) in enumerate(graded.marks, start=1)
            ),
        ),
        organisation=paper.learner,
        made_on=paper.handed_in_at or bench.now,
    )


def _section(
    number: int, question: Question, given: Given | None, marking: Marking, *, bench: Bench
) -> Section:
    exercise = question.exercise
    return Section(
        _numbered(number, exercise.title),
        (
            Paragraph(ours(question.lesson.title), "note"),
            *question_blocks(exercise, bench),
            *answer_blocks(exercise, given, marking, bench=bench),
        ),
    )


def answer_blocks(
    exercise: Exercise, given: Given | None, marking: Marking, *, bench: Bench
) -> tuple[Block, ...]:
    """An answer that was handed in, marked; where it is not right, with what would have been."""
    answer = said(exercise, given)
    told = say("Your answer: {answer}", answer=answer) if answer else say("You gave no answer.")
    model = () if marking.state is State.RIGHT else _model(exercise, bench)
    return (Paragraph(told), *marking_blocks(exercise, marking), *model)


def _model(exercise: Exercise, bench: Bench) -> tuple[Block, ...]:
    try:
        model = solution(exercise, bench)
    except NotMeasured:  # the lab will tell another time; nothing is claimed until then
        return ()
    right = say("Right would have been: {answer}", answer=said(exercise, model) or "")
    reasons = (Paragraph(text, "note") for text in check(exercise, model, bench).told)
    return (Paragraph(right), *reasons)


def said(exercise: Exercise, given: Given | None) -> Text | None:
    """An answer in words; None where there is none."""
    if given is None or given == "":
        return None
    if isinstance(given, dict):
        return _joined(rule_lines(given)) if given else None
    options: tuple[Option, ...] = getattr(exercise, "options", ())
    texts = {option.key: ours(option.text) for option in options}
    keys = (given,) if isinstance(given, str) else given
    if not keys:
        return say("none of them")
    return _joined([texts.get(key) or words(key) for key in keys])


def _numbered(number: int, title: str) -> Text:
    return Text(template="{number} {title}", values={"number": str(number), "title": ours(title)})


def _joined(texts: Sequence[Text]) -> Text:
    """Several texts on one line."""
    named = {f"t{n}": text for n, text in enumerate(texts)}
    return Text(template=" · ".join(f"{{{name}}}" for name in named), values={**named})
