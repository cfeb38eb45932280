"""What each named trust store says about a chain. Trust is always told per store.

Paths are built by OpenSSL, through pyOpenSSL, because that is what decides in practice: Postfix
and most other MTAs verify with it. cryptography's own verifier follows the web PKI's profile and
refuses private authorities that every mail server accepts. OpenSSL's purpose check is not
reachable there, so the extended key usage of leaf and intermediates is judged here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from OpenSSL import crypto

from incamail_lib.certificate.chain import MAX_LENGTH, link
from incamail_lib.certificate.reading import parse, read_certificate
from incamail_lib.certificate.stores import TrustStore, for_openssl
from incamail_lib.facts.certificate import CertificateFacts, TrustFacts, TrustReason
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.printable import printable

# X509_V_ERR_*: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_EXPIRED, _NOT_YET = 10, 9
_SELF_SIGNED_LEAF = 18
_NO_ISSUER = frozenset({2, 19, 20, 21})
_WEAK = frozenset({66, 67, 68})
_MIN_RSA, _MIN_EC = 2048, 224
_BROKEN_HASHES = frozenset({"md5", "sha1", "md2"})


def judge_trust(
    chain: Sequence[CertificateFacts], store: TrustStore, *, purpose: str, now: dt.datetime
) -> TrustFacts:
    """What `store` says about `chain` (leaf first, as sent) for serverAuth or clientAuth at `now`.

    The order as sent does not matter here: `ChainFacts` tells it. A missing intermediate is
    named as such, apart from a root that the store does not know.
    """
    if store.problem:
        return _answer(store, purpose, TrustReason.STORE_UNREADABLE, store.problem)
    parsed = [_parsed(c) for c in chain[:MAX_LENGTH]]
    if not parsed or parsed[0] is None:
        problem = chain[0].problem or chain[0].subject if chain else "no certificate"
        return _answer(store, purpose, TrustReason.MALFORMED, problem)
    others = [c for c in parsed[1:] if c is not None]
    context = crypto.X509StoreContext(_as_of(store, now), parsed[0], others)
    try:
        context.verify_certificate()
    except crypto.X509StoreContextError as error:
        return _refused(chain, store, purpose, error)
    path = [read_certificate(_der(c)) for c in context.get_verified_chain() or ()]
    return _judged_path(path, store, purpose)


def _as_of(store: TrustStore, now: dt.datetime) -> crypto.X509Store:
    """The anchors with a date: OpenSSL keeps the first time set, so every use has a new store."""
    anchors = crypto.X509Store()
    for anchor in store.anchors:
        anchors.add_cert(anchor)
    anchors.set_time(now)
    return anchors


def _parsed(certificate: CertificateFacts) -> crypto.X509 | None:
    if certificate.problem:
        return None
    return for_openssl(parse(certificate.der))


def _der(certificate: crypto.X509) -> bytes:
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def _answer(
    store: TrustStore,
    purpose: str,
    reason: TrustReason,
    detail: str = "",
    path: tuple[str, ...] = (),
) -> TrustFacts:
    observed = no(Reason.SEEN)
    if reason is TrustReason.TRUSTED:
        observed = yes()
    if reason is TrustReason.STORE_UNREADABLE:
        observed = inconclusive(Reason.NOT_TRIED, detail)
    return TrustFacts(
        store=store.name,
        store_date=store.date,
        store_size=store.size,
        purpose=purpose,
        trusted=observed,
        reason=reason,
        detail=printable(detail),
        path=path,
    )


def _refused(
    chain: Sequence[CertificateFacts],
    store: TrustStore,
    purpose: str,
    error: crypto.X509StoreContextError,
) -> TrustFacts:
    code = error.errors[0]
    subject = read_certificate(_der(error.certificate)).subject if error.certificate else ""
    if code == _EXPIRED:
        return _answer(store, purpose, TrustReason.EXPIRED, subject)
    if code == _NOT_YET:
        return _answer(store, purpose, TrustReason.NOT_YET_VALID, subject)
    if code == _SELF_SIGNED_LEAF:
        return _answer(store, purpose, TrustReason.SELF_SIGNED, subject)
    if code in _WEAK:
        return _answer(store, purpose, TrustReason.WEAK, subject)
    if code in _NO_ISSUER:
        return _no_anchor(chain, store, purpose)
    return _answer(store, purpose, TrustReason.MALFORMED, f"{subject}: {error.errors[2]}")


def _no_anchor(chain: Sequence[CertificateFacts], store: TrustStore, purpose: str) -> TrustFacts:
    """Tell a missing intermediate from an unknown root.

    When the path stops at the leaf although the leaf says where its issuer can be fetched (AIA
    caIssuers), an intermediate is missing. When it stops at a CA certificate, what lacks is the
    root, which servers need not send.
    """
    facts = link(chain)
    if facts.leaf_self_signed:
        return _answer(store, purpose, TrustReason.SELF_SIGNED, chain[0].subject)
    stops_at_leaf = facts.missing_issuer == chain[0].issuer and not _sent(chain, chain[0].issuer)
    if stops_at_leaf and facts.missing_issuer_urls:
        return _answer(store, purpose, TrustReason.MISSING_INTERMEDIATE, facts.missing_issuer)
    top = facts.missing_issuer or _root_of(chain)
    return _answer(store, purpose, TrustReason.UNKNOWN_ROOT, top)


def _sent(chain: Sequence[CertificateFacts], subject: str) -> bool:
    return any(c.subject == subject for c in chain[1:])


def _root_of(chain: Sequence[CertificateFacts]) -> str:
    return next((c.subject for c in chain[1:] if c.self_signed), chain[-1].issuer)


def _judged_path(path: Sequence[CertificateFacts], store: TrustStore, purpose: str) -> TrustFacts:
    """A path was found: now purpose and strength of everything below the anchor."""
    names = tuple(c.subject for c in path)
    below = path[:-1] or path  # a leaf that is itself an anchor is judged too
    for certificate in below:
        if not certificate.allows(purpose):
            subject = certificate.subject
            return _answer(store, purpose, TrustReason.WRONG_PURPOSE, subject, names)
        if _is_weak(certificate):
            return _answer(store, purpose, TrustReason.WEAK, certificate.subject, names)
    return _answer(store, purpose, TrustReason.TRUSTED, "", names)


def _is_weak(certificate: CertificateFacts) -> bool:
    small = {"RSA": _MIN_RSA, "DSA": _MIN_RSA, "EC": _MIN_EC}.get(certificate.key_type, 0)
    broken = certificate.signature_hash in _BROKEN_HASHES and not certificate.self_signed
    return certificate.key_bits < small or broken
