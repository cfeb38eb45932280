"""What was learnt between two exams, and what a class knows, told in blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from incamail_lib.course.exam import Question
from incamail_lib.course.learning import Learnt
from incamail_lib.course.lessons import LESSONS
from incamail_lib.i18n import Text, say
from incamail_lib.report.telling import ours, words
from incamail_lib.sheets.model import Block, Listing, Paragraph, Table


def learnt_blocks(gained: Learnt | None) -> tuple[Block, ...]:
    """The two results in a sentence, the pictures that are gone, and those that misled again."""
    if gained is None:
        return ()
    told = say(
        "From {before} % in «{first}» to {after} % in «{last}».",
        before=gained.before.percent,
        after=gained.after.percent,
        first=words(gained.before.paper.label),
        last=words(gained.after.paper.label),
    )
    blocks: list[Block] = [Paragraph(told)]
    if gained.overcome:
        gone = say("These pictures misled you then, and not this time:")
        blocks += [Paragraph(gone), Listing(_texts(gained.overcome))]
    if gained.stayed:
        again = say("These misled you again; look once more at their lessons:")
        blocks += [Paragraph(again), Listing(_texts(gained.stayed))]
    return tuple(blocks)


def _texts(found: tuple[tuple[Question, str], ...]) -> tuple[Text, ...]:
    return tuple(
        say(
            "{picture} ({lesson})", picture=_text(question, key), lesson=ours(question.lesson.title)
        )
        for question, key in found
    )


def _text(question: Question, key: str) -> Text:
    texts = {belief.key: belief.text for belief in question.lesson.beliefs}
    return ours(texts[key])


_MOST = 8  # pictures that a class talks about


def class_blocks(rows: Sequence[dict[str, str | int]]) -> tuple[Block, ...]:
    """The rows of the trainer's table, and the pictures that misled most, the commonest first."""
    headings = (say("Learner"), say("Exam"), say("Right"), say("Percent"), say("Points gained"))
    whole = [row for row in rows if "problem" not in row]
    table = Table(
        headings,
        tuple(
            (
                (words(str(row["learner"])),),
                (words(str(row["label"])),),
                (say("{right} of {all}", right=row["right"], all=row["questions"]),),
                (say("{percent} %", percent=row["percent"]),),
                (words(_signed(row.get("points_gained"))),),
            )
            for row in whole
        ),
        (32, 20, 16, 16, 16),
    )
    problems = tuple(words(str(row["problem"])) for row in rows if "problem" in row)
    met = Counter(belief for row in whole for belief in str(row["beliefs"]).split())
    pictures = tuple(
        say("{times} ×: {picture}", times=times, picture=_picture(belief))
        for belief, times in met.most_common(_MOST)
    )
    return (
        *((table,) if whole else ()),
        *((Paragraph(say("These pictures misled most:")), Listing(pictures)) if pictures else ()),
        *((Listing(problems),) if problems else ()),
    )


def _signed(points: str | int | None) -> str:
    return f"{points:+}" if isinstance(points, int) else "–"


def _picture(belief: str) -> Text:
    lesson, _, key = belief.partition("/")
    return ours({b.key: b.text for b in LESSONS[lesson].beliefs}[key])
