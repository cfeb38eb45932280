"""The words for what a dossier keeps as codes."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.dossier.progress import Audience, Direction, Kind, Role, State, TestResult
from incamail_lib.i18n import N_, Text

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
    (Kind.CONFIDENTIAL, N_("confidential")),
    (Kind.PERSONAL, N_("personal")),
    (Kind.REGISTERED, N_("registered")),
    (Audience.INTERNAL, N_("internal address")),
    (Audience.EXTERNAL, N_("external address")),
    (TestResult.OPEN, N_("not tested yet")),
    (TestResult.PASSED, N_("passed")),
    (TestResult.FAILED, N_("failed")),
)
_WORDS = {(type(member), member.value): text for member, text in _PAIRS}


def term(token: StrEnum) -> Text:
    """A code of the dossier in words."""
    return Text(template=_WORDS[type(token), token.value])
