"""The names by which public authorities are meant in CAA records, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from incamail_lib.record import Record


class Authority(Record):
    """A public authority: issuer O of its certificates, and its names in CAA (RFC 8659 §4.2)."""

    organisations: tuple[str, ...]
    names: tuple[str, ...]
    source: str


@cache
def authorities() -> tuple[Authority, ...]:
    """All authorities known."""
    text = Path(__file__).with_name("authorities.toml").read_text(encoding="utf-8")
    return tuple(Authority.model_validate(entry) for entry in tomllib.loads(text)["authority"])


def caa_names(organisations: Sequence[str]) -> tuple[str, ...] | None:
    """The CAA names of an issuer with these organisation names; None for one that is not known."""
    for authority in authorities():
        if set(authority.organisations) & set(organisations):
            return authority.names
    return None
