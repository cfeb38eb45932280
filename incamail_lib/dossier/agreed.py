"""What is agreed and done on the way from planning to acceptance: people, answers, tests, history.

States are stored as codes, never as words, so that a dossier reads the same in every language.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from itertools import product
from typing import Annotated

from pydantic import Field, StringConstraints

from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.record import Record, UtcDatetime

SCHEMA = 3
"""The schema of dossiers written today; a dossier without the field `schema` is of schema 1."""

_MOST_ATTEMPTS = 200

Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\r\n]*$"),
]
Words = Annotated[str, StringConstraints(max_length=10_000)]
ItemNumber = Annotated[str, StringConstraints(pattern=r"^[1-9]\.[1-9]\d?$")]


class Role(StrEnum):
    """Who takes part; the guide names client and Post, these are the people behind them."""

    PROJECT_LEAD = "project_lead"
    MAIL_ADMIN = "mail_admin"
    NETWORK_ADMIN = "network_admin"
    SECURITY = "security"
    SUPPORT = "support"  # first level, for users
    COMMUNICATION = "communication"
    CONSULTANT = "consultant"
    POST = "post"


class Contact(Record):
    """A person or desk, and what they are responsible for."""

    role: Role
    name: Line
    email: str = ""
    phone: str = ""


class Program(StrEnum):
    """A mail client that people write in: each takes an add-in of its own kind (guide 6.5)."""

    OUTLOOK_CLASSIC = "outlook_classic"  # for Windows
    OUTLOOK_NEW = "outlook_new"  # for Windows
    OUTLOOK_WEB = "outlook_web"
    OUTLOOK_MAC = "outlook_mac"
    OUTLOOK_MOBILE = "outlook_mobile"
    NOTES = "notes"
    GROUPWISE = "groupwise"
    OTHER = "other"


class AddIn(StrEnum):
    """Which add-in is chosen for a mail client."""

    HTML = "html"
    COM = "com"
    NONE = "none"  # suffix and tag are written by hand


class MailClient(Record):
    """A mail client that the organisation has, how many people use it, and what they get."""

    program: Program
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""  # of OTHER
    users: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    add_in: AddIn | None = None


class Monitoring(Record):
    """By what and by whom the link is watched (guide 6.7), e.g. "Zabbix, Bruno Beispiel"."""

    failures: Words = ""  # logs of deliveries to IncaMail that failed
    queues: Words = ""
    certificates: Words = ""  # the end of their validity


class Arranged(Record):
    """What was arranged for a measure of the implementation plan, where it is not as proposed."""

    owner: str = ""
    due: dt.date | None = None
    done: dt.date | None = None  # since when it is done


class Confirmation(Record):
    """Who says of something that nobody measured that it is so, and since when."""

    by: Line
    on: dt.date


class State(StrEnum):
    """The state of a checklist question (guide 4 to 7)."""

    CLEAR = "clear"
    UNCLEAR = "unclear"
    TODO = "todo"


class Answer(Record):
    """The client's answer to one question of the checklist."""

    state: State = State.UNCLEAR
    answer: Words = ""  # the decision itself
    note: Words = ""  # "to do / remarks"
    owner: str = ""
    due: dt.date | None = None
    reason: Words = ""  # why the state contradicts the evidence, where it does


class Direction(StrEnum):
    """Which way a test message goes."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


class MessageKind(StrEnum):
    """What a test message is sent as; plain is the link test of guide 8.3."""

    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    REGISTERED = "registered"
    HTML_ATTACHMENT = "html_attachment"  # ordinary mail that a filter may stop (guide 2)


class Audience(StrEnum):
    """With whom the message is exchanged (guide 3, phase test)."""

    INTERNAL = "internal"
    EXTERNAL = "external"


class TestResult(StrEnum):
    """How an acceptance test ended."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


class Way(StrEnum):
    """By what a test message was written and handed to the organisation's mail server."""

    RUNBOOK = "runbook"  # composed here, as guide 8.3 has it: subject, suffix, one line of text
    PROGRAM = "program"  # a mail program without the add-in
    ADD_IN = "add_in"  # a mail program with the add-in


class Seen(Record):
    """Whether a message that was handed over arrived: a record of its own, since the reply of the
    organisation's mail server proves the hand-over and nothing more."""

    arrived: bool
    at: UtcDatetime
    by: str = ""  # who looked; "" for the lab's own mailbox
    words: Words = ""  # what was seen
    # the servers it came through, in their order, where they are known
    way: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    encrypted: bool | None = None  # whether each hand-over between them was; None: not known


class Attempt(Record):
    """One try to send a test message, noted when it was made; a later one never replaces it."""

    at: UtcDatetime
    by: str = ""
    way: Way = Way.RUNBOOK
    to: str = ""  # the recipient of the envelope
    outcome: DeliveryOutcome
    message_id: str = ""
    reply: str = ""  # of the organisation's own mail server, or why there is none
    seen: Seen | None = None  # None: nobody has looked yet

    @property
    def is_open(self) -> bool:
        """Whether the message was handed over, and nobody has looked for it yet."""
        handed = self.outcome in (DeliveryOutcome.ACCEPTED, DeliveryOutcome.UNCERTAIN)
        return handed and self.seen is None


class AcceptanceTest(Record):
    """One message exchanged to prove that the link works, and what became of it."""

    direction: Direction
    kind: MessageKind
    audience: Audience
    result: TestResult = TestResult.OPEN
    tested_at: UtcDatetime | None = None
    tested_by: str = ""
    message_id: str = ""
    smtp_reply: str = ""  # of the client's own MTA, when the runbook sent the message
    received: Words = ""  # what the receiving side saw
    remark: Words = ""
    to: str = ""  # to whom it went
    way: Way | None = None  # None: nobody has said
    attempts: Annotated[tuple[Attempt, ...], Field(max_length=_MOST_ATTEMPTS)] = ()

    @classmethod
    def of(cls, key: tuple[Direction, MessageKind, Audience]) -> AcceptanceTest:
        """A test of which nothing is known yet."""
        return cls(direction=key[0], kind=key[1], audience=key[2])

    @property
    def key(self) -> tuple[Direction, MessageKind, Audience]:
        """What tells this test from the others."""
        return self.direction, self.kind, self.audience

    def after(self, attempt: Attempt) -> AcceptanceTest:
        """The same test once more tried: failed, or open until somebody says what arrived.

        What was seen of an earlier message proves nothing of this one.
        """
        accepted = attempt.outcome is DeliveryOutcome.ACCEPTED
        return self.model_copy(
            update={
                "result": TestResult.OPEN if accepted else TestResult.FAILED,
                "tested_at": attempt.at,
                "tested_by": attempt.by,
                "message_id": attempt.message_id,
                "smtp_reply": attempt.reply,
                "received": "",
                "to": attempt.to,
                "way": attempt.way,
                "attempts": (*self.attempts, attempt)[-_MOST_ATTEMPTS:],
            }
        )

    def seen(self, message_id: str, seen: Seen) -> AcceptanceTest:
        """The same test once somebody looked whether a message arrived; what became of an earlier
        message than the last changes no result."""
        update: dict[str, object] = {
            "attempts": tuple(
                a.model_copy(update={"seen": seen}) if a.message_id == message_id else a
                for a in self.attempts
            )
        }
        if message_id and message_id == self.message_id:
            update |= {
                "result": TestResult.PASSED if seen.arrived else TestResult.FAILED,
                "tested_at": seen.at,
                "tested_by": seen.by or self.tested_by,
                "received": seen.words if seen.arrived else "",
            }
        return self.model_copy(update=update)


SENDING_KINDS = (MessageKind.CONFIDENTIAL, MessageKind.PERSONAL, MessageKind.REGISTERED)
HTML_TEST = (Direction.INCOMING, MessageKind.HTML_ATTACHMENT, Audience.EXTERNAL)
"""A message from outside with an HTML attachment, as SAFE messages have one."""


def messages_of(*directions: Direction) -> tuple[tuple[Direction, MessageKind, Audience], ...]:
    """The messages of acceptance in these directions: every sending type with inside and outside,
    and where mail comes in, the one with an HTML attachment."""
    chosen = directions or tuple(Direction)
    found = tuple(product(chosen, SENDING_KINDS, Audience))
    return (*found, HTML_TEST) if Direction.INCOMING in chosen else found


class Signature(Record):
    """A name under the set-up document or an acceptance report."""

    document: str  # "setup", "link", "identity" or a direction
    name: Line
    organisation: Line
    signed_on: dt.date


class Change(Record):
    """One line of a dossier's history."""

    at: UtcDatetime
    who: str
    what: str  # the field, e.g. "answers.6.3.state"
    before: str = ""
    after: str = ""
    conflict: bool = False  # then `before`, written by somebody else meanwhile, was kept
    found: str = ""  # digest of the dossier's text before this change
    left: str = ""  # and after it


History = Annotated[tuple[Change, ...], Field(max_length=10_000)]
