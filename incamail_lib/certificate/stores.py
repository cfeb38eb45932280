"""Trust stores: the web PKI's, this machine's, and those of a mail server, as files or folders."""

from __future__ import annotations

import datetime as dt
import re
import ssl
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from incamail_lib.certificate import contents, distribution, kinds
from incamail_lib.certificate.reading import UNREADABLE, parse, read_certificate
from incamail_lib.errors import MaterialError, reason
from incamail_lib.files import read_regular
from incamail_lib.i18n import Text, say
from incamail_lib.printable import printable

MAX_STORE_BYTES = 20_000_000
MAX_FILES = 5_000
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# What files of certificates are called; in a folder, other files may be anything.
_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".ca-bundle"})
_HASHED = re.compile(r"\.\d+$")  # openssl-rehash(1)
_SERVER_AUTH, _CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_DATED = re.compile(
    rb"Certificate data from Mozilla (?:as of|last updated on): "
    rb"\w{3} (\w{3} [ \d]\d) [\d:]+ (\d{4})"
)

Enumerate = Callable[[str], Iterable[tuple[bytes, str, bool | set[str] | frozenset[str]]]]
"""As `ssl.enum_certificates`: certificate, encoding, and purposes it is trusted for or True."""


@dataclass(frozen=True)
class TrustStore:
    """A set of trust anchors with a name and a date; `problem` says why it could not be read.

    `left_out` names what was found in it and could not be used, with the cause; `by_subject`
    finds an anchor by its subject as `CertificateFacts` tells it. `rejected` holds anchors with
    trust settings that exclude a purpose: (DER, purpose).
    """

    name: str
    date: dt.date | None = None
    size: int = 0
    problem: str = ""
    anchors: tuple[crypto.X509, ...] = field(default=(), repr=False, compare=False)
    left_out: tuple[Text, ...] = ()
    by_subject: Mapping[str, tuple[x509.Certificate, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    rejected: frozenset[tuple[bytes, str]] = field(default=frozenset(), repr=False, compare=False)


@cache
def certifi_store() -> TrustStore:
    """Mozilla's roots as certifi ships them; the date is certifi's version."""
    held = contents.anchors_in(read_regular(Path(certifi.where()), MAX_STORE_BYTES))
    return store_of(f"certifi {certifi.__version__}", held.certificates, date=_version_date())


def _version_date() -> dt.date | None:
    parts = certifi.__version__.split(".")
    try:
        return dt.date(*(int(part) for part in parts[:3]))
    except (TypeError, ValueError):
        return None


@cache
def system_store() -> TrustStore:
    """This machine's roots. Dated by the package they come from, where that can be told."""
    enumerate_certificates: Enumerate | None = getattr(ssl, "enum_certificates", None)
    if sys.platform == "win32" and enumerate_certificates is not None:
        return windows_store(enumerate_certificates)
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    path = next((Path(c) for c in candidates if c and Path(c).is_file()), None)
    if path is None:
        return TrustStore("system", problem="no bundle of roots was found on this machine")
    try:
        held = contents.anchors_in(read_regular(path, MAX_STORE_BYTES))
    except OSError as error:
        cause = error.strerror or type(error).__name__
        return TrustStore("system", problem=printable(f"{path}: {cause}"))
    if not held.certificates:
        return TrustStore("system", problem=printable(f"{path}: no certificate in it"))
    # OpenSSL's own path to it is a link on Debian 13.
    ours = {str(path), str(path.resolve())}
    package = distribution.package_version() if ours & set(_BUNDLES) else ""
    name = f"system (ca-certificates {package})" if package else "system"
    date = distribution.date_of(package)
    return store_of(name, held.certificates, date=date, rejected=held.rejected)


def windows_store(enumerate_certificates: Enumerate) -> TrustStore:
    """The roots of Windows that are trusted for TLS. Windows keeps no date of them."""
    found = []
    try:
        for data, encoding, trust in enumerate_certificates("ROOT"):
            for_tls = trust is True or (
                not isinstance(trust, bool) and {_SERVER_AUTH, _CLIENT_AUTH} & set(trust)
            )
            if encoding == "x509_asn" and for_tls:
                found += _readable(data)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        return TrustStore("system", problem=printable(f"Windows: {cause}"))
    if not found:
        return TrustStore("system", problem="the store of Windows holds no root")
    return store_of("system", found)


def _readable(data: bytes) -> list[x509.Certificate]:
    try:
        return [parse(data)]
    except UNREADABLE:
        return []


def file_store(path: Path) -> TrustStore:
    """A file (PEM, DER or PKCS#7), or all such files of a folder. Named by its base name.

    What cannot be used in it is left out and named. Dated by what stands in it, never by when it
    was copied. Errors: MaterialError when it cannot be read or holds no certificate.
    """
    name = printable(path.name)
    try:
        if path.is_dir():
            return _folder(path, name)
        data = read_regular(path, MAX_STORE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if len(data) > MAX_STORE_BYTES:
        raise MaterialError(
            say(
                "The trust store {file} is larger than 20 MB. Name a file with certificates only.",
                file=str(path),
            )
        )
    held = contents.anchors_in(data)
    if not held.certificates:
        raise MaterialError(
            say(
                "The trust store {file} holds no certificate that can be used: {cause}. Name the "
                "file or folder with the roots that the mail server trusts.",
                file=str(path),
                cause=Text(template=held.problem or kinds.NO_CERTIFICATE),
            )
        )
    left_out = (_left_out(name, path.name, held.problem),) if held.problem else ()
    return store_of(
        name,
        held.certificates,
        date=_date_in(data),
        left_out=left_out,
        rejected=held.rejected,
    )


def _folder(path: Path, name: str) -> TrustStore:
    """Every file in it that holds certificates, hashed links of OpenSSL included, each once."""
    certificates: list[x509.Certificate] = []
    rejected: frozenset[tuple[bytes, str]] = frozenset()
    left_out: list[Text] = []
    room = MAX_STORE_BYTES
    files = sorted(path.iterdir())
    for file in files[:MAX_FILES]:
        if file.is_dir():
            continue
        try:
            data = read_regular(file, room + 1)
        except OSError as error:
            data, problem = b"", reason(error).template
        else:
            held = contents.anchors_in(data)
            problem = held.problem
            certificates += held.certificates
            rejected |= held.rejected
        room -= len(data)
        if problem and (file.suffix.lower() in _SUFFIXES or _HASHED.search(file.name)):
            left_out.append(_left_out(name, file.name, problem))
        if room < 0:
            break
    if len(files) > MAX_FILES or room < 0:
        left_out.append(say("Trust store {store}: too large; only its start was read.", store=name))
    if certificates:
        return store_of(name, certificates, left_out=tuple(left_out), rejected=rejected)
    raise MaterialError(
        say(
            "The folder {file} holds no file with a certificate. Name the file or folder with the "
            "roots that the mail server trusts.",
            file=str(path),
        )
    )


def _left_out(store: str, file: str, problem: str) -> Text:
    return say(
        "Trust store {store}: {file} was left out: {cause}.",
        store=store,
        file=printable(file),
        cause=Text(template=problem),
    )


def _unreadable(path: Path, error: OSError | ValueError) -> MaterialError:
    return MaterialError(
        say(
            "The trust store {file} cannot be read ({cause}). Check path and permissions.",
            file=printable(str(path)),
            cause=reason(error),
        )
    )


def _date_in(data: bytes) -> dt.date | None:
    """The date that stands at the head of curl's bundle of Mozilla's roots."""
    found = _DATED.search(data[:4096])
    if found is None:
        return None
    day, year = (part.decode("ascii") for part in found.groups())
    try:
        return dt.datetime.strptime(f"{day} {year} +0000", "%b %d %Y %z").date()
    except ValueError:
        return None


def store_of(
    name: str,
    certificates: Iterable[x509.Certificate],
    *,
    date: dt.date | None = None,
    left_out: tuple[Text, ...] = (),
    rejected: frozenset[tuple[bytes, str]] = frozenset(),
) -> TrustStore:
    """A store of these anchors, each once; what OpenSSL cannot read is no anchor."""
    unique: dict[bytes, crypto.X509] = {}
    named: dict[str, tuple[x509.Certificate, ...]] = {}
    for certificate in certificates:
        der = certificate.public_bytes(Encoding.DER)
        usable = for_openssl(certificate)
        if usable is not None and der not in unique:
            unique[der] = usable
            subject = read_certificate(der).subject
            named[subject] = (*named.get(subject, ()), certificate)
    anchors = tuple(unique.values())
    return TrustStore(name, date, len(unique), "", anchors, left_out, named, rejected)


def for_openssl(certificate: x509.Certificate) -> crypto.X509 | None:
    """The certificate for OpenSSL, which reads some of them more strictly; None if it refuses."""
    try:
        return crypto.X509.from_cryptography(certificate)
    except crypto.Error:
        return None
