"""Ask OpenSSL for the path from a leaf to an anchor: that is what decides in practice.

Postfix and most other mail servers verify with it. cryptography's own verifier follows the web
PKI's profile and refuses private authorities that every mail server accepts. OpenSSL is asked
for the purpose as well; its answer names one certificate and one cause.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import crypto

from incamail_lib.facts.certificate import TrustReason

# X509_V_ERR_*: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
OPEN_STORE = 2  # the path reached a certificate of the store whose issuer is not in the store
REJECTED, REJECTED_WORDS = 28, "certificate rejected"  # the trust settings of the anchor exclude it
NO_ISSUER = frozenset({19, 20, 21})
SIGNATURE = frozenset({4, 7})
REASONS = {
    9: TrustReason.NOT_YET_VALID,
    10: TrustReason.EXPIRED,
    **dict.fromkeys((13, 14, 41), TrustReason.MALFORMED),
    18: TrustReason.SELF_SIGNED,
    25: TrustReason.PATH_LENGTH,
    26: TrustReason.WRONG_PURPOSE,
    **dict.fromkeys((32, 37, 79), TrustReason.NOT_AN_AUTHORITY),
    34: TrustReason.UNKNOWN_CRITICAL,
    **dict.fromkeys((47, 48, 49, 51, 52, 53), TrustReason.NAME_CONSTRAINTS),
    **dict.fromkeys((66, 67, 68), TrustReason.WEAK),
    76: TrustReason.UNUSUAL,
}
_PURPOSES = {"clientAuth": 1, "serverAuth": 2}  # X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME


@dataclass(frozen=True)
class Built:
    """OpenSSL's answer. `code` is 0 for a path that verifies, else an X509_V_ERR_*.

    `path` is DER, leaf first up to the anchor: also where only validity or purpose is at fault.
    """

    code: int = 0
    words: str = ""
    culprit: bytes = b""
    path: tuple[bytes, ...] = ()


def build(
    leaf: crypto.X509,
    others: Sequence[crypto.X509],
    anchors: Sequence[crypto.X509],
    *,
    purpose: str,
    now: dt.datetime,
) -> Built:
    """The path that OpenSSL finds for `leaf` from `others` and `anchors`, and its verdict."""
    try:
        return Built(path=_path(_store(anchors, now, purpose), leaf, others))
    except crypto.X509StoreContextError as error:
        code, _, words = error.errors
        culprit = to_der(error.certificate) if error.certificate else b""
        return Built(code, words, culprit, _anyway(leaf, others, anchors))


def _anyway(
    leaf: crypto.X509, others: Sequence[crypto.X509], anchors: Sequence[crypto.X509]
) -> tuple[bytes, ...]:
    """The path without regard to validity and purpose; nothing where there is none even so."""
    store = _store(anchors, None, "")
    store.set_flags(_NO_CHECK_TIME)
    try:
        return _path(store, leaf, others)
    except crypto.X509StoreContextError:
        return ()


def _path(
    store: crypto.X509Store, leaf: crypto.X509, others: Sequence[crypto.X509]
) -> tuple[bytes, ...]:
    context = crypto.X509StoreContext(store, leaf, others)
    return tuple(to_der(certificate) for certificate in context.get_verified_chain())


def _store(
    anchors: Sequence[crypto.X509], now: dt.datetime | None, purpose: str
) -> crypto.X509Store:
    """The anchors with a date and a purpose.

    OpenSSL keeps the first time set, so every use has a new store. pyOpenSSL has no name for the
    purpose yet; the binding below it has.
    """
    store = crypto.X509Store()
    for anchor in anchors:
        store.add_cert(anchor)
    if now is not None:
        store.set_time(now.astimezone(dt.UTC))  # it reads the fields and not the zone
    # Should the binding lose it one day, our own rules about purposes still refuse.
    set_purpose = getattr(Binding.lib, "X509_STORE_set_purpose", None)
    if purpose and set_purpose is not None:
        set_purpose(store._store, _PURPOSES[purpose])
    return store


def to_der(certificate: crypto.X509) -> bytes:
    """What travels on the wire."""
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
