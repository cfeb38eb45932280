"""The link test of guide 8.3 without a form: what is shown, and what each act of a person does.

A form, or the command `incamail linktest`, only shows `shown` and calls the acts. Each act gives
the sentence that says what came of it, and everything that must last stands in the dossier: which
test, to which address, when, by whom, the reply, and, as a record of its own, whether it arrived.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from incamail_lib.audit.case import mail_on_lab, rules_of
from incamail_lib.dossier.agreed import (
    AcceptanceTest,
    Attempt,
    Audience,
    Direction,
    MessageKind,
    Seen,
)
from incamail_lib.dossier.model import Submission
from incamail_lib.errors import IncaMailError, UsageError
from incamail_lib.facts.delivery import Delivery, DeliveryOutcome
from incamail_lib.facts.routing import RuleSet
from incamail_lib.i18n import Text, say
from incamail_lib.lab.mail import MailFlow
from incamail_lib.linktest import (
    Consent,
    Mta,
    TestMessage,
    compose_all,
    delivery_text,
    save,
    send,
)
from incamail_lib.linktest.server import PASSWORD_VARIABLE
from incamail_lib.linktest.words import tls_text
from incamail_lib.routing.address import canonical_suffix, parse_address
from incamail_lib.runbook.attempts import Key, Offer, Shown, Try, by_servers, seen_on_lab, tried
from incamail_lib.runbook.forms.session import Session

SAMPLE = "partner@recipient.example"  # reserved by RFC 2606: reaches nobody
CHANGED = say("Nothing was sent: the message has changed. Look at it, then agree again.")
PASSWORD_TEXT = say(
    "A password is not entered here. Set it as environment variable {name} before you start the "
    "runbook.",
    name=PASSWORD_VARIABLE,
)


class LinkTests:
    """The three test messages to one recipient, handed to the organisation's own mail server."""

    direction = Direction.OUTGOING

    def __init__(self, session: Session, person: str = "") -> None:
        self.session = session
        self._person = person  # where nobody is chosen for the whole session
        self.sender = session.dossier.sender or f"postmaster@{session.dossier.domains[0]}"
        self.recipient = self._last_recipient() or self.sample
        self._composed: tuple[TestMessage, ...] = ()
        self._composed_for: object = None

    @property
    def person(self) -> str:
        """Who agrees and notes; "" while nobody is chosen."""
        return self._person or self.session.person

    @property
    def sample(self) -> str:
        """The recipient until one is entered; in life nothing is ever sent there."""
        return SAMPLE

    @property
    def rules(self) -> RuleSet:
        """The organisation's routing rules."""
        return rules_of(self.session.dossier, self.session.platform)

    @property
    def _suffix(self) -> str:
        return canonical_suffix(self.session.platform.suffix.value)

    @property
    def submission(self) -> Submission:
        """The server as it is declared."""
        return self.session.dossier.submission

    @property
    def on_lab(self) -> bool:
        """Whether the lab's own servers play: for a dossier on the lab that names no other."""
        return self.session.dossier.platform == "lab" and not self.submission.host

    def shown(self) -> Shown:
        """What there is to see now."""
        problem: Text | None = None
        messages: tuple[TestMessage, ...] = ()
        try:
            messages = self.messages()
        except IncaMailError as error:
            problem = error.text
        sample = self.is_sample
        offers = () if sample and not self.on_lab else tuple(self._offer(m) for m in messages)
        return Shown(
            server=self._server_text(),
            messages=messages,
            offers=offers,
            problem=problem,
            missing=self._missing(),
            tries=tuple(sorted(self._tries(), key=lambda t: t.attempt.at, reverse=True)),
            is_sample=sample,
            on_lab=self.on_lab,
            login=PASSWORD_TEXT if self.submission.user else None,
        )

    @property
    def is_sample(self) -> bool:
        """Whether nothing was entered yet."""
        return self.recipient == self.sample

    def messages(self) -> tuple[TestMessage, ...]:
        """The messages as they are shown, agreed to and sent: composed once a day for what is
        entered, so that what else changes in the dossier takes no consent away.

        Errors: UsageError for addresses and rules with which nothing can be sent.
        """
        if self._basis() != self._composed_for:
            self._composed = self.compose()
            self._composed_for = self._basis()
        return self._composed

    def _basis(self) -> object:
        """Everything that decides what the messages are."""
        dossier = self.session.dossier
        ends = dossier.sender, self.sender, self.recipient
        return ends, self.rules, dossier.domains, _now().date()

    def compose(self) -> tuple[TestMessage, ...]:
        """The messages made anew. Errors: UsageError for what cannot be sent."""
        dossier = self.session.dossier
        self.sender = dossier.sender or self.sender
        return compose_all(
            self.sender,
            [self.recipient],
            rules=self.rules,
            own_domains=dossier.domains,
            now=dt.datetime.now(dt.UTC),
        )

    def to(self, entered: str) -> None:
        """Another recipient; nothing stands for the example."""
        self.recipient = entered.strip() or self.sample

    def keep(self) -> tuple[Path, ...]:
        """Save the messages as `.eml`. Errors: UsageError, OutputError."""
        folder = self.session.output / "messages"
        return tuple(save(test, folder, self.session.language) for test in self.messages())

    async def send(self, offer: Offer) -> Text:
        """Send one message in the name of whoever is at work, record it, and on the lab look
        whether it arrives. Without a person, a server or a real recipient nothing is sent."""
        missing = self._missing()
        if missing is not None:
            return missing
        if offer not in self.shown().offers:
            return CHANGED
        try:
            async with self._flow() as flow:
                return await self._sent(offer, flow)
        except IncaMailError as error:
            return error.text

    async def _sent(self, offer: Offer, flow: MailFlow | None) -> Text:
        server = self._on_lab(flow) if flow else self.mta()
        delivery = await self._delivered(offer.test, server)
        if flow:  # its port is another each time, and says nothing
            delivery = delivery.model_copy(update={"server": server.name})
        self._replace(offer.test)
        problem = self._record(offer.key, delivery)
        told = problem or delivery_text(delivery)
        if problem or flow is None or delivery.outcome is not DeliveryOutcome.ACCEPTED:
            return told
        found = await flow.outcome(offer.test.message_id)
        seen = seen_on_lab(found, _now(), self.session.language)
        noted = self._note(offer.key, offer.test.message_id, seen)
        return say("{handed} {seen}", handed=told, seen=noted)

    def _replace(self, sent: TestMessage) -> None:
        """A message is sent once: the next has a Message-ID of its own; the others stay."""
        pairs = zip(self._composed, self.compose(), strict=True)
        self._composed = tuple(new if old is sent else old for old, new in pairs)

    async def _delivered(self, test: TestMessage, server: Mta) -> Delivery:
        consent = Consent(
            message_id=test.message_id,
            recipient=test.recipient,
            agreed_by=self.person,
            agreed_at=dt.datetime.now(dt.UTC),
        )
        return await send(test.message, recipient=test.recipient, server=server, consent=consent)

    def _record(self, key: Key, delivery: Delivery) -> Text | None:
        """Note the hand-over, failures too; whether it arrived is a record of its own."""
        attempt = Attempt(
            at=delivery.started_at.replace(microsecond=0),
            by=self.person,
            to=delivery.recipient,
            outcome=delivery.outcome,
            message_id=delivery.message_id,
            reply=delivery.reply.text if delivery.reply else delivery.evidence,
        )
        return self._change(key, lambda test: test.after(attempt))

    def look(self, key: Key, message_id: str, *, arrived: bool, words: str) -> Text:
        """Note in the name of whoever is at work whether a message arrived."""
        if not self.person:
            return say("Nothing was noted: choose first who is at work, since a person saw it.")
        if arrived and not words.strip():
            return say("Nothing was noted: say what the recipient saw.")
        seen = Seen(arrived=arrived, at=_now(), by=self.person, words=words.strip())
        return self._note(key, message_id, seen)

    def _note(self, key: Key, message_id: str, seen: Seen) -> Text:
        problem = self._change(key, lambda test: test.seen(message_id, seen))
        if problem is not None:
            return problem
        if seen.arrived:
            return say("It arrived. {words}", words=by_servers(seen))
        return say("It did not arrive. {words}", words=seen.words)

    def _change(self, key: Key, change: Callable[[AcceptanceTest], AcceptanceTest]) -> Text | None:
        known = {test.key: test for test in self.session.dossier.acceptance}
        known[key] = change(known.get(key) or AcceptanceTest.of(key))
        plain = [t.model_dump(mode="json", exclude_defaults=True) for t in known.values()]
        problem = self.session.put(("acceptance",), plain)
        self.session.tell()
        return problem

    def mta(self) -> Mta:
        """The server that is declared. Errors: UsageError for one that cannot work."""
        given = self.submission
        return Mta(
            given.host,
            given.port,
            starttls=given.starttls,
            user=given.user.strip(),
            password=_password() if given.user.strip() else None,
            name=given.name.strip(),
            roots=given.roots,
            only_here=self.session.dossier.platform == "lab",
        )

    def _on_lab(self, flow: MailFlow) -> Mta:
        return flow.submission

    def _flow(self) -> AbstractAsyncContextManager[MailFlow | None]:
        return mail_on_lab(self.session.dossier) if self.on_lab else nullcontext()

    def _offer(self, test: TestMessage) -> Offer:
        consent = say(
            "I agree: send «{subject}» to {recipient}",
            subject=str(test.message["Subject"]),
            recipient=test.recipient,
        )
        return Offer(self._key(test), test, consent)

    def _key(self, test: TestMessage) -> Key:
        """Which acceptance test a message is: an address of the organisation's own is inside."""
        domain = parse_address(test.recipient).domain
        domain = domain.removesuffix(self._suffix)
        inside = domain in self.session.dossier.domains
        audience = Audience.INTERNAL if inside else Audience.EXTERNAL
        return self.direction, MessageKind(test.kind), audience

    def _missing(self) -> Text | None:
        if not self.person:
            return say(
                "Nothing is sent yet: choose first who is at work, since a person agrees to it."
            )
        if not self.on_lab and not self.submission.host:
            return self._no_server()
        if not self.on_lab and self.is_sample:
            return say("Nothing is sent yet: enter the recipient.")
        return None

    def _no_server(self) -> Text:
        return say(
            "Nothing is sent yet: name the organisation's own mail server above (field {field} of "
            "the dossier).",
            field="submission.host",
        )

    def _server_text(self) -> Text:
        if self.on_lab:
            return say(
                "On the lab the organisation's own mail server, IncaMail behind its gateways and a "
                "mailbox are started for each test; nothing leaves this computer."
            )
        if not self.submission.host:
            return say("No mail server is named yet.")
        return say(
            "Handed to {server}, STARTTLS {tls}.",
            server=f"{self.submission.host}:{self.submission.port}",
            tls=tls_text(self.submission.starttls),
        )

    def _tests(self) -> Iterator[AcceptanceTest]:
        """The tests that are made here, of which something is known."""
        for test in self.session.dossier.acceptance:
            is_html = test.kind is MessageKind.HTML_ATTACHMENT
            if test.direction is self.direction and not is_html:
                yield test

    def _tries(self) -> Iterator[Try]:
        for test in self._tests():
            for attempt in test.attempts:
                yield tried(test.key, attempt)

    def _last_recipient(self) -> str:
        last = max(self._tries(), key=lambda t: t.attempt.at, default=None)
        return last.attempt.to.removesuffix(self._suffix) if last else ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _password() -> Callable[[], str]:
    """The way to the password, which is looked up when the server is to have it.

    Errors: UsageError where it is not set.
    """
    if not os.environ.get(PASSWORD_VARIABLE):
        raise UsageError(
            say(
                "The environment variable {name} with the password for the mail server is not "
                "set. Set it, then start the runbook again.",
                name=PASSWORD_VARIABLE,
            )
        )
    return lambda: os.environ[PASSWORD_VARIABLE]
