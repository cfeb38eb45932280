"""What the house changes in its own code beyond cosmic-ray's operators: our faults of old.

cosmic-ray changes operators, numbers and constants. A check also goes wrong when an outcome, a
keyword, a condition, an entry of a table or a statement is lost; these are made here, from the
syntax tree, as replacements of a span of the text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Place: TypeAlias = tuple[int, int]  # line from 1, column in characters from 0

OUTCOMES = ("passed", "failed", "unknown", "not_applicable")
# Texts, sources and habits of a type: their loss changes no behaviour a test should hold.
SILENT = frozenset(
    [
        "why",
        "remedy",
        "passes",
        "fails",
        "asks",
        "clarify",
        "advice",
        "item",
        "reference",
        "title",
        "help",
        "frozen",
        "slots",
        "kw_only",
        "repr",
        "strict",  # of zip: tells faults of ours, changes nothing that is sound
    ]
)
GENERICS = frozenset(
    [
        *("tuple", "list", "dict", "set", "frozenset", "type", "Literal", "Generic"),
        *("Callable", "Iterable", "Iterator", "Mapping", "Sequence"),
    ]
)
TEXTS = frozenset(("say", "say_n", "N_"))


@dataclass(frozen=True)
class Change:
    """A span of a module and what stands there instead."""

    start: Place
    end: Place
    instead: str
    operator: str


def changes(source: str) -> list[Change]:
    """Every change that the house makes of a module, in the order of the text."""
    tree = ast.parse(source)
    lines = source.splitlines()
    quiet = silent(tree, lines)
    names = {
        a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names
    }
    found = [c for node in ast.walk(tree) for make in MAKERS for c in make(node, lines, names)]
    loud = (c for c in found if not within(c.start, quiet))
    return sorted(loud, key=lambda c: (c.start, c.end, c.instead))


def silent(tree: ast.AST, lines: list[str]) -> list[tuple[Place, Place]]:
    """Spans that say nothing at run time: annotations, texts, type-checking imports."""
    spans: list[ast.expr | ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            spans.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            spans.append(node.returns)
        elif isinstance(node, ast.Call):
            spans += [k.value for k in node.keywords if k.arg in SILENT]
        elif isinstance(node, ast.Assign):
            exported = any(named(target) == "__all__" for target in node.targets)
            spans += [node] if exported or is_type(node.value) else []
        elif isinstance(node, ast.If) and named(node.test) == "TYPE_CHECKING":
            spans.append(node)
    return [span(s, lines) for s in spans]


def operators(tree: ast.AST, lines: list[str]) -> list[tuple[Place, Place]]:
    """Where operators of two values stand: the bare * among the arguments of a function is none."""
    binary = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp)]
    return [(span(node.left, lines)[1], span(node.right, lines)[0]) for node in binary]


def is_type(node: ast.expr) -> bool:
    """Whether a value is an alias of a type: `tuple[int, str]`, `Callable[…] | None`, a TypeVar."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return is_type(node.left) or is_type(node.right)
    if isinstance(node, ast.Subscript):
        return named(node.value) in GENERICS
    return isinstance(node, ast.Call) and named(node) == "TypeVar"


def within(place: Place, spans: list[tuple[Place, Place]]) -> bool:
    return any(start <= place < end for start, end in spans)


def named(node: ast.AST) -> str:
    """The name a node is or calls, without what stands before its last dot."""
    if isinstance(node, ast.Call):
        return named(node.func)
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def span(node: ast.expr | ast.stmt | ast.keyword, lines: list[str]) -> tuple[Place, Place]:
    """Where a node stands; ast counts bytes, we count characters."""
    first, last = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]
    start = len(first.encode()[: node.col_offset].decode())
    end = len(last.encode()[: node.end_col_offset].decode())
    return (node.lineno, start), (node.end_lineno or node.lineno, end)


def replaced(source: str, change: Change) -> str:
    """The module with one change made."""
    lines = source.splitlines(keepends=True)
    (top, left), (bottom, right) = change.start, change.end
    before = "".join(lines[: top - 1]) + lines[top - 1][:left]
    after = lines[bottom - 1][right:] + "".join(lines[bottom:])
    return before + change.instead + after


def outcomes(node: ast.AST, lines: list[str], names: set[str]) -> Iterator[Change]:
    """A finding with another outcome: passed for unknown is the worst fault we know."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OUTCOMES:
        for other in OUTCOMES:
            if other != node.func.id and other in names:
                yield Change(*span(node.func, lines), other, "outcome")


def conditions(node: ast.AST, lines: list[str], _: set[str]) -> Iterator[Change]:
    """A condition that always or never holds."""
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.IfExp):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        always = ("True",) if isinstance(node, ast.comprehension) else ("True", "False")
        for instead in always:
            yield Change(*span(test, lines), instead, "condition")


def statements(node: ast.AST, lines: list[str], _: set[str]) -> Iterator[Change]:
    """A call whose effect is lost."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield Change(*span(node, lines), "pass", "statement")


def keywords(node: ast.AST, lines: list[str], _: set[str]) -> Iterator[Change]:
    """A keyword argument that is left out; without a comma it cannot be cut safely."""
    if not isinstance(node, ast.Call) or named(node) in TEXTS:
        return
    for keyword in node.keywords:
        start, end = span(keyword, lines)
        rest = lines[end[0] - 1][end[1] :]
        if keyword.arg and keyword.arg not in SILENT and rest.startswith(","):
            yield Change(start, (end[0], end[1] + 1), "", "keyword")
        elif keyword.arg and keyword.arg not in SILENT and rest.startswith(")"):
            yield Change(start, end, "**{}", "keyword")


def entries(node: ast.AST, lines: list[str], _: set[str]) -> Iterator[Change]:
    """A table that lost an entry."""
    if isinstance(node, ast.Set | ast.List | ast.Tuple) and isinstance(
        getattr(node, "ctx", ast.Load()), ast.Load
    ):
        if len(node.elts) > 1 and not any(isinstance(e, ast.Starred) for e in node.elts):
            kept = [[e for e in node.elts if e is not lost] for lost in node.elts]
            shapes = {ast.Set: "{%s}", ast.List: "[%s]", ast.Tuple: "(%s,)"}
            for some in kept:
                text = ", ".join(ast.unparse(e) for e in some)
                yield Change(*span(node, lines), shapes[type(node)] % text, "entry")
    elif isinstance(node, ast.Dict) and len(node.keys) > 1 and None not in node.keys:
        for at in range(len(node.keys)):
            pairs = [p for n, p in enumerate(zip(node.keys, node.values, strict=True)) if n != at]
            text = ", ".join(f"{ast.unparse(k)}: {ast.unparse(v)}" for k, v in pairs if k)
            yield Change(*span(node, lines), "{%s}" % text, "entry")  # noqa: UP031


MAKERS: tuple[Callable[[ast.AST, list[str], set[str]], Iterator[Change]], ...] = (
    outcomes,
    conditions,
    statements,
    keywords,
    entries,
)
