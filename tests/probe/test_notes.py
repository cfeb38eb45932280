"""The notes of one connection, told as facts: what was seen, and how far that lets us speak."""

from __future__ import annotations

from typing import Any

import pytest
from certificate.made import der, issued
from factories import GATEWAY, NOW

from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import Purpose, Reply, SmtpFacts, Stage, TlsFacts
from incamail_lib.probe import tls_stdlib
from incamail_lib.probe.flight import Flight
from incamail_lib.probe.notes import MAX_CHAIN, Notes
from incamail_lib.probe.tls import ABOUT_CERTIFICATE, ALERTS, Seen, authority_name, server_name_of
from incamail_lib.probe.untouched import untouched

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE
OK = Reply(code=250, lines=("mx1",))
CHAIN = tuple(map(der, issued().chain))


def noted(seen: dict[str, Any] | None = None, **changes: Any) -> Notes:
    """The notes of a connection that went well over TLS 1.3."""
    sound = {"version": "TLSv1.3", "cipher": "C", "group": "x25519", "chain": CHAIN}
    usual: dict[str, Any] = {
        "tls": Seen(**(sound | (seen or {}))),
        "established": True,
        "reply_in_tls": OK,
        "stage": Stage.QUIT,
        "offered_certificate": "",
    }
    return Notes(Purpose.SURVEY, "mx1.example", started=10.0, **(usual | changes))


def told(notes: Notes) -> SmtpFacts:
    return notes.facts(NOW, ended_at=12.5, sent=7, received=9)


def tls(seen: dict[str, Any] | None = None, **changes: Any) -> TlsFacts:
    found = told(noted(seen, **changes)).tls
    assert found is not None
    return found


def test_everything_noted_is_told() -> None:
    """Each note has its place in the facts."""
    replies = {
        name: Reply(code=200 + n, lines=(name,))
        for n, name in enumerate(
            ("greeting", "ehlo_refusal", "starttls_reply", "mail_reply", "rcpt_reply")
        )
    }
    values: dict[str, Any] = {
        **replies,
        "reached": Stage.MAIL,
        "reason": Reason.REJECTED,
        "evidence": "no",
        "capabilities": ("a",),
        "capabilities_in_tls": ("b",),
        "plaintext_after_starttls": "extra",
        "injected_reply": OK,
        "tls_replies": 3,
    }
    facts = told(noted(**values))
    renamed = {"ended": "reason"}
    for name in (*replies, "reached", "evidence", "capabilities", "capabilities_in_tls"):
        assert getattr(facts, name) == values[name]
    for name in ("plaintext_after_starttls", "injected_reply", "tls_replies"):
        assert getattr(facts, name) == values[name]
    assert {n: getattr(facts, n) for n in renamed} == {n: values[m] for n, m in renamed.items()}
    assert (facts.elapsed_s, facts.bytes_sent, facts.bytes_received) == (2.5, 7, 9)
    assert (facts.purpose, facts.started_at, facts.ended_in) == (Purpose.SURVEY, NOW, Stage.QUIT)
    assert told(noted(tls=None)).tls is None


def test_everything_seen_of_tls_is_told() -> None:
    """Version, cipher, keys, chain and what was asked for."""
    seen: dict[str, Any] = {
        **{"cipher_bits": 256, "dh_bits": 2048, "secure_renegotiation": True},
        **{"renegotiated": True, "answered": True, "certificate_requested": True},
        **{"acceptable_cas": ("CN=A",), "acceptable_cas_left_out": 4, "certificate_sent": True},
    }
    facts = tls(seen, hello_bytes=517, tls_error="words", offered_certificate="ab")
    for name in ("cipher_bits", "dh_bits", "secure_renegotiation", "renegotiated", "answered"):
        assert getattr(facts, name) == seen[name]
    assert (facts.version, facts.cipher, facts.group) == ("TLSv1.3", "C", "x25519")
    assert (facts.acceptable_cas, facts.acceptable_cas_left_out) == (("CN=A",), 4)
    assert (facts.hello_bytes, facts.error, facts.server_name) == (517, "words", "mx1.example")
    assert (facts.offered_certificate, facts.certificate_sent) == ("ab", True)
    assert facts.established
    assert [c.der for c in facts.chain] == list(CHAIN)
    assert facts.links is not None
    assert facts.links.length == 2


def test_without_a_certificate_to_show_none_was_kept_back() -> None:
    """Whether it was sent is no question then; nor are authorities where nobody asked."""
    bare = tls({"acceptable_cas": ("CN=A",), "certificate_sent": False})
    assert bare.certificate_sent is None
    assert bare.acceptable_cas == ()
    assert tls(offered_certificate="ab").certificate_sent is False
    empty = tls({"chain": ()})
    assert (empty.chain, empty.links) == ((), None)


def test_a_chain_is_kept_up_to_its_limit() -> None:
    """Twenty; what a stranger sends beyond is dropped."""
    assert len(tls({"chain": CHAIN[:1] * (MAX_CHAIN + 5)}).chain) == 20


@pytest.mark.parametrize(
    ("group", "hybrid"),
    [
        ("X25519MLKEM768", True),
        ("x25519_kyber768", True),
        ("x25519mlkem768", True),
        ("x25519", False),
        ("", None),
    ],
)
def test_a_hybrid_group_is_told_by_its_name(group: str, hybrid: bool | None) -> None:
    """A group that is not known is neither."""
    assert tls({"group": group}).post_quantum is hybrid


@pytest.mark.parametrize(
    ("seen", "changes", "answer", "reason"),
    [
        ({"certificate_requested": True}, {}, YES, Reason.SEEN),
        ({}, {}, NO, Reason.NOT_SEEN),
        ({}, {"reply_in_tls": None}, NO, Reason.NOT_SEEN),
        ({"version": "TLSv1.2"}, {}, NO, Reason.NOT_SEEN),
        ({"version": "TLSv1.2"}, {"reply_in_tls": None}, OPEN, Reason.NOT_REACHED),
        ({}, {"established": False}, OPEN, Reason.NOT_REACHED),
        ({"unfinished": True}, {}, OPEN, Reason.NOT_REACHED),
        ({"unfinished": True}, {"reason": Reason.TIMEOUT}, OPEN, Reason.TIMEOUT),
        ({"renegotiated": True}, {}, NO, Reason.NOT_SEEN),
        ({"renegotiated": True}, {"reason": Reason.RESET}, OPEN, Reason.RESET),
    ],
)
def test_no_request_is_told_only_where_none_can_come_any_more(
    seen: dict[str, Any], changes: dict[str, Any], answer: Answer, reason: Reason
) -> None:
    """Up to TLS 1.2 a server may ask in a second handshake, as it answers EHLO."""
    found = tls(seen, **changes).certificate_requested
    assert (found.answer, found.reason) == (answer, reason)


DENIED = Reply(code=554, lines=("client certificate required",))
ALERTED = {"reply_in_tls": None, "reason": Reason.ALERT, "evidence": "alert 48"}
ASKED = {"certificate_requested": True}


@pytest.mark.parametrize(
    ("seen", "changes", "answer", "reason"),
    [
        ({}, {}, YES, Reason.SMTP_REPLY),
        (ASKED, {"reply_in_tls": DENIED}, NO, Reason.SMTP_REPLY),
        ({}, {"reply_in_tls": DENIED}, OPEN, Reason.REJECTED),
        (ASKED, {"reply_in_tls": Reply(code=421, lines=("busy",))}, OPEN, Reason.UNAVAILABLE),
        (ASKED | {"alert": 48}, ALERTED, NO, Reason.ALERT),
        ({"alert": 48}, ALERTED, OPEN, Reason.ALERT),
        (ASKED | {"alert": 80}, ALERTED, OPEN, Reason.ALERT),
        (ASKED | {"alert": 48}, ALERTED | {"reason": Reason.RESET}, OPEN, Reason.RESET),
        ({}, {"reply_in_tls": None}, OPEN, Reason.NOT_TRIED),
        ({}, {"reply_in_tls": None, "reason": Reason.TIMEOUT}, OPEN, Reason.TIMEOUT),
    ],
)
def test_who_was_let_in_is_told_by_the_reply_or_by_an_alert_about_certificates(
    seen: dict[str, Any], changes: dict[str, Any], answer: Answer, reason: Reason
) -> None:
    """Without a request no certificate was at issue, whatever the alert says."""
    found = tls(seen, **changes).accepted
    assert (found.answer, found.reason) == (answer, reason)


def test_530_is_a_demand_unless_one_may_log_in() -> None:
    """What EHLO offered before TLS tells whether AUTH is meant."""
    wanted = Reply(code=530, lines=("Authentication required",))
    assert tls(ASKED, reply_in_tls=wanted).accepted.is_no
    login = {"reply_in_tls": wanted, "capabilities": ("AUTH PLAIN",)}
    assert not tls(ASKED, **login).accepted.is_known


def test_an_alert_is_told_with_the_stage_in_which_it_came() -> None:
    """Also where the dialogue went on to say goodbye; a warning is kept apart."""
    notes = noted({"alert": 48, "warning": 112}, stage=Stage.HANDSHAKE)
    assert notes.alerted() == "alert 48 unknown_ca"
    assert notes.warned() == "warning 112 unrecognized_name"
    notes.begin(Stage.QUIT, 11.0)
    facts = told(notes).tls
    assert facts is not None
    assert facts.alert is not None
    assert (facts.alert.number, facts.alert.name) == (48, "unknown_ca")
    assert facts.alert.stage is Stage.HANDSHAKE
    assert facts.warning is not None
    assert facts.warning.number == 112
    strange = noted({"alert": 250, "warning": 251})
    assert strange.alerted() == "alert 250 unknown"
    assert strange.warned() == "warning 251 unknown"
    for silent in (noted(), noted(tls=None)):
        assert silent.alerted() == silent.warned() == ""
    early = tls({"alert": 40}, stage=Stage.MAIL).alert
    assert early is not None
    assert early.stage is Stage.MAIL


def test_alerts_about_certificates_are_known_by_name() -> None:
    """RFC 9846 §6.2: the numbers, and those that a refused certificate brings."""
    names = {n: ALERTS[n] for n in sorted(ABOUT_CERTIFICATE) if n in ALERTS}
    assert names == {
        40: "handshake_failure",
        42: "bad_certificate",
        43: "unsupported_certificate",
        44: "certificate_revoked",
        45: "certificate_expired",
        46: "certificate_unknown",
        48: "unknown_ca",
        49: "access_denied",
        116: "certificate_required",
    }
    assert {40, 41, 42, 43, 44, 45, 46, 48, 49, 116} == ABOUT_CERTIFICATE


FLIGHT = Flight(
    version="TLSv1.2",
    cipher="F",
    group="secp256r1",
    dh_bits=1024,
    secure_renegotiation=False,
    chain=CHAIN[:1],
    requested=True,
    is_tls=True,
)


def test_what_came_in_clear_fills_what_the_library_did_not_tell() -> None:
    """The library's word goes before; bits, renegotiation and request come from the bytes."""
    empty = noted({"version": "", "cipher": "", "group": "", "chain": ()})
    empty.note_flight(FLIGHT)
    assert empty.tls is not None
    assert (empty.tls.version, empty.tls.cipher, empty.tls.group) == ("TLSv1.2", "F", "secp256r1")
    assert (empty.tls.chain, empty.tls.answered, empty.tls.dh_bits) == (CHAIN[:1], True, 1024)
    assert empty.tls.secure_renegotiation is False
    assert empty.tls.certificate_requested
    full = noted({"certificate_requested": True})
    full.note_flight(Flight())
    assert full.tls is not None
    assert (full.tls.version, full.tls.cipher, full.tls.group) == ("TLSv1.3", "C", "x25519")
    assert (full.tls.chain, full.tls.answered) == (CHAIN, False)
    assert full.tls.certificate_requested
    without = noted(tls=None)
    without.note_flight(FLIGHT)
    assert without.tls is None


def test_the_transcript_shows_lines_in_order_with_their_times() -> None:
    """What was sent and received, and how long each took; the last may be unfinished."""
    notes = Notes(Purpose.SURVEY, "", "", 10.0)
    notes.begin(Stage.EHLO, 10.5, "EHLO x")
    notes.done(11.0, Reply(code=250, lines=("a", "b", "c")))
    notes.begin(Stage.STARTTLS, 11.25, "STARTTLS")
    notes.done(11.5)
    notes.begin(Stage.HANDSHAKE, 11.5)
    lines = told(notes).transcript
    assert [(x.stage, x.sent, x.received, x.at_s, x.elapsed_s) for x in lines] == [
        (Stage.EHLO, "EHLO x", "250-a\n250-b\n250 c", 0.5, 0.5),
        (Stage.STARTTLS, "STARTTLS", "", 1.25, 0.25),
        (Stage.HANDSHAKE, "", "", 1.5, 1.0),
    ]


def test_how_the_goodbye_ends_is_of_no_interest() -> None:
    """The reason of the dialogue stays the one it had; before, it is kept and made printable."""
    notes = noted(stage=Stage.MAIL)
    notes.ended(Reason.RESET, "a\x1bb")
    assert notes.reason is Reason.RESET
    assert "\x1b" not in notes.evidence
    notes.stage = Stage.QUIT
    notes.ended(Reason.TIMEOUT, "late")
    assert (notes.reason, "late" in notes.evidence) == (Reason.RESET, False)
    frozen = notes.tls
    notes.freeze_tls()
    assert notes.tls == frozen
    assert notes.tls is not frozen


def test_replies_out_of_step_count_for_nothing() -> None:
    """Which answered what is not known: all those inside TLS go."""
    notes = noted(mail_reply=OK, rcpt_reply=OK, capabilities_in_tls=("a",), capabilities=("b",))
    notes.out_of_step(Stage.MAIL)
    gone = (notes.reply_in_tls, notes.mail_reply, notes.rcpt_reply, notes.capabilities_in_tls)
    assert gone == (None, None, None, None)
    assert (notes.stage, notes.capabilities) == (Stage.MAIL, ("b",))
    notes.note_reply(Stage.MAIL, OK)
    assert (notes.mail_reply, notes.rcpt_reply) == (OK, None)
    notes.note_reply(Stage.RCPT, OK)
    assert notes.rcpt_reply == OK


def block(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size) + data


NAMES = block(2, b"first") + block(2, b"second")


def test_authorities_are_read_out_of_a_request() -> None:
    """TLS 1.3 by its extension, wherever it stands; TLS 1.2 behind types and signatures."""
    other = (13).to_bytes(2) + block(2, b"\0\2\4\3")
    named = (47).to_bytes(2) + block(2, block(2, NAMES))
    head = b"\x0d\0\0\0"
    for extensions in (named, other + named, named + other):
        request = head + block(1, b"ctx") + block(2, extensions)
        assert tls_stdlib._authorities(request, 0x0304) == [b"first", b"second"]
    assert tls_stdlib._authorities(head + block(1, b"") + block(2, other), 0x0304) == []
    old = head + block(1, b"\1\x40") + block(2, b"\4\3\4\1") + block(2, NAMES)
    assert tls_stdlib._authorities(old, 0x0303) == [b"first", b"second"]
    assert tls_stdlib._authorities(head, 0x0303) == []
    assert tls_stdlib._authorities(head, 0x0304) == []


@pytest.mark.parametrize(
    ("host", "name"),
    [("mx1.example", "mx1.example"), ("mx1.example.", "mx1.example"), ("192.0.2.1", "")],
)
def test_an_address_is_no_server_name(host: str, name: str) -> None:
    """RFC 6066 §3: a name without its last dot, or none."""
    assert server_name_of(host) == name


def test_an_authority_that_cannot_be_read_is_told_by_its_bytes() -> None:
    """In hexadecimal, so that it can still be looked for."""
    assert authority_name(b"\xff\1") == "#ff01"


def test_a_target_that_was_not_contacted_says_so_everywhere() -> None:
    """Not a packet went there: every answer is open for this reason, and where it lies is told."""
    found = untouched(GATEWAY.model_copy(update={"address": "10.0.0.1"}), NOW)
    survey = found.survey
    assert (survey.ended, survey.ended_in, survey.reached) == (
        Reason.NOT_CONTACTED,
        Stage.CONNECT,
        None,
    )
    assert (survey.elapsed_s, survey.started_at, survey.purpose) == (0.0, NOW, Purpose.SURVEY)
    assert survey.evidence
    auth = found.client_auth
    answers = (auth.requested, auth.demanded, auth.own_accepted, auth.foreign_accepted)
    for answer in (*answers, auth.verified, found.legacy, found.injection):
        assert answer.reason is Reason.NOT_CONTACTED
