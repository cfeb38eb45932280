"""YAML -> Dossier, with errors that name file, line, field and what is allowed."""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from incamail_lib.dossier.agreed import SCHEMA
from incamail_lib.dossier.migrating import is_newer
from incamail_lib.dossier.model import CertificateFile, Dossier
from incamail_lib.dossier.oddities import backslash_text, forbidden_text, invisible_text, odd_place
from incamail_lib.dossier.quick import plain_data
from incamail_lib.errors import DossierError, reason
from incamail_lib.files import read_bounded
from incamail_lib.i18n import N_, Text, say
from incamail_lib.printable import invisible, printable

MAX_BYTES = 1_000_000
SHOWN = 80  # characters of a wrong value that are repeated to the user


@dataclass(frozen=True)
class Source:
    """A dossier's file as read: its text, the nodes with their places, and what they say."""

    path: Path
    text: str
    root: yaml.MappingNode
    data: dict[str, Any]  # scalars are text or None
    dossier: Dossier  # paths are absolute


def read_dossier(path: Path) -> Dossier:
    """Read and validate one dossier; relative paths in it start at the dossier's own folder.

    Errors: DossierError for everything that can be wrong with the file, first problem first.
    """
    text = read_text(path)
    data = plain_data(text)
    if data is not None:
        with suppress(DossierError):  # the slower way tells the line too
            return validated(data, path)
    return parsed(text, path).dossier


def read_source(path: Path) -> Source:
    """Read and validate one dossier, and keep where everything stands in its file."""
    return parsed(read_text(path), path)


def parsed(text: str, path: Path) -> Source:
    """A dossier from the text of its file. Errors: DossierError, as `read_dossier`."""
    root = _compose(text, path)
    _refuse_tags(text, path)
    _refuse_unsafe(root, path)
    data = plain(root)
    dossier = validated(data, path, root)
    return Source(path=path, text=text, root=root, data=data, dossier=dossier)


def validated(data: dict[str, Any], path: Path, root: yaml.MappingNode | None = None) -> Dossier:
    """The record that plain data makes; without `root` an error names no line."""
    if is_newer(data):
        raise DossierError(_place(root, path, ("schema",), _newer(data)))
    try:
        dossier = Dossier.model_validate(data)
    except ValidationError as error:
        # A misspelt field is reported before the field that is then missing.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        location = tuple(part for part in first["loc"] if not _is_branch(part))
        problem = _meaning(first, location)
        raise DossierError(_place(root, path, location, _with_unseen(problem, first))) from None
    return _anchored(dossier, path.resolve().parent)


def _newer(data: dict[str, Any]) -> Text:
    return say(
        "This dossier was written by a newer version of this program (schema {given}; known here "
        "is {known}). Update the program.",
        given=str(data["schema"])[:SHOWN],
        known=SCHEMA,
    )


def _compose(text: str, path: Path) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DossierError(_not_yaml(text, path, line, error.problem or "")) from None
    except yaml.reader.ReaderError as error:
        raise DossierError(forbidden_text(str(path), text, error.position)) from None
    except (yaml.YAMLError, RecursionError):
        raise DossierError(
            say(
                "{file} contains characters that YAML does not allow, or is nested too deeply. "
                "Save it as plain UTF-8 text.",
                file=str(path),
            )
        ) from None
    if not isinstance(root, yaml.MappingNode):
        odd = odd_place(text, text.count("\n") + 1)
        if odd is not None:
            raise DossierError(invisible_text(str(path), odd))
        raise DossierError(
            say(
                "{file} is not a dossier: it must consist of lines such as "
                "«organisation: Muster AG».",
                file=str(path),
            )
        )
    return root


def _not_yaml(text: str, path: Path, line: int, problem: str) -> Text:
    """Why a line is not YAML: an invisible character, a Windows path, or what the parser says."""
    odd = odd_place(text, line)
    if odd is not None:
        return invisible_text(str(path), odd)
    escaped = backslash_text(str(path), text, line) if "escape" in problem else None
    return escaped or say(
        "{file}, line {line}: this is not valid YAML ({problem}). "
        "Check indentation, colons and quotes there.",
        file=str(path),
        line=line,
        problem=problem,
    )


def plain(node: yaml.Node) -> Any:
    """Nodes as plain data. Scalars stay text, which the record types convert: YAML's own guesses
    turn `no` into False, 2027-02-30 into a crash and 12:30 into 750."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(value) for value in node.value]
    assert isinstance(node, yaml.ScalarNode)
    empty = node.style is None and node.value in ("", "~", "null")
    return None if empty else node.value


def read_text(path: Path) -> str:
    """The text of a dossier's file, unread. Errors: DossierError."""
    try:
        return read_bounded(path, MAX_BYTES).decode("utf-8")  # byte order mark, line ends stay
    except UnicodeDecodeError as error:
        raise DossierError(
            say(
                "{file} is not UTF-8 text (byte {position}). Save it again as UTF-8.",
                file=str(path),
                position=error.start,
            )
        ) from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise DossierError(
                say("{file} is larger than 1 MB and cannot be a dossier.", file=str(path))
            ) from None
        raise DossierError(
            say(
                "{file} cannot be read ({cause}). Check the path and its permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None


def _refuse_unsafe(node: yaml.Node, path: Path, seen: set[int] | None = None) -> None:
    """Refuse aliases (a few lines can expand to gigabytes) and keys that appear twice."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        raise DossierError(
            _at(
                node,
                path,
                "*",
                say("YAML anchors and aliases (& and *) are not supported; repeat the value."),
            )
        )
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_unsafe(child, path, seen)
    if isinstance(node, yaml.MappingNode):
        _refuse_unsafe_keys(node, path)
        for _, child in node.value:
            _refuse_unsafe(child, path, seen)


def _refuse_tags(text: str, path: Path) -> None:
    """Refuse tags such as !!python/object: they ask the reader to make something of a value."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if getattr(event, "tag", None) is not None:
            problem = say("Tags (words that begin with !) are not supported; leave it out.")
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise DossierError(
                say("{file}, line {line}: {problem}", file=str(path), line=line, problem=problem)
            )


def _refuse_unsafe_keys(node: yaml.MappingNode, path: Path) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            raise DossierError(_at(key, path, "?", say("A field name must be one plain word.")))
        if key.value in keys:
            raise DossierError(
                _at(key, path, key.value, say("This field appears twice; keep one of them."))
            )
        keys.add(key.value)


def _is_branch(part: int | str) -> bool:
    """Pydantic names the member of a union in the location; that is not a field."""
    return isinstance(part, str) and (part.startswith(("literal[", "function-")) or part == "path")


def _node_at(root: yaml.Node, location: tuple[int | str, ...]) -> yaml.Node:
    node = root
    for depth, part in enumerate(location, start=1):
        if isinstance(node, yaml.MappingNode):
            key, inner = _entry(node, str(part))
            if (
                key is not None
                and depth == len(location)
                and not isinstance(inner, yaml.ScalarNode)
            ):
                return key  # its value begins a line below
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            inner = node.value[part] if part < len(node.value) else None
        else:
            inner = None
        if inner is None:
            return node
        node = inner
    return node


def _entry(node: yaml.MappingNode, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    return next(((k, v) for k, v in node.value if k.value == name), (None, None))


def _place(
    root: yaml.Node | None, path: Path, location: tuple[int | str, ...], problem: Text
) -> Text:
    field = ".".join(str(part) for part in location)
    if root is None:
        return say(
            "{file}, field «{field}»: {problem}", file=str(path), field=field, problem=problem
        )
    return _at(_node_at(root, location), path, field, problem)


def _at(node: yaml.Node, path: Path, field: str, problem: Text) -> Text:
    """The problem with its place: file, line and field."""
    return say(
        "{file}, line {line}, field «{field}»: {problem}",
        file=str(path),
        line=node.start_mark.line + 1,
        field=field,
        problem=problem,
    )


def _with_unseen(problem: Text, error: ErrorDetails) -> Text:
    """The problem, and the invisible character in the value or field name that explains it."""
    suspects = (str(error["loc"][-1]) if error["loc"] else "", error.get("input"))
    found = next((f for s in suspects if isinstance(s, str) and (f := invisible(s))), None)
    if found is None or str(error.get("ctx", {}).get("error", "")) in _UNSEEN_TOKENS:
        return problem
    return say(
        "{problem} An invisible character stands in it ({character}): delete it, or type it anew.",
        problem=problem,
        character=found[1],
    )


_UNSEEN_TOKENS = ("control_character", "invisible_character")


def _meaning(error: ErrorDetails, location: tuple[int | str, ...]) -> Text:
    kind = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    given = "" if error.get("input") is None else printable(str(error.get("input")), SHOWN)
    if kind == "extra_forbidden":
        allowed = ", ".join(_fields_at(location[:-1]))
        return say("This field is not known. Allowed here: {allowed}.", allowed=allowed)
    if kind in ("literal_error", "enum"):
        allowed = str(context.get("expected", ""))
        return say("«{given}» is not possible; allowed: {allowed}.", given=given, allowed=allowed)
    if kind == "value_error":
        kind = str(context.get("error", ""))
    template = next((t for start, t in _MEANINGS if kind.startswith(start)), _CANNOT_BE_USED)
    bounds = [context[name] for name in ("le", "lt", "ge", "gt", "max_length") if name in context]
    return say(template, given=given, limit=str(bounds[0]) if bounds else "–")


_CANNOT_BE_USED = N_("«{given}» cannot be used here.")
_NOT_A_LIST = N_("«{given}» must be a list: one entry per line, each with a dash.")
_NOT_A_GROUP = N_("«{given}» must be a group of fields, indented below this line.")
_NOT_A_NUMBER = N_("«{given}» is not a possible number here (limit: {limit}).")
_TOO_LONG = N_("This field is longer than allowed ({limit}).")
_TOO_SHORT = N_("This field is empty or shorter than allowed.")

# How pydantic's error types, and our own tokens from the model, are told to a person.
_MEANINGS: tuple[tuple[str, str], ...] = (
    ("missing", N_("This field is missing; a dossier needs it.")),
    ("not_a_domain_name", N_("«{given}» is not a domain name such as muster.example.")),
    ("not_an_address", N_("«{given}» is not an IPv4 or IPv6 address.")),
    ("not_a_name_server", N_("«{given}» is not an address such as 192.0.2.53 or 192.0.2.53:5300.")),
    ("not_a_network", N_("«{given}» is not a network such as 10.1.0.0/16, nor an address.")),
    ("not_an_expression", N_("«{given}» is not a valid regular expression.")),
    (
        "control_character",
        N_(
            "«{given}» holds a control character: in double quotes a backslash begins an escape. "
            "Write the path in single quotes."
        ),
    ),
    (
        "invisible_character",
        N_("An invisible character stands in «{given}». Delete it, or type the path anew."),
    ),
    ("string_type", N_("This field is empty; it needs a text.")),
    ("string_pattern", N_("«{given}» has a character that is not allowed here.")),
    ("string_too_long", _TOO_LONG),
    ("too_long", _TOO_LONG),
    ("string_too_short", _TOO_SHORT),
    ("too_short", _TOO_SHORT),
    ("date", N_("«{given}» is not a date such as 2027-01-15.")),
    ("int", _NOT_A_NUMBER),
    ("float", _NOT_A_NUMBER),
    ("greater", _NOT_A_NUMBER),
    ("less", _NOT_A_NUMBER),
    ("bool", N_("«{given}» must be true or false.")),
    ("tuple", _NOT_A_LIST),
    ("list", _NOT_A_LIST),
    ("model", _NOT_A_GROUP),
    ("dict", _NOT_A_GROUP),
)


def _fields_at(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """The field names that a dossier allows at `location`."""
    model: type[BaseModel] = Dossier
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _record_in(model.model_fields[part].annotation) or model
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _record_in(annotation: Any) -> type[BaseModel] | None:
    """The record type inside `annotation`, e.g. Gateway in tuple[Gateway, ...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _record_in(arg))), None)


def _anchored(dossier: Dossier, folder: Path) -> Dossier:
    """The dossier with every path absolute; what was left open stays open."""
    certificates = dossier.certificates.model_copy(
        update={
            name: _anchored_file(file, folder)
            for name in ("sending", "receiving")
            if (file := getattr(dossier.certificates, name))
        }
    )
    samples = tuple(
        sample.model_copy(update={"file": folder / sample.file}) if sample.file else sample
        for sample in dossier.samples
    )
    update: dict[str, Any] = {
        "certificates": certificates,
        "samples": samples,
        "trust_stores": tuple(
            s if s in ("certifi", "system") else str(folder / s) for s in dossier.trust_stores
        ),
    }
    if dossier.submission.roots is not None:
        roots = {"roots": folder / dossier.submission.roots}
        update["submission"] = dossier.submission.model_copy(update=roots)
    if isinstance(dossier.platform, Path):
        update["platform"] = folder / dossier.platform
    given = {name: value for name, value in update.items() if name in dossier.model_fields_set}
    return dossier.model_copy(update=given)


def _anchored_file(file: CertificateFile, folder: Path) -> CertificateFile:
    key = folder / file.key if file.key else None
    return file.model_copy(update={"file": folder / file.file, "key": key})
