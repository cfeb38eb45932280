"""An exam to click: every entry is kept at once, and handed in it is marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from incamail_lib.course.exam import Graded, Paper, draw, grade, read_paper, write_paper
from incamail_lib.course.exercises import Given
from incamail_lib.course.keeping import put_aside
from incamail_lib.course.learning import Learnt, learnt
from incamail_lib.course.marking import State
from incamail_lib.course.progress import moment
from incamail_lib.course.showing import answer_blocks, question_blocks, result
from incamail_lib.course.telling_gains import learnt_blocks
from incamail_lib.errors import IncaMailError, MaterialError
from incamail_lib.files import write_whole
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.runbook.forms.exercise import Answering
from incamail_lib.runbook.forms.learner import Learner
from incamail_lib.runbook.forms.shape import Button, Card, Fact, Html, Note, Part
from incamail_lib.runbook.forms.view import Described
from incamail_lib.sheets.html import render_blocks, render_html


class ExamForm(Described):
    """One exam of one learner."""

    key = "exam"

    def __init__(self, learner: Learner, seed: int, questions: int, label: str) -> None:
        super().__init__(learner.language, interactive=learner.interactive)
        self._learner = learner
        self._problem: Text | None = None
        self.questions = draw(seed, questions)
        paper = Paper(learner=learner.name, label=label, seed=seed, questions=questions)
        self.paper = self._known(paper)
        self.answering = [
            Answering(q.exercise, learner.seed, self._tell, f"q{n}-")
            for n, q in enumerate(self.questions, start=1)
        ]
        for question, answering in zip(self.questions, self.answering, strict=True):
            if question.place in self.paper.answers:
                answering.take(self.paper.answers[question.place])

    def _known(self, begun: Paper) -> Paper:
        """What was written of this exam before; a damaged file is kept aside, and told."""
        file = self._learner.folder / begun.file
        if not file.exists():
            return begun
        try:
            return read_paper(file)
        except MaterialError:
            aside = put_aside(file, "damaged")
        self._problem = say(
            "{file} is damaged. It is kept as {aside}; this exam begins anew.",
            file=file.name,
            aside=aside.name,
        )
        return begun

    @property
    def learnt(self) -> Learnt | None:
        """This exam beside the first that was handed in here; None where there is none."""
        files = self._learner.folder.glob("exam-*.json") if self.is_handed_in else ()
        before = [paper for path in sorted(files) if (paper := _readable(path))]
        earlier = [p for p in before if p.handed_in_at and p.file != self.paper.file]
        if not earlier:
            return None
        first = min(earlier, key=lambda p: str(p.handed_in_at))
        return learnt([grade(first, self._learner.bench)], self.graded)

    @property
    def is_handed_in(self) -> bool:
        """Whether nothing can be changed any more."""
        return self.paper.handed_in_at is not None

    @property
    def graded(self) -> Graded:
        """The paper as it is now, marked."""
        return grade(self.paper, self._learner.bench)

    def parts(self) -> Sequence[Part]:
        """A card for each question, and a button to hand in."""
        if self.is_handed_in:
            gained = render_blocks(learnt_blocks(self.learnt), self.language)
            return [Note(str(self._tell.told(self._outcome()))), Html(gained), *self._answers()]
        cards = [self._card(n) for n in range(len(self.questions))]
        told = [Note(str(self._tell.told(self._problem)), warns=True)] if self._problem else []
        return [
            *told,
            *cards,
            Button("hand_in", self._tell.gettext("Hand in the exam"), is_main=True),
        ]

    def _card(self, number: int) -> Card:
        question, answering = self.questions[number], self.answering[number]
        tell = self._tell.gettext
        done = answering.given is not None
        fact = Fact(
            tell("State"),
            tell("has an answer") if done else tell("open"),
            "good" if done else "quiet",
        )
        html = render_blocks(question_blocks(question.exercise, self._learner.bench), self.language)
        return Card(
            name=f"q{number + 1}",
            title=tell(question.exercise.title),
            number=str(number + 1),
            facts=(fact,),
            parts=(Html(html), *answering.parts()),
        )

    def _answers(self) -> list[Card]:
        """Each answer with its reason, once nothing can be changed any more."""
        bench, tell = self._learner.bench, self._tell.gettext
        words = {State.RIGHT: (tell("right"), "good"), State.WRONG: (tell("wrong"), "bad")}
        cards = []
        for number, (question, marking) in enumerate(self.graded.marks, start=1):
            exercise, given = question.exercise, self.paper.answers.get(question.place)
            word, tone = words.get(marking.state, (tell("open"), "quiet"))
            blocks = (
                *question_blocks(exercise, bench),
                *answer_blocks(exercise, given, marking, bench=bench),
            )
            cards.append(
                Card(
                    name=f"a{number}",
                    title=tell(exercise.title),
                    number=str(number),
                    facts=(Fact(tell("State"), word, tone),),  # type: ignore[arg-type]
                    parts=(Html(render_blocks(blocks, self.language)),),
                )
            )
        return cards

    def enter(self, name: str, value: str) -> None:
        """Keep an entry, and the paper as it is with it."""
        for answering in self.answering:
            if answering.enter(name, value):
                self._keep()

    def press(self, name: str) -> None:
        """Hand in."""
        if name == "hand_in":
            self.hand_in()

    def answer(self, number: int, *words: str, **fields: str) -> ExamForm:
        """The exam with the answer to one question: letters, a value, or fields of a rule."""
        answering = self.answering[number - 1]
        answering.take(answering.meant(words, fields))
        self._keep()
        return self

    def hand_in(self) -> ExamForm:
        """The exam, marked; the result lies beside it as a page, and as one to print."""
        if not self.is_handed_in:
            self.paper = self.paper.model_copy(update={"handed_in_at": moment()})
            write_paper(self._learner.folder, self.paper)
        from incamail_lib.sheets.pdf import pdf_of  # late: it keeps threads of its own

        document = result(self.graded, self._learner.bench, self.learnt)
        file = self._learner.folder / self.paper.file
        write_whole(file.with_suffix(".html"), render_html(document, self.language).encode())
        write_whole(file.with_suffix(".pdf"), pdf_of(document, self.language))
        self.show()
        return self

    def _outcome(self) -> Text:
        graded = self.graded
        right = sum(1 for _, marking in graded.marks if marking.state is State.RIGHT)
        counted = say_n(
            "{n} of {all} is right.", "{n} of {all} are right.", right, all=len(graded.marks)
        )
        page = (self._learner.folder / self.paper.file).with_suffix(".html")
        return say(
            "{counted} Every answer is explained in {file}.", counted=counted, file=str(page)
        )

    def _keep(self) -> None:
        if self.is_handed_in:
            self.say(say("This exam is handed in; nothing more can be changed."))
            return
        pairs = zip(self.questions, self.answering, strict=True)
        answers: dict[str, Given] = {q.place: a.given for q, a in pairs if a.given is not None}
        self.paper = self.paper.model_copy(update={"answers": answers})
        write_paper(self._learner.folder, self.paper)


def _readable(path: Path) -> Paper | None:
    try:
        return read_paper(path)
    except IncaMailError:
        return None
