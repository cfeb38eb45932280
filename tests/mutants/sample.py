"""A seeded sample of mutants: modules of ours, each with one thing changed."""

from __future__ import annotations

import ast
import difflib
import random
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from . import own

# Decorators of ours register or make types; variables want arguments; `is` and `==` say the same of
# members of an enumeration, which is what we compare by `is`.
LEFT_OUT = (
    *("RemoveDecorator", "VariableReplacer", "VariableInserter", "NoOp"),
    *("Is_Eq", "Eq_Is", "IsNot_NotEq", "NotEq_IsNot"),
)


@dataclass(frozen=True)
class Mutant:
    """One change of one module. `was` and `becomes` are the lines that differ."""

    module: str
    line: int
    operator: str
    was: str
    becomes: str
    source: str

    @property
    def title(self) -> str:
        return f"{self.module}:{self.line}  {self.was}  ->  {self.becomes}"


def sample(root: Path, modules: list[Path], *, number: int, seed: str) -> list[Mutant]:
    """`number` mutants of the modules: first a place by chance, then one change of that place.

    Otherwise a comparison, which has many operators, would be drawn more often than a call.
    """
    chance = random.Random(seed)
    places = [(m, p) for m in modules for p in sorted(places_of(m.read_text(encoding="utf-8")))]
    chance.shuffle(places)
    drawn: list[Mutant] = []
    for module, place in places:
        if len(drawn) == number:
            break
        text = module.read_text(encoding="utf-8")
        made = chance.choice(places_of(text)[place])
        mutated = mutated_text(text, made)
        if mutated is not None and mutated != text and compiles(mutated):
            drawn.append(describe(module.relative_to(root).as_posix(), text, mutated, made=made))
    return drawn


def places_of(text: str) -> dict[own.Place, list[own.Change | tuple[str, int]]]:
    """Place -> what can be changed there: ours, or cosmic-ray's operator and its occurrence."""
    found: dict[own.Place, list[own.Change | tuple[str, int]]] = defaultdict(list)
    for change in own.changes(text):
        found[change.start].append(change)
    for name, occurrence, place in theirs(text):
        found[place].append((name, occurrence))
    return found


def theirs(text: str) -> Iterator[tuple[str, int, own.Place]]:
    """cosmic-ray's operators with their occurrences, outside what says nothing at run time."""
    tree, lines = ast.parse(text), text.splitlines()
    quiet, binary = own.silent(tree, lines), own.operators(tree, lines)
    nodes = list(ast_nodes(get_ast(text)))
    for name in sorted(operator_names()):
        if name.endswith(LEFT_OUT):
            continue
        operator = get_operator(name)()
        places = [start for n in nodes for start, _ in operator.mutation_positions(n)]
        for occurrence, place in enumerate(places):
            marker = "BinaryOperator" in name and not own.within(place, binary)
            if not marker and not own.within(place, quiet):
                yield name, occurrence, place


def mutated_text(text: str, made: own.Change | tuple[str, int]) -> str | None:
    if isinstance(made, own.Change):
        return own.replaced(text, made)
    name, occurrence = made
    mutated: str | None = mutate_code(text, get_operator(name)(), occurrence)
    return mutated


def compiles(text: str) -> bool:
    """Whether Python takes it without a word, such as about `is` with a number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        try:
            compile(text, "mutant", "exec")
        except (SyntaxError, SyntaxWarning):
            return False
    return True


def describe(module: str, text: str, mutated: str, *, made: own.Change | tuple[str, int]) -> Mutant:
    """The mutant with the lines that differ, as a person reads them."""
    before, after = text.splitlines(), mutated.splitlines()
    spans = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    _, top, bottom, left, right = next(s for s in spans if s[0] != "equal")
    return Mutant(
        module=module,
        line=top + 1,
        operator=made.operator if isinstance(made, own.Change) else made[0],
        was=" ".join(" ".join(before[top:bottom]).split()),
        becomes=" ".join(" ".join(after[left:right]).split()),
        source=mutated,
    )
