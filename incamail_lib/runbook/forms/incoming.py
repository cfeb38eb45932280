"""The acceptance tests of what comes in: sent by a button on the lab, noted by people in life."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from incamail_lib.dossier.agreed import Direction
from incamail_lib.i18n import say, say_n
from incamail_lib.runbook.attempts import Offer
from incamail_lib.runbook.forms.acceptance import Acceptance
from incamail_lib.runbook.forms.fields import not_an_address
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Input, Note, Part
from incamail_lib.runbook.incoming import IncomingTests
from incamail_lib.runbook.linking import CHANGED

_WHOLE = 400  # characters: an address that is agreed to is never cut


class Incoming(Acceptance):
    """What IncaMail delivers; where it is played, it sends at one press of a button."""

    key = "incoming"

    def __init__(self, session: Session) -> None:
        super().__init__(session, (Direction.INCOMING,))
        self.incoming = IncomingTests(session)
        self.task: asyncio.Task[None] | None = None
        self._is_sending = False

    def parts(self) -> Sequence[Part]:
        """The recipient and the button on the lab; in life who sends, and who notes it."""
        tell, shown = self._tell, self.incoming.shown()
        if not shown.on_lab:
            words = say(
                "Swiss Post sends these messages. Whoever finds one in the mailbox notes it here, "
                "under the name chosen above."
            )
            return [Note(tell.told(words)), *super().parts()]
        to = "" if shown.is_sample else self.incoming.recipient
        recipient = Input(
            "to",
            tell.gettext("Recipient"),
            "email",
            to,
            placeholder=self.incoming.sample,
            width="half",
        )
        found: list[Part] = [self.mended(recipient)]
        if shown.problem is not None:
            found.append(Note(tell.told(shown.problem), warns=True))
        if shown.missing is not None:
            found.append(Note(tell.told(shown.missing)))
        is_off = shown.missing is not None or self._is_sending
        if shown.offers:
            found.append(replace(self._all(shown.offers), is_off=is_off))
        return [*found, *super().parts()]

    def _all(self, offers: tuple[Offer, ...]) -> Button:
        words = say_n(
            "I agree: the lab's IncaMail sends {n} message to {recipient}",
            "I agree: the lab's IncaMail sends {n} messages to {recipient}",
            len(offers),
            recipient=self.incoming.recipient,
        )
        return Button(
            f"send/{offers[0].test.message_id}", self._tell.told(words, value_limit=_WHOLE)
        )

    def enter(self, name: str, value: str) -> None:
        """Another recipient, or what became of a test."""
        if name != "to":
            super().enter(name, value)
        elif problem := not_an_address(value):
            self.refuse(name, value, problem)
        else:
            self.refused.pop(name, None)
            self.incoming.to(value)

    def press(self, name: str) -> None:
        """Let the lab's IncaMail send; the button is the consent to what it names."""
        offers = self.incoming.shown().offers
        if not offers or name != f"send/{offers[0].test.message_id}":
            self.say(CHANGED)
        else:
            self._is_sending = True
            self.say(say("Sending …"))
            self.task = asyncio.get_running_loop().create_task(self._run(offers))

    async def _run(self, offers: tuple[Offer, ...]) -> None:
        try:
            told = await self.incoming.send_all(offers)
        finally:
            self._is_sending = False
        self.say(told)
