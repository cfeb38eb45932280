"""Trust stores: the web PKI's, this machine's, and those of a mail server, as files or folders."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from incamail_lib.certificate.reading import UNREADABLE
from incamail_lib.errors import MaterialError
from incamail_lib.i18n import say
from incamail_lib.printable import printable

MAX_STORE_BYTES = 20_000_000
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@dataclass(frozen=True)
class TrustStore:
    """A set of trust anchors with a name and a date; `problem` says why it could not be read."""

    name: str
    date: dt.date | None = None
    size: int = 0
    problem: str = ""
    anchors: tuple[crypto.X509, ...] = field(default=(), repr=False, compare=False)


@cache
def certifi_store() -> TrustStore:
    """Mozilla's roots as certifi ships them; the date is certifi's version."""
    path = Path(certifi.where())
    return _from_pem(f"certifi {certifi.__version__}", path.read_bytes(), _version_date())


def _version_date() -> dt.date | None:
    parts = certifi.__version__.split(".")
    try:
        return dt.date(*(int(part) for part in parts[:3]))
    except (TypeError, ValueError):
        return None


@cache
def system_store() -> TrustStore:
    """This machine's roots; the date is when the file last changed."""
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    path = next((Path(c) for c in candidates if c and Path(c).is_file()), None)
    if path is None:
        return TrustStore("system", problem="no bundle of roots was found on this machine")
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    return _from_pem("system", path.read_bytes(), changed)


def file_store(path: Path) -> TrustStore:
    """A PEM file, or every PEM file of a folder: an MTA's own store. Named by its base name.

    Errors: MaterialError when it cannot be read or holds no certificate.
    """
    try:
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        data = b"\n".join(_bounded(file) for file in files)
        changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    except OSError as error:
        raise MaterialError(
            say(
                "The trust store {file} cannot be read ({cause}). Check path and permissions.",
                file=str(path),
                cause=error.strerror or type(error).__name__,
            )
        ) from None
    store = _from_pem(printable(path.name), data, changed)
    if not store.size:
        raise MaterialError(
            say(
                "The trust store {file} holds no certificate in PEM form. Name the file or folder "
                "with the roots that the mail server trusts.",
                file=str(path),
            )
        )
    return store


def _bounded(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_STORE_BYTES)


def _from_pem(name: str, data: bytes, date: dt.date | None) -> TrustStore:
    unique: dict[bytes, crypto.X509] = {}
    for block in data.split(b"-----BEGIN CERTIFICATE-----")[1:]:
        certificate = _anchor(block)
        usable = for_openssl(certificate) if certificate is not None else None
        if certificate is not None and usable is not None:
            unique[certificate.public_bytes(Encoding.DER)] = usable
    return TrustStore(name, date, len(unique), anchors=tuple(unique.values()))


def _anchor(block: bytes) -> x509.Certificate | None:
    """One root of a bundle; a damaged one is left out, as OpenSSL does."""
    body = block.partition(b"-----END CERTIFICATE-----")[0]
    whole = b"-----BEGIN CERTIFICATE-----" + body + b"-----END CERTIFICATE-----\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_pem_x509_certificate(whole)
    except UNREADABLE:
        return None


def for_openssl(certificate: x509.Certificate) -> crypto.X509 | None:
    """The certificate for OpenSSL, which reads some of them more strictly; None if it refuses."""
    try:
        return crypto.X509.from_cryptography(certificate)
    except crypto.Error:
        return None
