"""What Swiss Post sends for acceptance: on the lab one act sends it all; in life people note it."""

from __future__ import annotations

import datetime as dt

from incamail_lib.dossier.agreed import Audience, Direction, MessageKind
from incamail_lib.errors import IncaMailError
from incamail_lib.facts.routing import SendingType
from incamail_lib.i18n import Text, say
from incamail_lib.lab.mail import MailFlow
from incamail_lib.linktest import Mta, TestMessage, compose_incoming
from incamail_lib.routing.address import parse_address
from incamail_lib.runbook.attempts import Key, Offer
from incamail_lib.runbook.linking import CHANGED, LinkTests

PARTNER = "partner@outside.example"  # reserved by RFC 2606, and played by the lab


class IncomingTests(LinkTests):
    """Every sending type, from inside and from outside, by IncaMail's side to one address of the
    organisation. Only the lab has an IncaMail that sends at our word."""

    direction = Direction.INCOMING

    @property
    def on_lab(self) -> bool:
        """Whether the lab plays IncaMail, whatever server hands over what goes out."""
        return self.session.dossier.platform == "lab"

    @property
    def sample(self) -> str:
        """The first address of the contacts that is inside, else one that nobody has."""
        domains = self.session.dossier.domains
        found = (contact.email for contact in self.session.dossier.contacts)
        inside = (to for to in found if parse_address(to).domain in domains)
        return next(inside, f"anna.muster@{domains[0]}")

    def compose(self) -> tuple[TestMessage, ...]:
        """All messages. Errors: UsageError for an address that they may not go to."""
        dossier, now = self.session.dossier, dt.datetime.now(dt.UTC)
        own = parse_address(dossier.sender).domain in dossier.domains
        inside = dossier.sender if own else f"postmaster@{dossier.domains[0]}"
        return tuple(
            compose_incoming(
                sender,
                self.recipient,
                kind,
                rules=self.rules,
                own_domains=dossier.domains,
                now=now,
                language=self.session.language,
            )
            for kind in SendingType
            for sender in (inside, PARTNER)
        )

    async def send_all(self, offers: tuple[Offer, ...]) -> Text:
        """Let IncaMail's side send these messages, one after the other, and look for each in the
        mailbox. Each is recorded, failures too. Nothing is sent without a person, or in life."""
        missing = self._missing()
        if missing is not None:
            return missing
        if not offers or offers != self.shown().offers:
            return CHANGED
        try:
            async with self._flow() as flow:
                told = {o.test.message_id: await self._sent(o, flow) for o in offers}
        except IncaMailError as error:
            return error.text
        tries = (made.attempt for made in self._tries())
        arrived = {made.message_id for made in tries if made.seen and made.seen.arrived}
        lost = [words for message, words in told.items() if message not in arrived]
        counted = say(
            "{arrived} of {all} messages arrived.", arrived=len(told) - len(lost), all=len(told)
        )
        return say("{counted} {why}", counted=counted, why=lost[0]) if lost else counted

    def _missing(self) -> Text | None:
        if not self.on_lab:
            return say("Nothing was sent: in life Swiss Post sends these messages.")
        return super()._missing()

    def _on_lab(self, flow: MailFlow) -> Mta:
        return flow.incamail

    def _key(self, test: TestMessage) -> Key:
        """Which acceptance test a message is: here its sender is inside or outside."""
        inside = parse_address(test.sender).domain in self.session.dossier.domains
        audience = Audience.INTERNAL if inside else Audience.EXTERNAL
        return self.direction, MessageKind(test.kind), audience
