"""What a path is good for, and which peers refuse what OpenSSL takes. Pure, on facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from incamail_lib.facts.certificate import CertificateFacts, Reservation, Reserved
from incamail_lib.facts.strength import has_usual_key, security_level


def hindering(path: Sequence[CertificateFacts], purpose: str) -> CertificateFacts | None:
    """The first certificate of `path`, leaf first, whose extensions forbid `purpose`."""
    for number, certificate in enumerate(path):
        if certificate.hindrance(purpose, issuing=number > 0) is not None:
            return certificate
    return None


def reservations(path: Sequence[CertificateFacts], purpose: str) -> tuple[Reserved, ...]:
    """Why some TLS libraries refuse this path although OpenSSL at level 1 takes it."""
    return tuple(
        Reserved(reason=reason, sha256=c.sha256, name=c.name)
        for reason, c in _reservations(path, purpose)
    )


def _reservations(
    path: Sequence[CertificateFacts], purpose: str
) -> Iterator[tuple[Reservation, CertificateFacts]]:
    level, weakest = security_level(path)
    if weakest is not None and level < 2:
        yield Reservation.LEVEL_2, weakest
    for certificate in path[1:]:
        if not has_usual_key(certificate):
            yield Reservation.UNUSUAL_AUTHORITY_KEY, certificate
    leaf = path[0]
    if purpose == "serverAuth" and not leaf.signs:
        yield Reservation.NO_SIGNING, leaf
    if leaf.is_ca:
        yield Reservation.AUTHORITY_AS_LEAF, leaf
