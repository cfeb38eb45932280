"""A checklist question with everything that is known about it, told as HTML."""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.dossier import Dossier
from incamail_lib.dossier.progress import Answer, State
from incamail_lib.dossier.words import state_text
from incamail_lib.findings import Audit
from incamail_lib.guide import Item, Platform
from incamail_lib.i18n import N_, Language, Text
from incamail_lib.report.evidence import Evidence, contradicts, evidence_for
from incamail_lib.report.pages import render

OWNERS: dict[str, str] = {"client": N_("the organisation"), "post": N_("Swiss Post")}


@dataclass(frozen=True)
class QuestionView:
    """One question, its answer in the dossier and the evidence of the last audit."""

    item: Item
    answer: Answer | None
    evidence: Evidence
    platform: Platform

    @property
    def state(self) -> State:
        """What the dossier says, else what the evidence decides, else not clear."""
        if self.answer is not None:
            return self.answer.state
        return self.evidence.state or State.UNCLEAR

    @property
    def is_contradicted(self) -> bool:
        """Whether the answer claims more than the evidence shows."""
        return contradicts(self.answer, self.evidence)

    @property
    def lacks_reason(self) -> bool:
        """Whether a contradiction stands there without a reason."""
        return self.is_contradicted and not (self.answer and self.answer.reason.strip())

    def text(self, template: str) -> Text:
        """A text of the guide with the platform's facts filled in."""
        return self.platform.filled(template)


def question_view(
    item: Item, dossier: Dossier, platform: Platform, audit: Audit | None
) -> QuestionView:
    """Put together what is known about one question."""
    return QuestionView(
        item=item,
        answer=dossier.answers.get(item.number),
        evidence=evidence_for(item, audit),
        platform=platform,
    )


def question_html(view: QuestionView, language: Language, *, with_answer: bool = True) -> str:
    """The question as HTML; `with_answer` adds what the dossier says, for print and record."""
    return render(
        "question",
        language,
        q=view,
        item=view.item,
        evidence=view.evidence,
        with_answer=with_answer,
        state=state_text,
        owners=OWNERS,
    )
