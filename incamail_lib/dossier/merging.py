"""Three versions of one dossier -> one: pure, field by field, nobody's value lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import JsonValue

from incamail_lib.dossier.fields import Parts
from incamail_lib.record import Record

Data = dict[str, Any]


class Conflict(Record):
    """A field that two sides changed to different values; None stands for a field removed."""

    field: str  # with dots, e.g. "answers.6.3.state"
    ours: JsonValue
    theirs: JsonValue


@dataclass(frozen=True)
class Merged:
    """The merged data, and where `theirs` was kept although `ours` says something else."""

    value: Data
    conflicts: tuple[Conflict, ...] = ()


class _Missing(Enum):
    FIELD = "missing"


_MISSING = _Missing.FIELD

# The entries of these lists are told apart by what they say, not by their place: a person may
# have inserted or removed one meanwhile.
_KEYS: dict[str, tuple[str, ...]] = {
    "acceptance": ("direction", "kind", "audience"),
    "contacts": ("role", "name"),
    "signatures": ("document", "name", "signed_on"),
    "samples": ("label",),
    "mail_clients": ("program", "name"),
    "receiving": ("host",),
    "sending": ("host",),
}


def merge(base: Data, ours: Data, theirs: Data) -> Merged:
    """What both sides made of `base`. Where they contradict each other, theirs stands."""
    conflicts: list[Conflict] = []
    merged = _merge_fields(base, ours, theirs, path=(), conflicts=conflicts)
    return Merged(merged, tuple(conflicts))


def _merge_fields(
    base: Data, ours: Data, theirs: Data, *, path: Parts, conflicts: list[Conflict]
) -> Data:
    found = {}
    for key in (*theirs, *(key for key in ours if key not in theirs)):
        sides = [side.get(key, _MISSING) for side in (base, ours, theirs)]
        value = _merge_value(*sides, path=(*path, key), conflicts=conflicts)
        if value is not _MISSING:
            found[key] = value
    return found


def _merge_value(
    base: Any, ours: Any, theirs: Any, *, path: Parts, conflicts: list[Conflict]
) -> Any:
    if ours in (theirs, base):
        return theirs
    if theirs == base:
        return ours
    if isinstance(ours, dict) and isinstance(theirs, dict):
        known = base if isinstance(base, dict) else {}
        return _merge_fields(known, ours, theirs, path=path, conflicts=conflicts)
    if isinstance(ours, list) and isinstance(theirs, list):
        entries = base if isinstance(base, list) else []
        merged = _merge_lists(entries, ours, theirs, path=path, conflicts=conflicts)
        if merged is not None:
            return merged
    kept = [None if side is _MISSING else side for side in (ours, theirs)]
    conflicts.append(Conflict(field=".".join(path), ours=kept[0], theirs=kept[1]))
    return theirs


def _merge_lists(
    base: list[Any], ours: list[Any], theirs: list[Any], *, path: Parts, conflicts: list[Conflict]
) -> list[Any] | None:
    """The merged list; None where it cannot be told what became of which entry."""
    sides = [_keyed(side, _KEYS.get(path[-1], ())) for side in (base, ours, theirs)]
    if all(side is not None for side in sides):
        named = [side for side in sides if side is not None]
        return list(_merge_fields(*named, path=path, conflicts=conflicts).values())
    if ours[: len(base)] != base or theirs[: len(base)] != base:
        return None
    added = ours[len(base) :]
    return theirs + [entry for entry in added if entry not in theirs[len(base) :]]


def _keyed(entries: list[Any], names: tuple[str, ...]) -> Data | None:
    """The entries by what tells them apart; None where nothing does."""
    if not names or not all(isinstance(entry, dict) for entry in entries):
        return None
    found = {".".join(str(entry.get(name)) for name in names): entry for entry in entries}
    return found if len(found) == len(entries) else None


class Difference(Record):
    """A field that two dossiers give different values; None stands for no value."""

    field: str
    before: JsonValue
    after: JsonValue


def differences(before: Data, after: Data) -> tuple[Difference, ...]:
    """Every field that is not the same in both, down to single values."""
    old, new = dict(_flat(before, ())), dict(_flat(after, ()))
    return tuple(
        Difference(field=field, before=old.get(field), after=new.get(field))
        for field in sorted(old | new)
        if old.get(field) != new.get(field)
    )


def _flat(value: Any, path: Parts) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        keyed = _keyed(value, _KEYS.get(path[-1], ()))
        value = keyed if keyed else {str(number): entry for number, entry in enumerate(value)}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, (*path, key))
    elif value is not None:
        yield ".".join(path), value


def in_words(value: Any) -> str:
    """A value as one piece of text, for the history; "" for none."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
