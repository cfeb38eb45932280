"""The platform a client is joined to: every fact with source, certainty and date."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Generic, TypeVar

from incamail_lib.record import Record

T = TypeVar("T")


class Certainty(StrEnum):
    """How sure a platform fact is."""

    PRIMARY = "A"  # primary source, or measured
    SECONDARY = "B"  # secondary source, or an old copy of a primary one
    INFERRED = "C"
    UNCONFIRMED = "?"


class Sourced(Record, Generic[T]):
    """A fact with where it comes from and when that was last verified."""

    value: T
    source: str
    certainty: Certainty
    verified_on: dt.date


class PlatformGateway(Record):
    """One of the platform's gateways; addresses serve the network matrix, not routing."""

    host: str
    addresses: tuple[str, ...] = ()
    port: int = 25
    source: str
    certainty: Certainty
    verified_on: dt.date


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
