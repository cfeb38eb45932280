"""SMTP without I/O: however bytes arrive, the same replies come out, and nothing crashes."""

import random
import time
from dataclasses import dataclass

import pytest
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.facts.ehlo import offers, size_limit
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Reply, Stage, Starttls
from incamail_lib.probe.dialogue import (
    MAX_LINE,
    MAX_LINES,
    SHOWN,
    STEPS,
    Malformed,
    ReplyReader,
    capabilities_of,
    demands_certificate,
    starttls_offer,
    why_refused,
)

EHLO = b"250-mx1.muster.example\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
MASKED_GREETING = Reply(code=220, lines=("*" * 40,))


def read(*pieces: bytes) -> list[Reply]:
    """Every complete reply in `pieces`."""
    reader, found = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.next()) is not None:
            found.append(reply)
    return found


def outcome(*pieces: bytes) -> tuple[list[Reply], Reason | None]:
    """The replies up to the first thing that is none, and the reason of that."""
    reader, found = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (reply := reader.next()) is not None:
                found.append(reply)
        except Malformed as wrong:
            return found, wrong.reason
    return found, None


def one_by_one(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


@pytest.mark.parametrize(
    ("data", "code", "lines"),
    [
        (b"220 mx1 ESMTP\r\n", 220, ("mx1 ESMTP",)),
        (b"220\r\n", 220, ("",)),
        (b"220 \r\n", 220, ("",)),
        (EHLO, 250, ("mx1.muster.example", "SIZE 52428800", "STARTTLS", "8BITMIME")),
        (b"220-first\n220 bare line feeds\n", 220, ("first", "bare line feeds")),
        (b"250 gr\xc3\xbcezi\r\n", 250, ("grüezi",)),
        (b"250 not \xff utf-8\r\n", 250, ("not \ufffd utf-8",)),
        (b"250 \x1b[31mred\x07\r\n", 250, ("\ufffd[31mred\ufffd",)),
        (b"250 \xe2\x80\xaetxet\r\n", 250, ("\ufffdtxet",)),
    ],
)
def test_a_reply_is_read_in_one_piece_and_byte_by_byte(data, code, lines) -> None:
    """Code and lines are the same either way; what would act on a terminal is replaced."""
    whole, dripped = read(data), read(*one_by_one(data))
    assert whole == dripped
    assert [(r.code, r.lines) for r in whole] == [(code, lines)]


def test_a_reply_that_lies_here_whole_is_read_as_line_by_line() -> None:
    """Drawn replies, plain and odd: the same, or the same complaint, with something behind it,
    which makes the reader go line by line."""
    pieces = [b"220 ok", b"250-a", b"250 b", b"250", b"250-", b"2500", b"199 x", b"600 y", b"\r"]
    pieces += [b"\n", b"\r\n", b"\r\n", b"x" * SHOWN, b"\xc3\xa9", b"\0", b"\x7f", b" ", b"5.7.1 "]
    pieces += [b"-", b"\t", b"250-z\r\n" * (MAX_LINES - 1), b"y" * MAX_LINE]
    chance = random.Random(13)
    different = []
    for _ in range(examples(3000)):
        data = b"".join(chance.choices(pieces, k=chance.randrange(1, 9))) + b"\r\n"
        if _first(data) != _first(data + b"2"):
            different.append(data)
    assert different == []


def _first(data: bytes) -> Reply | tuple[Reason, str] | None:
    reader = ReplyReader()
    reader.feed(data)
    try:
        return reader.next()
    except Malformed as wrong:
        return wrong.reason, wrong.evidence


def test_several_replies_come_out_one_after_the_other() -> None:
    """Two replies in one segment are two; half a reply is none yet."""
    assert [r.code for r in read(b"250 one\r\n221 two\r\n")] == [250, 221]
    assert read(b"250-one\r\n") == []
    assert read(b"250 without an end") == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", Reason.PROTOCOL_ERROR),
        (b"\x15\x03\x01\x00\x02\x02\x46\n", Reason.PROTOCOL_ERROR),
        (b"\r\n", Reason.PROTOCOL_ERROR),
        (b"150 no such class\r\n", Reason.PROTOCOL_ERROR),
        (b"650 no such class\r\n", Reason.PROTOCOL_ERROR),
        (b"250_STARTTLS\r\n", Reason.PROTOCOL_ERROR),
        (b"250-one\r\n550 another code\r\n", Reason.PROTOCOL_ERROR),
        (b"2\xc2\xb25 digits of other kinds\r\n", Reason.PROTOCOL_ERROR),
        (b"220 " + b"x" * (MAX_LINE + 1), Reason.TOO_MUCH_DATA),
        (b"220-x\r\n" * (MAX_LINES + 1), Reason.TOO_MUCH_DATA),
    ],
)
def test_what_is_no_reply_is_malformed_and_not_a_crash(data, reason) -> None:
    """The reason is the same whether it comes at once or byte by byte."""
    assert outcome(data)[1] is reason
    assert outcome(*one_by_one(data))[1] is reason


def test_the_limits_leave_room_for_what_is_legal() -> None:
    """The longest line and the longest reply within the limits are read; one more is not."""
    longest = b"220-x\r\n" * (MAX_LINES - 1) + b"220 x\r\n"
    assert len(read(longest)[0].lines) == MAX_LINES
    assert outcome(b"220-x\r\n" + longest)[1] is Reason.TOO_MUCH_DATA
    line = b"220 " + b"x" * (MAX_LINE - 4)
    assert len(read(line + b"\r\n")[0].lines[0]) == SHOWN
    assert outcome(line + b"x\r\n")[1] is not None


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_crash_the_reader(data, size) -> None:
    """Any bytes give replies or a reason, and cutting them differently changes neither."""
    pieces = [data[n : n + size] for n in range(0, len(data), size)]
    assert outcome(*pieces) == outcome(*one_by_one(data))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"220", b"250", b"421"]),
            st.sampled_from([b"-", b" "]),
            st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"")),
            st.sampled_from([b"\r\n", b"\n"]),
        ),
        max_size=12,
    ),
    st.data(),
)
def test_replies_do_not_depend_on_where_segments_are_cut(lines, data) -> None:
    """Nearly legal replies, cut at random places, give what they give in one piece."""
    whole = b"".join(b"".join(line) for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert outcome(*pieces) == outcome(whole)


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("2.0.0 Ok", "2.0.0"),
        ("4.7.1", "4.7.1"),
        ("5.7.30 later", "5.7.30"),
        ("3.7.1 no such class", ""),
        ("4.7 too short", ""),
        ("4.7.1234 too long", ""),
        ("mx1 4.7.1 not in front", ""),
    ],
)
def test_an_enhanced_code_is_read_where_it_stands(text, enhanced) -> None:
    """RFC 3463 codes count only as the first word."""
    assert read(f"450 {text}\r\n".encode())[0].enhanced == enhanced


def test_bytes_behind_a_reply_can_be_taken_away() -> None:
    """What follows a 220 is shown once and forgotten, so that it is never obeyed."""
    reader = ReplyReader()
    reader.feed(b"220 go\r\n250 smuggled\r\n")
    first = reader.next()
    assert first is not None
    assert first.code == 220
    assert reader.leftover == b"250 smuggled\r\n"
    assert reader.drain() == b"250 smuggled\r\n"
    assert reader.next() is None
    assert reader.leftover == b""


def test_capabilities_are_read_in_any_case_and_by_the_whole_word() -> None:
    """`starttls` offers STARTTLS; STARTTLSX and a host of that name do not."""
    assert offers(capabilities_of(read(EHLO)[0]), "STARTTLS")
    assert offers(("starttls",), "STARTTLS")
    assert not offers(("STARTTLSX", "XSTARTTLS"), "STARTTLS")
    greeted = read(b"250 STARTTLS\r\n")[0]
    assert not offers(capabilities_of(greeted), "STARTTLS")


@pytest.mark.parametrize(
    ("capabilities", "limit"),
    [
        (("SIZE 52428800",), 52_428_800),
        (("size 10",), 10),
        (("SIZE",), 0),
        (("SIZE 0",), 0),
        (("SIZE much",), 0),
        (("SIZE -1",), 0),
        (("8BITMIME",), None),
        (("", "SIZER 10"), None),
    ],
)
def test_the_size_limit_is_told(capabilities, limit) -> None:
    """A number is the limit, 0 or none at all means no fixed limit, no SIZE means unknown."""
    assert size_limit(capabilities) == limit


@pytest.mark.parametrize(
    ("greeting", "capabilities", "offer"),
    [
        (None, ("STARTTLS",), Starttls.ACCEPTED),
        (MASKED_GREETING, ("STARTTLS",), Starttls.ACCEPTED),
        (None, ("SIZE 1",), Starttls.NOT_OFFERED),
        (None, ("XXXXXXXA",), Starttls.MASKED),
        (None, ("XXXXXXXX",), Starttls.MASKED),
        (MASKED_GREETING, ("SIZE 1",), Starttls.MASKED),
        (Reply(code=220, lines=("220 ***",)), ("SIZE 1",), Starttls.NOT_OFFERED),
        (Reply(code=220, lines=("** Welcome to our server **",)), (), Starttls.NOT_OFFERED),
        (None, ("XCLIENT NAME", "XFORWARD", "XEXCH50", "X-EXPS"), Starttls.NOT_OFFERED),
    ],
)
def test_a_missing_starttls_is_explained(greeting, capabilities, offer) -> None:
    """Masked by a firewall is not the same as not offered, and real X keywords are no mask."""
    assert starttls_offer(greeting, capabilities) is offer


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("554 5.7.1 Access denied", Reason.REJECTED),
        ("502 5.5.1 Unknown command", Reason.REJECTED),
        ("421 4.7.0 too many connections", Reason.RATE_LIMITED),
        ("421 4.7.0 Connection rate limit exceeded", Reason.RATE_LIMITED),
        ("450 4.2.0 Greylisted", Reason.GREYLISTED),
        ("451 4.7.1 Graylisted, come back later", Reason.GREYLISTED),
        ("451 4.3.0 Please try again later", Reason.GREYLISTED),
        ("421 4.3.2 Service not available", Reason.UNAVAILABLE),
        ("454 4.7.0 Temporary failure", Reason.UNAVAILABLE),
    ],
)
def test_a_refusal_of_service_is_told_apart(reply, reason) -> None:
    """What a reply says about the service is never a word about TLS."""
    assert why_refused(read(f"{reply}\r\n".encode())[0]) is reason


@dataclass(frozen=True)
class Refusal:
    """A reply, what is known beside it, and whether it asks for a client certificate."""

    reply: str
    demands: bool
    asked: bool = True
    offers_auth: bool = False


REFUSALS = (
    Refusal("530 5.7.0 No client certificate presented", True),
    Refusal("530 No client certificate presented", True, asked=False),
    Refusal("530 5.7.0 valid X.509 required", True, asked=False),
    Refusal("530 client cert not trusted", True, asked=False),
    Refusal("530 5.7.0 Authentication required", True),
    Refusal("530 5.7.0 Authentication required", False, offers_auth=True),
    Refusal("530 5.7.0 Authentication required", False, asked=False),
    Refusal("530 5.7.0 Client certificate or login required", True, offers_auth=True),
    Refusal("530 5.7.0 Must issue a STARTTLS command first", False),
    Refusal("530 a concert is not meant", False, asked=False),
    Refusal("550 5.7.1 Rejected, contact cert@muster.example", False),
    Refusal("550 5.7.1 contact CERT-Bund if not authorised", False),
    Refusal("550 5.7.1 no reverse DNS, see certs.example", False),
    Refusal("550 5.1.1 User unknown", False),
    Refusal("550 5.7.1 Client certificate required", True, offers_auth=True),
    Refusal("550 5.7.1 TLS client certificate verification failed", True),
    Refusal("550 5.7.1 Client-Zertifikat erforderlich", True),
    Refusal("550 5.7.1 Certificat client requis", True),
    Refusal("554 5.7.1 Please present a valid certificate", True),
    Refusal("554 5.7.1 Listed, see www.cert.at", False),
    Refusal("554 5.7.1 See https://www.cert.at/certificate-required", False),
    Refusal("554 5.7.1 Blocked by CERT Austria", False),
    Refusal("554 5.7.1 Client host rejected: Access denied", False),
    Refusal("421 4.7.1 mx1 Error: No client certificate presented", True),
    Refusal("421 4.7.1 mx1 Error: Client certificate not trusted", True),
    Refusal("421 4.7.1 mx1 Error: Client certificate not trusted", False, asked=False),
    Refusal("421 4.3.2 Renewing certificates, try again later", False),
    Refusal("450 4.7.1 Client certificate required, but try later", False),
    Refusal("451 4.7.1 Certificate check temporarily unavailable", False),
    Refusal("454 4.7.0 No client certificate presented", True),
    Refusal("454 4.7.0 TLS not available due to local problem: no certificate", False),
    Refusal("400 No client certificate presented", True),
    Refusal("250 2.1.0 No client certificate presented", False),
)


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.reply)
def test_a_demand_is_read_from_codes_and_context(row: Refusal) -> None:
    """The word alone is no demand, nor is a passing fault, nor 530 where one may log in."""
    code, _, text = row.reply.partition(" ")
    reply = Reply(code=int(code), lines=(text,))
    found = demands_certificate(reply, asked=row.asked, offers_auth=row.offers_auth)
    assert found is row.demands


def test_a_long_reply_is_judged_in_no_time() -> None:
    """However much a server says, looking for words in it is bounded."""
    reply = Reply(code=550, lines=("a.b@" * 75,) * 200)
    begun = time.perf_counter()
    assert not demands_certificate(reply, asked=True)
    assert time.perf_counter() - begun < 1.0


def test_the_stages_stand_in_order_and_never_hand_over_a_message() -> None:
    """The table follows the order of the stages, knows the postmaster only, and never DATA."""
    order = list(Stage)
    assert [*STEPS] == sorted(STEPS, key=order.index)
    commands = {step.command.split(" ")[0] for step in STEPS.values()}
    assert commands == {"", "EHLO", "STARTTLS", "MAIL", "RCPT", "QUIT"}
    assert STEPS[Stage.RCPT].command == "RCPT TO:<postmaster@{domain}>"
    assert STEPS[Stage.MAIL].command == "MAIL FROM:<>"
