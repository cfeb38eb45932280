"""The second TLS back-end: the standard library's `ssl`, an independent opinion.

It names no group, and reads CertificateRequest and alerts from a private hook of SSLContext
(present in 3.11–3.14). A context per session keeps the hook's notes apart.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
import warnings
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from incamail_lib.certificate import Credential
from incamail_lib.printable import printable
from incamail_lib.probe.tls import (
    MAX_NAMES,
    Seen,
    TlsEnded,
    TlsFailure,
    TlsUnsupported,
    authority_name,
)

_ALERT, _HANDSHAKE, _CERTIFICATE_REQUEST = 21, 22, 13
_AUTHORITIES = 47  # the certificate_authorities extension of TLS 1.3
_CHUNK = 65_536


class StdlibSession:
    """A client session; see `TlsSession`."""

    def __init__(self, server_name: str, credential: Credential | None, legacy: bool) -> None:
        self.seen = Seen()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context = _context(credential, legacy)
        except (ssl.SSLError, TypeError, ValueError) as error:
            raise TlsUnsupported(_words(error)) from None
        context._msg_callback = self._noted  # type: ignore[attr-defined]
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name or None
        )

    def _noted(
        self, _: Any, direction: str, version: int, content: int, kind: int, data: bytes
    ) -> None:
        if direction != "read":
            return
        if content == _ALERT and len(data) == 2 and data[1] not in (0, 90):
            self.seen.alert = data[1]
        elif content == _HANDSHAKE and kind == _CERTIFICATE_REQUEST:
            self.seen.certificate_requested = True
            listed = _authorities(data, version)
            self.seen.acceptable_cas = tuple(authority_name(name) for name in listed[:MAX_NAMES])
            self.seen.acceptable_cas_left_out = len(listed[MAX_NAMES:])

    def handshake(self) -> bool:
        """See `TlsSession`."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsFailure(_words(error)) from None
        return True

    def feed(self, data: bytes) -> None:
        """See `TlsSession`."""
        self._incoming.write(data)

    def pending(self) -> bytes:
        """See `TlsSession`."""
        return self._outgoing.read()

    def write(self, data: bytes) -> None:
        """See `TlsSession`."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise TlsFailure(_words(error)) from None

    def read(self) -> bytes:
        """See `TlsSession`."""
        try:
            data = self._tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            raise TlsEnded from None
        except ssl.SSLError as error:
            raise TlsFailure(_words(error)) from None
        if not data:
            raise TlsEnded
        return data

    def note_handshake(self) -> None:
        """See `TlsSession`."""
        cipher = self._tls.cipher()
        if cipher is not None:
            self.seen.cipher, _, self.seen.cipher_bits = cipher
            self.seen.version = self._tls.version() or ""
        inner = self._tls._sslobj  # type: ignore[attr-defined]
        chain = inner.get_unverified_chain() or ()  # public only from 3.13
        self.seen.chain = tuple(c.public_bytes(ssl._ssl.ENCODING_DER) for c in chain)  # type: ignore[attr-defined]


def _context(credential: Credential | None, legacy: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # facts first, judged afterwards
    if legacy:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated is what is asked for
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    else:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credential is not None:
        _load(context, credential)
    return context


def _load(context: ssl.SSLContext, credential: Credential) -> None:
    """`ssl` takes keys from files only: encrypted by a password that lives in this function."""
    password = secrets.token_bytes(32).hex().encode()
    key = credential.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    chain = b"".join(c.public_bytes(Encoding.PEM) for c in credential.chain)
    with tempfile.TemporaryDirectory(prefix="incamail-") as folder:
        file = Path(folder) / "credential.pem"
        file.touch(mode=0o600)
        file.write_bytes(key + chain)
        context.load_cert_chain(file, password=password)


def _authorities(message: bytes, version: int) -> list[bytes]:
    """The CA names, in DER, of a CertificateRequest.

    RFC 9846 §4.4.2, §4.3.4; for TLS 1.2 RFC 5246 §7.4.4.
    """
    body = message[4:]
    try:
        return _listed_1_3(body) if version == ssl.TLSVersion.TLSv1_3 else _listed_1_2(body)
    except IndexError:
        return []


def _listed_1_3(body: bytes) -> list[bytes]:
    at = 1 + body[0]
    end = at + 2 + int.from_bytes(body[at : at + 2])
    at += 2
    while at < end:
        kind, size = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        if kind == _AUTHORITIES:
            return _names(body[at + 6 : at + 4 + size])
        at += 4 + size
    return []


def _listed_1_2(body: bytes) -> list[bytes]:
    at = 1 + body[0]
    at += 2 + int.from_bytes(body[at : at + 2])
    return _names(body[at + 2 :])


def _names(data: bytes) -> list[bytes]:
    found = []
    while len(data) > 2:
        size = int.from_bytes(data[:2])
        found.append(data[2 : 2 + size])
        data = data[2 + size :]
    return found


def _words(error: Exception) -> str:
    """The library's words, evidence only; verdicts rest on alert numbers."""
    return printable(getattr(error, "reason", None) or str(error))
