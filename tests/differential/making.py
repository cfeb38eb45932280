"""Certificates octet by octet: every field free, also what no library agrees to make.

The builder of pyca/cryptography refuses version 1, a broken signature or an algorithm identifier
that does not fit; all of them are met in the field. Keys are made once per process and shared.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVES: dict[str, ec.EllipticCurve] = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "p224": ec.SECP224R1(),
    "p192": ec.SECP192R1(),
    "k256": ec.SECP256K1(),
    "bp256": ec.BrainpoolP256R1(),
    "bp384": ec.BrainpoolP384R1(),
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
}
RSA_SIGNATURES = {  # RFC 8017 A.2.4; NIST CSOR for SHA-3
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
    "sha3-256": "2.16.840.1.101.3.4.3.14",
    "sha3-384": "2.16.840.1.101.3.4.3.15",
}
ECDSA_SIGNATURES = {  # RFC 5758 §3.2; NIST CSOR for SHA-3
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
    "sha3-256": "2.16.840.1.101.3.4.3.10",
    "sha3-384": "2.16.840.1.101.3.4.3.11",
}
NS_CERT_TYPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
UNHEARD_OF = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")  # RFC 5612: for examples


@dataclass(frozen=True)
class Key:
    """A private key, named by its kind and a number within the pool."""

    kind: str
    private: PrivateKeyTypes = field(repr=False, compare=False)
    number: int = 0

    @property
    def spki(self) -> bytes:
        """The public key as SubjectPublicKeyInfo."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def identifier(self) -> bytes:
        """What a subject key identifier holds (RFC 7093 §2 method 1)."""
        return hashlib.sha256(self.spki).digest()[:20]


@cache
def key(kind: str, number: int = 0) -> Key:
    """One key of the pool: "rsa2048", a name of CURVES, "ed25519" or "ed448"."""
    if kind.startswith("rsa"):
        return Key(kind, rsa.generate_private_key(65537, int(kind[3:])), number)
    if kind == "ed25519":
        return Key(kind, ed25519.Ed25519PrivateKey.generate(), number)
    if kind == "ed448":
        return Key(kind, ed448.Ed448PrivateKey.generate(), number)
    return Key(kind, ec.generate_private_key(CURVES[kind]), number)


@dataclass(frozen=True)
class Made:
    """What one certificate says. Extensions are (value, critical) in the order given."""

    subject: str
    issuer: str
    key: Key
    signer: Key
    start: dt.datetime
    end: dt.datetime
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    version: int = 3
    digest: str = "sha256"
    broken: bool = False  # one bit of the signature is turned
    serial: int = 1


def certificate(made: Made) -> bytes:
    """The certificate in DER (RFC 5280 §4.1)."""
    algorithm = _algorithm(made.signer, made.digest)
    parts = [
        *([_tagged(0xA0, _integer(made.version - 1))] if made.version > 1 else []),
        _integer(made.serial),
        algorithm,
        _name(made.issuer),
        _sequence(_time(made.start), _time(made.end)),
        _name(made.subject),
        made.key.spki,
        *([_tagged(0xA3, _sequence(*map(_extension, made.extensions)))] if made.extensions else []),
    ]
    body = _sequence(*parts)
    signature = _signed(body, made.signer, made.digest)
    if made.broken:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return _sequence(body, algorithm, _tagged(0x03, b"\x00" + signature))


def _algorithm(signer: Key, digest: str) -> bytes:
    if signer.kind.startswith("rsa"):
        return _sequence(_oid(RSA_SIGNATURES[digest]), b"\x05\x00")
    if signer.kind == "ed25519":
        return _sequence(_oid("1.3.101.112"))
    if signer.kind == "ed448":
        return _sequence(_oid("1.3.101.113"))
    return _sequence(_oid(ECDSA_SIGNATURES[digest]))


def _signed(body: bytes, signer: Key, digest: str) -> bytes:
    private = signer.private
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(body, padding.PKCS1v15(), HASHES[digest])
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(body, ec.ECDSA(HASHES[digest]))
    assert isinstance(private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return private.sign(body)


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(group))
    return _tagged(0x06, bytes(octets))


def _name(common_name: str) -> bytes:
    attribute = _sequence(_oid("2.5.4.3"), _tagged(0x0C, common_name.encode()))
    return _sequence(_tagged(0x31, attribute)) if common_name else _sequence()


def _time(moment: dt.datetime) -> bytes:
    if moment.year < 2050:
        return _tagged(0x17, f"{moment:%y%m%d%H%M%SZ}".encode())
    return _tagged(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode())


def _extension(entry: tuple[x509.ExtensionType, bool]) -> bytes:
    value, critical = entry
    mark = b"\x01\x01\xff" if critical else b""
    return _sequence(_oid(value.oid.dotted_string), mark, _tagged(0x04, value.public_bytes()))
