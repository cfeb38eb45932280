"""Regular expressions of a subject rule, searched in time linear in the text.

A pattern comes from a client's configuration. Python's own engine backtracks: a pattern such as
`(a+)+$` would hang on one crafted subject, and it has no time limit. Here a pattern becomes a
small automaton that is walked once over the text, so no pattern can be slow. What needs
backtracking (back references, look-around) is refused with a clear message.

Read as mail servers read header checks: ignoring case, "." matches line ends too, "^" and "$"
only match at the ends of the header (regexp_table(5), pcre_table(5)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from incamail_lib.errors import UsageError
from incamail_lib.i18n import Text, say
from incamail_lib.routing.grammar import (
    Alternative,
    Assertion,
    Atom,
    Node,
    Repetition,
    Sequence,
    Unsupported,
    parse_expression,
)

MAX_PATTERN = 200  # characters
MAX_STEPS = 600  # instructions of the automaton, after counted repetitions are written out
MAX_TEXT = 4000  # characters of a subject that are looked at; RFC 5322 §2.1.1 allows 998 a line


@dataclass(frozen=True)
class Step:
    """One instruction: take a character, test a place, or go on at one or two other steps."""

    takes: Callable[[str], bool] | None = None
    at: str = ""
    goes: tuple[int, ...] = ()
    accepts: bool = False


class Expression:
    """One compiled pattern. Errors: UsageError when it is malformed, too long or unsupported."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._steps: list[Step] = []
        if len(pattern) > MAX_PATTERN:
            raise _refusal(pattern, say("it is longer than {limit} characters", limit=MAX_PATTERN))
        try:
            self._emit(parse_expression(pattern))
        except Unsupported as error:
            raise _refusal(pattern, error.text) from None
        self._add(Step(accepts=True))

    def search(self, text: str) -> bool:
        """Whether the pattern occurs in the first MAX_TEXT characters of `text`."""
        text = text[:MAX_TEXT]
        current: set[int] = set()
        for position in range(len(text) + 1):
            self._follow(0, text, position, current)
            if any(self._steps[index].accepts for index in current):
                return True
            if position < len(text):
                current = self._advance(current, text, position)
        return False

    def _advance(self, current: set[int], text: str, position: int) -> set[int]:
        following: set[int] = set()
        for index in current:
            takes = self._steps[index].takes
            if takes is not None and takes(text[position]):
                self._follow(index + 1, text, position + 1, following)
        return following

    def _follow(self, start: int, text: str, position: int, reached: set[int]) -> None:
        """Add to `reached` every step that can be come to without taking a character."""
        waiting = [start]
        while waiting:
            index = waiting.pop()
            if index in reached:
                continue
            reached.add(index)
            step = self._steps[index]
            if step.goes and (not step.at or _holds(step.at, text, position)):
                waiting.extend(step.goes)

    def _add(self, step: Step) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise _refusal(self.pattern, say("its repetitions make it too large"))
        self._steps.append(step)
        return len(self._steps) - 1

    def _emit(self, node: Node) -> None:
        if isinstance(node, Atom):
            self._add(Step(takes=node.takes))
        elif isinstance(node, Assertion):
            index = len(self._steps)
            self._add(Step(at=node.at, goes=(index + 1,)))
        elif isinstance(node, Sequence):
            for item in node.items:
                self._emit(item)
        elif isinstance(node, Alternative):
            self._emit_alternative(node)
        else:
            self._emit_repetition(node)

    def _emit_alternative(self, node: Alternative) -> None:
        ends: list[int] = []
        for option in node.options[:-1]:
            fork = self._add(Step())
            self._emit(option)
            ends.append(self._add(Step()))
            self._steps[fork] = Step(goes=(fork + 1, len(self._steps)))
        self._emit(node.options[-1])
        for end in ends:
            self._steps[end] = Step(goes=(len(self._steps),))

    def _emit_repetition(self, node: Repetition) -> None:
        for _ in range(node.least):
            before = len(self._steps)
            self._emit(node.item)
            if len(self._steps) == before:  # nothing, repeated, is nothing
                break
        if node.most is None:
            fork = self._add(Step())
            self._emit(node.item)
            self._add(Step(goes=(fork,)))
            self._steps[fork] = Step(goes=(fork + 1, len(self._steps)))
            return
        forks: list[int] = []
        for _ in range(node.most - node.least):
            forks.append(self._add(Step()))
            self._emit(node.item)
        for fork in forks:
            self._steps[fork] = Step(goes=(fork + 1, len(self._steps)))


def _holds(place: str, text: str, position: int) -> bool:
    if place == "^":
        return position == 0
    if place == "$":
        return position == len(text) or (position == len(text) - 1 and text[-1] == "\n")
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before != after) == (place == "b")


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _refusal(pattern: str, problem: Text) -> UsageError:
    return UsageError(
        say(
            "The subject pattern «{pattern}» cannot be used: {problem}. Use plain text, groups, "
            "character classes, alternatives and repetitions, for example «<(im|c|p|r)>».",
            pattern=pattern[:80],
            problem=problem,
        )
    )


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Expression:
    """The expression for `pattern`. Errors: UsageError."""
    return Expression(pattern)
