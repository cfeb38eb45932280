"""Issuing: certificate authorities that exist only in memory, and what they sign."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from incamail_lib.guide.ca_policy import ca_policy

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
PUBLISHED_AT = "http://pki.lab.example"  # named in AIA and CRL extensions, never contacted


class KeyKind(StrEnum):
    """What key pair a certificate gets."""

    P256 = "p256"
    RSA_2048 = "rsa_2048"
    RSA_1024 = "rsa_1024"  # below the 2048 bits of BR §6.1.5


USUAL_LIFE = dt.timedelta(days=95)


@dataclass(frozen=True)
class Recipe:
    """What one leaf certificate says; names empty or None leave the element out."""

    common_name: str = ""
    organisation: str = ""
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    usages: tuple[x509.ObjectIdentifier, ...] | None = (SERVER_AUTH, CLIENT_AUTH)
    not_before: dt.timedelta = dt.timedelta(days=-5)  # from the PKI's now
    left: dt.timedelta | None = None  # from the PKI's now to the end; decides over not_before
    lifetime: dt.timedelta | None = None  # None: what the law of the PKI's day allows
    key: KeyKind = KeyKind.P256
    sha1: bool = False


@dataclass(frozen=True)
class Issued:
    """A leaf with its key and the intermediates above it, nearest first; the root apart."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    intermediates: tuple[x509.Certificate, ...] = ()
    root: x509.Certificate | None = None  # None for a self-signed leaf

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The chain as a server should send it (RFC 9846 §4.5.1): leaf first, no root."""
        return (self.certificate, *self.intermediates)

    @property
    def leaf_only(self) -> tuple[x509.Certificate, ...]:
        """The leaf alone: its issuer is missing."""
        return (self.certificate,)

    @property
    def wrong_order_with_root(self) -> tuple[x509.Certificate, ...]:
        """Leaf, root, then the intermediates: the order is wrong and the root is needless."""
        tops = (self.root,) if self.root is not None else ()
        return (self.certificate, *tops, *self.intermediates)

    def pem(self, certificates: Sequence[x509.Certificate] | None = None) -> bytes:
        """The chain, or `certificates` if given, one PEM block after the other."""
        return pem_of(self.chain if certificates is None else certificates)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        """The private key as PKCS#8 PEM, encrypted when a passphrase is given."""
        protection = (
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption()
        )
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
        )


@dataclass(frozen=True)
class Authority:
    """One certificate authority: its certificate, its key and the authorities above it."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    now: dt.datetime
    above: Authority | None = None

    @property
    def root(self) -> x509.Certificate:
        """The certificate at the top of this authority's line."""
        return self.above.root if self.above else self.certificate

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """This authority and those above it, without the root."""
        return (self.certificate, *self.above.intermediates) if self.above else ()

    def subordinate(
        self,
        common_name: str,
        organisation: str,
        *,
        usages: tuple[x509.ObjectIdentifier, ...] | None = None,
        kind: KeyKind = KeyKind.P256,
    ) -> Authority:
        """An issuing authority below this one; `usages` restrict what its leaves may do."""
        key = new_key(kind)
        builder = _ca_builder(_name(common_name, organisation), key, self.now, path_length=0)
        if usages is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = _pointers(_issued_by(builder, self.certificate), self.certificate)
        return Authority(builder.sign(self.key, hashes.SHA256()), key, self.now, self)

    def issue(self, recipe: Recipe) -> Issued:
        """A leaf made to `recipe`. SHA-1 needs an authority with an RSA key."""
        key = new_key(recipe.key)
        builder = _leaf_builder(recipe, key, self.now)
        builder = _pointers(_issued_by(builder, self.certificate), self.certificate)
        certificate = builder.sign(self.key, hashes.SHA256())
        if recipe.sha1:
            certificate = _signed_again_with_sha1(certificate, self.key)
        return Issued(certificate, key, self.intermediates, self.root)


def new_root(
    common_name: str, organisation: str, now: dt.datetime, *, kind: KeyKind = KeyKind.P256
) -> Authority:
    """A self-signed root authority, ten years from two years ago."""
    key = new_key(kind)
    name = _name(common_name, organisation)
    builder = _ca_builder(name, key, now, path_length=None).issuer_name(name)
    return Authority(builder.sign(key, hashes.SHA256()), key, now)


def self_signed(recipe: Recipe, now: dt.datetime) -> Issued:
    """A leaf that vouches for itself, as appliances make them at installation."""
    key = new_key(recipe.key)
    builder = _leaf_builder(recipe, key, now)
    builder = builder.issuer_name(_name(recipe.common_name, recipe.organisation))
    return Issued(builder.sign(key, hashes.SHA256()), key)


def pem_of(certificates: Sequence[x509.Certificate]) -> bytes:
    """Certificates as PEM, in the order given."""
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def new_key(kind: KeyKind) -> PrivateKey:
    """A key pair. RSA keys are shared per size: making one costs up to 0.2 s, P-256 20 µs."""
    return ec.generate_private_key(ec.SECP256R1()) if kind is KeyKind.P256 else _rsa_key(kind)


@cache
def _rsa_key(kind: KeyKind) -> rsa.RSAPrivateKey:
    bits = {KeyKind.RSA_2048: 2048, KeyKind.RSA_1024: 1024}[kind]
    return rsa.generate_private_key(65537, bits)


def _name(common_name: str, organisation: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CH")]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _ca_builder(
    name: x509.Name, key: PrivateKey, now: dt.datetime, *, path_length: int | None
) -> x509.CertificateBuilder:
    start = now - dt.timedelta(days=730)
    return (
        _builder(name, key, start, start + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
    )


def _leaf_builder(recipe: Recipe, key: PrivateKey, now: dt.datetime) -> x509.CertificateBuilder:
    lifetime = recipe.lifetime or _lawful_life(now)
    start = now + (recipe.not_before if recipe.left is None else recipe.left - lifetime)
    # notAfter is the last second that still counts (RFC 5280 §4.1.2.5).
    end = start + lifetime - dt.timedelta(seconds=1)
    name = _name(recipe.common_name, recipe.organisation)
    builder = (
        _builder(name, key, start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
    )
    names: list[x509.GeneralName] = [x509.DNSName(n) for n in recipe.dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(a)) for a in recipe.addresses]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if recipe.usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(recipe.usages), critical=False)
    return builder


def _lawful_life(now: dt.datetime) -> dt.timedelta:
    """A usual life, no longer than public authorities may issue for on that day (BR §6.3.2)."""
    longest = ca_policy().longest_life(now.date())
    return min(USUAL_LIFE, dt.timedelta(days=longest)) if longest else USUAL_LIFE


def _builder(
    name: x509.Name, key: PrivateKey, start: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(identifier, critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(
    builder: x509.CertificateBuilder, issuer: x509.Certificate
) -> x509.CertificateBuilder:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return builder.issuer_name(issuer.subject).add_extension(authority, critical=False)


def _pointers(
    builder: x509.CertificateBuilder, issuer: x509.Certificate
) -> x509.CertificateBuilder:
    """Add where the issuer's certificate, its revocation list and OCSP would be found."""
    label = f"{issuer.serial_number:x}"[:8]
    places = {
        AuthorityInformationAccessOID.CA_ISSUERS: f"{PUBLISHED_AT}/{label}.crt",
        AuthorityInformationAccessOID.OCSP: f"{PUBLISHED_AT}/ocsp",
    }
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in places.items()
    ]
    lists = x509.DistributionPoint(
        [x509.UniformResourceIdentifier(f"{PUBLISHED_AT}/{label}.crl")], None, None, None
    )
    return builder.add_extension(
        x509.AuthorityInformationAccess(access), critical=False
    ).add_extension(x509.CRLDistributionPoints([lists]), critical=False)


SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("06092a864886f70d010105")
SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")  # RFC 8017 §9.2 note 1


def _signed_again_with_sha1(certificate: x509.Certificate, key: PrivateKey) -> x509.Certificate:
    """The same certificate with sha1WithRSAEncryption, which pyca/cryptography won't make.

    Both algorithm identifiers have the same length, so they are swapped in the DER and the
    PKCS#1 v1.5 signature (RFC 8017 §8.2.1) is computed anew over the changed body.
    """
    assert isinstance(key, rsa.RSAPrivateKey), "a SHA-1 signature needs an RSA authority"
    body = certificate.tbs_certificate_bytes.replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    size = key.key_size // 8
    digest = SHA1_DIGEST_INFO + hashlib.sha1(body, usedforsecurity=False).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    private = key.private_numbers()
    number = pow(int.from_bytes(padded), private.d, private.public_numbers.n)
    der = certificate.public_bytes(serialization.Encoding.DER)
    der = der.replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    return x509.load_der_x509_certificate(der.replace(certificate.signature, number.to_bytes(size)))


def with_key_of(issued: Issued, other: Issued) -> Issued:
    """`issued` with the private key of `other`, as after a mix-up of files."""
    return replace(issued, key=other.key)
