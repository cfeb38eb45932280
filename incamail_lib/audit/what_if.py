"""What if: saved facts as they would be with another platform, certificate or trust store.

Nothing is measured. Chains are judged again by OpenSSL against the stores named, else against
what the facts show of the stores that were asked then: the anchors by which they accepted a chain.
What else those hold is not in the facts, and what has not been measured cannot be seen: both are
unknown, and never a pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509

from incamail_lib.certificate import link, load_credential, match_name
from incamail_lib.certificate.path import to_der
from incamail_lib.certificate.public import root_of
from incamail_lib.certificate.reading import UNREADABLE, parse, read_certificate
from incamail_lib.certificate.stores import TrustStore, certifi_store, file_store, store_of
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.errors import MaterialError, reason_in
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import (
    CertificateFacts,
    CredentialFacts,
    CredentialUse,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.smtp import EndpointFacts, Purpose, ShownChain, Side, SmtpFacts, Target
from incamail_lib.guide import Platform
from incamail_lib.i18n import N_, say
from incamail_lib.probe.untouched import untouched

Chain = tuple[CertificateFacts, ...]
# Answers that another anchor could turn: of a store that is not known whole they say nothing.
_NO_ANCHOR = frozenset(
    {
        *(TrustReason.UNKNOWN_ROOT, TrustReason.MISSING_INTERMEDIATE),
        *(TrustReason.SELF_SIGNED, TrustReason.ISSUER_KEY_DIFFERS, TrustReason.REFUSED),
    }
)
_NOT_IN_FACTS = N_("what else it holds is not in the saved facts")


class Whose(StrEnum):
    """Which certificate is replaced."""

    PLATFORM = "platform"  # that of IncaMail's gateways
    SENDING = "sending"  # the client's, shown to IncaMail
    RECEIVING = "receiving"  # the client's, shown to whoever delivers


@dataclass(frozen=True)
class Replacement:
    """A certificate with its chain, leaf first, in the place of another."""

    whose: Whose
    chain: Chain
    label: str  # base name of its file


@dataclass(frozen=True)
class Supposition:
    """What would be otherwise; whatever is left open stays as it was measured."""

    platform: Platform | None = None
    replacement: Replacement | None = None
    stores: tuple[TrustStore, ...] = ()  # in place of those that were asked
    distrusted: frozenset[str] = frozenset()  # SHA-256 of roots that no store has any more

    def __bool__(self) -> bool:
        return any((self.platform, self.replacement, self.stores, self.distrusted))


def replacement_from(path: Path, whose: Whose) -> Replacement:
    """The chain of a certificate file. Errors: MaterialError when there is none in it."""
    use = CredentialUse.SENDING if whose is Whose.SENDING else CredentialUse.RECEIVING
    told, _ = load_credential(path, uses=(use,))
    if not told.chain:
        raise MaterialError(
            say(
                "{file} holds no certificate that can be used: {cause}. Name the new certificate "
                "with its chain.",
                file=str(path),
                cause=reason_in(told.readable.evidence),
            )
        )
    return Replacement(whose, told.chain, path.name)


def roots_of(path: Path) -> frozenset[str]:
    """The fingerprints of the roots in a file. Errors: MaterialError as `file_store`."""
    return frozenset(read_certificate(to_der(a)).sha256 for a in file_store(path).anchors)


def suppose(facts: AuditFacts, supposition: Supposition, now: dt.datetime) -> AuditFacts:
    """The facts as the supposition has them; pure but for the roots that ship with certifi."""
    if supposition.platform is not None:
        facts = _on_platform(facts, supposition.platform, now)
    asking = _Asking(_stores_of(facts, supposition), now)
    if supposition.replacement is not None:
        facts = _replaced(facts, supposition.replacement, asking)
    if supposition.stores or supposition.distrusted:
        facts = _asked_again(facts, asking)
    return facts


@dataclass(frozen=True)
class _Store:
    """A trust store, and whether all of it is known."""

    held: TrustStore
    is_whole: bool


@dataclass(frozen=True)
class _Asking:
    """The stores that are asked, and as of when."""

    stores: tuple[_Store, ...]
    now: dt.datetime

    def trust(self, chain: Chain, purpose: str) -> tuple[TrustFacts, ...]:
        """What each store says of a chain; of one that is not known whole, no "no" for want of an
        anchor."""
        if not chain:
            return ()
        chain = tuple(read_certificate(c.der) for c in chain)  # saved facts may say anything
        root = root_of(chain, [store.held for store in self.stores])
        known = {"root_sha256": root.sha256, "public": root.public}
        answers = (self._answer(chain, store, purpose) for store in self.stores)
        return tuple(answer.model_copy(update=known) for answer in answers)

    def _answer(self, chain: Chain, store: _Store, purpose: str) -> TrustFacts:
        found = judge_trust(chain, store.held, purpose=purpose, now=self.now)
        if store.is_whole or found.reason not in _NO_ANCHOR:
            return found
        unread = replace(store.held, problem=_NOT_IN_FACTS)
        return judge_trust(chain, unread, purpose=purpose, now=self.now)

    def shown(self, chain: Chain, host: str) -> ShownChain:
        """A server's chain judged for its host."""
        name = match_name(chain[0], host)
        return ShownChain(
            sha256=chain[0].sha256, trust=self.trust(chain, "serverAuth"), name_match=name
        )


def _stores_of(facts: AuditFacts, supposition: Supposition) -> tuple[_Store, ...]:
    known = [_Store(store, is_whole=True) for store in supposition.stores]
    stores = known or list(_stores_then(facts))
    return tuple(_without(store, supposition.distrusted) for store in stores)


def _stores_then(facts: AuditFacts) -> Iterator[_Store]:
    """The stores that were asked: certifi's of the same version is at hand, of others only the
    anchors by which they accepted something."""
    answers: dict[str, list[TrustFacts]] = {}
    for answer in _answers(facts):
        answers.setdefault(answer.store, []).append(answer)
    for name, told in answers.items():
        first = told[0]
        if name == certifi_store().name:
            yield _Store(certifi_store(), is_whole=True)
        elif first.reason is TrustReason.STORE_UNREADABLE:
            yield _Store(TrustStore(name, problem=first.detail), is_whole=False)
        else:
            anchors = {a.members[-1].der for a in told if a.complete and a.members}
            held = store_of(name, _readable(sorted(anchors)), date=first.store_date)
            yield _Store(held, is_whole=False)


def _readable(anchors: Sequence[bytes]) -> Iterator[x509.Certificate]:
    """What can be parsed: saved facts may say anything."""
    for der in anchors:
        try:
            yield parse(der)
        except UNREADABLE:
            continue


def _answers(facts: AuditFacts) -> Iterator[TrustFacts]:
    for told in facts.credentials:
        yield from told.trust
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        yield from endpoint.trust
        for other in endpoint.others:
            yield from other.trust


def _without(store: _Store, distrusted: frozenset[str]) -> _Store:
    if not distrusted:
        return store
    kept = [a for a in store.held.anchors if read_certificate(to_der(a)).sha256 not in distrusted]
    if len(kept) == len(store.held.anchors):
        return store
    left = store_of(
        store.held.name,
        [parse(to_der(anchor)) for anchor in kept],
        date=store.held.date,
        rejected=store.held.rejected,
    )
    return replace(store, held=left)


def _on_platform(facts: AuditFacts, platform: Platform, now: dt.datetime) -> AuditFacts:
    """Gateways that the platform no longer has are left out; of new ones nothing was seen."""
    hosts = {gateway.host for gateway in platform.gateways} | {platform.smart_host.value}
    kept = tuple(e for e in facts.platform_endpoints if e.target.host in hosts)
    seen = {e.target.host for e in kept}
    new = [g for g in platform.gateways if g.host not in seen]
    targets = [
        Target(role=Side.PLATFORM, host=g.host, address=address, port=g.port)
        for g in new
        for address in g.addresses or ("",)
    ]
    unseen = tuple(untouched(target, now, Reason.NOT_TRIED) for target in targets)
    looked_up = tuple(h for h in facts.dns.platform_hosts if h.host in hosts)
    asked = facts.platform.suffix.value == platform.suffix.value
    dns = facts.dns.model_copy(
        update={
            "platform_hosts": looked_up,
            "platform_mx": facts.dns.platform_mx if asked else None,
        }
    )
    changes = {"platform": platform, "platform_endpoints": (*kept, *unseen), "dns": dns}
    return facts.model_copy(update=changes)


def _replaced(facts: AuditFacts, new: Replacement, asking: _Asking) -> AuditFacts:
    if new.whose is Whose.PLATFORM:
        shown = tuple(_showing(e, new.chain, asking) for e in facts.platform_endpoints)
        return facts.model_copy(update={"platform_endpoints": shown})
    if new.whose is Whose.RECEIVING:
        shown = tuple(_showing(e, new.chain, asking) for e in facts.receiving)
        held = _with_file(facts, new, CredentialUse.RECEIVING, asking)
        return facts.model_copy(update={"receiving": shown, "credentials": held})
    held = _with_file(facts, new, CredentialUse.SENDING, asking)
    if held == facts.credentials:
        return facts
    met = tuple(_not_shown_yet(e) for e in facts.platform_endpoints)
    return facts.model_copy(update={"credentials": held, "platform_endpoints": met})


def _showing(endpoint: EndpointFacts, chain: Chain, asking: _Asking) -> EndpointFacts:
    """The endpoint with another chain wherever it showed one; where none was seen, none is."""
    if not endpoint.chain:
        return endpoint
    connections = tuple(_connection(one, chain) for one in endpoint.connections)
    shown = asking.shown(chain, endpoint.target.host)
    changes = {"trust": shown.trust, "name_match": shown.name_match, "others": ()}
    return endpoint.model_copy(update={"connections": connections, **changes})


def _connection(one: SmtpFacts, chain: Chain) -> SmtpFacts:
    if one.tls is None or not one.tls.chain:
        return one
    tls = one.tls.model_copy(update={"chain": chain, "links": link(chain)})
    return one.model_copy(update={"tls": tls})


def _with_file(
    facts: AuditFacts, new: Replacement, use: CredentialUse, asking: _Asking
) -> tuple[CredentialFacts, ...]:
    """The client's files with the new one in place of that for this use."""
    found: list[CredentialFacts] = []
    for told in facts.credentials:
        if use not in told.uses:
            found.append(told)
            continue
        others = tuple(u for u in told.uses if u is not use)
        if others:
            rest = {"uses": others, "trust": _of_uses(told, others)}
            found.append(told.model_copy(update=rest))
        found.append(_file(told, new, use, asking))
    return tuple(found)


_PURPOSES = {CredentialUse.SENDING: "clientAuth", CredentialUse.RECEIVING: "serverAuth"}


def _of_uses(told: CredentialFacts, uses: Sequence[CredentialUse]) -> tuple[TrustFacts, ...]:
    return tuple(t for t in told.trust if t.purpose in {_PURPOSES[use] for use in uses})


def _file(
    told: CredentialFacts, new: Replacement, use: CredentialUse, asking: _Asking
) -> CredentialFacts:
    """The new file; its key is known to fit only where it is the old one's."""
    same_key = bool(told.chain) and told.chain[0].spki_sha256 == new.chain[0].spki_sha256
    changes: dict[str, Any] = {
        "label": new.label,
        "uses": (use,),
        "chain": new.chain,
        "links": link(new.chain),
        "trust": asking.trust(new.chain, _PURPOSES[use]),
    }
    if not same_key:
        changes |= {"has_key": False, "key_matches": inconclusive(Reason.NOT_TRIED)}
    return told.model_copy(update=changes)


def _not_shown_yet(endpoint: EndpointFacts) -> EndpointFacts:
    """What the platform says of a certificate that it has not met is not known."""
    unseen = inconclusive(Reason.NOT_TRIED)
    others = tuple(c for c in endpoint.connections if c.purpose is not Purpose.OWN_CERTIFICATE)
    auth = endpoint.client_auth.model_copy(update={"own_accepted": unseen, "verified": unseen})
    return endpoint.model_copy(update={"connections": others, "client_auth": auth})


def _asked_again(facts: AuditFacts, asking: _Asking) -> AuditFacts:
    held = tuple(_file_again(told, asking) for told in facts.credentials)
    receiving, platform = (
        tuple(_endpoint_again(endpoint, asking) for endpoint in endpoints)
        for endpoints in (facts.receiving, facts.platform_endpoints)
    )
    changes = {"credentials": held, "receiving": receiving, "platform_endpoints": platform}
    return facts.model_copy(update=changes)


def _file_again(told: CredentialFacts, asking: _Asking) -> CredentialFacts:
    answers = (asking.trust(told.chain, _PURPOSES[use]) for use in told.uses)
    return told.model_copy(update={"trust": tuple(a for each in answers for a in each)})


def _endpoint_again(endpoint: EndpointFacts, asking: _Asking) -> EndpointFacts:
    """The chains it showed, before the stores as they would be; names stay as they matched."""
    chains = endpoint.chains
    if not chains:
        return endpoint
    names = [one.name_match for one in endpoint.each_certificate()]
    first, *others = (
        ShownChain(sha256=c[0].sha256, trust=asking.trust(c, "serverAuth"), name_match=name)
        for c, name in zip(chains, names, strict=True)
    )
    return endpoint.model_copy(update={"trust": first.trust, "others": tuple(others)})


def unnamed_authority(
    facts: AuditFacts, replacement: Replacement | None
) -> Iterator[tuple[str, str]]:
    """Receiving gateways that name whose client certificates they take, today's authority of
    IncaMail among them and the new one not: target and the issuer that is missing."""
    if replacement is None or replacement.whose is not Whose.PLATFORM:
        return
    today = {c.issuer for e in facts.platform_endpoints for c in e.chain}
    new = [c.issuer for c in replacement.chain]
    for endpoint in facts.receiving:
        auth = endpoint.client_auth
        names = set(auth.acceptable_cas)
        if names & today and not names & set(new) and not auth.acceptable_cas_left_out:
            yield endpoint.target.label, new[0]
