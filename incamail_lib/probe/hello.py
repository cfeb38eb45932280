"""A ClientHello of our own making: it offers what no library offers any more.

Whether a server agrees to an old version is told by its first answer. A library of today has
neither 3DES nor the old curves, so that its failure would prove nothing; this hello offers every
suite and curve that a server of that time could choose. It never finishes a handshake.
"""

from __future__ import annotations

import secrets

from incamail_lib.probe.flight import MAX_FLIGHT, Flight, read_flight
from incamail_lib.probe.tls import Seen, TlsEnded, TlsFailure

# IANA TLS Cipher Suites registry: suites of SSL 3 to TLS 1.1, strong ones first.
_SUITES = (
    *(0xC00A, 0xC014, 0xC009, 0xC013, 0x0039, 0x0038, 0x0033, 0x0032, 0x0035, 0x002F),
    *(0xC008, 0xC012, 0x0016, 0x0013, 0x000A, 0xC005, 0xC00F, 0xC004, 0xC00E, 0xC003, 0xC00D),
    *(0x0088, 0x0087, 0x0045, 0x0044, 0x0084, 0x0041, 0x009A, 0x0099, 0x0096, 0x0007),
    *(0xC007, 0xC011, 0xC002, 0xC00C, 0x0005, 0x0004, 0x0015, 0x0012, 0x0009),
    *(0x0037, 0x0036, 0x0031, 0x0030, 0x0010, 0x000D, 0x000F, 0x000C),
    *(0x0014, 0x0011, 0x0008, 0x0006, 0x0003, 0x003A, 0x0034, 0xC019, 0xC018, 0xC017, 0xC016),
    *(0x001B, 0x001A, 0x0018, 0x0017, 0x0019, 0xC006, 0xC010, 0xC001, 0xC00B, 0xC015, 0x0002),
    *(0x0001, 0x0081, 0x0080),
)
# The suites of TLS 1.2 and 1.3 that a server of today has, for one that speaks TLS at once.
_MODERN = (0x1301, 0x1302, 0x1303, 0xC02C, 0xC030, 0xC02B, 0xC02F, 0x009F, 0x009E, 0x009D, 0x009C)
MAX_RECORDS = 100  # of a first flight; a dozen is usual
_RENEGOTIATION_SCSV = 0x00FF  # RFC 5746 §3.3
# Every curve of RFC 8422 and of RFC 4492 before it, those of today first.
_CURVES = (29, 23, 24, 25, 30, *range(1, 23), 26, 27, 28)
_SIGNATURES = bytes.fromhex("0403 0804 0401 0503 0805 0501 0603 0806 0601 0203 0201 0202")
# user_canceled, then close_notify (RFC 9846 §6.1): how a client leaves a handshake in peace.
_FAREWELL = bytes.fromhex("1503010002015a 15030100020100")


def client_hello(version: int, server_name: str, suites: tuple[int, ...] = _SUITES) -> bytes:
    """One record with a ClientHello whose highest version is `version`, e.g. 0x0301."""
    offered = b"".join(n.to_bytes(2) for n in (*suites, _RENEGOTIATION_SCSV))
    body = b"".join(
        (
            version.to_bytes(2),
            secrets.token_bytes(32),
            b"\0",  # no session
            _block(2, offered),
            b"\1\0",  # no compression
            _block(2, _extensions(version, server_name)),
        )
    )
    message = b"\1" + _block(3, body)
    return b"\x16\3\1" + _block(2, message)


def first_word(server_name: str) -> bytes:
    """A ClientHello of TLS 1.2, to see whether a port speaks TLS at once."""
    return client_hello(0x0303, server_name, (*_MODERN, *_SUITES))


def _extensions(version: int, server_name: str) -> bytes:
    found = []
    if server_name:
        name = b"\0" + _block(2, server_name.encode("ascii"))
        found.append((0, _block(2, name)))
    found.append((10, _block(2, b"".join(n.to_bytes(2) for n in _CURVES))))
    found.append((11, b"\1\0"))
    if version >= 0x0303:
        found.append((13, _block(2, _SIGNATURES)))
    return b"".join(kind.to_bytes(2) + _block(2, data) for kind, data in found)


def _block(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size) + data


class OldHello:
    """A session that goes no further than the server's first flight; see `TlsSession`."""

    def __init__(self, server_name: str, version: int) -> None:
        self.seen = Seen()
        self._outgoing = client_hello(version, server_name)
        self._came = bytearray()
        self._whole = 0  # bytes of complete records
        self._records = 0

    def handshake(self) -> bool:
        """True when the server's first flight is there. Errors: TlsFailure."""
        if not self._more_records():
            return False
        flight = self._flight()
        if flight.alert is not None and flight.alert[0] != 1:
            self.seen.alert = flight.alert[1]
            raise TlsFailure("alert")
        if not flight.is_tls:
            raise TlsFailure("no record of TLS")
        if flight.done:
            self._outgoing += _FAREWELL
        return flight.done

    def _more_records(self) -> bool:
        """Whether there is something new to read. Errors: TlsFailure for what has no end."""
        before = self._whole
        came = self._came
        if came and came[0] not in range(20, 24):
            return True  # no TLS; the reader says so
        while (at := self._whole) + 5 <= len(came):
            end = at + 5 + int.from_bytes(came[at + 3 : at + 5])
            if end > len(came):
                break
            self._whole, self._records = end, self._records + 1
        if len(came) > MAX_FLIGHT or self._records > MAX_RECORDS:
            raise TlsFailure("flight too long")
        return self._whole > before

    def feed(self, data: bytes) -> None:
        """See `TlsSession`."""
        self._came += data

    def pending(self) -> bytes:
        """See `TlsSession`."""
        data, self._outgoing = self._outgoing, b""
        return data

    def write(self, _: bytes) -> bool:
        """There are no keys to write with."""
        raise TlsFailure("no keys")

    def read(self) -> bytes:
        """There are no keys to read with."""
        raise TlsEnded

    def has_renegotiated(self) -> bool:
        """Never."""
        return False

    def note_handshake(self) -> None:
        """See `TlsSession`; what came in clear is all there is."""
        self.seen.certificate_requested = self._flight().requested

    def _flight(self) -> Flight:
        return read_flight(bytes(self._came[: MAX_FLIGHT + 1]))
