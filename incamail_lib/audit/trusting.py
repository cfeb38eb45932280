"""Chains judged by the trust stores that a dossier or a person names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from incamail_lib.certificate import match_name
from incamail_lib.certificate.public import Root, root_of
from incamail_lib.certificate.stores import TrustStore, certifi_store, file_store, system_store
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.facts.certificate import (
    CertificateFacts,
    CredentialFacts,
    CredentialUse,
    NameMatch,
    TrustFacts,
)
from incamail_lib.facts.smtp import EndpointFacts, ShownChain


def store_named(name: str) -> TrustStore:
    """The store a dossier names: "certifi", "system", or a file or folder of certificates."""
    if name == "certifi":
        return certifi_store()
    if name == "system":
        return system_store()
    return file_store(Path(name))


def file_trust(
    told: CredentialFacts, stores: Sequence[TrustStore], now: dt.datetime
) -> tuple[TrustFacts, ...]:
    """What each store says about the chain of a file, for each use of it."""
    if not told.chain:
        return ()
    purposes = {CredentialUse.SENDING: "clientAuth", CredentialUse.RECEIVING: "serverAuth"}
    root = root_of(told.chain, stores)
    return tuple(
        _rooted(judge_trust(told.chain, store, purpose=purposes[use], now=now), root)
        for use in told.uses
        for store in stores
    )


def with_trust(
    endpoint: EndpointFacts, stores: Sequence[TrustStore], now: dt.datetime
) -> EndpointFacts:
    """The endpoint with every chain it shows judged per store, and its names matched."""
    judged = [_shown(chain, endpoint.target.host, stores, now) for chain in endpoint.chains]
    if not judged:
        return endpoint
    first, *others = judged
    changes = {"trust": first.trust, "name_match": first.name_match, "others": tuple(others)}
    return endpoint.model_copy(update=changes)


def _shown(
    chain: tuple[CertificateFacts, ...], host: str, stores: Sequence[TrustStore], now: dt.datetime
) -> ShownChain:
    root = root_of(chain, stores)
    trust = tuple(
        _rooted(judge_trust(chain, store, purpose="serverAuth", now=now), root) for store in stores
    )
    name: NameMatch | None = match_name(chain[0], host)
    if name and not name.matched and "subject_alt_name" in chain[0].unreadable:
        name = None  # the host's name may be among those that could not be read
    return ShownChain(sha256=chain[0].sha256, trust=trust, name_match=name)


def _rooted(trust: TrustFacts, root: Root) -> TrustFacts:
    return trust.model_copy(update={"root_sha256": root.sha256, "public": root.public})
