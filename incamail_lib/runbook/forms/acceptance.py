"""The acceptance tests: each sending type, both directions, internal and external."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from incamail_lib.dossier.agreed import (
    AcceptanceTest,
    Direction,
    TestResult,
    Way,
    messages_of,
)
from incamail_lib.dossier.words import message_text, term
from incamail_lib.i18n import N_, say, say_n
from incamail_lib.report.pages import render
from incamail_lib.runbook.forms.fields import not_an_address
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Html, Input, Part, Row, Tone
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean

RESULT_TONES: dict[TestResult, Tone] = {
    TestResult.PASSED: "good",
    TestResult.FAILED: "bad",
    TestResult.OPEN: "quiet",
}
_TITLES = {
    Direction.OUTGOING: N_("Outgoing messages"),
    Direction.INCOMING: N_("Incoming messages"),
}


class Acceptance(Form):
    """A line for each direction that opens to a card for each message, with its attempts and what
    became of it."""

    key = "acceptance"

    def __init__(
        self, session: Session, directions: tuple[Direction, ...] = tuple(Direction)
    ) -> None:
        super().__init__(session)
        self._directions = directions

    def tests(self, *directions: Direction) -> tuple[AcceptanceTest, ...]:
        """Every test of the matrix, with what the dossier knows of it."""
        known = {test.key: test for test in self._session.dossier.acceptance}
        chosen = messages_of(*(directions or self._directions))
        return tuple(known.get(key) or AcceptanceTest.of(key) for key in chosen)

    def parts(self) -> Sequence[Part]:
        """One line for each direction, so that the page stays short."""
        return [self._line(direction) for direction in self._directions]

    def _line(self, direction: Direction) -> Card:
        """How many of a direction's tests are passed; what failed draws attention."""
        tell, tests = self._tell, self.tests(direction)
        passed = sum(test.result is TestResult.PASSED for test in tests)
        failed = sum(test.result is TestResult.FAILED for test in tests)
        words = say("{done} of {all} passed", done=passed, all=len(tests))
        return Card(
            name=direction.value,
            title=tell.gettext(_TITLES[direction]),
            parts=tuple(self._card(test) for test in tests),
            facts=(
                Fact(
                    tell.gettext("Result"),
                    tell.told(words),
                    "good" if passed == len(tests) else "quiet",
                ),
                Fact(
                    tell.gettext("Failed"),
                    tell.told(say_n("{n} failed", "{n} failed", failed)) if failed else "",
                    "bad",
                ),
            ),
            needs_attention=failed > 0,
        )

    def _card(self, test: AcceptanceTest) -> Card:
        tell = self._tell
        when = tell.local(test.tested_at) if test.tested_at else ""
        return Card(
            name=name_of(test),
            title=str(tell.told(message_text(*test.key))),
            parts=(*self._attempts(test), *self._inputs(test)),
            facts=(
                Fact(
                    tell.gettext("Result"), tell.told(term(test.result)), RESULT_TONES[test.result]
                ),
                Fact(tell.gettext("When"), when),
                Fact(tell.gettext("By whom"), clean(test.tested_by)),
            ),
            needs_attention=test.result is TestResult.FAILED,
        )

    def _attempts(self, test: AcceptanceTest) -> list[Part]:
        if not test.attempts and not test.smtp_reply:
            return []
        return [Html(render("attempts", self.language, test=test, term=term))]

    def _inputs(self, test: AcceptanceTest) -> list[Part]:
        tell, name = self._tell.gettext, name_of(test)
        results = tuple((r.value, str(self._tell.told(term(r)))) for r in TestResult)
        ways = (("", "–"), *((w.value, str(self._tell.told(term(w)))) for w in Way))
        way = test.way.value if test.way else ""
        found = (
            Input(f"{name}/result", tell("Result"), "radio", test.result.value, results),
            Input(f"{name}/to", tell("Sent to"), "email", test.to, width="half"),
            Input(f"{name}/way", tell("Written"), "choice", way, ways, width="half"),
            Input(f"{name}/received", tell("What the receiver saw"), "text", test.received),
            Input(f"{name}/remark", tell("Remark"), "text", test.remark),
        )
        made = [self.mended(one) for one in found]
        return [made[0], Row(tuple(made[1:3])), *made[3:]]

    def enter(self, name: str, value: str) -> None:
        """Write what became of a test; a result bears the time and the person at work, and without
        a person there is none: somebody saw it."""
        key, _, field = name.partition("/")
        problem = not_an_address(value) if field == "to" else None
        if field == "result" and value != TestResult.OPEN and not self._session.person:
            problem = say("Nothing was noted: choose first who is at work, since a person saw it.")
        if problem:
            self.refuse(name, value, problem)
            return
        known = {test.key: test for test in self._session.dossier.acceptance}
        test = next(test for test in self.tests() if name_of(test) == key)
        known[test.key] = self._changed(test, field, value)
        kept = [t for t in known.values() if t != AcceptanceTest.of(t.key)]
        plain = [t.model_dump(mode="json", exclude_defaults=True) for t in kept]
        self.put(name, ("acceptance",), plain, value)

    def _changed(self, test: AcceptanceTest, field: str, value: str) -> AcceptanceTest:
        update: dict[str, Any] = {field: value.strip() if field == "to" else value}
        if field == "way":
            update = {"way": Way(value) if value else None}
        if field == "result":
            update = {"result": TestResult(value)}
            if update["result"] not in (test.result, TestResult.OPEN):
                now = dt.datetime.now(dt.UTC).replace(microsecond=0)
                update |= {"tested_at": now, "tested_by": self._session.person}
        return test.model_copy(update=update)


def name_of(test: AcceptanceTest) -> str:
    """What tells a test from the others, in the names of its inputs."""
    return ".".join(test.key)
