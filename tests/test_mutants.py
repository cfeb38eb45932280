"""`make mutants` changes what matters and nothing else; its parts that need no cosmic-ray."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from mutants.own import changes, operators, replaced, within

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).parent / "mutants" / "equivalent.toml"


def mutants(source: str) -> set[str]:
    """The modules that the house makes of one, without their blanks at the end."""
    return {replaced(source, change).strip() for change in changes(source)}


def test_an_outcome_becomes_each_other_one_the_module_knows() -> None:
    """An outcome that is not imported would fail by its name alone, and is not tried."""
    source = "from a import passed, unknown\nresult = passed(seen)\n"
    assert mutants(source) == {"from a import passed, unknown\nresult = unknown(seen)"}


def test_a_condition_always_holds_or_never_does() -> None:
    """Both ways for an `if`; a filter that never holds would be an empty list, and is left out."""
    assert mutants("if late:\n    x = 1") == {"if True:\n    x = 1", "if False:\n    x = 1"}
    assert mutants("y = [n for n in some if n.late]") == {"y = [n for n in some if True]"}


def test_a_keyword_is_left_out_wherever_it_stands() -> None:
    """In the middle with its comma, at the end without one."""
    made = mutants("x = made(a, b=1, c=2)")
    assert {ast.unparse(ast.parse(m)) for m in made} == {
        "x = made(a, c=2)",
        "x = made(a, b=1, **{})",
    }


def test_a_call_and_an_entry_of_a_table_are_lost() -> None:
    """A statement that only calls becomes nothing; each entry is left out once."""
    assert mutants("tell(it)") == {"pass"}
    assert mutants("x = {1: 'a', 2: 'b'}") == {"x = {2: 'b'}", "x = {1: 'a'}"}
    assert mutants("x = 1, 2") == {"x = (2,)", "x = (1,)"}


@pytest.mark.parametrize(
    "quiet",
    [
        "Reader = Callable[[int, str], dict[str, int]]",
        "Chosen = Sequence[tuple[int, str]] | None",
        "S = TypeVar('S', bound=tuple[int, str])",
        "__all__ = ['a', 'b']",
        "x: dict[str, tuple[int, str]] = {}",
        "def f(x: tuple[int, str]) -> tuple[int, str]: ...",
        "y = say('{x}', x=1)",
        "y = check(why=f(a=1), clarify=f(b=2))",
    ],
)
def test_texts_and_types_are_left_alone(quiet: str) -> None:
    """What nobody can see by behaviour is no mutant."""
    assert not mutants(quiet)


def test_a_change_is_made_at_its_place_after_characters_of_several_bytes() -> None:
    """ast counts bytes, a text has characters."""
    source = "from a import passed, failed\nx = 'é–«' and passed(y)\n"
    assert mutants(source) == {"from a import passed, failed\nx = 'é–«' and failed(y)"}


def test_the_bare_star_among_arguments_is_no_operator() -> None:
    """Only between two values: a function called otherwise is no change of what it does."""
    source = "def f(a, *, b):\n    return a * (b + 1)\n"
    spans = operators(ast.parse(source), source.splitlines())
    assert not within((1, source.index("*")), spans)
    assert within((2, 13), spans)
    assert within((2, 18), spans)


def test_every_equivalent_mutant_has_a_place_and_a_reason() -> None:
    """A module that is gone, or lines that changed, take their entry with them."""
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    for row in rows:
        source = (ROOT / row["module"]).read_text(encoding="utf-8")
        assert row["was"] in " ".join(source.split()), row
        assert row["was"] != row["becomes"], row
        assert row["why"].endswith("."), row
