"""Extensions read one by one, so that an odd one costs its own field and no other."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from incamail_lib.certificate import der
from incamail_lib.printable import printable

E = TypeVar("E", bound=x509.ExtensionType)
MAX_NAMES = 100
# Everything the parser raises for content it cannot read; a bug of ours is none of these.
UNREADABLE = (
    *(ValueError, TypeError, OverflowError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
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


def parse(data: bytes) -> x509.Certificate:
    """The certificate object, without the parser's warnings about odd but legible content.

    Errors: one of UNREADABLE.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(data)


def extension_of(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """The value of one extension; None where the certificate has none.

    Errors: one of UNREADABLE where this extension cannot be read, whatever the others say.
    """
    try:
        found = certificate.extensions
    except UNREADABLE:
        found = _alone(certificate, kind.oid).extensions
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _alone(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> x509.Certificate:
    """The certificate with the extensions of this kind and no other."""
    whole = certificate.public_bytes(Encoding.DER)
    return parse(der.with_extensions(whole, _of_kind(whole, oid)))


def _of_kind(whole: bytes, oid: x509.ObjectIdentifier) -> list[bytes]:
    wanted = der.identifier(oid.dotted_string)
    return [part for part in der.extensions(whole) if der.content(part).startswith(wanted)]


def with_legible_names(certificate: x509.Certificate) -> tuple[x509.Certificate, bool]:
    """A certificate whose one extension is the subject alternative name, and whether it is whole.

    A name of a kind or form that the library refuses is left out; the others stay.
    Errors: one of UNREADABLE where not even the list can be read.
    """
    whole = certificate.public_bytes(Encoding.DER)
    own = _of_kind(whole, x509.SubjectAlternativeName.oid)
    alone = parse(der.with_extensions(whole, own))
    if len(own) != 1 or _is_legible(alone):
        alone.extensions  # noqa: B018 - raises where the extension stands twice
        return alone, True
    *front, value = der.elements(der.content(own[0]))
    names = der.elements(der.content(der.content(value)))

    def holding(chosen: list[bytes]) -> x509.Certificate:
        held = der.wrapped(0x04, der.wrapped(der.SEQUENCE, b"".join(chosen)))
        extension = der.wrapped(der.SEQUENCE, b"".join((*front, held)))
        return parse(der.with_extensions(whole, [extension]))

    return holding([n for n in names[:MAX_NAMES] if _is_legible(holding([n]))]), False


def _is_legible(certificate: x509.Certificate) -> bool:
    try:
        certificate.extensions  # noqa: B018 - the library reads them when they are asked for
    except UNREADABLE:
        return False
    return True


def basic_constraints(certificate: x509.Certificate) -> dict[str, Any]:
    """Whether it is an authority, and how many may stand below it."""
    found = extension_of(certificate, x509.BasicConstraints)
    return {"is_ca": found.ca, "path_length": found.path_length} if found else {}


def key_usage(certificate: x509.Certificate) -> dict[str, Any]:
    """What the key may do."""
    found = extension_of(certificate, x509.KeyUsage)
    return {"key_usage": tuple(n for n in _USAGES if getattr(found, n))} if found else {}


def ext_key_usage(certificate: x509.Certificate) -> dict[str, Any]:
    """What the certificate is for."""
    found = extension_of(certificate, x509.ExtendedKeyUsage)
    if found is None:
        return {}
    named = tuple(_PURPOSES.get(oid, oid.dotted_string) for oid in list(found)[:MAX_NAMES])
    return {"ext_key_usage": named}


def alternative_names(certificate: x509.Certificate) -> tuple[dict[str, Any], bool]:
    """The subject alternative names that can be read, and whether these are all."""
    legible, whole = with_legible_names(certificate)
    found = extension_of(legible, x509.SubjectAlternativeName)
    if found is None:
        return {}, whole
    kinds: dict[str, type[x509.GeneralName]] = {
        "san_dns": x509.DNSName,
        "san_ip": x509.IPAddress,
        "san_email": x509.RFC822Name,
    }
    return {field: _names(found, kind) for field, kind in kinds.items()}, whole


def _names(found: x509.SubjectAlternativeName, kind: type[x509.GeneralName]) -> tuple[str, ...]:
    values = [n.value for n in found if isinstance(n, kind)][:MAX_NAMES]
    return tuple(printable(str(value)) for value in values)


def unknown_critical(certificate: x509.Certificate) -> dict[str, Any]:
    """Critical extensions that neither the library nor RFC 5280 knows."""
    try:
        found = list(certificate.extensions)
    except UNREADABLE:
        found = _one_by_one(certificate)
    unknown = (
        x.oid for x in found if x.critical and isinstance(x.value, x509.UnrecognizedExtension)
    )
    return {"unknown_critical": tuple(oid.dotted_string for oid in unknown)[:MAX_NAMES]}


def _one_by_one(certificate: x509.Certificate) -> list[x509.Extension[x509.ExtensionType]]:
    """The extensions that can be read, each by itself; the others have names of their own."""
    whole = certificate.public_bytes(Encoding.DER)
    found: list[x509.Extension[x509.ExtensionType]] = []
    for part in der.extensions(whole)[:MAX_NAMES]:
        alone = parse(der.with_extensions(whole, [part]))
        if _is_legible(alone):
            found += alone.extensions
    return found


def ns_cert_type(certificate: x509.Certificate) -> dict[str, Any]:
    """The old nsCertType, a bit string of at most eight bits, which OpenSSL still obeys."""
    own = _of_kind(certificate.public_bytes(Encoding.DER), _NS_CERT_TYPE)
    if not own:
        return {}
    *_, value = der.elements(der.content(own[0]))
    raw = der.content(value)
    if len(own) > 1 or len(raw) not in (3, 4) or raw[0] != 0x03:
        raise ValueError("not a bit string")
    bits = raw[3] if len(raw) > 3 else 0
    return {"ns_cert_type": tuple(n for at, n in enumerate(_NS_TYPES) if bits & 0x80 >> at)}


def subject_key_id(certificate: x509.Certificate) -> dict[str, Any]:
    """The number of its own key."""
    found = extension_of(certificate, x509.SubjectKeyIdentifier)
    return {"subject_key_id": found.digest.hex()} if found else {}


def authority_key_id(certificate: x509.Certificate) -> dict[str, Any]:
    """The number of its issuer's key."""
    found = extension_of(certificate, x509.AuthorityKeyIdentifier)
    return {"authority_key_id": (found.key_identifier or b"").hex()} if found else {}


def timestamps(certificate: x509.Certificate) -> dict[str, Any]:
    """How many signed certificate timestamps are embedded (RFC 6962)."""
    found = extension_of(certificate, x509.PrecertificateSignedCertificateTimestamps)
    return {"sct_count": sum(1 for _ in found)} if found else {}


def authority_information(certificate: x509.Certificate) -> dict[str, Any]:
    """Where the issuer's certificate and OCSP are found."""
    found = extension_of(certificate, x509.AuthorityInformationAccess)
    if found is None:
        return {}

    def places(method: x509.ObjectIdentifier) -> tuple[str, ...]:
        located = [d.access_location for d in found if d.access_method == method]
        return tuple(printable(str(place.value)) for place in located[:10])

    return {
        "ca_issuers_urls": places(AuthorityInformationAccessOID.CA_ISSUERS),
        "ocsp_urls": places(AuthorityInformationAccessOID.OCSP),
    }


def revocation_lists(certificate: x509.Certificate) -> dict[str, Any]:
    """Where revocation lists are found."""
    found = extension_of(certificate, x509.CRLDistributionPoints)
    if found is None:
        return {}
    names = [name for point in found for name in point.full_name or ()]
    return {"crl_urls": tuple(printable(str(name.value)) for name in names[:10])}


Reader = Callable[[x509.Certificate], dict[str, Any]]
# The name under which `CertificateFacts.unreadable` tells a refused extension -> its reader.
READERS: dict[str, Reader] = {
    "basic_constraints": basic_constraints,
    "key_usage": key_usage,
    "ext_key_usage": ext_key_usage,
    "unknown_critical": unknown_critical,
    "ns_cert_type": ns_cert_type,
    "subject_key_id": subject_key_id,
    "authority_key_id": authority_key_id,
    "timestamps": timestamps,
    "authority_information": authority_information,
    "revocation_lists": revocation_lists,
}
