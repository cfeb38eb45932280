"""Which path a chain has, until when it holds and when to renew: one rule for all who tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from incamail_lib.facts.certificate import (
    CertificateFacts,
    ChainFacts,
    CredentialFacts,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.smtp import EndpointFacts

RENEWAL_DUE = dt.timedelta(days=30)


@dataclass(frozen=True)
class Presented:
    """A chain as sent or stored, leaf first, with what the trust stores say about it."""

    chain: tuple[CertificateFacts, ...]
    trust: tuple[TrustFacts, ...] = ()
    links: ChainFacts | None = None

    @property
    def leaf(self) -> CertificateFacts:
        """The certificate that all is about."""
        return self.chain[0]

    @property
    def asked(self) -> tuple[TrustFacts, ...]:
        """The stores that could be read."""
        return tuple(t for t in self.trust if t.reason is not TrustReason.STORE_UNREADABLE)

    def accepted_at(self, now: dt.datetime) -> tuple[TrustFacts, ...]:
        """The stores that accept the chain and whose path holds at `now`, the longest first.

        An answer is as old as the measurement: years later its path may have ended.
        """
        trusting = [t for t in self.asked if t.trusted.is_yes and _holds(t.members, now)]
        return tuple(sorted(trusting, key=_merit, reverse=True))

    def path(self, now: dt.datetime) -> tuple[CertificateFacts, ...]:
        """The path that counts: of the store that serves best, else as far as one leads."""
        accepted = self.accepted_at(now)
        if accepted:
            return accepted[0].members or self._sent()
        others = sorted(self.asked, key=lambda t: (t.complete, len(t.members)), reverse=True)
        return next((t.members for t in others if t.members), self._sent())

    def other_paths(self, now: dt.datetime) -> tuple[TrustFacts, ...]:
        """The other stores that accept the chain, which may do so by another path."""
        return self.accepted_at(now)[1:]

    def _sent(self) -> tuple[CertificateFacts, ...]:
        """The chain itself without what is not on the path; where no store told a path."""
        if self.links is None:
            return self.chain
        if self.links.path:
            known = {c.sha256: c for c in self.chain}
            return tuple(known[sha256] for sha256 in self.links.path if sha256 in known)
        strangers = set(self.links.unrelated)
        return (self.leaf, *(c for c in self.chain[1:] if c.subject not in strangers))

    @property
    def beside(self) -> tuple[CertificateFacts, ...]:
        """Certificates of the chain on the path of no store: told, never judged."""
        on_path = {c.sha256 for t in self.asked for c in t.members} or set(
            c.sha256 for c in self._sent()
        )
        return tuple({c.sha256: c for c in self.chain if c.sha256 not in on_path}.values())


def shown_by(endpoint: EndpointFacts) -> Presented:
    """What a gateway sent, on the first connection that showed a certificate."""
    links = next((c.tls.links for c in endpoint.connections if c.tls and c.tls.chain), None)
    return Presented(endpoint.chain, endpoint.trust, links)


def held_by(told: CredentialFacts, purpose: str = "") -> Presented:
    """What a file holds, judged for one purpose, or for those that it is meant for."""
    trust = tuple(t for t in told.trust if not purpose or t.purpose == purpose)
    return Presented(told.chain, trust, told.links)


def first_to_end(path: Sequence[CertificateFacts]) -> CertificateFacts:
    """The certificate whose end is the end of the whole path; the leaf where it cannot be read."""
    dated = [c for c in path if c.not_after is not None]
    return min(dated, key=_end) if len(dated) == len(path) else path[0]


def ends(path: Sequence[CertificateFacts]) -> dt.datetime | None:
    """When the path ends; None where the leaf's end cannot be read."""
    return first_to_end(path).not_after


def renewal_from(path: Sequence[CertificateFacts]) -> dt.datetime | None:
    """From when a renewal is due: 30 days, or a third of the leaf's life, before the path ends."""
    leaf, end = path[0], ends(path)
    if end is None or leaf.not_before is None or leaf.not_after is None:
        return None
    return end - min(RENEWAL_DUE, (leaf.not_after - leaf.not_before) / 3)


def earliest_renewal(
    shown: Presented, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime, CertificateFacts] | None:
    """From when a renewal is due, when the path ends, and the certificate that ends first.

    Of several paths, by which stores accept the chain, the one that ends first counts. None
    where the dates cannot be read.
    """
    found = []
    for path in (shown.path(now), *(t.members for t in shown.other_paths(now) if t.members)):
        start, end = renewal_from(path), ends(path)
        if start is None or end is None:
            return None
        found.append((start, end, first_to_end(path)))
    return min(found, key=lambda each: each[0])


def _end(certificate: CertificateFacts) -> dt.datetime:
    return certificate.not_after or dt.datetime.max.replace(tzinfo=dt.UTC)


def _holds(path: Sequence[CertificateFacts], now: dt.datetime) -> bool:
    """As OpenSSL counts it, the second of notAfter is over (X509_cmp_time)."""
    dated = ((c.not_before, c.not_after) for c in path)
    return all(a is not None and b is not None and a <= now < b for a, b in dated)


def _merit(answer: TrustFacts) -> tuple[int, bool, dt.datetime]:
    end = ends(answer.members) if answer.members else None
    level = 2 if answer.security_level is None else answer.security_level
    return level, not answer.reserved, end or dt.datetime.max.replace(tzinfo=dt.UTC)
