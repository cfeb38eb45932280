"""The client's own certificate files: PEM, DER, PKCS#7, PKCS#12, with or without a key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from incamail_lib.certificate.chain import link
from incamail_lib.certificate.contents import (
    Absent,
    Beyond,
    Contents,
    Locked,
    Unusable,
    contents_of,
)
from incamail_lib.certificate.reading import UNREADABLE, is_issued_by, read_certificate
from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.i18n import N_
from incamail_lib.printable import printable

_NOT_THE_FIRST_KEY = N_(
    "the first key in the file belongs to another certificate, and OpenSSL and Postfix take the "
    "first. Remove it; the key that fits stands behind it"
)


@dataclass(frozen=True)
class Credential:
    """A certificate chain, leaf first, with its private key. The key never shows in a repr."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Fingerprint of the leaf, lower-case hexadecimal."""
        return self.chain[0].fingerprint(hashes.SHA256()).hex()


def load_credential(
    path: Path,
    *,
    key_path: Path | None = None,
    passphrase: bytes | None = None,
    uses: tuple[CredentialUse, ...],
) -> tuple[CredentialFacts, Credential | None]:
    """What the file holds, and the credential to present if certificate and key fit.

    A file that OpenSSL would not load is not readable, whatever we could make of it: Postfix, Exim
    and most gateways load theirs with it. What is wrong with a file is a fact (`readable` is no,
    with the cause), since the audit is to report it; the key and the passphrase appear nowhere in
    the facts. A key that stays locked costs the comparison alone, not the certificate.
    """
    try:
        contents = contents_of(path, key_path, passphrase)
    except (Locked, Absent) as error:  # says something of the dossier, not of the certificate
        return _unreadable(path, uses, inconclusive(Reason.NOT_REACHED, str(error))), None
    except Beyond as error:
        return _unreadable(path, uses, inconclusive(Reason.UNSUPPORTED, str(error))), None
    except Unusable as error:
        return _unreadable(path, uses, no(Reason.SEEN, str(error))), None
    return _told(path, uses, contents)


def needs_passphrase(path: Path, *, key_path: Path | None = None) -> bool:
    """Whether these files can only be used with a passphrase; damaged ones need none."""
    try:
        return bool(contents_of(path, key_path, None).locked)
    except Locked:
        return True
    except Unusable:
        return False


def _unreadable(
    path: Path, uses: tuple[CredentialUse, ...], readable: Observation
) -> CredentialFacts:
    return CredentialFacts(
        label=printable(path.name),
        uses=uses,
        readable=readable,
        key_matches=inconclusive(Reason.NOT_REACHED, readable.evidence),
    )


def _told(
    path: Path, uses: tuple[CredentialUse, ...], contents: Contents
) -> tuple[CredentialFacts, Credential | None]:
    ordered = _leaf_first(contents.certificates, contents.key)
    chain = tuple(read_certificate(c.public_bytes(Encoding.DER)) for c in ordered)
    matches = _key_matches(ordered[0], contents)
    told = CredentialFacts(
        label=printable(path.name),
        uses=uses,
        format=contents.format,
        readable=yes(),
        chain=chain,
        links=link(chain),
        has_key=contents.key is not None or bool(contents.locked),
        key_encrypted=contents.encrypted,
        leaf_stands_first=contents.format != "PEM" or contents.certificates[0] == ordered[0],
        key_matches=matches,
    )
    if contents.key is None or not matches.is_yes:
        return told, None
    return told, Credential(tuple(_sendable(ordered, chain)), contents.key)


def _sendable(
    ordered: Iterable[x509.Certificate], chain: tuple[CertificateFacts, ...]
) -> list[x509.Certificate]:
    """Leaf and intermediates: a root need not be sent (RFC 9846 §4.5.1)."""
    pairs = list(zip(ordered, chain, strict=True))
    return [c for n, (c, facts) in enumerate(pairs) if n == 0 or not facts.self_signed]


def _leaf_first(
    certificates: list[x509.Certificate], key: PrivateKeyTypes | None
) -> list[x509.Certificate]:
    """The certificates in sending order, whatever their order in the file.

    The leaf is the one the key fits, else one that issued none of the others.
    """
    fitting = [c for c in certificates if key is not None and _fits(c, key)]
    issuers = {
        id(i) for c in certificates for i in certificates if i is not c and is_issued_by(c, i)
    }
    leaves = fitting or [c for c in certificates if id(c) not in issuers] or certificates
    ordered = [leaves[0]]
    while True:
        rest = [c for c in certificates if c not in ordered]
        above = next((c for c in rest if is_issued_by(ordered[-1], c)), None)
        if above is None:
            return ordered + rest
        ordered.append(above)


def _fits(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    except UNREADABLE:
        return False


def _key_matches(leaf: x509.Certificate, contents: Contents) -> Observation:
    if contents.locked:
        return inconclusive(Reason.NOT_REACHED, contents.locked)
    if contents.key is None:
        return inconclusive(Reason.NOT_TRIED, N_("the file holds no private key"))
    if _fits(leaf, contents.key):
        return yes()
    if any(_fits(leaf, key) for key in contents.spare_keys):
        return no(Reason.SEEN, _NOT_THE_FIRST_KEY)
    return no(Reason.SEEN, N_("the key belongs to another certificate"))


def foreign_credential(now: dt.datetime, *, rsa: bool = False) -> Credential:
    """A throw-away self-signed client certificate that no server can know.

    Shown as a control: a server that accepts it asks for certificates without verifying them. An
    RSA key is for servers that take no other.
    """
    key = generate_private_key(65_537, 2048) if rsa else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "incamail-runbook control probe")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=7))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Credential((certificate,), key)
