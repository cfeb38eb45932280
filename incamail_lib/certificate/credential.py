"""The client's own certificate files: PEM, DER, PKCS#7, PKCS#12, with or without a key."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from incamail_lib.certificate.chain import link
from incamail_lib.certificate.reading import UNREADABLE, is_issued_by, parse, read_certificate
from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.i18n import N_
from incamail_lib.printable import printable

MAX_BYTES = 1_000_000
_BEGIN = b"-----BEGIN "
_UNKNOWN_FORMAT = N_("neither PEM, DER, PKCS#7 nor PKCS#12, or damaged")


@dataclass(frozen=True)
class Credential:
    """A certificate chain, leaf first, with its private key. The key never shows in a repr."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Fingerprint of the leaf, lower-case hexadecimal."""
        return self.chain[0].fingerprint(hashes.SHA256()).hex()


class _Unusable(Exception):
    """A file that cannot be used; the message is evidence for the audit, free of secrets."""


class _Locked(_Unusable):
    """A passphrase is missing or wrong."""


class _Absent(_Unusable):
    """There is nothing to be read at that path."""


@dataclass
class _Contents:
    """What a file held, before it is put in order."""

    format: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    encrypted: bool = False


def load_credential(
    path: Path,
    *,
    key_path: Path | None = None,
    passphrase: bytes | None = None,
    uses: tuple[CredentialUse, ...],
) -> tuple[CredentialFacts, Credential | None]:
    """What the file holds, and the credential to present if certificate and key fit.

    What is wrong with a file is a fact (`readable` is no, with the cause), since the audit is to
    report it; the key and the passphrase appear nowhere in the facts.
    """
    try:
        contents = _contents(_read(path), passphrase)
        if key_path is not None:
            _add_key(contents, _read(key_path), passphrase)
        if not contents.certificates:
            raise _Unusable(N_("the file holds no certificate"))
    except (_Locked, _Absent) as error:  # says something of the dossier, not of the certificate
        return _unreadable(path, uses, inconclusive(Reason.NOT_REACHED, str(error))), None
    except _Unusable as error:
        return _unreadable(path, uses, no(Reason.SEEN, str(error))), None
    return _told(path, uses, contents)


def needs_passphrase(path: Path, *, key_path: Path | None = None) -> bool:
    """Whether these files can only be used with a passphrase; damaged ones need none."""
    try:
        contents = _contents(_read(path), None)
        if key_path is not None:
            _add_key(contents, _read(key_path), None)
    except _Locked:
        return True
    except _Unusable:
        return False
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
    path: Path, uses: tuple[CredentialUse, ...], contents: _Contents
) -> tuple[CredentialFacts, Credential | None]:
    ordered = _leaf_first(contents.certificates, contents.key)
    chain = tuple(read_certificate(c.public_bytes(Encoding.DER)) for c in ordered)
    matches = _key_matches(ordered[0], contents.key)
    told = CredentialFacts(
        label=printable(path.name),
        uses=uses,
        format=contents.format,
        readable=yes(),
        chain=chain,
        links=link(chain),
        has_key=contents.key is not None,
        key_encrypted=contents.encrypted,
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


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise _Absent(printable(f"{path.name}: {cause}")) from None
    if len(data) > MAX_BYTES:
        raise _Unusable(N_("the file is larger than 1 MB"))
    if not data.strip():
        raise _Unusable(N_("the file is empty"))
    return data


def _contents(data: bytes, passphrase: bytes | None) -> _Contents:
    if _BEGIN in data:
        return _from_pem(data, passphrase)
    for read in (_from_der, _from_pkcs7_der):
        found = read(data)
        if found is not None:
            return found
    return _from_pkcs12(data, passphrase)


def _from_pem(data: bytes, passphrase: bytes | None) -> _Contents:
    contents = _Contents("PEM")
    for label, block in _blocks(data):
        if label.endswith(("PRIVATE KEY",)):
            contents.key, contents.encrypted = _key_of(block, passphrase)
        elif label == "PKCS7":
            contents.format = "PKCS#7"
            contents.certificates += _quiet(pkcs7.load_pem_pkcs7_certificates, block)
        elif label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"):
            contents.certificates.append(_one_certificate(block))
    return contents


def _blocks(data: bytes) -> list[tuple[str, bytes]]:
    """The PEM blocks with their labels, whatever stands between them."""
    found: list[tuple[str, bytes]] = []
    start = data.find(_BEGIN)
    while start >= 0:
        label_end = data.find(b"-----", start + len(_BEGIN))
        label = data[start + len(_BEGIN) : label_end]
        closing = b"-----END " + label + b"-----"
        end = data.find(closing, label_end)
        if label_end < 0 or end < 0:
            raise _Unusable(N_("a PEM block is cut off"))
        name = label.decode("ascii", "replace")
        found.append((name, data[start : end + len(closing)] + b"\n"))
        start = data.find(_BEGIN, end)
    return found


def _one_certificate(block: bytes) -> x509.Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_pem_x509_certificate(block)
    except UNREADABLE:
        raise _Unusable(N_("a certificate in the file is damaged")) from None


def _quiet(load: object, data: bytes) -> list[x509.Certificate]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(load(data))  # type: ignore[operator]
    except UNREADABLE:
        raise _Unusable(N_("the PKCS#7 file is damaged")) from None


def _from_der(data: bytes) -> _Contents | None:
    try:
        return _Contents("DER", [parse(data)])
    except UNREADABLE:
        return None


def _from_pkcs7_der(data: bytes) -> _Contents | None:
    try:
        return _Contents("PKCS#7", _quiet(pkcs7.load_der_pkcs7_certificates, data))
    except _Unusable:
        return None


def _from_pkcs12(data: bytes, passphrase: bytes | None) -> _Contents:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # BER in place of DER, as some exports have it
            key, leaf, others = pkcs12.load_key_and_certificates(data, passphrase)
    except ValueError as error:
        if "password" in str(error).lower() or "mac" in str(error).lower():
            raise _Locked(_passphrase_problem(passphrase)) from None
        raise _Unusable(_UNKNOWN_FORMAT) from None
    except UNREADABLE:
        raise _Unusable(_UNKNOWN_FORMAT) from None
    certificates = [leaf, *others] if leaf else list(others)
    return _Contents("PKCS#12", certificates, key, encrypted=passphrase is not None)


def _passphrase_problem(passphrase: bytes | None) -> str:
    return N_("the passphrase is wrong") if passphrase else N_("a passphrase is needed")


def _add_key(contents: _Contents, data: bytes, passphrase: bytes | None) -> None:
    if _BEGIN not in data:
        contents.key, contents.encrypted = _der_key(data, passphrase)
        return
    keys = [block for label, block in _blocks(data) if label.endswith("PRIVATE KEY")]
    if not keys:
        raise _Unusable(N_("the key file holds no private key"))
    contents.key, contents.encrypted = _key_of(keys[0], passphrase)


def _key_of(block: bytes, passphrase: bytes | None) -> tuple[PrivateKeyTypes, bool]:
    encrypted = b"ENCRYPTED" in block
    if encrypted and not passphrase:
        raise _Locked(_passphrase_problem(passphrase))
    try:
        key = serialization.load_pem_private_key(block, passphrase if encrypted else None)
    except (ValueError, TypeError):
        if encrypted:
            raise _Locked(_passphrase_problem(passphrase)) from None
        raise _Unusable(N_("the key is damaged")) from None
    except UNREADABLE:
        raise _Unusable(N_("the key is of a kind that is not supported")) from None
    return key, encrypted


def _der_key(data: bytes, passphrase: bytes | None) -> tuple[PrivateKeyTypes, bool]:
    try:
        return serialization.load_der_private_key(data, None), False
    except TypeError:  # sound, but encrypted
        return _locked_der_key(data, passphrase), True
    except UNREADABLE:
        raise _Unusable(N_("the key is damaged")) from None


def _locked_der_key(data: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    try:
        return serialization.load_der_private_key(data, passphrase or None)
    except UNREADABLE:
        raise _Locked(_passphrase_problem(passphrase)) from None


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


def _key_matches(leaf: x509.Certificate, key: PrivateKeyTypes | None) -> Observation:
    if key is None:
        return inconclusive(Reason.NOT_TRIED, N_("the file holds no private key"))
    if _fits(leaf, key):
        return yes()
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
