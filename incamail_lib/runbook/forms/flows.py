"""How messages flow through this organisation's set-up, with what the last audit saw of it."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.dossier.agreed import Direction
from incamail_lib.guide.contents import Flow as GuideFlow
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.flow import Flow, HopState, flow
from incamail_lib.report.flow_chart import picture
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Html, Part
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.html import render_blocks
from incamail_lib.sheets.model import Block, Heading, Listing

_NUMBERS = {Direction.OUTGOING: "8.1", Direction.INCOMING: "8.2"}


class FlowView(Form):
    """The drawing of one direction (guide 8.1, 8.2)."""

    key = "flow"

    def __init__(self, session: Session, direction: Direction) -> None:
        super().__init__(session)
        self._direction = direction

    def parts(self) -> Sequence[Part]:
        """The drawing and its text, as declared and measured now."""
        declared = self._session.dossier.declared(self._session.platform)
        way = flow(self._direction, declared, self._session.audit)
        number = _NUMBERS[self._direction]
        told = next(one for one in self._session.guide.flows if one.number == number)
        shown = Html(render_blocks((picture(way), *_example(told)), self.language))
        title = self._tell.gettext(way.title)
        return [Card(number, title, (shown,), number=number, facts=(self._fact(way),))]

    def _fact(self, way: Flow) -> Fact:
        """Where it stops, or how far it is known to work."""
        label, states = self._tell.gettext("Evidence"), [hop.state for hop in way.hops]
        seen = sum(state is HopState.OK for state in states)
        if HopState.FAILED in states:
            failed = say_n("{n} hop failed", "{n} hops failed", states.count(HopState.FAILED))
            return Fact(label, self._tell.told(failed), "bad")
        words = say("{done} of {all} hops in order", done=seen, all=len(states))
        return Fact(label, self._tell.told(words), "good" if seen == len(states) else "open")


def _example(told: GuideFlow) -> tuple[Block, ...]:
    if not told.example:
        return ()
    title = say("An example (guide {number})", number=told.number)
    sentences = tuple(Text(template=sentence) for sentence in told.example)
    return Heading(title), Listing(sentences, numbered=True)
