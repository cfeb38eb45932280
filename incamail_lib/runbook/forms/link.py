"""The link test of guide 8.3 as a form: its acts are those of `runbook.linking`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import say
from incamail_lib.report.pages import render
from incamail_lib.runbook.attempts import Offer, Try
from incamail_lib.runbook.forms.documents import written
from incamail_lib.runbook.forms.fields import not_an_address
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Group, Html, Input, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.runbook.linking import CHANGED, LinkTests

WHOLE = 400  # characters: an address that is agreed to is never cut


class LinkTest(Form):
    """The three test messages, where they would go, and what became of those that were sent."""

    key = "linktest"
    template = "linktest"

    def __init__(self, session: Session, tests: LinkTests | None = None) -> None:
        super().__init__(session)
        self.tests = tests or LinkTests(session)
        self.task: asyncio.Task[None] | None = None
        self._is_sending = False  # then nothing else can be agreed to
        self._seen: dict[str, str] = {}  # what was seen of a message, not noted yet

    def parts(self) -> Sequence[Part]:
        """The recipient, a button for each message, and what is still to be noted."""
        shown, tell = self.tests.shown(), self._tell.gettext
        to = "" if self.tests.recipient == self.tests.sample else self.tests.recipient
        sample = self.tests.sample
        is_off = shown.missing is not None or self._is_sending
        recipient = Input("to", tell("Recipient"), "email", to, placeholder=sample, width="half")
        return [
            self.mended(recipient),
            Html(render(self.template, self.language, shown=shown)),
            *(self._offered(o, is_off=is_off) for o in shown.offers),
            *(self._noting(made) for made in shown.tries if made.is_open),
            Button("keep", tell("Save as .eml")),
        ]

    def _offered(self, offer: Offer, *, is_off: bool) -> Button:
        """The consent; it cannot be given while it is said above what is lacking, or while another
        message is under way."""
        words = self._tell.told(offer.consent, value_limit=WHOLE)
        return Button(f"send/{offer.test.message_id}", str(words), is_off=is_off)

    def _noting(self, made: Try) -> Group:
        """What is asked of a message that was handed over: did it arrive, and what was seen?"""
        tell, name = self._tell.gettext, made.attempt.message_id
        asked = say(
            "{test}, to {recipient}: did it arrive?", test=made.name, recipient=made.attempt.to
        )
        answers = (
            Button(f"yes/{name}", tell("It arrived")),
            Button(f"no/{name}", tell("It did not arrive")),
        )
        seen = Input(f"seen/{name}", tell("What was seen"), value=self._seen.get(name, ""))
        return Group(name, str(self._tell.told(asked, value_limit=WHOLE)), (seen, Row(answers)))

    def enter(self, name: str, value: str) -> None:
        """Another recipient, or what was seen of a message."""
        kind, _, message = name.partition("/")
        if kind == "seen":
            self._seen[message] = value
        elif problem := not_an_address(value):
            self.refuse(name, value, problem)
        else:
            self.refused.pop(name, None)
            self.tests.to(value)

    def press(self, name: str) -> None:
        """Send the message on the button, which is the consent to it; or note what came of one."""
        kind, _, message = name.partition("/")
        shown = self.tests.shown()
        if kind == "send":
            self._agreed(message)
        for made in shown.tries:
            if kind in ("yes", "no") and made.attempt.message_id == message:
                words = self._seen.get(message, "")
                self.say(self.tests.look(made.key, message, arrived=kind == "yes", words=words))
        if name == "keep":
            self._kept()

    def _agreed(self, message: str) -> None:
        for offer in self.tests.shown().offers:
            if offer.test.message_id == message:
                self._begin(offer)
                return
        self.say(CHANGED)  # agreed to before the page showed what it is now

    def _kept(self) -> None:
        try:
            self.say(written(self.tests.keep(), self.language))
        except IncaMailError as error:
            self.say(error.text)

    def _begin(self, offer: Offer) -> None:
        """Send one message in the kernel's own loop."""
        self._is_sending = True
        self.say(say("Sending …"))  # a server may take its time
        self.task = asyncio.get_running_loop().create_task(self._run(offer))

    async def _run(self, offer: Offer) -> None:
        try:
            told = await self.tests.send(offer)
        finally:
            self._is_sending = False
        self.say(told)
