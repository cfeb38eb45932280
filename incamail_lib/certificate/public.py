"""Which roots are public: those of Mozilla's programme, told by their SHA-256 fingerprint.

certifi ships Mozilla's list of today; Debian's package ca-certificates that of its release, which
may hold roots that have left the programme since (certificates under them were issued by its
rules). The lists of Apple, Google and Microsoft are in no package that is kept up to date, so a
root that is in theirs alone counts as private where it is sent or stored, else as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from incamail_lib.certificate import contents, distribution
from incamail_lib.certificate.chain import MAX_LENGTH
from incamail_lib.certificate.reading import (
    is_issued_by,
    is_self_signed,
    name_of,
    parse,
)
from incamail_lib.certificate.stores import MAX_STORE_BYTES, TrustStore
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.files import read_regular


@dataclass(frozen=True)
class Root:
    """The root to which a chain leads, and whether it is public; None where that is not known."""

    sha256: str = ""
    public: bool | None = None


@cache
def public_roots() -> Mapping[str, x509.Certificate]:
    """The roots of Mozilla's programme by their SHA-256 fingerprint."""
    found: dict[str, x509.Certificate] = {}
    for file in (Path(certifi.where()), *sorted(distribution.MOZILLA_ROOTS.glob("*.crt"))):
        try:
            held = contents.anchors_in(read_regular(file, MAX_STORE_BYTES))
        except OSError:
            continue
        found |= {_print_of(c): c for c in held.certificates}
    return found


def root_of(chain: Sequence[CertificateFacts], stores: Sequence[TrustStore] = ()) -> Root:
    """The root above `chain` (leaf first, as sent), looked for among the public roots first.

    Signatures decide, not names. A certificate that several authorities vouch for is public as
    soon as one of them is. The roots of `stores` are private unless they are public ones.
    """
    held = {c.sha256: c for c in chain[:MAX_LENGTH] if not c.problem}
    if not chain or chain[0].sha256 not in held:
        return Root()
    parsed = {sha256: parse(c.der) for sha256, c in held.items()}
    reached = [chain[0].sha256]
    for sha256 in reached:  # grows while it is walked
        public = _public_above(sha256, held[sha256].issuer, parsed[sha256])
        if public:
            return Root(public, public=True)
        above = [n for n, c in parsed.items() if is_issued_by(parsed[sha256], c)]
        reached += [n for n in above if n not in reached]
    sent = next((n for n in reached if is_self_signed(parsed[n])), "")
    own = sent or _in_stores([(held[n].issuer, parsed[n]) for n in reached], stores)
    return Root(own, public=False if own else None)


def _public_above(sha256: str, issuer: str, certificate: x509.Certificate) -> str:
    """The public root that this certificate is, or that signed it; "" if there is none."""
    if sha256 in public_roots():
        return sha256
    candidates = _public_by_name().get(issuer, ())
    return next((n for n in candidates if is_issued_by(certificate, public_roots()[n])), "")


@cache
def _public_by_name() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for sha256, root in public_roots().items():
        name = name_of(root.subject)
        found[name] = (*found.get(name, ()), sha256)
    return found


def _in_stores(
    reached: Sequence[tuple[str, x509.Certificate]], stores: Sequence[TrustStore]
) -> str:
    """A self-signed root of these stores that signed one of these (issuer, certificate)."""
    for store in stores:
        for issuer, certificate in reached:
            for root in store.by_subject.get(issuer, ()):
                if is_issued_by(certificate, root) and is_self_signed(root):
                    return _print_of(root)
    return ""


def _print_of(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()
