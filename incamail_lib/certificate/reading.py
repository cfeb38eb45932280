"""DER -> CertificateFacts. Certificates come from strangers: whatever is wrong is a fact."""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from incamail_lib.certificate import der
from incamail_lib.certificate.extensions import (
    MAX_NAMES,
    READERS,
    UNREADABLE,
    Reader,
    alternative_names,
    parse,
)
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.printable import printable

__all__ = [
    "MAX_NAMES",
    "UNREADABLE",
    "is_issued_by",
    "is_self_signed",
    "name_of",
    "parse",
    "read_certificate",
]

_EDWARDS_BITS = {"Ed25519": 256, "Ed448": 456}  # RFC 8032 §5.1.5, §5.2.5: length of a public key


@lru_cache(maxsize=2048)
def read_certificate(data: bytes) -> CertificateFacts:
    """Everything the certificate says (RFC 5280). Never raises.

    `problem` names why nothing could be read; what the parser refuses in a legible certificate
    costs that field alone, which `unreadable` then names.
    Strings are bounded and printable; SHA-1 is told because Post's set-up document uses it.
    """
    prints = {
        "der": data,
        "sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    try:
        certificate = parse(data)
    except UNREADABLE as error:
        return CertificateFacts(**prints, problem=printable(f"{type(error).__name__}: {error}"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CertificateFacts(**prints, **_fields(certificate))


def _fields(certificate: x509.Certificate) -> dict[str, Any]:
    fields: dict[str, Any] = {"self_signed": is_self_signed(certificate)}
    unreadable: list[str] = []
    for part, read in _PARTS.items():
        try:
            fields |= read(certificate)
        except UNREADABLE:
            unreadable.append(part)
            fields |= _raw(part, certificate)
    try:
        names, whole = alternative_names(certificate)
    except UNREADABLE:
        names, whole = {}, False
    if not whole:
        unreadable.append("subject_alt_name")
    return fields | names | {"unreadable": tuple(unreadable)}


def name_of(name: x509.Name) -> str:
    """A distinguished name as one printable RFC 4514 string."""
    return printable(name.rfc4514_string(), 500)


def _names(whose: str, name: x509.Name) -> dict[str, Any]:
    def values(oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        found = name.get_attributes_for_oid(oid)[:MAX_NAMES]
        return tuple(printable(_as_text(attribute.value)) for attribute in found)

    return {
        whose: name_of(name),
        f"{whose}_cn": values(NameOID.COMMON_NAME),
        f"{whose}_o": values(NameOID.ORGANIZATION_NAME),
    }


def _raw(part: str, certificate: x509.Certificate) -> dict[str, Any]:
    """A name that cannot be read, as RFC 4514 §2.4 writes a value without a string form."""
    names = der.names(certificate.public_bytes(serialization.Encoding.DER))
    if part == "self_issued":
        return {"self_issued": names["issuer"] == names["subject"]}
    return {part: printable(f"#{names[part].hex()}", 500)} if part in names else {}


def _as_text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _signature_name(certificate: x509.Certificate) -> str:
    name: str = getattr(certificate.signature_algorithm_oid, "_name", "")
    return (
        name
        if name and name != "Unknown OID"
        else certificate.signature_algorithm_oid.dotted_string
    )


def _signature_hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm else ""


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether the signature verifies with the certificate's own key."""
    return is_issued_by(certificate, certificate)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has the name and the key that signed `certificate`. Never raises.

    The library refuses SHA-1 here, so that signature is verified with the bare key: who issued a
    certificate is a fact, that the signature is weak is another.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return _is_signed_with_sha1_by(certificate, issuer)
    return True


def _is_signed_with_sha1_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if certificate.issuer != issuer.subject or _signature_hash(certificate) != "sha1":
            return False
        signature, body = certificate.signature, certificate.tbs_certificate_bytes
        key = issuer.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, body, ec.ECDSA(hashes.SHA1()))  # noqa: S303
        else:
            return False
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _key(certificate: x509.Certificate) -> dict[str, Any]:
    key = certificate.public_key()
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fields: dict[str, Any] = {"spki_sha256": hashlib.sha256(spki).hexdigest()}
    kinds: tuple[tuple[type, str], ...] = (
        (rsa.RSAPublicKey, "RSA"),
        (ec.EllipticCurvePublicKey, "EC"),
        (dsa.DSAPublicKey, "DSA"),
        (ed25519.Ed25519PublicKey, "Ed25519"),
        (ed448.Ed448PublicKey, "Ed448"),
    )
    fields["key_type"] = next((n for kind, n in kinds if isinstance(key, kind)), type(key).__name__)
    fields["key_bits"] = getattr(key, "key_size", _EDWARDS_BITS.get(fields["key_type"], 0))
    if isinstance(key, ec.EllipticCurvePublicKey):
        fields["curve"] = key.curve.name
    return fields


# The name under which `CertificateFacts.unreadable` tells a refused part -> its reader.
_PARTS: dict[str, Reader] = {
    "version": lambda c: {"version": c.version.value + 1},
    "serial": lambda c: {"serial": f"{c.serial_number:x}"},
    "not_before": lambda c: {"not_before": c.not_valid_before_utc},
    "not_after": lambda c: {"not_after": c.not_valid_after_utc},
    "signature": lambda c: {
        "signature_algorithm": _signature_name(c),
        "signature_hash": _signature_hash(c),
    },
    "subject": lambda c: _names("subject", c.subject),
    "issuer": lambda c: _names("issuer", c.issuer),
    "self_issued": lambda c: {"self_issued": c.issuer == c.subject},
    "key": _key,
    **READERS,
}
