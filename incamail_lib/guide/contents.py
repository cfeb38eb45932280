"""The guide's contents as records, read from the TOML files beside this module."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from incamail_lib.errors import GuideError
from incamail_lib.guide.platform import Certainty
from incamail_lib.i18n import say
from incamail_lib.record import Record

R = TypeVar("R", bound=Record)
Owner = Literal["client", "post"]


class Demand(Record):
    """What a component must meet; its key stands in dossiers."""

    key: str
    kind: Literal["organisational", "technical"]
    text: str
    checks: tuple[str, ...] = ()  # codes of checks that give evidence
    items: tuple[str, ...] = ()  # questions of the checklist that settle it
    test: str = ""  # the kind of the acceptance test that shows it


class Component(Record):
    """A component between a person and IncaMail (guide 2); texts are English sources."""

    key: str
    title: str
    role: str
    demand: tuple[Demand, ...]

    @property
    def demands(self) -> tuple[str, ...]:
        """The texts of all demands, the organisational first."""
        return (*self.organisational, *self.technical)

    @property
    def organisational(self) -> tuple[str, ...]:
        """What the organisation must do."""
        return tuple(d.text for d in self.demand if d.kind == "organisational")

    @property
    def technical(self) -> tuple[str, ...]:
        """What the machine must do."""
        return tuple(d.text for d in self.demand if d.kind == "technical")


class Phase(Record):
    """A phase of the project (guide 3)."""

    key: Literal["planning", "preparation", "set_up", "test"]
    title: str
    objective: str
    deliverables: tuple[str, ...]
    leads: tuple[Owner, ...]


class Section(Record):
    """A section of the checklist (guide 4 to 7)."""

    number: str
    title: str


class ChecklistQuestion(Record):
    """A question of the checklist; `checks` are the families that give it evidence."""

    number: str
    question: str
    why: str
    sub_questions: tuple[str, ...]
    hint: str
    owner: Owner
    checks: tuple[str, ...] = ()
    decided_by_evidence: bool = False  # measuring answers the whole question
    yes_or_no: bool = False  # that it is clear is the answer


class Flow(Record):
    """A way that mail takes, or a test, step by step (guide 8)."""

    number: str
    title: str
    steps: tuple[str, ...]
    example: tuple[str, ...] = ()  # one message on this way, sentence by sentence


class Measure(Record):
    """What must be done by a day counted from going live; `by` is a role of the dossier."""

    key: str
    phase: Literal["planning", "preparation", "set_up", "test"]
    days: int
    by: str
    title: str
    items: tuple[str, ...] = ()  # questions of the checklist that are clear once it is done
    after: tuple[str, ...] = ()  # keys of measures that come before it
    audience: str = ""  # who is told something by it, and what
    message: str = ""


class Correction(Record):
    """What the guide says wrongly or no longer rightly, and what holds today."""

    item: str
    wrong: str
    right: str
    source: str
    certainty: Certainty


class Link(Record):
    """A page of Swiss Post's for a question of the checklist; nobody here can open it today."""

    item: str
    title: str
    url: str
    source: str
    certainty: Certainty
    verified_on: dt.date
    reverify_by: dt.date


class QuestionToPost(Record):
    """A question that only Swiss Post can answer, and the platform facts it would settle."""

    number: int
    question: str
    facts: tuple[str, ...]


class Contents(Record):
    """The guide."""

    components: tuple[Component, ...]
    phases: tuple[Phase, ...]
    sections: tuple[Section, ...]
    items: tuple[ChecklistQuestion, ...]
    flows: tuple[Flow, ...]
    corrections: tuple[Correction, ...]
    questions: tuple[QuestionToPost, ...]
    links: tuple[Link, ...]
    measures: tuple[Measure, ...]


@cache
def contents() -> Contents:
    """The guide as it ships with the library."""
    return read_contents(Path(__file__).parent)


def read_contents(folder: Path) -> Contents:
    """The guide from the TOML files of `folder`.

    Errors: GuideError naming file and field.
    """
    return Contents(
        components=_entries(folder / "components.toml", "component", Component),
        phases=_entries(folder / "phases.toml", "phase", Phase),
        sections=_entries(folder / "items.toml", "section", Section),
        items=_entries(folder / "items.toml", "item", ChecklistQuestion),
        flows=_entries(folder / "flows.toml", "flow", Flow),
        corrections=_entries(folder / "corrections.toml", "correction", Correction),
        questions=_entries(folder / "questions.toml", "question", QuestionToPost),
        links=_entries(folder / "links.toml", "link", Link),
        measures=_entries(folder / "measures.toml", "measure", Measure),
    )


def _entries(path: Path, key: str, kind: type[R]) -> tuple[R, ...]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(kind.model_validate(entry) for entry in data[key])
    except (OSError, KeyError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, key, str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{key}.{field}", first["msg"]) from None


def _damaged(path: Path, field: str, problem: str) -> GuideError:
    return GuideError(
        say(
            "The guide file {file} is damaged at «{field}» ({problem}). Install the product anew.",
            file=str(path),
            field=field,
            problem=problem[:200],
        )
    )
