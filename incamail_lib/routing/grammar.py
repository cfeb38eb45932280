"""The grammar of subject patterns: the part that POSIX, PCRE, Exim and .NET have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from incamail_lib.i18n import Text, say

MAX_REPEAT = 200
MAX_DEPTH = 40  # of nested groups

_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": str.isdigit,
    "s": str.isspace,
    "w": lambda char: char.isalnum() or char == "_",
}
_POSIX: dict[str, Callable[[str], bool]] = {
    "space": str.isspace,
    "blank": lambda char: char in " \t",
    "digit": str.isdigit,
    "alpha": str.isalpha,
    "alnum": str.isalnum,
    "upper": str.isalpha,  # case is ignored
    "lower": str.isalpha,
    "punct": lambda char: char.isprintable() and not char.isalnum() and not char.isspace(),
}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}

Test = Callable[[str], bool]


class Unsupported(Exception):
    """The pattern is malformed or needs what cannot be searched in linear time."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english())
        self.text = text


@dataclass(frozen=True)
class Atom:
    """One character that passes a test."""

    takes: Test


@dataclass(frozen=True)
class Assertion:
    """A place: "^", "$", "b" or "B"."""

    at: str


@dataclass(frozen=True)
class Sequence:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Alternative:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repetition:
    """From `least` to `most` times; None: without end."""

    item: Node
    least: int
    most: int | None


Node = Atom | Assertion | Sequence | Alternative | Repetition


def parse_expression(pattern: str) -> Node:
    """The syntax tree of `pattern`. Errors: Unsupported."""
    reader = _Reader(pattern)
    node = reader.alternative()
    if not reader.at_end:
        raise Unsupported(say("a bracket is closed that was never opened"))
    return node


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._rest = pattern.removeprefix("(?i)")
        self._at = 0
        self._depth = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._rest)

    def _peek(self, length: int = 1) -> str:
        return self._rest[self._at : self._at + length]

    def _take(self) -> str:
        if self.at_end:
            raise Unsupported(say("it ends too early"))
        self._at += 1
        return self._rest[self._at - 1]

    def _skip(self, token: str) -> bool:
        found = self._rest.startswith(token, self._at)
        if found:
            self._at += len(token)
        return found

    def alternative(self) -> Node:
        options = [self._sequence()]
        while self._skip("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Alternative(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while not self.at_end and self._peek() not in "|)":
            items.append(self._repeated(self._single()))
        return Sequence(tuple(items))

    def _repeated(self, node: Node) -> Node:
        while not self.at_end:
            bounds = self._bounds()
            if bounds is None:
                return node
            self._skip("?")  # lazy or greedy find the same matches
            node = Repetition(node, *bounds)
        return node

    def _bounds(self) -> tuple[int, int | None] | None:
        for token, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._skip(token):
                return bounds
        if self._peek() != "{" or not self._peek(2)[1:].isdigit():
            return None
        self._take()
        return self._counted()

    def _counted(self) -> tuple[int, int | None]:
        least = self._number()
        most: int | None = least
        if self._skip(","):
            most = None if self._peek() == "}" else self._number()
        if not self._skip("}") or (most is not None and most < least):
            raise Unsupported(say("a repetition in braces is malformed"))
        return least, most

    def _number(self) -> int:
        digits = ""
        while self._peek() in tuple("0123456789"):
            digits += self._take()
        if not digits or len(digits) > 3 or int(digits) > MAX_REPEAT:
            raise Unsupported(say("a repetition in braces is malformed"))
        return int(digits)

    def _single(self) -> Node:
        char = self._take()
        if char in "^$":
            return Assertion(char)
        if char == ".":
            return Atom(lambda _: True)
        if char == "(":
            return self._group()
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise Unsupported(say("a repetition sign has nothing to repeat"))
        return Atom(_literal(char))

    def _group(self) -> Node:
        if self._peek() == "?" and not self._skip("?:"):
            raise Unsupported(say("look-around, named groups and inline options are not supported"))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unsupported(say("its groups are nested too deeply"))
        node = self.alternative()
        self._depth -= 1
        if not self._skip(")"):
            raise Unsupported(say("a bracket is not closed"))
        return node

    def _escape(self) -> Node:
        char = self._take()
        if char in "bB":
            return Assertion(char)
        if char in "AZz":
            return Assertion("^" if char == "A" else "$")
        return Atom(_escaped(char))

    def _set(self) -> Node:
        negated = self._skip("^")
        tests: list[Test] = []
        while not self._skip("]") or not tests:
            tests.append(self._member(first=not tests))
        return Atom(_one_of(tuple(tests), negated=negated))

    def _member(self, *, first: bool) -> Test:
        if self._skip("[:"):
            return self._posix()
        # an opening "]" is a literal; the loop above has just skipped it
        char = "]" if first and self._rest[self._at - 1] == "]" else self._take()
        if char == "\\":
            return _escaped(self._take())
        if self._peek() == "-" and self._peek(2)[1:] not in ("]", ""):
            self._take()
            return _between(char, self._take())
        return _literal(char)

    def _posix(self) -> Test:
        name = ""
        while not self._skip(":]"):
            name += self._take()
        if name not in _POSIX:
            raise Unsupported(say("the character class «{name}» is unknown", name=name[:20]))
        return _POSIX[name]


def _literal(expected: str) -> Test:
    folded = expected.casefold()
    return lambda char: char.casefold() == folded


def _escaped(char: str) -> Test:
    if char.lower() in _CLASSES:
        test = _CLASSES[char.lower()]
        return test if char.islower() else lambda other: not test(other)
    if char in _ESCAPES:
        return _literal(_ESCAPES[char])
    if char.isalnum():
        raise Unsupported(
            say("back references and the escape «{escape}» are not supported", escape="\\" + char)
        )
    return _literal(char)


def _between(low: str, high: str) -> Test:
    if low > high:
        raise Unsupported(say("a range of characters runs backwards"))
    return lambda char: any(low <= form <= high for form in (char, char.lower(), char.upper()))


def _one_of(tests: tuple[Test, ...], *, negated: bool) -> Test:
    return lambda char: any(test(char) for test in tests) != negated
