"""The platform a client is joined to: every fact with source, certainty and date."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from incamail_lib.errors import GuideError, reason
from incamail_lib.files import read_bounded
from incamail_lib.i18n import Text, say
from incamail_lib.printable import invisible
from incamail_lib.record import Record

T = TypeVar("T")
MAX_BYTES = 1_000_000  # far beyond any platform file


class Certainty(StrEnum):
    """How sure a platform fact is."""

    PRIMARY = "A"  # primary source, or measured
    SECONDARY = "B"  # secondary source, or an old copy of a primary one
    INFERRED = "C"
    UNCONFIRMED = "?"


class Sourced(Record, Generic[T]):
    """A fact with its source, when that was last verified, and by when it must be again."""

    value: T
    source: str
    certainty: Certainty
    verified_on: dt.date
    reverify_by: dt.date | None = None  # None: a client's own statement, or an older record


class PlatformGateway(Record):
    """One of the platform's gateways; addresses serve the network matrix, not routing."""

    host: str
    addresses: tuple[str, ...] = ()
    port: int = 25
    source: str
    certainty: Certainty
    verified_on: dt.date
    reverify_by: dt.date | None = None


class Platform(Record):
    """The facts about a secure e-mail platform that measuring and judging need."""

    name: str
    suffix: Sourced[str]  # ".incamail.ch"
    smart_host: Sourced[str]  # "im.post.ch"
    gateways: tuple[PlatformGateway, ...]
    organisations: Sourced[tuple[str, ...]]  # accepted subject O of a gateway's certificate
    issuers: Sourced[tuple[str, ...]]  # issuer O the certificate may come from
    names: Sourced[tuple[str, ...]]  # DNS-IDs that prove a gateway, e.g. "*.incamail.com"
    fingerprints_sha1: Sourced[tuple[str, ...]]  # of the leaf, from the set-up document
    spki_sha256: Sourced[tuple[str, ...]]
    message_limit_mb: Sourced[int]
    recommended_attachment_mb: Sourced[int]
    sender_domains: Sourced[tuple[str, ...]]
    tags: Sourced[tuple[str, ...]]  # what the add-in puts before the subject
    contacts: Sourced[tuple[str, ...]]  # second-level support
    links: Sourced[tuple[str, ...]]
    # where browsers open SAFE messages over HTTPS (guide 8.2); None in records of older versions
    web_hosts: Sourced[tuple[str, ...]] | None = None

    def has(self, host: str, addresses: tuple[str, ...] = ()) -> bool:
        """Whether a host, by its name or an address, is known to be the platform's."""
        name = host.rstrip(".").lower()
        hosts = {self.smart_host.value, *(g.host for g in self.gateways)}
        known = {a for g in self.gateways for a in g.addresses}
        return name in hosts or name in known or bool(known & set(addresses))

    def filled(self, template: str) -> Text:
        """A text of the guide with the facts that it names filled in."""
        known = self._words().items()
        named = {word: fact for word, fact in known if f"{{{word}}}" in template}
        return Text(template=template, values=dict(named))

    def _words(self) -> dict[str, str]:
        gateways = (" ".join((g.host, *(f"({a})" for a in g.addresses))) for g in self.gateways)
        return {
            "suffix": self.suffix.value,
            "smart_host": self.smart_host.value,
            "gateways": ", ".join(gateways),
            "contacts": ", ".join(self.contacts.value),
            "web_hosts": ", ".join(self.web_hosts.value) if self.web_hosts else "IncaMail",
        }


OVERRIDE_CERTAINTY = Certainty.PRIMARY  # who writes an override states it for this client


def load_platform(override: Path | None = None) -> Platform:
    """The platform's facts; `override` replaces those it names, for this client only.

    In the override a fact may stand as a bare value (`smart_host = "mx.example"`): source,
    certainty and date are then the file, "A" and the file's own date.

    Errors: GuideError naming file, field and what is allowed.
    """
    facts = _read(Path(__file__).with_name("platform.toml"))
    if override is not None:
        facts = facts | _normalised(_read(override), override)
    return _validated(facts, override)


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8").replace("\r\n", "\n")
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GuideError(_syntax(path, text, error)) from None
    except OSError as error:
        raise GuideError(
            say(
                "The platform file {file} cannot be read ({cause}). Check path and permissions.",
                file=str(path),
                cause=reason(error),
            )
        ) from None
    except UnicodeDecodeError as error:
        raise GuideError(
            say(
                "The platform file {file} is not valid TOML: {problem}.",
                file=str(path),
                problem=str(error)[:200],
            )
        ) from None


def _normalised(given: dict[str, Any], path: Path) -> dict[str, Any]:
    stated = {
        "source": path.name,
        "certainty": OVERRIDE_CERTAINTY,
        "verified_on": dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date(),
    }
    return {key: _with_source(key, value, stated) for key, value in given.items()}


def _with_source(key: str, value: Any, stated: dict[str, Any]) -> Any:
    if key == "name":
        return value
    if key == "gateways" and isinstance(value, list):
        return [stated | item if isinstance(item, dict) else item for item in value]
    return stated | (value if isinstance(value, dict) else {"value": value})


def _validated(facts: dict[str, Any], override: Path | None) -> Platform:
    try:
        return Platform.model_validate(facts)
    except ValidationError as error:
        # A misspelt field is told before the field that is then missing.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise GuideError(_not_possible(first, override)) from None


def _not_possible(error: ErrorDetails, path: Path | None) -> Text:
    """What is wrong with a field, where it stands, and what is allowed there."""
    location = error["loc"]
    field, allowed = _told(location), ", ".join(_fields_at(location))
    problem = _MEANINGS.get(error["type"]) or say(
        "This value is not possible here ({problem}).", problem=error["msg"]
    )
    lines = read_bounded(path, MAX_BYTES).decode("utf-8").split("\n") if path else []
    number = _found_line(lines, location)
    if not number:
        return say(
            "{file}, field «{field}»: {problem} Allowed fields: {allowed}.",
            file=str(path or "platform.toml"),
            field=field,
            problem=problem,
            allowed=allowed,
        )
    return say(
        "{file}, line {line}, field «{field}»: {problem} Allowed fields: {allowed}.",
        file=str(path),
        line=number,
        field=field,
        problem=problem,
        allowed=allowed,
    )


_MEANINGS = {
    "extra_forbidden": say("This field is not known."),
    "missing": say("This field is missing."),
}


def _told(location: tuple[int | str, ...]) -> str:
    """The field as it is found in the file: entries of a list are counted from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in location)


def _fields_at(location: tuple[int | str, ...]) -> tuple[str, ...]:
    if len(location) < 2:
        return tuple(Platform.model_fields)
    return tuple((PlatformGateway if location[0] == "gateways" else Sourced).model_fields)


def _found_line(lines: list[str], location: tuple[int | str, ...]) -> int:
    """The line of a field: below the header of its table, or of the n-th of its array of tables."""
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), 0)
    seen, inside, header = -1, len(names) == 1, 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("["):
            seen += text.strip("[]").strip() == names[0]
            inside = text.strip("[]").strip() == names[0] and seen == index
            header = number if inside else header
        elif inside and re.match(rf"[\"']?{re.escape(names[-1])}[\"']?\s*=", text):
            return number
    return header


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> Text:
    """Why a file is not TOML: an invisible character, a Windows path, or what the parser says."""
    found = re.search(r"at line (\d+)", str(error))
    lines = text.split("\n")
    number = int(found[1]) if found else len(lines)
    content = lines[number - 1] if number <= len(lines) else ""
    unseen = invisible(content.replace("\t", " "))
    if unseen is not None:
        return say(
            "{file}, line {line}, column {column}: an invisible character stands here "
            "({character}). Put an ordinary space in its place, or delete it.",
            file=str(path),
            line=number,
            column=unseen[0] + 1,
            character=unseen[1],
        )
    if "\\" in content:
        return say(
            "{file}, line {line}: in double quotes a backslash begins an escape. Write the text "
            "in single quotes.",
            file=str(path),
            line=number,
        )
    return say(
        "The platform file {file} is not valid TOML: {problem}.",
        file=str(path),
        problem=str(error)[:200],
    )
