"""DER -> CertificateFacts. Certificates come from strangers: whatever is wrong is a fact."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.printable import printable

T = TypeVar("T")
MAX_NAMES = 100
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_NS_CERT_TYPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
_NS_TYPES = ("client", "server", "email", "objsign", "reserved", "sslCA", "emailCA", "objCA")
_EDWARDS_BITS = {"Ed25519": 256, "Ed448": 456}  # RFC 8032 §5.1.5, §5.2.5: length of a public key
# Everything the parser raises for content it cannot read; a bug of ours is none of these.
UNREADABLE = (
    *(ValueError, TypeError, OverflowError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)


def parse(der: bytes) -> x509.Certificate:
    """The certificate object, without the parser's warnings about odd but legible content.

    Errors: one of UNREADABLE.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=2048)
def read_certificate(der: bytes) -> CertificateFacts:
    """Everything the certificate says (RFC 5280). Never raises: `problem` names what failed.

    Strings are bounded and printable; SHA-1 is told because Post's set-up document uses it.
    """
    prints = {
        "der": der,
        "sha1": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(der).hexdigest(),
    }
    try:
        certificate = parse(der)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return CertificateFacts(**prints, **_fields(certificate))
    except UNREADABLE as error:
        return CertificateFacts(**prints, problem=printable(f"{type(error).__name__}: {error}"))


def _fields(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "version": certificate.version.value + 1,
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "signature_algorithm": _signature_name(certificate),
        "signature_hash": _signature_hash(certificate),
        "self_issued": certificate.issuer == certificate.subject,
        "self_signed": is_self_signed(certificate),
        **_names("subject", certificate.subject),
        **_names("issuer", certificate.issuer),
        **_key(certificate),
        **_extensions(certificate),
    }


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
    return certificate.issuer == certificate.subject and is_issued_by(certificate, certificate)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has the name and the key that signed `certificate`.

    The library refuses SHA-1 here, so that signature is verified with the bare key: who issued a
    certificate is a fact, that the signature is weak is another.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return _is_signed_with_sha1_by(certificate, issuer)
    return True


def _is_signed_with_sha1_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject or _signature_hash(certificate) != "sha1":
        return False
    signature, body = certificate.signature, certificate.tbs_certificate_bytes
    try:
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
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        return {"key_type": printable(f"unreadable ({type(error).__name__})")}
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


def _extensions(certificate: x509.Certificate) -> dict[str, Any]:
    found = certificate.extensions

    def of(kind: type[T], read: Callable[[T], Any], default: Any) -> Any:
        try:
            return read(found.get_extension_for_class(kind).value)  # type: ignore[type-var]
        except x509.ExtensionNotFound:
            return default

    return {
        "is_ca": of(x509.BasicConstraints, lambda e: e.ca, False),
        "path_length": of(x509.BasicConstraints, lambda e: e.path_length, None),
        "key_usage": of(x509.KeyUsage, _usages, None),
        "ext_key_usage": of(x509.ExtendedKeyUsage, _purposes, None),
        "unknown_critical": tuple(
            e.oid.dotted_string
            for e in found
            if e.critical and isinstance(e.value, x509.UnrecognizedExtension)
        )[:MAX_NAMES],
        "ns_cert_type": _netscape_type(found),
        "san_dns": of(x509.SubjectAlternativeName, lambda e: _sans(e, x509.DNSName), ()),
        "san_ip": of(x509.SubjectAlternativeName, lambda e: _sans(e, x509.IPAddress), ()),
        "san_email": of(x509.SubjectAlternativeName, lambda e: _sans(e, x509.RFC822Name), ()),
        "subject_key_id": of(x509.SubjectKeyIdentifier, lambda e: e.digest.hex(), ""),
        "authority_key_id": of(
            x509.AuthorityKeyIdentifier, lambda e: (e.key_identifier or b"").hex(), ""
        ),
        "sct_count": of(x509.PrecertificateSignedCertificateTimestamps, _count, 0),
        "ca_issuers_urls": of(
            x509.AuthorityInformationAccess,
            lambda e: _access(e, AuthorityInformationAccessOID.CA_ISSUERS),
            (),
        ),
        "ocsp_urls": of(
            x509.AuthorityInformationAccess,
            lambda e: _access(e, AuthorityInformationAccessOID.OCSP),
            (),
        ),
        "crl_urls": of(x509.CRLDistributionPoints, _points, ()),
    }


def _netscape_type(extensions: x509.Extensions) -> tuple[str, ...] | None:
    """The old nsCertType, a bit string of at most eight bits, which OpenSSL still obeys."""
    try:
        value = extensions.get_extension_for_oid(_NS_CERT_TYPE).value
    except x509.ExtensionNotFound:
        return None
    raw = value.public_bytes()
    bits = raw[3] if len(raw) > 3 and raw[0] == 3 else 0
    return tuple(name for n, name in enumerate(_NS_TYPES) if bits & 0x80 >> n)


def _count(scts: Any) -> int:
    return sum(1 for _ in scts)


def _usages(usage: x509.KeyUsage) -> tuple[str, ...]:
    return tuple(name for name in _USAGES if getattr(usage, name))


def _purposes(usage: x509.ExtendedKeyUsage) -> tuple[str, ...]:
    return tuple(_PURPOSES.get(oid, oid.dotted_string) for oid in list(usage)[:MAX_NAMES])


def _sans(names: x509.SubjectAlternativeName, kind: type[x509.GeneralName]) -> tuple[str, ...]:
    values = [n.value for n in names if isinstance(n, kind)][:MAX_NAMES]
    return tuple(printable(str(value)) for value in values)


def _access(
    descriptions: x509.AuthorityInformationAccess, method: x509.ObjectIdentifier
) -> tuple[str, ...]:
    locations = [d.access_location for d in descriptions if d.access_method == method]
    return tuple(printable(str(place.value)) for place in locations[:10])


def _points(points: x509.CRLDistributionPoints) -> tuple[str, ...]:
    names = [name for point in points for name in point.full_name or ()]
    return tuple(printable(str(name.value)) for name in names[:10])
