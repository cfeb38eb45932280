"""Facts and audits as JSON files: written whole or not at all, read with clear errors."""

from __future__ import annotations

import errno
import hashlib
import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from incamail_lib.audit import migrating
from incamail_lib.audit.migrating import Data, Step
from incamail_lib.errors import MaterialError, reason
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.files import json_of, read_bounded, write_whole
from incamail_lib.findings import Audit
from incamail_lib.i18n import Text, say
from incamail_lib.record import Record
from incamail_lib.seal import Keys, Standing, examine

R = TypeVar("R", bound=Record)
MAX_BYTES = 200_000_000
_OF_TEXT = frozenset(Text.model_fields)


def save_record(record: Record, path: Path | str) -> Path:
    """Write `record` as JSON, whole or not at all. Errors: OutputError."""
    text = record.model_dump_json(indent=2, exclude_defaults=False) + "\n"
    return write_whole(Path(path), text.encode())


def load_facts(path: Path) -> AuditFacts:
    """Saved facts of any schema. Of an audit.json the facts are used, its findings are not.

    Errors: MaterialError, also for a file that was changed after it was sealed.
    """
    _refuse_changed(path)
    data = _load_json(path)
    if isinstance(data, dict) and "facts" in data and "findings" in data:
        data = data["facts"]
    return _complete(_validate(_facts_of_today(data, path), AuditFacts, path), path)


def read_unchanged(path: Path, sha256: str) -> bytes:
    """The content of a record that is as it was written. Errors: MaterialError."""
    data = _content(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MaterialError(_changed(path))
    return data


def load_audit(path: Path) -> Audit:
    """A saved audit of any schema with its findings."""
    return audit_of(_load_json(path), path)


def audit_of(data: object, path: Path) -> Audit:
    """An audit of any schema from the plain data of its JSON, which was kept in `path`.

    Errors: MaterialError.
    """
    if isinstance(data, dict):
        data = _of_today(data, migrating.AUDIT, migrating.AUDIT_SCHEMA, path)
        data = data | {"facts": _facts_of_today(data.get("facts"), path)}
    audit = _validate(data, Audit, path)
    _complete(audit.facts, path)
    return audit


def _refuse_changed(path: Path) -> None:
    """Nobody else's seal counts for or against a file; one of a trusted key must fit."""
    found = examine(path.parent, Keys.of_user())
    if found.standing is Standing.ALTERED and path.name in found.changed:
        raise MaterialError(_changed(path))


def _changed(path: Path) -> Text:
    return say(
        "{file} was changed after it was sealed. Use an unchanged file that an audit wrote.",
        file=str(path),
    )


def _facts_of_today(data: object, path: Path) -> object:
    if not isinstance(data, dict):
        return data  # refused where it is validated
    return _of_today(data, migrating.FACTS, migrating.FACTS_SCHEMA, path)


def _of_today(data: Data, steps: Mapping[int, Step], known: int, path: Path) -> Data:
    """A record in the schema of today. Errors: MaterialError for one of a newer version."""
    given = migrating.schema_of(data)
    if given is not None and given > known:
        raise MaterialError(
            say(
                "{file} was written by a newer version of this program (record format {given}; "
                "known here is {known}). Update the program.",
                file=str(path),
                given=given,
                known=known,
            )
        )
    return migrating.migrated(data, steps)


def _complete(facts: AuditFacts, path: Path) -> AuditFacts:
    """The same facts, if what was measured has an address and what was read has a certificate.

    Errors: MaterialError.
    """
    for name, endpoints in (
        ("receiving", facts.receiving),
        ("platform_endpoints", facts.platform_endpoints),
    ):
        if not all(endpoint.target.address for endpoint in endpoints):
            raise MaterialError(_unexpected(path, f"{name}.target.address", "missing"))
    if any(c.readable.is_yes and not c.chain for c in facts.credentials):
        raise MaterialError(_unexpected(path, "credentials.chain", "missing"))
    return facts


def _content(path: Path) -> bytes:
    try:
        return read_bounded(path, MAX_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise MaterialError(
                say("{file} is too large for a facts file.", file=str(path))
            ) from None
        raise MaterialError(
            say(
                "{file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None


def _load_json(path: Path) -> object:
    data = _content(path)
    try:
        return json_of(data)
    except ValueError:  # also digits beyond what Python takes for a number
        raise MaterialError(
            say(
                "{file} is not valid JSON. Use the facts.json or audit.json that an audit wrote.",
                file=str(path),
            )
        ) from None


def _validate(data: object, kind: type[R], path: Path) -> R:
    _refuse_odd_texts(data, path)
    try:
        return kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors()[0]
        # Beside the fields, pydantic names the functions it asked: "function-after[…]".
        parts = [str(part) for part in first["loc"] if "[" not in str(part)]
        field = ".".join(parts) or "–"
        raise MaterialError(_unexpected(path, field, first["type"])) from None


def _unexpected(path: Path, field: str, problem: str) -> Text:
    return say(
        "{file}, field «{field}»: not what this version expects ({problem}). "
        "Use an unchanged file that an audit wrote.",
        file=str(path),
        field=field,
        problem=problem,
    )


def _refuse_odd_texts(data: object, path: Path) -> None:
    """Refuse sentences whose braces name anything but their own values. Errors: MaterialError."""
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            if not _fits(one):
                raise MaterialError(
                    say(
                        "{file} holds a sentence that no audit wrote (curly brackets that name "
                        "no value of it). Use an unchanged file that an audit wrote.",
                        file=str(path),
                    )
                )


def _fits(text: dict[str, object]) -> bool:
    """Whether what may be a `Text` can be filled in with its own values."""
    templates = [t for t in (text.get("template"), text.get("one")) if isinstance(t, str)]
    values = text.get("values") or {}
    if not (text.keys() <= _OF_TEXT and templates and isinstance(values, dict)):
        return True
    try:
        fields = [field for t in templates for field in string.Formatter().parse(t)]
    except ValueError:
        return not values  # it is not filled in then
    named = [(name, spec, way) for _, name, spec, way in fields if name is not None]
    return not values or all(
        name in values and not spec and way is None for name, spec, way in named
    )
