"""A checklist question with everything that is known about it, told as HTML."""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import Answer, State
from incamail_lib.dossier.words import term
from incamail_lib.facts.routing import Method
from incamail_lib.findings import Audit
from incamail_lib.guide import ChecklistQuestion, Platform, contents
from incamail_lib.guide.contents import Link
from incamail_lib.i18n import N_, Language, Text
from incamail_lib.report.evidence import Evidence, contradicts, evidence_for
from incamail_lib.report.leaking import Ending, endings
from incamail_lib.report.pages import render

OWNERS: dict[str, str] = {"client": N_("the organisation"), "post": N_("Swiss Post")}


@dataclass(frozen=True)
class QuestionView:
    """One question, its answer in the dossier and the evidence of the last audit."""

    item: ChecklistQuestion
    answer: Answer | None
    evidence: Evidence
    platform: Platform
    links: tuple[Link, ...] = ()  # pages of Swiss Post's about it
    endings: tuple[Ending, ...] = ()  # what would become of messages, where that is the question
    method: Method = Method.NONE  # under the rule that was measured

    @property
    def state(self) -> State:
        """What the dossier says, else what the evidence decides, else not clear."""
        if self.answer is not None:
            return self.answer.state
        return self.evidence.state or State.UNCLEAR

    @property
    def is_clear(self) -> bool:
        """Whether nothing is left to be decided."""
        return self.state is State.CLEAR

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
    item: ChecklistQuestion, dossier: Dossier, platform: Platform, audit: Audit | None
) -> QuestionView:
    """Put together what is known about one question."""
    tried = "ROUT" in item.checks
    return QuestionView(
        item=item,
        answer=dossier.answers.get(item.number),
        evidence=evidence_for(item, audit),
        platform=platform,
        endings=endings(audit) if audit and tried else (),
        method=audit.facts.declared.rules.method if audit else Method.NONE,
        links=tuple(link for link in contents().links if link.item == item.number),
    )


def question_html(view: QuestionView, language: Language) -> str:
    """What helps to answer the question, as HTML: why it is asked, and what was measured."""
    return render(
        "question",
        language,
        q=view,
        item=view.item,
        evidence=view.evidence,
        endings=view.endings,
        method=view.method,
        state=term,
        owners=OWNERS,
    )
