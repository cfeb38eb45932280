"""The platform a client is joined to: every fact with source, certainty and date."""

from __future__ import annotations

import datetime as dt
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from incamail_lib.errors import GuideError
from incamail_lib.i18n import Text, say
from incamail_lib.record import Record

T = TypeVar("T")


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
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GuideError(
            say(
                "The platform file {file} cannot be read ({cause}). Check path and permissions.",
                file=str(path),
                cause=error.strerror or type(error).__name__,
            )
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
        first = error.errors()[0]
        raise GuideError(
            say(
                "{file}, field «{field}»: not possible here ({problem}). "
                "Allowed fields: {allowed}.",
                file=str(override or "platform.toml"),
                field=".".join(str(part) for part in first["loc"]),
                problem=first["msg"],
                allowed=", ".join(Platform.model_fields),
            )
        ) from None
