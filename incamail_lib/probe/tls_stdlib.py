"""The second TLS back-end: the standard library's `ssl`, an independent opinion.

It names no group, and reads CertificateRequest and alerts from a private hook of SSLContext
(present in 3.11–3.14). A context per session keeps the hook's notes apart.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
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
    CIPHERS,
    LENIENT,
    MAX_NAMES,
    Offer,
    Seen,
    TlsEnded,
    TlsFailure,
    TlsUnsupported,
    authority_name,
)

_ALERT, _HANDSHAKE = 21, 22  # content types
_HELLO_REQUEST, _CERTIFICATE_REQUEST, _CERTIFICATE_VERIFY = 0, 13, 15
_ENCRYPTED_EXTENSIONS = 8  # of TLS 1.3 only
_AUTHORITIES = 47  # the certificate_authorities extension of TLS 1.3
_CHUNK = 65_536


class StdlibSession:
    """A client session; see `TlsSession`."""

    def __init__(self, server_name: str, credential: Credential | None, offer: Offer) -> None:
        self.seen = Seen()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._is_1_3 = False
        try:
            context = _context(credential, offer)
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
            sent = content == _HANDSHAKE and kind == _CERTIFICATE_VERIFY
            self.seen.certificate_sent = self.seen.certificate_sent or sent
        elif content == _ALERT and len(data) == 2 and data[1] not in (0, 90):
            # A warning is no refusal; TLS 1.3 has none, whatever the level says.
            if data[0] == 1 and not self._is_1_3:
                self.seen.warning = data[1]
            else:
                self.seen.alert = data[1]
        elif content == _HANDSHAKE and kind == _ENCRYPTED_EXTENSIONS:
            self._is_1_3 = True
        elif content == _HANDSHAKE and kind == _HELLO_REQUEST:
            self.seen.renegotiated = True
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

    def write(self, data: bytes) -> bool:
        """See `TlsSession`."""
        try:
            self._tls.write(data)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsFailure(_words(error)) from None
        return True

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

    def has_renegotiated(self) -> bool:
        """See `TlsSession`."""
        return self.seen.renegotiated

    def note_handshake(self) -> None:
        """See `TlsSession`."""
        self.seen.unfinished = self.seen.renegotiated and self._tls.version() is None
        cipher = self._tls.cipher()
        if cipher is not None:
            self.seen.cipher, _, self.seen.cipher_bits = cipher
            self.seen.version = self._tls.version() or ""
        inner = self._tls._sslobj  # type: ignore[attr-defined]
        chain = inner.get_unverified_chain() or ()  # public only from 3.13
        self.seen.chain = tuple(c.public_bytes(ssl._ssl.ENCODING_DER) for c in chain)  # type: ignore[attr-defined]


def _context(credential: Credential | None, offer: Offer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # facts first, judged afterwards
    context.options |= LENIENT
    context.set_ciphers(CIPHERS[offer.key])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if offer.small:
        context.set_ecdh_curve("prime256v1")  # the one group that every server has
    if offer.key:
        # The signatures of TLS 1.3 cannot be named here, so that version is left out.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
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
