"""The words for phases, roles, states and settings: a dossier itself holds codes only."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.dossier.agreed import (
    AddIn,
    Audience,
    Direction,
    MessageKind,
    Program,
    Role,
    State,
    TestResult,
    Way,
)
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.facts.routing import ENGINE_NAMES, Engine, Method, NextHopKind, SubjectView
from incamail_lib.i18n import N_, Text, say

_PHASES: dict[str, str] = {
    "planning": N_("Planning"),
    "preparation": N_("Preparation"),
    "set_up": N_("Set-up"),
    "test": N_("Test"),
}
# Pairs, not a dict by member: members of different StrEnums with equal values are equal keys.
_PAIRS: tuple[tuple[StrEnum, str], ...] = (
    (Role.PROJECT_LEAD, N_("Project lead")),
    (Role.MAIL_ADMIN, N_("Mail administration")),
    (Role.NETWORK_ADMIN, N_("Network and firewall")),
    (Role.SECURITY, N_("Information security")),
    (Role.SUPPORT, N_("First-level support")),
    (Role.COMMUNICATION, N_("Communication")),
    (Role.CONSULTANT, N_("Consultant")),
    (Role.POST, N_("Swiss Post")),
    (State.CLEAR, N_("clear")),
    (State.UNCLEAR, N_("not clear")),
    (State.TODO, N_("to do")),
    (Direction.OUTGOING, N_("outgoing")),
    (Direction.INCOMING, N_("incoming")),
    (MessageKind.CONFIDENTIAL, N_("confidential")),
    (MessageKind.PERSONAL, N_("personal")),
    (MessageKind.REGISTERED, N_("registered")),
    (MessageKind.HTML_ATTACHMENT, N_("with an HTML attachment")),
    (Audience.INTERNAL, N_("internal address")),
    (Audience.EXTERNAL, N_("external address")),
    (TestResult.OPEN, N_("not tested yet")),
    (TestResult.PASSED, N_("passed")),
    (TestResult.FAILED, N_("failed")),
    (Way.RUNBOOK, N_("by the runbook")),
    (Way.PROGRAM, N_("in a mail program, without the add-in")),
    (Way.ADD_IN, N_("in a mail program, with the add-in")),
    (DeliveryOutcome.ACCEPTED, N_("taken by the mail server")),
    (DeliveryOutcome.DEFERRED, N_("put off by the mail server")),
    (DeliveryOutcome.REFUSED, N_("refused by the mail server")),
    (DeliveryOutcome.NOT_SENT, N_("not sent")),
    (DeliveryOutcome.UNCERTAIN, N_("handed over, no answer")),
    (Program.OUTLOOK_CLASSIC, N_("Outlook for Windows, classic")),
    (Program.OUTLOOK_NEW, N_("Outlook for Windows, new")),
    (Program.OUTLOOK_WEB, N_("Outlook on the web")),
    (Program.OUTLOOK_MAC, N_("Outlook for Mac")),
    (Program.OUTLOOK_MOBILE, N_("Outlook for mobile devices")),
    (Program.NOTES, N_("Lotus Notes (HCL Notes)")),
    (Program.GROUPWISE, N_("GroupWise")),
    (Program.OTHER, N_("another mail client")),
    (AddIn.HTML, N_("HTML add-in")),
    (AddIn.COM, N_("COM add-in")),
    (AddIn.NONE, N_("no add-in: suffix and tag by hand")),
    (Method.DOMAIN, N_("by the recipient's domain suffix")),
    (Method.SUBJECT, N_("by the subject")),
    (Method.BOTH, N_("by suffix and by subject")),
    (Method.NONE, N_("no rule")),
    (NextHopKind.MX, N_("MX look-up")),
    (NextHopKind.SMART_HOST, N_("host name")),
    (NextHopKind.STATIC, N_("fixed address")),
    (SubjectView.DECODED, N_("the decoded subject")),
    (SubjectView.RAW, N_("the raw header line")),
    (SubjectView.NOT_SAID, N_("not said")),
    (Engine.NOT_KNOWN, N_("not known")),
    *((engine, name) for engine, name in ENGINE_NAMES.items()),
)
_WORDS = {(type(member), member.value): text for member, text in _PAIRS}


def phase_text(key: str) -> Text:
    """A phase of the guide."""
    return Text(template=_PHASES[key])


def term(token: StrEnum) -> Text:
    """A code of the dossier in words: who takes part, where a question or a test stands, what a
    test message is and what became of it, how mail is routed. Forms, commands and documents all
    say it so."""
    return Text(template=_WORDS[type(token), token.value])


def message_text(direction: Direction, kind: MessageKind, audience: Audience) -> Text:
    """One message of the acceptance tests, e.g. "outgoing, confidential, internal address"."""
    return say(
        "{direction}, {kind}, {audience}",
        direction=term(direction),
        kind=term(kind),
        audience=term(audience),
    )
