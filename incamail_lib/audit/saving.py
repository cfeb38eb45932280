"""Facts and audits as JSON files: written whole or not at all, read with clear errors."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from incamail_lib.errors import MaterialError, OutputError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Audit
from incamail_lib.i18n import say
from incamail_lib.record import Record

R = TypeVar("R", bound=Record)
MAX_BYTES = 200_000_000


def save_record(record: Record, path: Path) -> Path:
    """Write `record` as JSON beside its final name and rename, so no half file is ever seen."""
    text = record.model_dump_json(indent=2, exclude_defaults=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            say(
                "{file} could not be written ({cause}). Free some space or choose another folder.",
                file=str(path),
                cause=error.strerror or type(error).__name__,
            )
        ) from None
    return path


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
        if path.stat().st_size > MAX_BYTES:
            raise MaterialError(say("{file} is too large for a facts file.", file=str(path)))
        return json.loads(path.read_text(encoding="utf-8"))
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
