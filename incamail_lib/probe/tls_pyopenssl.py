"""The first TLS back-end: pyOpenSSL. Nothing is verified in the handshake; facts come first."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto
from OpenSSL._util import lib

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

_READ_ALERT = SSL.SSL_CB_READ | SSL.SSL_CB_ALERT
_STEP = SSL.SSL_CB_LOOP  # from one message of a handshake to the next
_CHUNK = 65_536
_DONE = b"SSL negotiation finished successfully"  # OpenSSL's words for TLS_ST_OK


def _noted(connection: SSL.Connection, where: int, code: int) -> None:
    """OpenSSL's information callback: alerts by number, and the CertificateRequest."""
    if where & _STEP:
        state = connection.get_state_string()
        if b"certificate" not in state:
            return
        if b"read" in state and b"certificate request" in state:
            connection.get_app_data().certificate_requested = True
        elif b"write certificate verify" in state:
            connection.get_app_data().certificate_sent = True
    elif where & _READ_ALERT == _READ_ALERT:
        _note_alert(connection.get_app_data(), code >> 8, code & 0xFF)


def _note_alert(seen: Seen, level: int, number: int) -> None:
    """A warning is no refusal, nor is a goodbye: close_notify, user_canceled."""
    if number in (0, 90):
        return
    if level == 1:
        seen.warning = number
    else:
        seen.alert = number


@lru_cache(maxsize=64)
def _context(credential: Credential | None, offer: Offer) -> SSL.Context:
    """One context per credential and offer: making one costs more than a handshake."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE, None)
    context.set_info_callback(_noted)
    context.set_options(LENIENT)
    context.set_cipher_list(CIPHERS[offer.key].encode())
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    if offer.small:
        context.set_tmp_ecdh(ec.SECP256R1())  # the one group that every server has
    if offer.key:
        _accept_only(context, offer.key)
    if credential is not None:
        context.use_certificate(credential.chain[0])
        for certificate in credential.chain[1:]:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(credential.key)  # type: ignore[arg-type]
    return context


def _accept_only(context: SSL.Context, key: str) -> None:
    """Only signatures by keys of this type. TLS 1.3 has them in a list apart from the ciphers,
    which pyOpenSSL does not name; without it that version is left out."""
    signatures = {
        "RSA": b"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
        b":RSA+SHA1",
        "EC": b"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1",
    }
    limit = getattr(lib, "SSL_CTX_set1_sigalgs_list", None)
    if limit is None or limit(context._context, signatures[key]) != 1:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)


class PyOpenSslSession:
    """A client session; see `TlsSession`."""

    def __init__(self, server_name: str, credential: Credential | None, offer: Offer) -> None:
        self.seen = Seen()
        try:
            context = _context(credential, offer)
        except (SSL.Error, TypeError, ValueError) as error:
            raise TlsUnsupported(_words(error)) from None
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data(self.seen)
        self._connection.set_connect_state()
        if server_name:
            self._connection.set_tlsext_host_name(server_name.encode("ascii"))

    def handshake(self) -> bool:
        """See `TlsSession`."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise self._failure(error) from None
        return True

    def feed(self, data: bytes) -> None:
        """See `TlsSession`."""
        self._connection.bio_write(data)

    def pending(self) -> bytes:
        """See `TlsSession`."""
        try:
            return self._connection.bio_read(_CHUNK)
        except SSL.Error:
            return b""

    def write(self, data: bytes) -> bool:
        """See `TlsSession`."""
        try:
            self._connection.send(data)
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise self._failure(error) from None
        return True

    def read(self) -> bytes:
        """See `TlsSession`."""
        try:
            return self._connection.recv(_CHUNK)
        except SSL.WantReadError:
            return b""
        except (SSL.ZeroReturnError, SSL.SysCallError):
            raise TlsEnded from None
        except SSL.Error as error:
            raise self._failure(error) from None

    def has_renegotiated(self) -> bool:
        """See `TlsSession`."""
        return self._connection.total_renegotiations() > 0

    def _failure(self, error: SSL.Error) -> TlsFailure:
        """TLS 1.3 has no warnings: what ended it was the alert, whatever its level said."""
        seen = self.seen
        if seen.alert is None and self._connection.get_protocol_version() == SSL.TLS1_3_VERSION:
            seen.alert, seen.warning = seen.warning, None
        return TlsFailure(_words(error))

    def note_handshake(self) -> None:
        """See `TlsSession`. Also of use after a failed handshake: the chain came before."""
        seen, connection = self.seen, self._connection
        seen.renegotiated = self.has_renegotiated()
        seen.unfinished = seen.renegotiated and connection.get_state_string() != _DONE
        cipher = connection.get_cipher_name()
        if cipher:
            seen.version = connection.get_protocol_version_name()
            seen.cipher, seen.cipher_bits = cipher, connection.get_cipher_bits() or 0
        seen.group = connection.get_group_name() or "" if cipher else ""
        # Not as cryptography's objects: a certificate it cannot parse is a fact, not a crash.
        chain = connection.get_peer_cert_chain() or []
        seen.chain = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, c) for c in chain)
        if seen.certificate_requested:
            names = connection.get_client_ca_list()
            seen.acceptable_cas = tuple(authority_name(name.der()) for name in names[:MAX_NAMES])
            seen.acceptable_cas_left_out = len(names[MAX_NAMES:])


def _words(error: Exception) -> str:
    """The library's words, evidence only; verdicts rest on alert numbers."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    texts = [entry[2] for entry in entries if len(entry) == 3 and entry[2]]
    return printable("; ".join(texts) or (str(error.args[1]) if len(error.args) > 1 else "closed"))
