"""The words for phases, roles and states: a dossier itself holds codes only."""

from __future__ import annotations

from incamail_lib.dossier.progress import Audience, Direction, Kind, Role, State, TestResult
from incamail_lib.i18n import N_, Text, say

_PHASES: dict[str, str] = {
    "planning": N_("Planning"),
    "preparation": N_("Preparation"),
    "set_up": N_("Set-up"),
    "test": N_("Test"),
}
_ROLES = {
    Role.PROJECT_LEAD: N_("Project lead"),
    Role.MAIL_ADMIN: N_("Mail administration"),
    Role.NETWORK_ADMIN: N_("Network administration"),
    Role.SECURITY: N_("IT security"),
    Role.SUPPORT: N_("First-level support"),
    Role.COMMUNICATION: N_("Communication"),
    Role.CONSULTANT: N_("Consultant"),
    Role.POST: N_("Swiss Post"),
}
_STATES = {
    State.CLEAR: N_("clear"),
    State.UNCLEAR: N_("not clear"),
    State.TODO: N_("to do"),
}
_RESULTS = {
    TestResult.OPEN: N_("open"),
    TestResult.PASSED: N_("passed"),
    TestResult.FAILED: N_("failed"),
}

_DIRECTIONS = {Direction.OUTGOING: N_("outgoing"), Direction.INCOMING: N_("incoming")}
_KINDS = {
    Kind.CONFIDENTIAL: N_("confidential"),
    Kind.PERSONAL: N_("personal"),
    Kind.REGISTERED: N_("registered"),
}
_AUDIENCES = {
    Audience.INTERNAL: N_("internal address"),
    Audience.EXTERNAL: N_("external address"),
}


def phase_text(key: str) -> Text:
    """A phase of the guide."""
    return Text(template=_PHASES[key])


def role_text(role: Role) -> Text:
    """Who takes part."""
    return Text(template=_ROLES[role])


def state_text(state: State | TestResult) -> Text:
    """Where a question or a test stands."""
    return Text(template=_STATES[state] if isinstance(state, State) else _RESULTS[state])


def message_text(direction: Direction, kind: Kind, audience: Audience) -> Text:
    """One message of the acceptance tests, e.g. "outgoing, confidential, internal address"."""
    return say(
        "{direction}, {kind}, {audience}",
        direction=Text(template=_DIRECTIONS[direction]),
        kind=Text(template=_KINDS[kind]),
        audience=Text(template=_AUDIENCES[audience]),
    )
