"""What is read of a handshake in clear, and the hello of our own making: bytes both ways."""

from __future__ import annotations

from typing import Any

import pytest
from factories import broken, survey
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.probe.at_once import _told, is_tls
from incamail_lib.probe.endpoint import _always_hangs_up, _is_to_be_left_alone
from incamail_lib.probe.flight import MAX_FLIGHT, Flight, cipher_name, read_flight
from incamail_lib.probe.hello import MAX_RECORDS, OldHello, client_hello, first_word
from incamail_lib.probe.notes import not_tls
from incamail_lib.probe.tls import TlsEnded, TlsFailure

RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
DHE, ECDHE, RSA = 0x009E, 0xC02F, 0x002F


def block(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size) + data


def record(kind: int, body: bytes) -> bytes:
    return bytes((kind, 3, 3)) + block(2, body)


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + block(3, body)


def hello(
    version: int = 0x0303,
    cipher: int = ECDHE,
    extensions: dict[int, bytes] | None = None,
    *,
    random: bytes = b"r" * 32,
    session: bytes = b"",
) -> bytes:
    """A ServerHello; without extensions where they are None."""
    body = version.to_bytes(2) + random + block(1, session) + cipher.to_bytes(2) + b"\0"
    if extensions is not None:
        listed = (k.to_bytes(2) + block(2, v) for k, v in extensions.items())
        body += block(2, b"".join(listed))
    return message(2, body)


def certificates(*ders: bytes) -> bytes:
    return message(11, block(3, b"".join(block(3, der) for der in ders)))


def alert(level: int, number: int) -> bytes:
    return record(21, bytes((level, number)))


def flight(*messages: bytes) -> Flight:
    return read_flight(record(22, b"".join(messages)))


CURVE = message(12, b"\3" + (23).to_bytes(2) + b"rest")
PRIME = message(12, block(2, bytes.fromhex("0fff")) + b"rest")


def test_a_whole_flight_of_tls_1_2_is_read() -> None:
    """Version, cipher, group, certificates, request and the end of it."""
    seen = flight(
        hello(extensions={}),
        certificates(b"leaf", b"authority"),
        CURVE,
        message(13, b""),
        message(14, b""),
    )
    assert seen == Flight(
        version="TLSv1.2",
        cipher="ECDHE-RSA-AES128-GCM-SHA256",
        group="secp256r1",
        secure_renegotiation=False,
        chain=(b"leaf", b"authority"),
        requested=True,
        done=True,
        is_tls=True,
    )


@pytest.mark.parametrize(
    ("version", "name"),
    [(0x0300, "SSLv3"), (0x0301, "TLSv1"), (0x0302, "TLSv1.1"), (0x0303, "TLSv1.2"), (2, "0x0002")],
)
def test_the_version_is_the_one_that_was_chosen(version: int, name: str) -> None:
    """By its name, or by its number where nobody knows it; a session id is stepped over."""
    assert flight(hello(version)).version == name
    assert flight(hello(version, session=b"s" * 32)).version == name


def test_tls_1_3_is_told_by_its_extension_and_ends_what_is_in_clear() -> None:
    """It says 1.2 in the old place; what seems to follow is encrypted and no certificate."""
    seen = flight(hello(extensions={43: b"\3\4"}, cipher=0x1301), certificates(b"no"))
    assert (seen.version, seen.cipher) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    assert seen.secure_renegotiation is None
    assert seen.chain == ()
    assert flight(hello(extensions={43: b"\3"})).version == "TLSv1.2"


def test_a_request_for_another_hello_decides_nothing() -> None:
    """HelloRetryRequest is told by its random; the answer to the next hello counts."""
    retry = hello(extensions={43: b"\3\4"}, random=RETRY)
    assert flight(retry).version == ""
    assert flight(retry, hello(extensions={43: b"\3\4"})).version == "TLSv1.3"


def test_protected_renegotiation_is_told_by_its_extension() -> None:
    """RFC 5746: its mere presence; a hello without extensions has none."""
    assert flight(hello(extensions={0xFF01: b"\0"})).secure_renegotiation is True
    assert flight(hello(extensions={11: b"\0", 0xFF01: b"\0"})).secure_renegotiation is True
    assert flight(hello(extensions={11: b"\0"})).secure_renegotiation is False
    assert flight(hello()).secure_renegotiation is False


@pytest.mark.parametrize(
    ("cipher", "exchange", "told"),
    [
        (DHE, PRIME, {"dh_bits": 12}),
        (0x0034, PRIME, {"dh_bits": 12}),
        (0x0016, PRIME, {"dh_bits": 12}),
        (ECDHE, CURVE, {"group": "secp256r1"}),
        (0xC018, CURVE, {"group": "secp256r1"}),
        (ECDHE, message(12, b"\3" + (29).to_bytes(2)), {"group": "x25519"}),
        (ECDHE, message(12, b"\3" + (30).to_bytes(2)), {"group": "x448"}),
        (ECDHE, message(12, b"\3" + (24).to_bytes(2)), {"group": "secp384r1"}),
        (ECDHE, message(12, b"\3" + (25).to_bytes(2)), {"group": "secp521r1"}),
        (ECDHE, message(12, b"\3" + (999).to_bytes(2)), {}),
        (ECDHE, message(12, b"\1" + (23).to_bytes(2)), {}),
        (RSA, PRIME, {}),
    ],
)
def test_the_key_exchange_is_read_as_its_cipher_has_it(
    cipher: int, exchange: bytes, told: dict[str, Any]
) -> None:
    """Bits of the prime, or the named curve; an odd curve or another exchange tells nothing."""
    seen = flight(hello(cipher=cipher), exchange)
    wanted = {"dh_bits": 0, "group": ""} | told
    assert {"dh_bits": seen.dh_bits, "group": seen.group} == wanted


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x1301, "TLS_AES_128_GCM_SHA256"),
        (0xC02F, "ECDHE-RSA-AES128-GCM-SHA256"),
        (0x0003, "EXP-RC4-MD5"),
        (0x0004, "RC4-MD5"),
        (0x0005, "RC4-SHA"),
        (0x0007, "IDEA-CBC-SHA"),
        (0x0008, "EXP-DES-CBC-SHA"),
        (0x0009, "DES-CBC-SHA"),
        (0x000A, "DES-CBC3-SHA"),
        (0x0013, "DHE-DSS-DES-CBC3-SHA"),
        (0x0015, "DHE-RSA-DES-CBC-SHA"),
        (0x0016, "DHE-RSA-DES-CBC3-SHA"),
        (0xC007, "ECDHE-ECDSA-RC4-SHA"),
        (0xC008, "ECDHE-ECDSA-DES-CBC3-SHA"),
        (0xC011, "ECDHE-RSA-RC4-SHA"),
        (0xC012, "ECDHE-RSA-DES-CBC3-SHA"),
        (0xFEFE, "0xFEFE"),
    ],
)
def test_a_cipher_is_told_by_openssls_name(number: int, name: str) -> None:
    """Those that OpenSSL no longer names keep their old name; a stranger has its number."""
    assert cipher_name(number) == name


def test_messages_may_share_records_or_be_torn_between_them() -> None:
    """Records are only wrapping: the flight is the same in one, in two, or byte by byte."""
    whole = hello(extensions={}) + certificates(b"leaf") + CURVE + message(14, b"")
    one = read_flight(record(22, whole))
    assert one == read_flight(record(22, whole[:50]) + record(22, whole[50:]))
    assert one == read_flight(b"".join(record(22, bytes((b,))) for b in whole))
    assert one.done


def test_the_first_alert_that_refuses_is_kept() -> None:
    """A warning gives way to what comes after it; a refusal does not."""
    assert read_flight(alert(2, 40)).alert == (2, 40)
    assert read_flight(alert(1, 112) + alert(2, 40)).alert == (2, 40)
    assert read_flight(alert(2, 40) + alert(2, 80)).alert == (2, 40)
    assert read_flight(alert(1, 112) + record(22, hello())).version == "TLSv1.2"
    assert read_flight(record(21, b"\2\x28encrypted")).alert is None


def test_behind_the_change_of_cipher_nothing_is_read() -> None:
    """What follows is encrypted, whatever it seems to say."""
    torn = record(22, hello()) + record(20, b"\1") + record(22, certificates(b"no")) + alert(2, 40)
    seen = read_flight(torn)
    assert (seen.version, seen.chain, seen.alert) == ("TLSv1.2", (), None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x16\3\1", True),
        (b"\x15\3", True),
        (b"\x14\3\3", True),
        (b"\x17\3\3", True),
        (b"\x13\3\3", False),
        (b"\x18\3\3", False),
        (b"\x16\2\1", False),
        (b"\x16", False),
        (b"", False),
        (b"220 mx1 ESMTP", False),
    ],
)
def test_tls_is_told_by_the_first_two_bytes(data: bytes, expected: bool) -> None:
    """A content type and the major version; a greeting of SMTP is none."""
    assert read_flight(data).is_tls is expected
    assert is_tls(data) is expected


def test_a_message_that_is_cut_or_wrong_inside_spoils_no_other() -> None:
    """Too short inside: left out, the next is read. Cut off at the end: not read at all."""
    short = message(11, (50).to_bytes(3) + b"only this")
    seen = flight(hello(), short, message(14, b""))
    assert (seen.chain, seen.done) == ((), True)
    cut = read_flight(record(22, (hello() + certificates(b"leaf"))[:-1]))
    assert (cut.version, cut.chain) == ("TLSv1.2", ())
    assert not flight(hello()[:-1]).version


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    """Strangers send anything."""
    read_flight(data)
    read_flight(record(22, data))


def parsed(sent: bytes) -> tuple[int, list[int], dict[int, bytes]]:
    """Version, suites and extensions of a ClientHello, with every length checked."""
    assert sent[:3] == b"\x16\3\1"
    assert int.from_bytes(sent[3:5]) == len(sent) - 5
    assert sent[5] == 1
    assert int.from_bytes(sent[6:9]) == len(sent) - 9
    version, body = int.from_bytes(sent[9:11]), sent[43:]
    assert body[0] == 0
    size = int.from_bytes(body[1:3])
    suites = [int.from_bytes(body[n : n + 2]) for n in range(3, 3 + size, 2)]
    rest = body[3 + size :]
    assert rest[:2] == b"\1\0"
    assert int.from_bytes(rest[2:4]) == len(rest) - 4
    found, at = {}, 4
    while at < len(rest):
        kind, length = int.from_bytes(rest[at : at + 2]), int.from_bytes(rest[at + 2 : at + 4])
        found[kind] = rest[at + 4 : at + 4 + length]
        at += 4 + length
    assert at == len(rest)
    return version, suites, found


# IANA TLS Cipher Suites registry, SSL 3 to TLS 1.1, without those that no server ever had.
OLD_SUITES = {
    *(set(range(0x01, 0x1C)) - {0x0B, 0x0E}),
    *range(0x2F, 0x3B),
    *(0x41, 0x44, 0x45, 0x80, 0x81, 0x84, 0x87, 0x88, 0x96, 0x99, 0x9A),
    *range(0xC001, 0xC01A),
}
MODERN = [0x1301, 0x1302, 0x1303, 0xC02C, 0xC030, 0xC02B, 0xC02F, 0x9F, 0x9E, 0x9D, 0x9C]


def test_the_old_hello_offers_all_that_an_old_server_could_choose() -> None:
    """Every suite once and the signal of RFC 5746, every curve; else its refusal proves nothing."""
    version, suites, extensions = parsed(client_hello(0x0301, "mx.example"))
    assert version == 0x0301
    assert suites[-1] == 0x00FF
    assert set(suites[:-1]) == OLD_SUITES
    assert len(suites) == len(set(suites))
    name = b"mx.example"
    assert extensions[0] == block(2, b"\0" + block(2, name))
    curves = extensions[10][2:]
    listed = [int.from_bytes(curves[n : n + 2]) for n in range(0, len(curves), 2)]
    assert int.from_bytes(extensions[10][:2]) == len(curves)
    assert sorted(listed) == list(range(1, 31))
    assert listed[:5] == [29, 23, 24, 25, 30]
    assert extensions[11] == b"\1\0"
    assert set(extensions) == {0, 10, 11}


def test_an_address_has_no_server_name() -> None:
    """Without a name the extension is left out, as RFC 6066 wants it."""
    assert 0 not in parsed(client_hello(0x0302, ""))[2]


def test_the_first_word_offers_what_servers_of_today_have() -> None:
    """TLS 1.2 with its signatures, the suites of today before the old ones."""
    version, suites, extensions = parsed(first_word("mx.example"))
    assert version == 0x0303
    assert suites[: len(MODERN)] == MODERN
    assert set(suites) == {*MODERN, *OLD_SUITES, 0xFF}
    signatures = extensions[13]
    assert int.from_bytes(signatures[:2]) == len(signatures) - 2
    assert {b"\4\3", b"\4\1", b"\2\1"} <= {signatures[n : n + 2] for n in range(2, 26, 2)}


def test_two_hellos_differ_in_their_random() -> None:
    """It must not be told from one connection to the next."""
    assert client_hello(0x0301, "") != client_hello(0x0301, "")


def old_hello(data: bytes) -> OldHello:
    session = OldHello("mx.example", 0x0301)
    assert parsed(session.pending())[0] == 0x0301
    assert session.pending() == b""
    session.feed(data)
    return session


FIRST_FLIGHT = record(22, hello(0x0301, cipher=RSA) + certificates(b"leaf") + message(13, b""))
DONE = record(22, message(14, b""))


def test_the_old_handshake_ends_with_the_servers_first_flight() -> None:
    """Only when it is whole; then it takes its leave in peace, and knows what was asked for."""
    session = old_hello(FIRST_FLIGHT)
    assert not session.handshake()
    assert session.pending() == b""
    session.feed(DONE[:3])
    assert not session.handshake()
    session.feed(DONE[3:])
    assert session.handshake()
    assert session.pending() == alert(1, 90).replace(b"\3\3", b"\3\1") + bytes.fromhex(
        "15030100020100"
    )
    session.note_handshake()
    assert session.seen.certificate_requested
    assert not session.has_renegotiated()


def test_the_old_handshake_ends_with_a_refusal_and_not_with_a_warning() -> None:
    """A fatal alert fails with its number; a warning is waited out."""
    refused = old_hello(alert(2, 70))
    with pytest.raises(TlsFailure, match="alert"):
        refused.handshake()
    assert refused.seen.alert == 70
    warned = old_hello(alert(1, 112))
    assert not warned.handshake()
    assert warned.seen.alert is None
    warned.feed(FIRST_FLIGHT + DONE)
    assert warned.handshake()


@pytest.mark.parametrize(
    "data",
    [
        b"220 mx1 ESMTP\r\n",
        record(22, b"\0") * (MAX_RECORDS + 1),
        record(22, b"\0" * 16_000) * 4 + record(22, b"\0" * (MAX_FLIGHT - 64_020 + 1)),
    ],
    ids=["no tls", "records", "bytes"],
)
def test_the_old_handshake_fails_on_what_is_no_flight(data: bytes) -> None:
    """No record of TLS, or more of them than any flight has."""
    with pytest.raises(TlsFailure):
        old_hello(data).handshake()


def test_the_old_handshake_takes_as_many_records_as_are_allowed() -> None:
    """One more ends it, see above."""
    assert not old_hello(record(22, b"\0") * MAX_RECORDS).handshake()
    assert not old_hello(b"").handshake()


def test_nothing_is_said_inside_the_old_handshake() -> None:
    """It has no keys: writing fails, reading is the end."""
    session = old_hello(FIRST_FLIGHT + DONE)
    with pytest.raises(TlsFailure):
        session.write(b"EHLO\r\n")
    with pytest.raises(TlsEnded):
        session.read()


@pytest.mark.parametrize(
    ("came", "shown"),
    [
        (b"", ""),
        (b"\x14\3\3", ""),
        (b"\x15\3\3", ""),
        (b"\x16\3\3", ""),
        (b"\x17\3\3", ""),
        (b"\x13abc", "«\ufffdabc»"),
        (b"\x18abc", "«\ufffdabc»"),
        (b"400 Bad Request", "«400 Bad Request»"),
        (b"x" * 121, "«" + "x" * 120 + "»"),
    ],
)
def test_what_came_in_place_of_tls_is_shown(came: bytes, shown: str) -> None:
    """Its first 120 bytes, printable; a record of TLS, or nothing, is no such evidence."""
    assert not_tls(came) == shown


def test_a_gateway_hangs_up_for_good_only_if_it_did_so_twice() -> None:
    """One connection that broke off inside TLS proves nothing, and neither does one that held."""
    broken_off = broken(Reason.RESET, Stage.HANDSHAKE)
    in_clear = broken(Reason.RESET, Stage.EHLO)
    silent = broken(Reason.TIMEOUT, Stage.HANDSHAKE)
    assert _always_hangs_up((broken_off, broken_off))
    assert not _always_hangs_up((broken_off,))
    assert not _always_hangs_up(())
    assert not _always_hangs_up((broken_off, survey()))
    assert not _always_hangs_up((broken_off, in_clear))
    assert not _always_hangs_up((broken_off, silent))


@pytest.mark.parametrize(
    ("reason", "stage", "alone"),
    [
        (Reason.RATE_LIMITED, Stage.GREETING, True),
        (Reason.RATE_LIMITED, Stage.MAIL, True),
        (Reason.UNAVAILABLE, Stage.GREETING, True),
        (Reason.UNAVAILABLE, Stage.MAIL, False),
        (Reason.REJECTED, Stage.EHLO, True),
        (Reason.REJECTED, Stage.EHLO_IN_TLS, False),
        (Reason.SEEN, Stage.QUIT, False),
        (Reason.ALERT, Stage.HANDSHAKE, False),
    ],
)
def test_who_had_enough_is_left_alone(reason: Reason, stage: Stage, alone: bool) -> None:
    """Busy or refusing before TLS; inside it that is about us. A rate limit counts anywhere."""
    assert _is_to_be_left_alone(broken(reason, stage)) is alone


@pytest.mark.parametrize(
    ("flight", "told"),
    [
        (Flight(version="TLSv1.2"), "TLSv1.2"),
        (Flight(version="TLSv1.2", alert=(1, 112)), "TLSv1.2"),
        (Flight(alert=(2, 40)), "alert 40 handshake_failure"),
        (Flight(alert=(2, 250)), "alert 250 unknown"),
        (Flight(), ""),
    ],
)
def test_what_a_port_says_to_a_hello_is_told(flight: Flight, told: str) -> None:
    """The version it chose, else how it refused, else nothing: then it speaks no TLS."""
    assert _told(flight) == told
