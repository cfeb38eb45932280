"""What is agreed and done on the way from planning to acceptance: people, answers, tests, history.

States are stored as codes, never as words, so that a dossier reads the same in every language.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from incamail_lib.record import Record, UtcDatetime

SCHEMA = 2
"""The schema of dossiers written today; a dossier without the field `schema` is of schema 1."""

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


class Kind(StrEnum):
    """What a test message is sent as; plain is the link test of guide 8.3."""

    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    REGISTERED = "registered"


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


class AcceptanceTest(Record):
    """One message exchanged to prove that the link works, and what became of it."""

    direction: Direction
    kind: Kind
    audience: Audience
    result: TestResult = TestResult.OPEN
    tested_at: UtcDatetime | None = None
    tested_by: str = ""
    message_id: str = ""
    smtp_reply: str = ""  # of the client's own MTA, when the runbook sent the message
    received: Words = ""  # what the receiving side saw
    remark: Words = ""

    @property
    def key(self) -> tuple[Direction, Kind, Audience]:
        """What tells this test from the others."""
        return self.direction, self.kind, self.audience


class Signature(Record):
    """A name under an acceptance report."""

    document: str  # "link", "identity" or a direction
    name: Line
    organisation: Line
    signed_on: dt.date


class Change(Record):
    """One line of the dossier's history."""

    at: UtcDatetime
    who: str
    what: str  # the field, e.g. "answers.6.3.state"
    before: str = ""
    after: str = ""
    conflict: bool = False  # then `before`, written by somebody else meanwhile, was kept


History = Annotated[tuple[Change, ...], Field(max_length=10_000)]
