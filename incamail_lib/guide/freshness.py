"""How old the facts are that judgements rely on, and which must be verified again."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.guide.contents import contents
from incamail_lib.guide.platform import Platform, PlatformGateway, Sourced
from incamail_lib.i18n import N_
from incamail_lib.record import Record

AUTHORITY_TERM = dt.timedelta(days=120)  # authorities move their dates several times a year


class Standard(Record):
    """A standard that checks cite."""

    name: str  # as it is cited, without section
    title: str
    replaces: tuple[str, ...] = ()  # standards that it obsoletes, which are cited no more
    verified_on: dt.date
    reverify_by: dt.date


@dataclass(frozen=True)
class Dated:
    """One fact with its dates; `reverify_by` is None where nobody set one."""

    name: str
    verified_on: dt.date
    reverify_by: dt.date | None


@dataclass(frozen=True)
class Age:
    """How old one kind of facts is on a day."""

    kind: str  # English source text
    oldest: dt.date
    days: int
    due: dt.date | None  # when the first of them must be verified again
    overdue: tuple[str, ...]


@cache
def standards() -> tuple[Standard, ...]:
    """The standards that checks may cite."""
    text = Path(__file__).with_name("standards.toml").read_text(encoding="utf-8")
    return tuple(Standard.model_validate(entry) for entry in tomllib.loads(text)["standard"])


def platform_facts(platform: Platform) -> tuple[Dated, ...]:
    """Every fact about the platform."""
    found: list[Dated] = []
    for name in Platform.model_fields:
        value = getattr(platform, name)
        if isinstance(value, Sourced):
            found.append(Dated(f"platform.toml {name}", value.verified_on, value.reverify_by))
    return (*found, *(_gateway(g) for g in platform.gateways))


def _gateway(gateway: PlatformGateway) -> Dated:
    name = f"platform.toml gateways {gateway.host}"
    return Dated(name, gateway.verified_on, gateway.reverify_by)


def authority_dates() -> tuple[Dated, ...]:
    """When public authorities end the usage clientAuth."""
    return tuple(
        Dated(f"ca_policy.toml {e.authority}", e.verified_on, e.verified_on + AUTHORITY_TERM)
        for e in ca_policy().client_auth_end
    )


def standard_dates() -> tuple[Dated, ...]:
    """When each standard was last looked up."""
    return tuple(
        Dated(f"standards.toml {s.name}", s.verified_on, s.reverify_by) for s in standards()
    )


def link_dates() -> tuple[Dated, ...]:
    """When each page that a question points to was last looked at."""
    return tuple(
        Dated(f"links.toml {link.url}", link.verified_on, link.reverify_by)
        for link in contents().links
    )


def overdue(facts: Iterable[Dated], on: dt.date) -> tuple[str, ...]:
    """The names of the facts that had to be verified again before `on`."""
    return tuple(f.name for f in facts if f.reverify_by is not None and f.reverify_by < on)


def ages(platform: Platform, on: dt.date) -> tuple[Age, ...]:
    """How old the facts are on a day, by kind."""
    kinds = (
        (N_("Facts about the platform"), platform_facts(platform)),
        (N_("Dates of public authorities"), authority_dates()),
        (N_("Standards"), standard_dates()),
        (N_("Pages that questions point to"), link_dates()),
    )
    return tuple(_age(kind, facts, on) for kind, facts in kinds)


def _age(kind: str, facts: tuple[Dated, ...], on: dt.date) -> Age:
    oldest = min(f.verified_on for f in facts)
    terms = [f.reverify_by for f in facts if f.reverify_by is not None]
    return Age(
        kind=kind,
        oldest=oldest,
        days=max((on - oldest).days, 0),
        due=min(terms, default=None),
        overdue=overdue(facts, on),
    )
