"""How far an organisation is, phase by phase: what is done, what comes next, and who must act.

The laws:

1. The phases and their order are the guide's. Planning decides (the components of 2, sections 4 and
   5, and the first three questions of 6), preparation carries out (section 6), set-up follows
   section 7, the tests are those of 3 and 8. A question of 6.1 to 6.3 therefore stands in two
   phases: it is decided in one and its measure taken in the other.
2. A step is done when a person said so (*clear*, *passed*) – or, of a component, when it is known
   not to be there, or what it is and who runs it. Planning asks for that; preparation asks whether
   every demand of the guide on it is met, which a person says of each demand. Evidence of an audit
   never ends a step by itself.
3. The two tests of the link have passed once their report is signed; of the thirteen messages of
   acceptance the last entry counts, so that a test repeated with another result is open again.
4. The guide says which side acts. Within the client the most specific start of the number decides
   the role; where nobody has that role, the project lead answers for it. Swiss Post leads its own
   questions and the messages that come in.
5. A step is overdue from the day after its date, and never once it is done. Today is an argument.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from incamail_lib.dossier.agreed import (
    AcceptanceTest,
    Answer,
    Direction,
    Role,
    State,
    TestResult,
    messages_of,
)
from incamail_lib.dossier.model import Dossier
from incamail_lib.dossier.words import message_text
from incamail_lib.guide import Contents
from incamail_lib.guide.contents import Component as GuideComponent
from incamail_lib.i18n import N_, Text, say
from incamail_lib.record import Record

PhaseKey = Literal["planning", "preparation", "set_up", "test"]
Owner = Literal["client", "post"]


class StepKind(StrEnum):
    """What a step is about."""

    QUESTION = "question"  # of the checklist, guide 4 to 7
    COMPONENT = "component"  # guide 2
    TEST = "test"  # guide 3 and 8


class Step(Record):
    """One thing that a phase needs, and where it stands."""

    kind: StepKind
    key: str  # "6.3", "mail_gateway", "outgoing.confidential.internal", "link" or "identity"
    title: Text
    state: State | TestResult
    owner: Owner  # who must act, by the guide
    role: Role  # the people responsible there
    who: str = ""  # the person, where the dossier names one
    due: dt.date | None = None
    is_overdue: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in (State.CLEAR, TestResult.PASSED)


class PhaseProgress(Record):
    """Where one phase stands."""

    phase: PhaseKey
    steps: tuple[Step, ...]
    done: int
    questions: dict[State, int]  # by state, every state present
    components: dict[State, int]
    tests: dict[TestResult, int]
    next_step: Step | None = None  # the first that is not done
    overdue: tuple[Step, ...] = ()

    @property
    def missing(self) -> tuple[Step, ...]:
        """Everything that is not done."""
        return tuple(step for step in self.steps if not step.is_done)


class Progress(Record):
    """Where an organisation stands."""

    organisation: str
    today: dt.date
    go_live: dt.date | None
    phases: tuple[PhaseProgress, ...]  # in the guide's order

    @property
    def is_complete(self) -> bool:
        """Whether every phase is done."""
        return all(phase.done == len(phase.steps) for phase in self.phases)


# The questions whose decision belongs to planning, and those whose measure belongs to preparation;
# the first three of section 6 are decided in one and carried out in the other.
_PLANNED = ("4.", "5.", "6.1", "6.2", "6.3")
_PREPARED = ("6.",)
_SET_UP = ("7.",)

_ROLES: tuple[tuple[str, Role], ...] = (
    ("4.", Role.PROJECT_LEAD),
    ("5.2", Role.SUPPORT),
    ("5.", Role.COMMUNICATION),
    ("6.4", Role.NETWORK_ADMIN),
    ("6.8", Role.SECURITY),
    ("6.", Role.MAIL_ADMIN),
    ("7.", Role.PROJECT_LEAD),
    ("firewall", Role.NETWORK_ADMIN),
)

_TESTS: tuple[tuple[str, str], ...] = (
    ("link", N_("Simple test of the link (guide 8.3)")),
    ("identity", N_("Check that it is really IncaMail (guide 8.4)")),
)


def progress(dossier: Dossier, guide: Contents, today: dt.date) -> Progress:
    """Where the organisation stands on the day `today`, by which dates are overdue."""
    planned = (*_components(dossier, guide), *_questions(dossier, guide, _PLANNED, today))
    steps: dict[PhaseKey, tuple[Step, ...]] = {
        "planning": planned,
        "preparation": (
            *_questions(dossier, guide, _PREPARED, today),
            *(_demands(dossier, component) for component in guide.components),
        ),
        "set_up": _questions(dossier, guide, _SET_UP, today),
        "test": (*_link_tests(dossier), *_acceptance(dossier)),
    }
    return Progress(
        organisation=dossier.organisation,
        today=today,
        go_live=dossier.go_live,
        phases=tuple(_phase(phase.key, steps[phase.key]) for phase in guide.phases),
    )


def _phase(key: PhaseKey, steps: tuple[Step, ...]) -> PhaseProgress:
    states = {kind: Counter(s.state for s in steps if s.kind is kind) for kind in StepKind}
    return PhaseProgress(
        phase=key,
        steps=steps,
        done=sum(step.is_done for step in steps),
        questions={state: states[StepKind.QUESTION][state] for state in State},
        components={state: states[StepKind.COMPONENT][state] for state in State},
        tests={result: states[StepKind.TEST][result] for result in TestResult},
        next_step=next((step for step in steps if not step.is_done), None),
        overdue=tuple(step for step in steps if step.is_overdue),
    )


def _questions(
    dossier: Dossier, guide: Contents, numbers: tuple[str, ...], today: dt.date
) -> tuple[Step, ...]:
    found = []
    for item in guide.items:
        if item.number.startswith(numbers):
            answer = dossier.answers.get(item.number, Answer())
            role = Role.POST if item.owner == "post" else _role(item.number)
            is_late = answer.due is not None and answer.due < today
            step = Step(
                kind=StepKind.QUESTION,
                key=item.number,
                title=Text(template=item.question),
                state=answer.state,
                owner=item.owner,
                role=role,
                who=answer.owner or _named(dossier, role),
                due=answer.due,
                is_overdue=is_late and answer.state is not State.CLEAR,
            )
            found.append(step)
    return tuple(found)


def _components(dossier: Dossier, guide: Contents) -> tuple[Step, ...]:
    found = []
    for component in guide.components:
        stated = dossier.components.get(component.key)
        is_known = stated is not None and stated.present is not None
        # What is there needs its product and its operator: they decide what must be set up.
        is_told = stated is not None and bool(stated.product and stated.operator)
        is_clear = is_known and (is_told or (stated is not None and not stated.present))
        role = _role(component.key)
        step = Step(
            kind=StepKind.COMPONENT,
            key=component.key,
            title=Text(template=component.title),
            state=State.CLEAR if is_clear else State.TODO if is_known else State.UNCLEAR,
            owner="client",
            role=role,
            who=_named(dossier, role),
        )
        found.append(step)
    return tuple(found)


def _demands(dossier: Dossier, component: GuideComponent) -> Step:
    """Whether what a component must meet is met, as somebody says of each demand."""
    stated = dossier.components.get(component.key)
    said = stated.requirements if stated is not None else {}
    answers = [said.get(demand.key) for demand in component.demand]
    is_absent = stated is not None and stated.present is False
    state = State.TODO if False in answers else State.UNCLEAR
    role = _role(component.key)
    return Step(
        kind=StepKind.COMPONENT,
        key=component.key,
        title=say("{component}: what it must meet", component=Text(template=component.title)),
        state=State.CLEAR if is_absent or all(answers) else state,
        owner="client",
        role=role,
        who=_named(dossier, role),
    )


def _link_tests(dossier: Dossier) -> tuple[Step, ...]:
    """The two tests without the add-in; each has passed once its report is signed."""
    signed = {signature.document for signature in dossier.signatures}
    return tuple(
        _test(dossier, key, Text(template=title), TestResult.PASSED if key in signed else None)
        for key, title in _TESTS
    )


def _acceptance(dossier: Dossier) -> Iterable[Step]:
    """The thirteen messages. Of a test that was repeated, the last entry counts."""
    latest = {test.key: test for test in dossier.acceptance}
    for key in messages_of():
        test = latest.get(key)
        yield _test(dossier, ".".join(key), message_text(*key), _result(test))


def _result(test: AcceptanceTest | None) -> TestResult | None:
    return test.result if test else None


def _test(dossier: Dossier, key: str, title: Text, result: TestResult | None) -> Step:
    # The guide lets Post lead the tests; messages that leave the client are sent by its own people.
    is_posts = key.startswith(Direction.INCOMING)
    role = Role.POST if is_posts else Role.MAIL_ADMIN
    return Step(
        kind=StepKind.TEST,
        key=key,
        title=title,
        state=result or TestResult.OPEN,
        owner="post" if is_posts else "client",
        role=role,
        who=_named(dossier, role),
    )


def _role(key: str) -> Role:
    return next((role for start, role in _ROLES if key.startswith(start)), Role.MAIL_ADMIN)


def _named(dossier: Dossier, role: Role) -> str:
    """The first contact in a role; for the client's side, else its project lead."""
    wanted = (role,) if role is Role.POST else (role, Role.PROJECT_LEAD)
    for one in wanted:
        for contact in dossier.contacts:
            if contact.role is one:
                return contact.name
    return ""
