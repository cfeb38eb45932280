"""What a server says in clear in a TLS handshake: all of it up to TLS 1.2, the first word in 1.3.

A pure reader of bytes (RFC 5246 §7.4, RFC 9846 §4): it needs no library that would agree to what
the server proposes, so a version, a cipher or a certificate is seen even where the handshake then
fails.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache

MAX_FLIGHT = 65_536  # bytes of a handshake that are kept
VERSIONS = {
    0x0300: "SSLv3",
    0x0301: "TLSv1",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}
_ALERT, _HANDSHAKE = 21, 22  # content types, RFC 9846 §5.1
_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _REQUEST, _DONE = 2, 11, 12, 13, 14
_RENEGOTIATION_INFO, _SUPPORTED_VERSIONS = 0xFF01, 43  # RFC 5746 §3.2, RFC 9846 §4.3.1
# RFC 9846 §4.2.3: a ServerHello of this random asks for another hello and decides nothing yet.
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
# Suites that current libraries no longer name (IANA TLS Cipher Suites registry).
_OLD_CIPHERS = {
    0x0003: "EXP-RC4-MD5",
    0x0004: "RC4-MD5",
    0x0005: "RC4-SHA",
    0x0007: "IDEA-CBC-SHA",
    0x0008: "EXP-DES-CBC-SHA",
    0x0009: "DES-CBC-SHA",
    0x000A: "DES-CBC3-SHA",
    0x0013: "DHE-DSS-DES-CBC3-SHA",
    0x0015: "DHE-RSA-DES-CBC-SHA",
    0x0016: "DHE-RSA-DES-CBC3-SHA",
    0xC007: "ECDHE-ECDSA-RC4-SHA",
    0xC008: "ECDHE-ECDSA-DES-CBC3-SHA",
    0xC011: "ECDHE-RSA-RC4-SHA",
    0xC012: "ECDHE-RSA-DES-CBC3-SHA",
}
# RFC 8422 §5.1.1 and the IANA TLS Supported Groups registry, by OpenSSL's names.
GROUPS = {
    19: "prime192v1",
    21: "secp224r1",
    22: "secp256k1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    29: "x25519",
    30: "x448",
}


@dataclass(slots=True)
class Flight:
    """What was understood; fields not seen are empty or None."""

    version: str = ""
    cipher: str = ""
    group: str = ""
    dh_bits: int = 0  # of the prime of a Diffie-Hellman exchange
    secure_renegotiation: bool | None = None  # RFC 5746; None in TLS 1.3, which has none
    chain: tuple[bytes, ...] = ()  # DER
    requested: bool = False  # CertificateRequest, up to TLS 1.2
    alert: tuple[int, int] | None = None  # the first one: level (1 warning, 2 fatal) and number
    done: bool = False  # ServerHelloDone
    is_tls: bool = False  # it began with a record of TLS


class _Short(Exception):
    """There are fewer bytes than they say themselves."""


def read_flight(data: bytes) -> Flight:
    """Read what came, whole or cut off, well-formed or not; never raises."""
    seen = Flight(is_tls=_is_record(data))
    messages = bytearray()
    at = 0
    while at + 5 <= len(data) and _is_record(data[at : at + 2]):
        kind, size = data[at], int.from_bytes(data[at + 3 : at + 5])
        body = data[at + 5 : at + 5 + size]
        at += 5 + size
        if kind == _ALERT and len(body) == 2 and (seen.alert is None or seen.alert[0] == 1):
            seen.alert = (body[0], body[1])
        elif kind == _HANDSHAKE:
            messages += body
        elif kind != _ALERT:
            break  # from here on it is encrypted
    _read_messages(bytes(messages), seen)
    return seen


def _is_record(data: bytes) -> bool:
    return len(data) >= 2 and 20 <= data[0] <= 23 and data[1] == 3


def _read_messages(data: bytes, seen: Flight) -> None:
    at = 0
    while at + 4 <= len(data) and seen.version != "TLSv1.3":
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4])
        body = data[at + 4 : at + 4 + size]
        if len(body) < size:
            return
        at += 4 + size
        try:
            _read_message(kind, body, seen)
        except _Short:
            continue


def _read_message(kind: int, body: bytes, seen: Flight) -> None:
    if kind == _HELLO:
        _read_hello(_Bytes(body), seen)
    elif kind == _CERTIFICATE:
        seen.chain = _certificates(_Bytes(body))
    elif kind == _KEY_EXCHANGE:
        _read_key_exchange(_Bytes(body), seen)
    elif kind == _REQUEST:
        seen.requested = True
    elif kind == _DONE:
        seen.done = True


class _Bytes:
    """Bytes that are taken from the front; errors: _Short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.rest:
            raise _Short
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def block(self, size: int) -> bytes:
        """A block behind its own length of `size` bytes."""
        return self.take(self.number(size))


def _read_hello(body: _Bytes, seen: Flight) -> None:
    version = body.number(2)
    retry = body.take(32) == _RETRY
    body.block(1)
    cipher = body.number(2)
    body.take(1)
    extensions = _extensions(_Bytes(body.block(2))) if body.rest else {}
    chosen = extensions.get(_SUPPORTED_VERSIONS, b"")
    version = int.from_bytes(chosen) if len(chosen) == 2 else version
    if retry:
        return
    seen.version = VERSIONS.get(version, f"0x{version:04X}")
    seen.cipher = cipher_name(cipher)
    if seen.version != "TLSv1.3":
        seen.secure_renegotiation = _RENEGOTIATION_INFO in extensions


def _extensions(body: _Bytes) -> dict[int, bytes]:
    found = {}
    while body.rest:
        kind = body.number(2)
        found[kind] = body.block(2)
    return found


def _certificates(body: _Bytes) -> tuple[bytes, ...]:
    listed, found = _Bytes(body.block(3)), []
    while listed.rest:
        found.append(listed.block(3))
    return tuple(found)


def _read_key_exchange(body: _Bytes, seen: Flight) -> None:
    if seen.cipher.startswith(("DHE", "EDH", "ADH", "EXP-EDH")):
        seen.dh_bits = int.from_bytes(body.block(2)).bit_length()
    elif seen.cipher.startswith(("ECDHE", "AECDH")) and body.number(1) == 3:  # a named curve
        seen.group = GROUPS.get(body.number(2), "")


def cipher_name(number: int) -> str:
    """OpenSSL's name of a cipher suite; its number in hexadecimal where nobody knows it."""
    return _ciphers().get(number) or _OLD_CIPHERS.get(number) or f"0x{number:04X}"


@cache
def _ciphers() -> dict[int, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return {c["id"] & 0xFFFF: c["name"] for c in context.get_ciphers()}
