"""Certificates made for one test: every field free, also those no authority would sign."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from incamail_lib.certificate import der as parts
from incamail_lib.certificate import read_certificate
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Issued
from incamail_lib.lab.pki import Variant

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOST = "mx1.muster.example"
PrivateKey = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


def issued(variant: Variant = Variant.BOTH, host: str = HOST) -> Issued:
    """A leaf of the lab with its chain."""
    return pki.build(NOW).leaf(variant, host)


def der(certificate: x509.Certificate) -> bytes:
    """What travels on the wire."""
    return certificate.public_bytes(Encoding.DER)


def told(certificates: Sequence[x509.Certificate]) -> list[CertificateFacts]:
    """The facts of certificates, in the order given."""
    return [read_certificate(der(c)) for c in certificates]


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key per size, since making one takes long."""
    return rsa.generate_private_key(65537, bits)


def made(
    key: PrivateKey | None = None,
    *,
    common_name: str = "made.example",
    extensions: Sequence[x509.ExtensionType] = (),
    serial: int = 5,
) -> x509.Certificate:
    """A self-signed certificate with these extensions and whatever name."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names longer than the standard allows
        attribute = x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)
    name = x509.Name([attribute])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(serial)
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=90))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    edwards = isinstance(own, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(own, None if edwards else hashes.SHA256())


def refused_by_openssl() -> list[CertificateFacts]:
    """A chain whose leaf is legible, but not for OpenSSL: its O is tagged as a time (UTCTime)."""
    leaf, *others = issued().chain
    odd = der(leaf).replace(bytes.fromhex("060355040a0c"), bytes.fromhex("060355040a17"))
    return [read_certificate(odd), *told(others)]


EMPTY_RDN = bytes.fromhex("30023100")


def with_empty_rdn(key: PrivateKey | None = None) -> bytes:
    """A certificate whose names hold an empty part, which RFC 5280 §4.1.2.4 forbids."""
    whole = der(made(key))
    old = parts.names(whole)["subject"]
    body, *rest = parts.elements(parts.content(whole))
    changed = parts.content(body).replace(old, EMPTY_RDN)
    return parts.wrapped(0x30, parts.wrapped(0x30, changed) + b"".join(rest))
