"""The kinds of exercises, as values that never change.

No kind holds its solution. What is right is asked of the library – routing, certificates, hops, an
audit of the lab – each time an answer is checked; the texts beside an option only say why.
Every text is an English source (`N_`) and is translated when it is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from incamail_lib.course.bench import Bench
from incamail_lib.facts.routing import RuleSet, StandardSample
from incamail_lib.i18n import Text
from incamail_lib.lab.scenario import Scenario
from incamail_lib.sheets.model import Block

Given: TypeAlias = str | tuple[str, ...] | dict[str, str]
"""An answer: the key of an option, several keys, a value, or the fields of a rule."""

T = TypeVar("T")


@dataclass(frozen=True)
class Belief:
    """What a novice may have in mind: a picture of mail that is wrong, or not the whole of it."""

    key: str
    text: str


@dataclass(frozen=True)
class Option:
    """One thing to choose, to mark or to put in its place.

    `because` tells why it is right or wrong; whether it is, the library decides by `value`.
    `belief` names the picture in the mind of whoever chooses it wrongly.
    """

    key: str
    text: str
    because: str
    belief: str = ""
    value: Any = None


@dataclass(frozen=True)
class Slip:
    """A wrong answer that many give, with its reason. `example` is one answer that meets it.

    An order meets it that has `first` before `second`; a rule, that gets all of `samples` wrong; a
    value, that is the example.
    """

    example: Given
    because: str
    belief: str
    first: str = ""
    second: str = ""
    samples: frozenset[StandardSample] = frozenset()


Material: TypeAlias = Callable[[Bench], tuple[str, ...]]
"""Lines to look at before answering: headers, a transcript, a certificate. As they are."""
Proof: TypeAlias = Callable[[Bench], tuple[Text, ...]]
"""What is shown after an answer, by which the learner sees it happen."""
Pages: TypeAlias = Callable[[Bench], tuple[Block, ...]]
"""Part of a document to look at before answering, such as a page of a report."""


def nothing(_: Bench) -> tuple[str, ...]:
    """No lines."""
    return ()


def no_pages(_: Bench) -> tuple[Block, ...]:
    """No part of a document."""
    return ()


def no_proof(_: Bench) -> tuple[Text, ...]:
    """Nothing beyond the reason."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What all kinds have: a situation, one question, hints that unfold one by one."""

    key: str
    title: str
    situation: str
    question: str
    hints: tuple[str, ...]
    item: str  # number in Post's guide
    codes: tuple[str, ...] = ()  # checks that it explains
    material: Material = nothing
    pages: Pages = no_pages
    proof: Proof = no_proof


@dataclass(frozen=True, kw_only=True)
class Choose(Exercise):
    """One of several. `holds` asks the library whether an option is true."""

    options: tuple[Option, ...]
    holds: Callable[[Bench, Any], bool]


@dataclass(frozen=True, kw_only=True)
class Predict(Choose):
    """Say what will happen, then see it happen: `proof` is what ran on the lab."""


@dataclass(frozen=True, kw_only=True)
class Mark(Choose):
    """All lines of a transcript, or all things of a list, for which it holds."""


@dataclass(frozen=True, kw_only=True)
class Sort(Exercise):
    """Everything in its order. `order` asks the library for it."""

    options: tuple[Option, ...]
    order: Callable[[Bench], tuple[str, ...]]
    slips: tuple[Slip, ...]
    right: str  # why the order is what it is


@dataclass(frozen=True, kw_only=True)
class Enter(Exercise):
    """One value, compared without regard to case and blanks."""

    truth: Callable[[Bench], str]
    slips: tuple[Slip, ...]
    right: str
    other: str  # what is said of a value that nobody foresaw


@dataclass(frozen=True, kw_only=True)
class Rule(Exercise):
    """Write a routing rule; it is tried on the samples that every client's rule is tried on.

    `fields` are the parts of a RuleSet that the learner writes, `base` is the rest of it.
    """

    base: RuleSet
    fields: tuple[str, ...]
    model: dict[str, str]  # one rule that the library finds nothing wrong with
    slips: tuple[Slip, ...]
    right: str
    other: str


@dataclass(frozen=True, kw_only=True)
class Repair(Exercise):
    """The lab is broken in one place. It is healed by the option whose change – from the broken
    scenario to another – makes every failing check pass and no other fail."""

    scenario: str
    options: tuple[Option, ...]  # value: Change


Change: TypeAlias = Callable[[Scenario], Scenario]


def shuffled(options: Iterable[T], *, seed: str, name: Callable[[T], str]) -> tuple[T, ...]:
    """The options in an order that the seed alone decides, on every machine and version."""

    def place(option: T) -> bytes:
        return hashlib.sha256(f"{seed}\0{name(option)}".encode()).digest()

    return tuple(sorted(options, key=place))


def options_of(exercise: Exercise, seed: str) -> tuple[Option, ...]:
    """The options of an exercise, shuffled for a learner; lines of a transcript stay in order."""
    found: tuple[Option, ...] = getattr(exercise, "options", ())
    if isinstance(exercise, Mark):
        return found
    return shuffled(found, seed=f"{seed}/{exercise.key}", name=lambda option: option.key)
