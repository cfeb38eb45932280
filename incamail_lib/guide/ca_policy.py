"""Dates of the public authorities' policies, as data."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from incamail_lib.guide.platform import Certainty
from incamail_lib.record import Record


class ClientAuthEnd(Record):
    """From when on an authority no longer issues the clientAuth usage.

    Where the authority has fixed no date (`known` is false), `ends_on` is the last day that the
    root programmes allow. An entry for everybody else has no organisations and names their rule.
    """

    authority: str
    organisations: tuple[str, ...] = ()  # issuer O; empty stands for every other public authority
    ends_on: dt.date
    month_only: bool = False  # the source names the month, not the day
    contradicted_by: dt.date | None = None  # another source's later date
    known: bool = True
    source: str
    certainty: Certainty
    verified_on: dt.date

    @property
    def told_date(self) -> str:
        """The date as exactly as the source has it."""
        return f"{self.ends_on:%Y-%m}" if self.month_only else self.ends_on.isoformat()


class NewIntermediates(Record):
    """From when on the root programmes take new intermediates for servers only."""

    server_only_from: dt.date
    source: str
    certainty: Certainty
    verified_on: dt.date


class Lifetime(Record):
    """The longest life of certificates issued on or after a date (BR §6.3.2)."""

    issued_from: dt.date
    days: int


class CaPolicy(Record):
    """All dates."""

    client_auth_end: tuple[ClientAuthEnd, ...]
    new_intermediates: NewIntermediates
    lifetime: tuple[Lifetime, ...]

    def end_of_client_auth(self, organisations: Sequence[str]) -> ClientAuthEnd:
        """The date that binds an issuer with these organisation names, known or the latest."""
        for end in self.client_auth_end:
            if set(end.organisations) & set(organisations):
                return end
        return self.root_programme

    @property
    def root_programme(self) -> ClientAuthEnd:
        """What binds every public authority at the latest."""
        return next(end for end in self.client_auth_end if not end.organisations)

    def longest_life(self, issued: dt.date) -> int | None:
        """Days that a certificate issued on that date may live; None before the first rule."""
        found = [rule.days for rule in self.lifetime if rule.issued_from <= issued]
        return found[-1] if found else None


@cache
def ca_policy() -> CaPolicy:
    """The policy dates that ship with the library."""
    text = Path(__file__).with_name("ca_policy.toml").read_text(encoding="utf-8")
    return CaPolicy.model_validate(tomllib.loads(text))
