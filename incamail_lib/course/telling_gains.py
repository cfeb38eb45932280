"""What was learnt between two exams, told in blocks."""

from __future__ import annotations

from incamail_lib.course.exam import Question
from incamail_lib.course.learning import Learnt
from incamail_lib.i18n import Text, say
from incamail_lib.report.telling import ours, words
from incamail_lib.sheets.model import Block, Listing, Paragraph


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
