"""Facts and audits as JSON files: written whole or not at all, read with clear errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from incamail_lib.errors import MaterialError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.files import read_regular, write_whole
from incamail_lib.findings import Audit
from incamail_lib.i18n import say
from incamail_lib.record import Record

R = TypeVar("R", bound=Record)
MAX_BYTES = 200_000_000


def save_record(record: Record, path: Path | str) -> Path:
    """Write `record` as JSON, whole or not at all. Errors: OutputError."""
    text = record.model_dump_json(indent=2, exclude_defaults=False) + "\n"
    return write_whole(Path(path), text.encode())


def load_facts(path: Path) -> AuditFacts:
    """Saved facts. An audit.json is accepted too: its facts are used, its findings are not."""
    data = _load_json(path)
    if isinstance(data, dict) and "facts" in data and "findings" in data:
        data = data["facts"]
    return _validate(data, AuditFacts, path)


def load_audit(path: Path) -> Audit:
    """A saved audit with its findings."""
    return _validate(_load_json(path), Audit, path)


def _load_json(path: Path) -> object:
    try:
        data = read_regular(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise MaterialError(say("{file} is too large for a facts file.", file=str(path)))
        return json.loads(data.decode())
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise MaterialError(
            say(
                "{file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=cause,
            )
        ) from None
    except (ValueError, RecursionError):
        raise MaterialError(
            say(
                "{file} is not valid JSON. Use the facts.json or audit.json that an audit wrote.",
                file=str(path),
            )
        ) from None


def _validate(data: object, kind: type[R], path: Path) -> R:
    try:
        return kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors()[0]
        raise MaterialError(
            say(
                "{file}, field «{field}»: not what this version expects ({problem}). "
                "Use an unchanged file that an audit wrote.",
                file=str(path),
                field=".".join(str(part) for part in first["loc"]) or "–",
                problem=first["type"],
            )
        ) from None
