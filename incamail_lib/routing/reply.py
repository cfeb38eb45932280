"""What one engine answers to one header: a value, and how it was come by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from incamail_lib.facts.routing import Engine
from incamail_lib.i18n import Text


class Answer(StrEnum):
    """What an engine does with a header."""

    MATCHES = "matches"
    MISSES = "misses"
    NO_RULE = "no_rule"  # the engine refuses the expression: there is no rule at all
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reply:
    """One answer. `cause` says why there is no rule, or why it is unknown; `asked` whether the
    engine's own library gave it, rather than its documentation."""

    engine: Engine
    answer: Answer
    cause: Text | None = None
    asked: bool = True

    @property
    def selects(self) -> bool:
        """Whether the rule applies: without a rule nothing does."""
        return self.answer is Answer.MATCHES

    @property
    def is_known(self) -> bool:
        """Whether there is an answer."""
        return self.answer is not Answer.UNKNOWN


class NoRule(Exception):
    """The engine refuses the expression: in its own words, or in ours where it has none."""

    def __init__(self, cause: Text | str) -> None:
        super().__init__(cause if isinstance(cause, str) else cause.english())
        self.cause = cause


class CannotAsk(Exception):
    """The engine cannot be asked here, or not within bounds."""

    def __init__(self, cause: Text) -> None:
        super().__init__(cause.english())
        self.cause = cause
