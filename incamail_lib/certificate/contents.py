"""What a certificate file holds, in whatever form it comes: PEM, DER, PKCS#7 or PKCS#12."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from OpenSSL import SSL

from incamail_lib.certificate import der, kinds, pem, trusted
from incamail_lib.certificate.reading import UNREADABLE, parse
from incamail_lib.errors import reason
from incamail_lib.files import read_regular
from incamail_lib.i18n import N_
from incamail_lib.printable import printable

MAX_BYTES = 1_000_000
_STRICT = 1  # security level
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")
TRUSTED_LABEL = "TRUSTED CERTIFICATE"  # `openssl x509 -trustout`: trust settings stand behind it
PKCS7_LABELS = ("PKCS7", "CMS")
_DAMAGED = N_("a certificate in the file is damaged. Export the file again")
_REFUSED = N_(
    "OpenSSL, with which Postfix and Exim read it, refuses a certificate in the file. Have it "
    "issued or exported again"
)
_OTHER_RULES = N_(
    "OpenSSL loads it, but a certificate in the file keeps so little to the rules (DER) that this "
    "program cannot read it. Have it issued anew"
)
_OLD_ENCRYPTION = N_(
    "the PKCS#12 file is encrypted with an old method that this program cannot open. Convert it: "
    "openssl pkcs12 -legacy -in FILE -nodes -out NEW.pem, or export it again with AES-256"
)


class Unusable(Exception):
    """A file that cannot be used; the message is evidence for the audit, free of secrets."""


class Locked(Unusable):
    """A passphrase is missing or wrong."""


class Absent(Unusable):
    """There is nothing to be read at that path."""


class Damaged(Unusable):
    """A certificate in it cannot be read."""


class Beyond(Unusable):
    """Others can use it, this program cannot."""


@dataclass
class Contents:
    """What a file held, before it is put in order."""

    format: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    encrypted: bool = False
    locked: str = ""  # why the key that is there could not be opened
    spare_keys: list[PrivateKeyTypes] = field(default_factory=list, repr=False)


def contents_of(path: Path, key_path: Path | None, passphrase: bytes | None) -> Contents:
    """What the file and its key file hold. Errors: Unusable and what is derived from it."""
    data = _read(path)
    try:
        found = _contents(data, passphrase, with_key=key_path is None)
    except Damaged:
        if _openssl_loads(path, level=_STRICT):
            raise Beyond(_OTHER_RULES) from None
        raise
    if key_path is not None:
        _add_key(found, _read(key_path), passphrase)
    # A level makes OpenSSL look into every certificate; weak ones are left to the checks.
    level = 0 if any(map(_is_weak, found.certificates)) else _STRICT
    if found.format == "PEM" and not _openssl_loads(path, level=level):
        raise Unusable(_REFUSED)
    return found


@dataclass(frozen=True)
class Anchors:
    """The certificates of a trust store's file, and what in it could not be used.

    `rejected` holds those that are not to be trusted for a purpose: (DER, purpose).
    """

    certificates: tuple[x509.Certificate, ...] = ()
    problem: str = ""
    rejected: frozenset[tuple[bytes, str]] = frozenset()


def anchors_in(data: bytes) -> Anchors:
    """Every certificate in a file of a trust store: PEM in any number, one in DER, or PKCS#7."""
    if not data.strip():
        return Anchors(problem=N_("the file is empty"))
    found: list[x509.Certificate] = []
    rejected: frozenset[tuple[bytes, str]] = frozenset()
    problem, labels = "", []
    try:
        for block in pem.blocks(data):
            labels.append(block.label)
            held = _anchors_of(block)
            found += held.certificates
            rejected |= held.rejected
            problem = problem or held.problem
    except pem.BrokenPem as broken:
        problem = str(broken)
    if labels or problem:
        problem = problem or ("" if found else kinds.of_labels(labels))
        return Anchors(tuple(found), problem, rejected)
    other = _from_der(data) or _from_pkcs7(data)
    if other is not None:
        return Anchors(tuple(other.certificates))
    return Anchors(problem=_why_no_anchor(data))


def _why_no_anchor(data: bytes) -> str:
    hidden = pem.why_nothing_was_found(data)
    if hidden:
        return hidden
    try:
        _from_pkcs12(data, None)
    except (Locked, Beyond):
        return kinds.KEYSTORE
    except Unusable as error:
        return kinds.KEYSTORE if str(error) == kinds.JAVA else str(error)
    return kinds.KEYSTORE


def _anchors_of(block: pem.Block) -> Anchors:
    try:
        if block.label in PKCS7_LABELS:
            return Anchors(tuple(_in_pkcs7(block.data)))
        if block.label in CERTIFICATE_LABELS:
            return Anchors((_certificate(block),))
        if block.label == TRUSTED_LABEL:
            return _trusted_anchor(block)
    except Unusable as error:
        return Anchors(problem=str(error))
    return Anchors()


def _trusted_anchor(block: pem.Block) -> Anchors:
    certificate = _certificate(block)
    try:
        purposes = trusted.rejected_purposes(block.data)
    except ValueError:
        raise Damaged(_DAMAGED) from None
    form = certificate.public_bytes(serialization.Encoding.DER)
    return Anchors((certificate,), rejected=frozenset((form, purpose) for purpose in purposes))


def _read(path: Path) -> bytes:
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        raise Absent(printable(f"{path.name}: {reason(error).template}")) from None
    if len(data) > MAX_BYTES:
        raise Unusable(N_("the file is larger than 1 MB"))
    if not data.strip():
        raise Unusable(N_("the file is empty"))
    return data


def _contents(data: bytes, passphrase: bytes | None, *, with_key: bool) -> Contents:
    found = _blocks(data)
    if found:
        contents = _from_pem(found)
        if with_key:
            _take_keys(contents, found, passphrase)
        return contents
    hidden = pem.why_nothing_was_found(data)
    if hidden:
        raise Unusable(hidden)
    for read in (_from_der, _from_pkcs7):
        held = read(data)
        if held is not None:
            return held
    return _from_pkcs12(data, passphrase)


def _blocks(data: bytes) -> list[pem.Block]:
    try:
        return list(pem.blocks(data))
    except pem.BrokenPem as broken:
        is_pgp = b"-----BEGIN PGP " in data and b"CERTIFICATE" not in data  # its lines are no PEM
        raise Unusable(kinds.PGP if is_pgp else str(broken)) from None


def _from_pem(found: Sequence[pem.Block]) -> Contents:
    contents = Contents("PEM")
    for block in found:
        if block.label in PKCS7_LABELS:
            contents.format = "PKCS#7"
            contents.certificates += _in_pkcs7(block.data)
        elif _is_loaded(block, first=not contents.certificates):
            contents.certificates.append(_certificate(block))
    if not contents.certificates:
        raise Unusable(kinds.of_labels([block.label for block in found]))
    return contents


def _is_loaded(block: pem.Block, *, first: bool) -> bool:
    """OpenSSL takes a trusted certificate as the leaf alone and passes over any other."""
    return block.label in CERTIFICATE_LABELS or (first and block.label == TRUSTED_LABEL)


def _certificate(block: pem.Block) -> x509.Certificate:
    if block.header:
        raise Unusable(pem.HEADER if b":" in block.header else pem.BLANK_LINE)
    try:
        return parse(der.first(block.data))
    except UNREADABLE:
        raise Damaged(_DAMAGED) from None


def _take_keys(contents: Contents, found: Sequence[pem.Block], passphrase: bytes | None) -> None:
    """The first key is the one that OpenSSL takes; the others may tell what went wrong."""
    keys = [block for block in found if block.label.endswith("PRIVATE KEY")]
    if not keys:
        return
    first, *others = keys
    contents.encrypted = _is_encrypted(first)
    try:
        contents.key = _key_of(first, passphrase)
    except Locked as locked:
        contents.locked = str(locked)
    for block in others:
        try:
            contents.spare_keys.append(_key_of(block, passphrase))
        except Unusable:
            continue


def _openssl_loads(path: Path, *, level: int) -> bool:
    """Whether OpenSSL loads the chain at this security level, called as Postfix does."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=%d" % level)
    try:
        context.use_certificate_chain_file(str(path))
    except SSL.Error:
        return False
    return True


def _is_weak(certificate: x509.Certificate) -> bool:
    """Whether OpenSSL refuses its key or signature for their strength (level 2: 112 bits)."""
    try:
        digest = certificate.signature_hash_algorithm
        key = certificate.public_key()
    except UNREADABLE:
        return False
    small = 224 if isinstance(key, ec.EllipticCurvePublicKey) else 2048
    weak = getattr(key, "key_size", small) < small
    return weak or (digest is not None and digest.name in ("md5", "sha1"))


def _quiet(load: Callable[[bytes], list[x509.Certificate]], data: bytes) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(load(data))


def _in_pkcs7(data: bytes) -> list[x509.Certificate]:
    try:
        return _quiet(pkcs7.load_der_pkcs7_certificates, data)
    except UNREADABLE:
        raise Unusable(N_("the PKCS#7 file is damaged. Export it again")) from None


def _from_der(data: bytes) -> Contents | None:
    try:
        return Contents("DER", [parse(data)])
    except UNREADABLE:
        return None


def _from_pkcs7(data: bytes) -> Contents | None:
    try:
        return Contents("PKCS#7", _in_pkcs7(data))
    except Unusable:
        return None


def _from_pkcs12(data: bytes, passphrase: bytes | None) -> Contents:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # BER in place of DER, as some exports have it
            key, leaf, others = pkcs12.load_key_and_certificates(data, passphrase)
    except ValueError as error:
        if "password" in str(error).lower() or "mac" in str(error).lower():
            raise Locked(passphrase_problem(passphrase)) from None
        raise Unusable(kinds.of_content(data)) from None
    except UNREADABLE:
        raise Beyond(_OLD_ENCRYPTION) from None
    certificates = [leaf, *others] if leaf else list(others)
    if not certificates:
        raise Unusable(kinds.NO_CERTIFICATE)
    return Contents("PKCS#12", certificates, key, encrypted=passphrase is not None)


def passphrase_problem(passphrase: bytes | None) -> str:
    """A passphrase is missing, or the one given is wrong."""
    return N_("the passphrase is wrong") if passphrase else N_("a passphrase is needed")


def _add_key(contents: Contents, data: bytes, passphrase: bytes | None) -> None:
    contents.key, contents.encrypted, contents.locked = None, False, ""
    contents.spare_keys.clear()
    found = _blocks(data)
    if found:
        _take_keys(contents, found, passphrase)
        if contents.key is None and not contents.locked:
            raise Unusable(N_("the key file holds no private key"))
        return
    hidden = pem.why_nothing_was_found(data)
    if hidden:
        raise Unusable(hidden)
    _take_der_key(contents, data, passphrase)


def _is_encrypted(block: pem.Block) -> bool:
    return block.label == "ENCRYPTED PRIVATE KEY" or b"ENCRYPTED" in block.header


def _key_of(block: pem.Block, passphrase: bytes | None) -> PrivateKeyTypes:
    if block.label == "OPENSSH PRIVATE KEY":
        raise Unusable(kinds.OPENSSH_KEY)
    encrypted = _is_encrypted(block)
    if encrypted and not passphrase:
        raise Locked(passphrase_problem(passphrase))
    given = passphrase if encrypted else None
    try:
        return serialization.load_pem_private_key(block.armoured(), given)
    except (ValueError, TypeError):
        if encrypted:
            raise Locked(passphrase_problem(passphrase)) from None
        raise Unusable(N_("the key is damaged")) from None
    except UNREADABLE:
        raise Unusable(N_("the key is of a kind that is not supported")) from None


def _take_der_key(contents: Contents, data: bytes, passphrase: bytes | None) -> None:
    try:
        contents.key = serialization.load_der_private_key(data, None)
    except TypeError:  # sound, but encrypted
        contents.encrypted = True
    except UNREADABLE:
        raise Unusable(N_("the key is damaged")) from None
    if not contents.encrypted:
        return
    try:
        contents.key = serialization.load_der_private_key(data, passphrase or None)
    except UNREADABLE:
        contents.locked = passphrase_problem(passphrase)
