"""From one schema of the dossier to the next: a table of pure functions on plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from incamail_lib.dossier.agreed import SCHEMA

Data = dict[str, Any]


def to_2(data: Data) -> Data:
    """Schema 2 adds contacts, answers, acceptance, signatures and history; nothing moves."""
    return data | {"schema": "2"}


def to_3(data: Data) -> Data:
    """Schema 3 keeps the history in a file of its own, to which the store has moved it; it adds
    mail clients, monitoring, measures and who confirmed the inner hop."""
    return {key: value for key, value in data.items() if key != "history"} | {"schema": "3"}


MIGRATIONS: dict[int, Callable[[Data], Data]] = {1: to_2, 2: to_3}
"""Schema -> what makes the next one of it."""


def schema_of(data: Data) -> int | None:
    """The schema that a dossier says it has; 1 when it says nothing, None when it is no number."""
    given = data.get("schema")
    if given is None:
        return 1 if "schema" not in data else None
    text = str(given).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def is_newer(data: Data) -> bool:
    """Whether the dossier comes from a later version of this program."""
    return (schema_of(data) or 0) > SCHEMA


def migrated(data: Data) -> Data:
    """The same dossier in the schema of today. The data given must be valid."""
    while (schema := schema_of(data)) in MIGRATIONS:
        data = MIGRATIONS[schema](data)
    return data
