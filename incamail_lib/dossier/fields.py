"""The path to one field of a dossier, and plain data read and changed along it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from incamail_lib.errors import DossierError
from incamail_lib.i18n import say
from incamail_lib.record import Record

Data = dict[str, Any]
Parts = tuple[str, ...]
FieldPath = str | Sequence[str | int]
"""Written with dots, "answers.6.3.state", or as its parts, ("answers", "6.3", "state")."""


def field_path(field: FieldPath) -> Parts:
    """The parts of a path. Two names hold dots themselves: the number of a checklist item and
    the host name below `network.ports`; with dots they are found by where they stand.
    """
    if not isinstance(field, str):
        return tuple(str(part) for part in field)
    item = re.fullmatch(r"answers\.(\d+\.\d+)(?:\.(.+))?", field)
    if item:
        return ("answers", item[1], *(item[2].split(".") if item[2] else ()))
    port = re.fullmatch(r"network\.ports\.(.+)", field)
    return ("network", "ports", port[1]) if port else tuple(field.split("."))


def value_at(data: Any, path: Parts) -> Any:
    """What stands at `path`; None where nothing does."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def with_value(data: Any, path: Parts, value: Any) -> Any:
    """A copy of `data` with another value at `path`; None removes the field. The number after the
    last entry of a list appends to it.

    Errors: DossierError where the path leads through a value that has no fields.
    """
    if not path:
        return value
    head, rest = path[0], path[1:]
    if data is None:
        data = [] if head == "0" else {}
    if isinstance(data, list):
        return _with_entry(data, head, rest, value)
    if not isinstance(data, dict):
        raise _no_such_field(head)
    changed = {**data, head: with_value(data.get(head), rest, value)}
    return {key: inner for key, inner in changed.items() if key != head or inner is not None}


def _with_entry(entries: list[Any], head: str, rest: Parts, value: Any) -> list[Any]:
    if not head.isdecimal() or int(head) > len(entries):
        raise _no_such_field(head)
    number = int(head)
    old = entries[number] if number < len(entries) else None
    new = with_value(old, rest, value)
    return [*entries[:number], *([] if new is None else [new]), *entries[number + 1 :]]


def _no_such_field(name: str) -> DossierError:
    return DossierError(
        say(
            "The dossier has no place for «{name}» here: what stands above it is a single value, "
            "or a list with fewer entries. Check the field's path.",
            name=name,
        )
    )


def as_plain(value: Any) -> Any:
    """A value as it stands in a dossier: text, list, group of fields, or None.

    Of a record only what differs from the defaults is kept.
    """
    if isinstance(value, Record):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        fields = {str(key): as_plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in fields.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [as_plain(inner) for inner in value]
    value = to_jsonable_python(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
