"""Test messages as they are offered, and as the dossier has what became of them: pure values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incamail_lib.dossier.agreed import Attempt, Audience, Direction, MessageKind, Seen
from incamail_lib.dossier.words import message_text, term
from incamail_lib.i18n import Language, Text, say
from incamail_lib.lab.mail import Outcome
from incamail_lib.linktest import TestMessage
from incamail_lib.sheets.language import formatter

Key = tuple[Direction, MessageKind, Audience]


@dataclass(frozen=True)
class Offer:
    """A message that may be sent by one act, which is the consent of whoever is at work."""

    key: Key
    test: TestMessage
    consent: Text  # what the person agrees to; it names the whole recipient


@dataclass(frozen=True)
class Try:
    """One attempt as the dossier has it."""

    key: Key
    attempt: Attempt
    name: Text  # which test
    outcome: Text  # of the hand-over
    arrival: Text  # what is known of it

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to say if the message arrived."""
        return self.attempt.is_open


@dataclass(frozen=True)
class Shown:
    """Everything that there is to see before and after an act."""

    server: Text  # who takes the messages, and by which TLS
    messages: tuple[TestMessage, ...]
    offers: tuple[Offer, ...]
    problem: Text | None  # why no message can be composed
    missing: Text | None  # what is lacking before anything may be sent
    tries: tuple[Try, ...]  # the newest first
    is_sample: bool  # nothing was entered yet
    on_lab: bool
    login: Text | None  # how the password is given, where the server wants a login


def seen_on_lab(found: Outcome, now: dt.datetime, language: Language) -> Seen:
    """What the lab's mailboxes and logs say of one message."""
    tell = formatter(language)
    if found.arrivals:
        first = found.arrivals[0]
        told = (
            say("In the mailbox; every hand-over on the way was encrypted.")
            if first.encrypted
            else say("In the mailbox; not every hand-over on the way was encrypted.")
        )
        return Seen(
            arrived=True, at=now, words=tell.told(told), way=first.way, encrypted=first.encrypted
        )
    stopped = found.stopped
    told = stopped.text if stopped else say("No server of the lab noted where it is.")
    return Seen(arrived=False, at=now, words=tell.told(told, value_limit=400))


def by_servers(seen: Seen) -> Text | str:
    """What was seen of a message that arrived, with the servers that it came by."""
    if not seen.way:
        return seen.words
    return say("{words} By {servers}.", words=seen.words, servers=", ".join(seen.way))


def tried(key: Key, attempt: Attempt) -> Try:
    return Try(key, attempt, message_text(*key), term(attempt.outcome), _arrival(attempt))


def _arrival(attempt: Attempt) -> Text:
    if attempt.seen is not None:
        who = attempt.seen.by or say("the lab itself")
        if attempt.seen.arrived:
            words = by_servers(attempt.seen)
            return say("Arrived ({who}): {words}", who=who, words=words)
        return say("Not arrived ({who}): {words}", who=who, words=attempt.seen.words)
    if attempt.is_open:
        return say("Nobody has noted whether it arrived.")
    return say("Not handed over.")
