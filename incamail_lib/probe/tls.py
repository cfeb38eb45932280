"""TLS without I/O: the small interface both back-ends serve, and what they saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cryptography import x509

from incamail_lib.certificate.reading import UNREADABLE, name_of
from incamail_lib.printable import printable

_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9_-]{1,63}\.)*(?!\d+\Z)[a-z0-9_-]{1,63}\Z", re.IGNORECASE)
MAX_NAMES = 200  # of acceptable authorities; a store with all public roots has about 150
# RFC 9846 §6, RFC 7301: numbers are the evidence, texts differ by library.
ALERTS = {
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}
# What a server says when it is the client certificate, or its absence, that it refuses.
ABOUT_CERTIFICATE = frozenset({40, 41, 42, 43, 44, 45, 46, 48, 49, 116})


class TlsUnsupported(Exception):
    """Our own library cannot do what is asked: an old version, an odd key."""


class TlsFailure(Exception):
    """TLS ended with an error; the seen alert, if any, is in `Seen.alert`."""


class TlsEnded(Exception):
    """The peer closed TLS in order (close_notify)."""


@dataclass(frozen=True)
class Offer:
    """What our ClientHello leaves out, to learn what the server does without it."""

    small: bool = False  # no hybrid group: the whole hello fits into one packet
    key: str = ""  # "RSA" or "EC": no server certificate with another key


USUAL = Offer()
# Options of OpenSSL (ssl.h), by number since no library names them all. A server without
# RFC 5746 is to be seen and judged, and one that asks for the certificate in a second handshake,
# as old Windows servers do, to be answered; nothing secret is ever sent here.
LENIENT = 0x4 | 0x40000  # LEGACY_SERVER_CONNECT, ALLOW_UNSAFE_LEGACY_RENEGOTIATION
CIPHERS = {
    # Level 0: weak keys and hashes are to be seen and judged, not hidden by our own library.
    "": "DEFAULT:@SECLEVEL=0",
    "RSA": "ECDHE+aRSA:DHE+aRSA:kRSA:@SECLEVEL=0",
    "EC": "aECDSA:@SECLEVEL=0",
}


@dataclass(slots=True)
class Seen:
    """What one handshake showed so far; filled by the back-end, readable at any time."""

    certificate_requested: bool = False
    certificate_sent: bool = False  # with a proof of its key: an empty one has none
    alert: int | None = None  # a fatal one
    warning: int | None = None  # no refusal, up to TLS 1.2
    renegotiated: bool = False
    unfinished: bool = False  # a second handshake was begun and did not come to its end
    answered: bool = False  # bytes of TLS came back for our hello
    dh_bits: int = 0
    secure_renegotiation: bool | None = None
    version: str = ""
    cipher: str = ""
    cipher_bits: int = 0
    group: str = ""
    chain: tuple[bytes, ...] = ()  # DER, as sent
    acceptable_cas: tuple[str, ...] = ()  # RFC 4514
    acceptable_cas_left_out: int = 0


class TlsSession(Protocol):
    """One TLS connection over bytes. `feed` what came, send what `pending` gives.

    Made from the server's name ("" for none), the credential to show and the offer. Errors when
    made: TlsUnsupported.
    """

    seen: Seen

    def handshake(self) -> bool:
        """Go on; True when our side has finished. Errors: TlsFailure."""

    def feed(self, data: bytes) -> None:
        """Take bytes received from the peer."""

    def pending(self) -> bytes:
        """All bytes to be sent to the peer; empty when there are none."""

    def write(self, data: bytes, /) -> bool:
        """Encrypt application data; False while a second handshake has to go on before.

        Errors: TlsFailure.
        """

    def read(self) -> bytes:
        """Decrypted application data; empty until more bytes come. Errors: TlsFailure, TlsEnded."""

    def has_renegotiated(self) -> bool:
        """Whether the server asked for a second handshake since the first was done."""

    def note_handshake(self) -> None:
        """Fill `seen` with version, cipher, group and chain; after a failure, with what came."""


@lru_cache(maxsize=1024)
def server_name_of(host: str) -> str:
    """The name to send as SNI: without the last dot; "" for an address (RFC 6066 §3)."""
    name = host.removesuffix(".")
    return name if _HOST.match(name) else ""


def authority_name(der: bytes) -> str:
    """A CA name as RFC 4514 text, equal to what `read_certificate` says of the CA's subject."""
    try:
        return name_of(x509.Name.from_bytes(der))
    except UNREADABLE:
        return printable(f"#{der.hex()}", 500)  # as `read_certificate` tells such a subject
