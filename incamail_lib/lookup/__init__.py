"""DNS look-ups as facts. The resolver is given; every way to fail stays a fact of its own."""

from incamail_lib.lookup.domain import MAX_EXCHANGERS, look_up_domain
from incamail_lib.lookup.hosts import (
    MAX_ADDRESSES,
    look_up_address,
    look_up_caa,
    look_up_host,
)
from incamail_lib.lookup.policies import MAX_POLICY_BYTES, PolicyFetcher, read_policy
from incamail_lib.lookup.resolving import (
    MAX_RECORDS,
    MAX_TEXT,
    look_up,
    look_up_mx,
    resolver_for,
    system_resolver,
)

__all__ = [
    "MAX_ADDRESSES",
    "MAX_EXCHANGERS",
    "MAX_POLICY_BYTES",
    "MAX_RECORDS",
    "MAX_TEXT",
    "PolicyFetcher",
    "look_up",
    "look_up_address",
    "look_up_caa",
    "look_up_domain",
    "look_up_host",
    "look_up_mx",
    "read_policy",
    "resolver_for",
    "system_resolver",
]
