"""Odd servers in the handshake: what they answer to a ClientHello, byte by byte."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.serialization import Encoding
from probe.hostile.play import STARTED, Behaviour, Do, Drip, Endless, handshake
from probe.served import HOST, LAB

from incamail_lib.lab.pki import Variant

CLOSE, RESET, WAIT, HELLO = Do.CLOSE, Do.RESET, Do.WAIT, Do.HELLO
OLD = {"legacy": "yes"}
OFF = {"legacy": "no"}


def block(size: int, data: bytes) -> bytes:
    """Data behind its length."""
    return len(data).to_bytes(size) + data


def record(kind: int, data: bytes, version: int = 0x0303) -> bytes:
    """One record of TLS."""
    return bytes([kind]) + version.to_bytes(2) + block(2, data)


def message(kind: int, body: bytes) -> bytes:
    """One message of a handshake, in a record of its own."""
    return record(22, bytes([kind]) + block(3, body))


def server_hello(version: int = 0x0303, cipher: int = 0xC02F, extensions: bytes = b"") -> bytes:
    """The server's choice; by default TLS 1.2 with a suite that everybody has."""
    head = version.to_bytes(2) + secrets.token_bytes(32) + b"\0" + cipher.to_bytes(2) + b"\0"
    return message(2, head + (block(2, extensions) if extensions else b""))


def certificates(*ders: bytes) -> bytes:
    """A Certificate message of TLS 1.2 (in records of at most 16,000 bytes)."""
    body = block(3, b"".join(block(3, der) for der in ders))
    whole = b"\x0b" + block(3, body)
    return b"".join(record(22, whole[n : n + 16_000]) for n in range(0, len(whole), 16_000))


def alert(number: int, level: int = 2) -> bytes:
    """One alert."""
    return record(21, bytes([level, number]))


LEAF = [c.public_bytes(Encoding.DER) for c in LAB.leaf(Variant.RSA, HOST).chain]
DONE = message(14, b"")
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
REQUEST_12 = message(13, block(1, b"\x01\x40") + block(2, b"\x04\x03\x08\x04") + block(2, b""))
MANY_NAMES = block(2, b"".join(block(2, b"\x30\x00") for _ in range(4000)))
REQUEST_MANY = b"".join(
    record(22, part)
    for whole in [b"\x0d" + block(3, block(1, b"\x01\x40") + block(2, b"\x04\x03") + MANY_NAMES)]
    for part in (whole[:16_000], whole[16_000:])
)

# Alert 70 speaks of the version, whatever else is true; the others may be about anything.
NUMBERS = (
    *(0, 10, 20, 22, 40, 41, 42, 43, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90),
    *(109, 110, 112, 116, 120, 200, 255),
)
ALERTS = tuple(
    handshake(f"says alert {n}", alert(n), CLOSE, **(OFF if n == 70 else {})) for n in NUMBERS
)
RECORDS = (
    handshake("closes", CLOSE),
    handshake("resets", RESET),
    handshake("is silent", WAIT),
    handshake("is HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", WAIT),
    handshake("is SMTP", b"220 go on\r\n", WAIT),
    handshake("is zeros", b"\x00" * 5000, WAIT),
    handshake("is a flood of zeros", Endless(b"\x00" * 4096)),
    handshake("is noise", bytes(range(256)) * 40, WAIT),
    handshake("is half a record", b"\x16\x03\x03", WAIT),
    handshake("is half a record, then closes", b"\x16\x03\x03\x40", CLOSE),
    handshake("has a record that is too long", b"\x16\x03\x03\xff\xff" + b"x" * 100, WAIT),
    handshake("has an empty record", record(22, b""), WAIT),
    handshake("has empty records without end", Endless(record(22, b""))),
    handshake("has a record of version 9.9", record(22, b"\x02\x00\x00\x00", 0x0909), WAIT),
    handshake("has a record of SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", WAIT),
    handshake("begins with application data", record(23, b"x" * 50), WAIT),
    handshake("begins with a change of cipher", record(20, b"\x01"), WAIT),
    handshake("begins with a heartbeat", record(24, b"\x01\x40\x00"), WAIT),
    handshake("asks for a hello, over and over", Endless(message(0, b""), 0.01)),
    handshake("sends our own hello back", message(1, b"\x03\x03" + b"x" * 60), WAIT),
    handshake("warns and closes", alert(112, 1), CLOSE),
    handshake("warns and is silent", alert(112, 1), WAIT),
    handshake("warns without end", Endless(alert(112, 1), 0.005)),
    handshake("cancels and closes", alert(90, 1), alert(0, 1), CLOSE),
    handshake("has an alert of one byte", record(21, b"\x02"), WAIT),
    handshake("has an alert of 200 bytes", record(21, b"\x02" * 200), WAIT),
    handshake("drips an alert", Drip(alert(40)), CLOSE),
)
ANOTHER = message(2, b"\x03\x03" + RETRY + b"\0\x13\x01\0")
LYING = message(2, b"\x03\x03" + b"x" * 32 + b"\xff")
HELLOS = (
    handshake("has an empty hello", message(2, b""), WAIT),
    handshake("has a hello that is cut off", server_hello()[:30], WAIT),
    handshake(
        "has a hello with lying lengths", message(2, b"\x03\x03" + b"x" * 32 + b"\xff"), WAIT
    ),
    handshake("has a hello with broken extensions", server_hello(extensions=b"\xff\x01\x00"), WAIT),
    handshake("chooses SSL 3", server_hello(0x0300, 0x0035), WAIT, **OLD),
    handshake("chooses TLS 1.0", server_hello(0x0301, 0x002F), WAIT, **OLD),
    handshake("chooses TLS 1.1", server_hello(0x0302, 0x002F), WAIT, **OLD),
    handshake("chooses TLS 1.2 and stops", server_hello(), WAIT),
    handshake("chooses TLS 9.9", server_hello(0x0909), WAIT),
    handshake("chooses an unknown suite", server_hello(cipher=0xEEEE), WAIT),
    handshake("chooses a suite not offered", server_hello(cipher=0x0004), WAIT),
    handshake(
        "asks for another hello without end",
        Endless(message(2, b"\x03\x03" + RETRY + b"\0\x13\x01\0")),
    ),
    handshake("drips its hello", Drip(server_hello(), 0.001), WAIT),
    handshake("chooses, then refuses", server_hello(), alert(40), CLOSE),
    handshake("chooses, then asks for money", server_hello(), b"PAY 1 BTC\r\n", WAIT),
)
CHOSEN = server_hello()
SHOWN = (CHOSEN, certificates(*LEAF))
FALSE = b"\x03\x00\x1d\x20" + b"x" * 32 + b"\x08\x04" + block(2, b"y" * 256)
HUGE = record(22, b"\x0b\xff\xff\xff" + b"x" * 100)
LONG = certificates(LEAF[0] * 20)[:16_005]
PRIME_0 = (server_hello(cipher=0x009E), certificates(*LEAF), message(12, block(2, b"") * 3))
ASKED = {"requested": "yes"}
CERTIFICATES = (
    handshake("shows no certificate", CHOSEN, certificates(), DONE, WAIT),
    handshake("shows noise as certificate", CHOSEN, certificates(b"x" * 500), DONE, WAIT),
    handshake("shows an empty certificate", CHOSEN, certificates(b""), DONE, WAIT),
    handshake("shows 200 times noise", CHOSEN, certificates(*[b"x" * 200] * 200), WAIT),
    handshake("shows a certificate without end", CHOSEN, Endless(LONG)),
    handshake("shows a certificate of 16 MB by its length", CHOSEN, HUGE, WAIT),
    handshake("shows its certificate and stops", *SHOWN, WAIT),
    handshake("shows its certificate and closes", *SHOWN, CLOSE),
    handshake("shows its certificate and refuses", *SHOWN, alert(40), CLOSE),
    handshake("signs nothing", *SHOWN, DONE, WAIT),
    handshake("signs wrongly", *SHOWN, message(12, FALSE), DONE, WAIT),
    handshake("has a key exchange of nonsense", *SHOWN, message(12, b"\x03"), DONE, WAIT),
    handshake("has a prime of 0 bits", *PRIME_0, DONE, WAIT),
    handshake("asks in clear and refuses", *SHOWN, REQUEST_12, DONE, alert(40), CLOSE, **ASKED),
    handshake("asks for nonsense", *SHOWN, message(13, b"\xff"), DONE, WAIT, **ASKED),
    handshake("names 4000 authorities", *SHOWN, REQUEST_MANY, DONE, WAIT, **ASKED),
)
SLOW = (
    Behaviour(
        "tls answers before it is asked", (*STARTED, alert(40), Do.CLOSE), {"starttls": "accepted"}
    ),
)
BEHAVIOURS = (*ALERTS, *RECORDS, *HELLOS, *CERTIFICATES, *SLOW)
