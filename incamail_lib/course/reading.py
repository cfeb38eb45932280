"""From a lesson's texts (TOML) and what the library is asked (Python) to the lesson."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import (
    Belief,
    Choose,
    Enter,
    Exercise,
    Mark,
    Material,
    Option,
    Pages,
    Predict,
    Proof,
    Repair,
    Rule,
    Slip,
    Sort,
    no_pages,
    no_proof,
    nothing,
)
from incamail_lib.course.lesson import Lesson
from incamail_lib.facts.routing import RuleSet, StandardSample

LESSONS = Path(__file__).parent / "lessons"
_KINDS: dict[str, type[Exercise]] = {
    **{"choose": Choose, "predict": Predict, "mark": Mark, "sort": Sort},
    **{"enter": Enter, "rule": Rule, "repair": Repair},
}


@dataclass(frozen=True)
class Asked:
    """What the library is asked about one exercise: the part of it that is no text.

    `values` has one value for each option, by its key; what else is needed depends on the kind.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    holds: Callable[[Bench, Any], bool] | None = None
    order: Callable[[Bench], tuple[str, ...]] | None = None
    truth: Callable[[Bench], str] | None = None
    base: RuleSet | None = None
    material: Material = nothing
    pages: Pages = no_pages
    proof: Proof = no_proof


def read(key: str, asked: Mapping[str, Asked]) -> Lesson:
    """The lesson of `<key>.toml`. A key that stands in one of the two places alone is a bug."""
    written = tomllib.loads((LESSONS / f"{key}.toml").read_text(encoding="utf-8"))
    beliefs = tuple(Belief(**belief) for belief in written.pop("belief"))
    exercises = written.pop("exercise")
    assert [e["key"] for e in exercises] == list(asked), key
    return Lesson(
        key=key,
        beliefs=beliefs,
        exercises=tuple(_exercise(e, asked[e["key"]]) for e in exercises),
        summary=tuple(written.pop("summary")),
        **written,
    )


def _exercise(written: dict[str, Any], asked: Asked) -> Exercise:
    kind = _KINDS[written.pop("kind")]
    options, slips = written.pop("option", ()), written.pop("slip", ())
    parts: dict[str, Any] = {
        name: part
        for name in ("holds", "order", "truth", "base")
        if (part := getattr(asked, name)) is not None
    }
    if options:
        parts["options"] = _options(written["key"], options, asked.values)
    if slips:
        parts["slips"] = tuple(_slip(slip) for slip in slips)
    for name in ("hints", "codes", "fields"):
        if name in written:
            written[name] = tuple(written[name])
    parts |= {name: getattr(asked, name) for name in ("material", "pages", "proof")}
    return kind(**written, **parts)


def _options(
    key: str, options: list[dict[str, str]], values: Mapping[str, Any]
) -> tuple[Option, ...]:
    assert not values or list(values) == [o["key"] for o in options], key
    return tuple(_option(option, values.get(option["key"])) for option in options)


def _option(written: dict[str, str], value: Any) -> Option:
    """`line` in place of `text` is a line of a header or an address: the same in any language."""
    return Option(
        key=written["key"],
        text=written.get("text") or written["line"],
        because=written.get("because", ""),
        belief=written.get("belief", ""),
        value=value,
    )


def _slip(written: dict[str, Any]) -> Slip:
    example = written.pop("example")
    samples = frozenset(StandardSample(name) for name in written.pop("samples", ()))
    given = tuple(example) if isinstance(example, list) else example
    return Slip(given, samples=samples, **written)
