"""What a hostile, busy or broken peer does is a fact with its reason: bounded, and no exception."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from fuzzing import examples
from hypothesis import example, given
from hypothesis import settings as checked
from hypothesis import strategies as st
from probe.served import (
    BACKENDS,
    PATIENT,
    Script,
    asking,
    plan,
    probed,
    says,
    says_in_tls,
    scripted,
    settings,
    talked,
    verdicts,
    within,
)

from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import Purpose, Reply, SmtpFacts, Stage, Starttls
from incamail_lib.lab.plan import (
    AfterReply,
    GatewayPlan,
    Greeting,
    Manner,
    StarttlsPlan,
)
from incamail_lib.probe import ProbeSettings
from incamail_lib.probe.dialogue import (
    MAX_LINE,
    MAX_LINES,
    SHOWN,
    Malformed,
    ReplyReader,
    why_refused,
)
from incamail_lib.probe.settings import Backend
from incamail_lib.probe.wire import CHUNK

OPEN = Answer.INCONCLUSIVE
SHORT_S = 0.2  # a limit that is meant to be reached
SLACK_S = 5.0  # what a busy machine may add to it
LATER = "451 4.7.1 Greylisted, please try again later"
HELLO = b"250-mx1\r\n250 STARTTLS\r\n"


def greeted(line: str) -> GatewayPlan:
    """A gateway that greets so and hangs up."""
    return plan(greeting=Greeting((line,), then_close=True))


@dataclass(frozen=True)
class Refused:
    """A service that is refused, where, and how that is understood."""

    name: str
    plan: GatewayPlan
    stage: Stage
    reason: Reason


REFUSED = (
    Refused("busy", greeted("421 4.3.2 No"), Stage.GREETING, Reason.UNAVAILABLE),
    Refused("in_short", greeted("421"), Stage.GREETING, Reason.UNAVAILABLE),
    Refused(
        "too_many",
        greeted("421 4.7.0 {host} Error: too many connections"),
        *(Stage.GREETING, Reason.RATE_LIMITED),
    ),
    Refused("grey_450", greeted("450 4.2.0 Greylisted"), Stage.GREETING, Reason.GREYLISTED),
    Refused("grey_451", greeted(LATER), Stage.GREETING, Reason.GREYLISTED),
    Refused("unwelcome", greeted("554 5.7.1 Listed"), Stage.GREETING, Reason.REJECTED),
    Refused("many_lines", greeted("554-One\r\n554 two"), Stage.GREETING, Reason.REJECTED),
    Refused("odd_code", greeted("250 Hello?"), Stage.GREETING, Reason.UNAVAILABLE),
    Refused("ehlo_421", plan(ehlo_reply="421 4.3.2 No"), Stage.EHLO, Reason.UNAVAILABLE),
    Refused("ehlo_grey", plan(ehlo_reply=LATER), Stage.EHLO, Reason.GREYLISTED),
    Refused("ehlo_550", plan(ehlo_reply="550 5.7.1 No"), Stage.EHLO, Reason.REJECTED),
    Refused(
        "starttls_421",
        plan(starttls=StarttlsPlan("421 4.7.0 Too many TLS sessions")),
        *(Stage.STARTTLS, Reason.RATE_LIMITED),
    ),
)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_a_refused_service_is_no_verdict_about_tls(row: Refused) -> None:
    """The reason names the refusal, STARTTLS stays unknown, nothing is asked a second time."""
    found = probed(row.plan)
    survey = found.endpoint.survey
    assert (survey.ended, survey.ended_in) == (row.reason, row.stage)
    assert survey.evidence
    assert (found.endpoint.starttls, survey.tls) == (Starttls.UNKNOWN, None)
    assert [o.answer for o in verdicts(found.endpoint)] == [OPEN] * 7
    assert len(found.gateway.records) == 1


def test_a_sound_gateway_answers_every_question() -> None:
    """The same probe of a gateway that serves us leaves nothing open."""
    assert OPEN not in {o.answer for o in verdicts(probed(plan(asking(required=True))).endpoint)}


@pytest.mark.parametrize(
    "reply", ["450 4.2.0 Greylisted", LATER, "421 4.3.2 Service not available"]
)
def test_greylisting_at_mail_says_nothing_of_our_certificate(reply: str) -> None:
    """What TLS showed stands; whether a certificate is demanded or taken at MAIL stays open."""
    found = probed(plan(asking(), mail_reply=reply))
    auth, survey = found.endpoint.client_auth, found.endpoint.survey
    assert survey.tls is not None
    assert survey.tls.accepted.is_yes
    assert survey.mail_reply is not None
    assert survey.mail_reply.text == reply
    assert [o.answer for o in (auth.demanded, auth.own_accepted, auth.verified)] == [OPEN] * 3
    assert (auth.demanded.reason, auth.demanded.evidence) == (Reason.SMTP_REPLY, reply)
    assert auth.requested.is_yes
    let_in = probed(plan(asking())).endpoint.client_auth
    assert (let_in.demanded.is_no, let_in.own_accepted.is_yes) == (True, True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("mx.corporate.example Service not available", Reason.UNAVAILABLE),
        ("Cannot operate now", Reason.UNAVAILABLE),
        ("rate limit", Reason.RATE_LIMITED),
        ("Connection rate exceeded", Reason.RATE_LIMITED),
    ],
)
def test_a_rate_is_a_word_and_not_a_part_of_one(line: str, reason: Reason) -> None:
    """A host name that happens to contain the letters is no rate limit."""
    assert why_refused(Reply(code=421, lines=(line,))) is reason


@dataclass(frozen=True)
class Slow:
    """A gateway that keeps us waiting, and the one limit that ends it."""

    name: str
    plan: GatewayPlan
    asked: ProbeSettings
    stage: Stage


NO_GREETING = within(greeting_s=SHORT_S)
SLOW = (
    Slow("tarpit", plan(greeting=Greeting(manner=Manner.SILENT)), NO_GREETING, Stage.GREETING),
    Slow(
        "drip",
        plan(greeting=Greeting(("220 " + "x" * 500,), Manner.DRIP, pause_s=0.01)),
        *(NO_GREETING, Stage.GREETING),
    ),
    Slow(
        "slow_lines",
        plan(greeting=Greeting(("220-wait",) * 100 + ("220 ok",), pause_s=0.05)),
        *(NO_GREETING, Stage.GREETING),
    ),
    Slow(
        "endless_but_slow",
        plan(greeting=Greeting(manner=Manner.ENDLESS, pause_s=0.05)),
        *(within(total_s=SHORT_S), Stage.GREETING),
    ),
    Slow("late_banner", plan(greeting=Greeting(delay_s=9.0)), NO_GREETING, Stage.GREETING),
    Slow("no_220", plan(starttls=StarttlsPlan("")), within(reply_s=SHORT_S), Stage.STARTTLS),
    Slow(
        "silence_after_220",
        plan(starttls=StarttlsPlan(then=AfterReply.SILENCE)),
        *(within(handshake_s=SHORT_S), Stage.HANDSHAKE),
    ),
    Slow(
        "late_handshake",
        plan(starttls=StarttlsPlan(handshake_delay_s=9.0)),
        *(within(handshake_s=SHORT_S), Stage.HANDSHAKE),
    ),
    Slow(
        "total",
        plan(starttls=StarttlsPlan(then=AfterReply.SILENCE)),
        *(within(total_s=SHORT_S * 2), Stage.HANDSHAKE),
    ),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", SLOW, ids=lambda row: row.name)
def test_waiting_ends_with_the_limit(row: Slow, backend: Backend) -> None:
    """A peer that says nothing, or too little, costs no more than the limit of its stage."""
    seen = talked(row.plan, asked=replace(row.asked, backend=backend))
    assert (seen.ended, seen.ended_in) == (Reason.TIMEOUT, row.stage)
    assert SHORT_S <= seen.elapsed_s < SHORT_S + SLACK_S
    assert seen.tls is None or seen.tls.accepted.reason is Reason.TIMEOUT


def test_silence_in_every_handshake_leaves_every_question_open() -> None:
    """No answer about TLS comes from silence; each connection is bounded by itself."""
    silent = plan(starttls=StarttlsPlan(then=AfterReply.SILENCE))
    found = probed(silent, within(handshake_s=SHORT_S))
    assert found.endpoint.starttls is Starttls.ACCEPTED
    assert [o.answer for o in verdicts(found.endpoint)] == [OPEN] * 7
    requested, *others = (o.reason for o in verdicts(found.endpoint))
    assert (requested, set(others)) == (Reason.NOT_REACHED, {Reason.TIMEOUT})
    assert sum(c.elapsed_s for c in found.endpoint.connections) < 5 * SHORT_S + SLACK_S


def test_silence_after_mail_leaves_what_was_seen() -> None:
    """The certificate and the acceptance in TLS stand; only the question at MAIL stays open."""
    script = says_in_tls(HELLO)
    seen = scripted(script, within(reply_s=1.0))
    assert (seen.ended, seen.ended_in, seen.reached) == (
        *(Reason.TIMEOUT, Stage.MAIL, Stage.EHLO_IN_TLS),
    )
    assert seen.tls is not None
    assert (seen.tls.accepted.is_yes, bool(seen.tls.chain)) == (True, True)
    assert seen.mail_reply is None


def test_a_slow_banner_of_many_lines_is_waited_for() -> None:
    """Within the limit every line of a delayed greeting is read, and the dialogue goes on."""
    lines = ("220-{host} one", "220-two", "220 three")
    seen = talked(plan(greeting=Greeting(lines, delay_s=0.1, pause_s=0.05)))
    assert seen.greeting is not None
    assert seen.greeting.lines == ("mx1.muster.example one", "two", "three")
    assert (seen.ended, seen.starttls) == (Reason.SEEN, Starttls.ACCEPTED)
    assert seen.transcript[1].elapsed_s >= 0.2


RESETS = (
    (Stage.CONNECT, Stage.GREETING, Stage.CONNECT),
    (Stage.GREETING, Stage.GREETING, Stage.CONNECT),
    (Stage.EHLO, Stage.EHLO, Stage.GREETING),
    (Stage.STARTTLS, Stage.STARTTLS, Stage.EHLO),
    (Stage.HANDSHAKE, Stage.HANDSHAKE, Stage.STARTTLS),
    (Stage.EHLO_IN_TLS, Stage.EHLO_IN_TLS, Stage.HANDSHAKE),
    (Stage.MAIL, Stage.MAIL, Stage.EHLO_IN_TLS),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("at", "ended_in", "reached"), RESETS, ids=str)
def test_a_reset_is_told_by_its_stage(
    at: Stage, ended_in: Stage, reached: Stage, backend: Backend
) -> None:
    """Broken off without a word: where, how far it got, and no verdict from the break."""
    endpoint = probed(plan(asking(), reset_at=at), settings(backend=backend)).endpoint
    survey = endpoint.survey
    assert (survey.ended, survey.ended_in, survey.reached) == (Reason.RESET, ended_in, reached)
    auth = endpoint.client_auth
    assert [o.answer for o in (auth.demanded, auth.own_accepted, auth.verified)] == [OPEN] * 3
    assert auth.demanded.reason is Reason.RESET
    reached_tls = at in (Stage.HANDSHAKE, Stage.EHLO_IN_TLS, Stage.MAIL)
    assert (endpoint.starttls is Starttls.ACCEPTED) is reached_tls


def test_a_reset_in_the_goodbye_changes_nothing() -> None:
    """By QUIT everything has been seen."""
    seen = talked(plan(starttls=StarttlsPlan("454 4.7.0 No"), reset_at=Stage.QUIT))
    assert (seen.ended, seen.starttls) == (Reason.SEEN, Starttls.REFUSED)
    gone = scripted(says(b"220 mx1\r\n", b"250 mx1\r\n", b"", then_wait=False), settings())
    assert (gone.ended, gone.starttls) == (Reason.SEEN, Starttls.NOT_OFFERED)


@pytest.mark.parametrize(
    ("parts", "stage"),
    [
        ((b"",), Stage.GREETING),
        ((b"220-half",), Stage.GREETING),
        ((b"220 mx1\r\n", b""), Stage.EHLO),
        ((b"220 mx1\r\n", b"250-mx1\r\n250-STARTTLS\r\n"), Stage.EHLO),
        ((b"220 mx1\r\n", HELLO, b""), Stage.STARTTLS),
        ((b"220 mx1\r\n", HELLO, b"220 go\r\n"), Stage.HANDSHAKE),
    ],
)
def test_an_end_without_a_reason_is_told_by_its_stage(
    parts: tuple[bytes, ...], stage: Stage
) -> None:
    """Half a reply counts as none: what is cut off in the middle does not tell what is offered."""
    seen = scripted(says(*parts, then_wait=False), settings())
    assert seen.ended in (Reason.CLOSED, Reason.RESET)
    assert seen.ended_in is stage
    assert (seen.capabilities is None) is (stage in (Stage.GREETING, Stage.EHLO))


@pytest.mark.parametrize("backend", BACKENDS)
def test_garbage_in_place_of_tls_is_shown(backend: Backend) -> None:
    """Bytes that are no TLS are a protocol error with the bytes as evidence, and no verdict."""
    garbage = plan(starttls=StarttlsPlan(then=AfterReply.GARBAGE))
    seen = talked(garbage, asked=settings(backend=backend))
    assert (seen.ended, seen.ended_in) == (Reason.PROTOCOL_ERROR, Stage.HANDSHAKE)
    assert "400 Bad Request" in seen.evidence
    assert seen.tls is not None
    assert (seen.tls.established, seen.tls.accepted.answer) == (False, OPEN)
    assert (seen.tls.alert, seen.tls.chain) == (None, ())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "answer",
    [
        b"220 TLS go ahead\r\n",
        b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
        b"\x00" * 200,
        b"\xff" * 70_000,
    ],
    ids=["smtp", "empty_hello", "zeros", "large"],
)
def test_broken_handshakes_are_protocol_errors(answer: bytes, backend: Backend) -> None:
    """A second SMTP reply, a broken record or binary rubbish: one reason, no exception."""
    script = says(b"220 mx1\r\n", HELLO, b"220 go\r\n", answer)
    seen = scripted(script, replace(within(handshake_s=2.0), backend=backend))
    assert (seen.ended, seen.ended_in) == (Reason.PROTOCOL_ERROR, Stage.HANDSHAKE)
    assert seen.evidence.isprintable()


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"220-please wait\r\n" * 100_000, Reason.TOO_MUCH_DATA),
        (b"220 " + b"x" * 100_000 + b"\r\n", Reason.TOO_MUCH_DATA),
        (b"220 " + b"x" * (MAX_LINE - 3) + b"\r\n", Reason.TOO_MUCH_DATA),
        (b"\x00" * 100_000, Reason.TOO_MUCH_DATA),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.PROTOCOL_ERROR),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Reason.PROTOCOL_ERROR),
        (b"\x15\x03\x01\x00\x02\x02\x0a\n", Reason.TLS_AT_ONCE),
        (b"220-one\r\n221 two\r\n", Reason.PROTOCOL_ERROR),
    ],
    ids=["endless", "long_line", "long_by_one", "zeros", "http", "ssh", "tls", "two_codes"],
)
def test_a_greeting_that_is_none_ends_the_dialogue(greeting: bytes, reason: Reason) -> None:
    """Too much, too long or no SMTP at all: told as such, with printable evidence."""
    seen = scripted(says(greeting), settings())
    assert (seen.ended, seen.ended_in) == (reason, Stage.GREETING)
    assert (seen.starttls, seen.greeting) == (Starttls.UNKNOWN, None)
    assert seen.evidence.isprintable()
    assert len(seen.evidence) <= SHOWN
    assert bool(seen.evidence) is (reason is not Reason.TLS_AT_ONCE)


def test_the_longest_line_allowed_is_still_read() -> None:
    """One byte less than too long is a greeting like any other."""
    longest = b"220 " + b"x" * (MAX_LINE - 4) + b"\r\n"
    seen = scripted(says(longest, b"250 mx1\r\n", b"221 bye\r\n"), settings())
    assert (seen.ended, seen.reached) == (Reason.SEEN, Stage.QUIT)


def test_bytes_are_counted_and_limited() -> None:
    """Within its lines a reply may still be too much: the limit in bytes ends the connection."""
    greeting = plan(greeting=Greeting(("220-" + "x" * 100,) * 50 + ("220 ok",)))
    few = talked(greeting, asked=within(max_bytes=2000))
    assert (few.ended, few.ended_in) == (Reason.TOO_MUCH_DATA, Stage.GREETING)
    assert 2000 < few.bytes_received <= 2000 + CHUNK
    assert few.evidence == f"{few.bytes_received} bytes"
    assert talked(greeting).ended is Reason.SEEN


def test_a_goodbye_without_end_is_left() -> None:
    """A flood of replies to QUIT is read to the limit and no further; what was seen stands."""
    flood = b"250 still here\r\n" * 100_000
    seen = scripted(says(b"220 mx1\r\n", b"250 mx1\r\n", flood), settings())
    assert (seen.ended, seen.starttls) == (Reason.SEEN, Starttls.NOT_OFFERED)
    assert seen.bytes_received <= PATIENT.max_bytes + CHUNK
    assert seen.elapsed_s < PATIENT.goodbye_s + SLACK_S


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"250-x\r\n" * (MAX_LINES + 1), Reason.TOO_MUCH_DATA),
        (b"250 " + b"x" * (MAX_LINE + 1) + b"\r\n", Reason.TOO_MUCH_DATA),
        (b"250-" + b"x" * 300_000, Reason.TOO_MUCH_DATA),
        (b"\x1b[2J\x00\xff\r\n", Reason.PROTOCOL_ERROR),
        (b"<html>\n", Reason.PROTOCOL_ERROR),
    ],
    ids=["endless", "long_by_one", "long_line", "controls", "html"],
)
def test_the_limits_hold_inside_tls(answer: bytes, reason: Reason, backend: Backend) -> None:
    """What is no reply to EHLO inside TLS is neither acceptance nor refusal of anybody."""
    seen = scripted(says_in_tls(answer), settings(backend=backend))
    assert (seen.ended, seen.ended_in) == (reason, Stage.EHLO_IN_TLS)
    assert seen.tls is not None
    assert seen.tls.established
    assert (seen.tls.accepted.answer, seen.tls.accepted.reason) == (OPEN, reason)
    assert seen.evidence.isprintable()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_flood_inside_tls_is_limited_where_replies_are_counted(backend: Backend) -> None:
    """The connection that counts replies reads no more than the limit."""
    script = says_in_tls(b"250 mx1\r\n" * 100_000)
    seen = scripted(script, settings(backend=backend), Purpose.INJECTION)
    assert seen.ended is Reason.TOO_MUCH_DATA
    assert seen.bytes_received <= PATIENT.max_bytes + CHUNK


def texts(value: object) -> Iterator[str]:
    """Every text in dumped facts, line by line."""
    if isinstance(value, str):
        yield from value.split("\n")
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


ODD = "grüezi \x1b[31m\x07\x00 \u202etxet\u2066 \u200b\u2028 \ue000 日本"
ODD_SHOWN = "grüezi \ufffd[31m\ufffd\ufffd \ufffdtxet\ufffd \ufffd\ufffd \ufffd 日本"


def test_text_from_strangers_is_kept_printable() -> None:
    """Letters of any language stay; what acts on a terminal or a page is shown as U+FFFD."""
    odd = plan(
        greeting=Greeting((f"220 {ODD}",)),
        capabilities=("STARTTLS", f"SIZE {ODD}"),
        starttls=StarttlsPlan(f"220 {ODD}", trailing=ODD),
        mail_reply=f"450 {ODD}",
    )
    seen = talked(odd)
    assert seen.greeting is not None
    assert seen.starttls_reply is not None
    assert seen.mail_reply is not None
    assert seen.greeting.lines == seen.starttls_reply.lines == seen.mail_reply.lines == (ODD_SHOWN,)
    assert seen.capabilities == ("STARTTLS", f"SIZE {ODD_SHOWN}")
    assert seen.plaintext_after_starttls == ODD_SHOWN
    assert all(text.isprintable() for text in texts(seen.model_dump(mode="json")))


@pytest.mark.parametrize("line", [f"554 {ODD}", f"{ODD}"], ids=["refused", "no_smtp"])
def test_evidence_of_strangers_is_printable_too(line: str) -> None:
    """What ended the dialogue is quoted without its acting characters."""
    seen = scripted(says(line.encode() + b" \xff\xfe\r\n"), settings())
    assert ODD_SHOWN in seen.evidence
    assert seen.evidence.endswith("\ufffd\ufffd")
    assert all(text.isprintable() for text in texts(seen.model_dump(mode="json")))


REPLIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"220 mx1\r\n", HELLO, b"250 ok\r\n", b"421 no\r\n", b"454 no\r\n", b"220-"]),
)


def in_turn(parts: list[bytes]) -> Script:
    """A script: after every part the client may speak, but is not waited for; then the end."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await reader.read(CHUNK)

    return script


@checked(max_examples=examples(60), deadline=None)
@given(parts=st.lists(REPLIES, max_size=6), backend=st.sampled_from(BACKENDS))
@example(parts=[b"220 mx1\r\n", HELLO, b"220 go\r\n", b"\x16\x03\x03"], backend="pyopenssl")
@example(parts=[b"220 mx1\r\n", HELLO, b"220 go\r\n", b"\x15\x03\x03\x00\x02\x02"], backend="ssl")
def test_no_peer_makes_the_probe_raise(parts: list[bytes], backend: Backend) -> None:
    """Any bytes in place of any reply, then the end: a fact, never TLS and never an exception."""
    seen = scripted(in_turn(parts), settings(backend=backend))
    assert seen.tls is None or not seen.tls.established
    assert seen.tls is None or not seen.tls.accepted.is_known
    assert SmtpFacts.model_validate_json(seen.model_dump_json()) == seen


LINES = st.builds(
    lambda code, mark, size, end: code + mark + b"x" * size + end,
    st.sampled_from([b"220", b"250", b"\xff", b""]),
    st.sampled_from([b"-", b" ", b""]),
    st.sampled_from([0, 3, MAX_LINE - 5, MAX_LINE - 4, MAX_LINE - 3, MAX_LINE, 2 * MAX_LINE]),
    st.sampled_from([b"\r\n", b"\n", b"\r\r\n", b""]),
)
BULKS = st.one_of(
    LINES,
    st.binary(max_size=200),
    st.integers(MAX_LINES - 2, MAX_LINES + 2).map(lambda n: b"250-x\r\n" * n),
)


def taken(pieces: list[bytes]) -> tuple[list[Reply], Malformed | None]:
    """All replies and how it ended; nothing is kept beyond the longest line."""
    reader, found = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (reply := reader.next()) is not None:
                found.append(reply)
        except Malformed as wrong:
            return found, wrong
        assert len(reader.leftover) <= MAX_LINE + 1
    return found, None


@checked(deadline=None)
@given(bulks=st.lists(BULKS, max_size=4), data=st.data())
@example(bulks=[b"220 " + b"x" * (MAX_LINE - 4) + b"\r\n"], data=None)
@example(bulks=[b"220 " + b"x" * (MAX_LINE - 3) + b"\r\n"], data=None)
def test_the_parser_keeps_its_limits_however_bytes_arrive(
    bulks: list[bytes], data: st.DataObject | None
) -> None:
    """Around its limits too, only its own error comes, and it does not hang on the cuts."""
    whole = b"".join(bulks)
    cuts = {n for n in range(MAX_LINE - 2, MAX_LINE + 3) if n < len(whole)}
    if data is not None:
        cuts = set(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    replies, wrong = taken(pieces)
    same, wrong_at_once = taken([whole])
    assert replies == same
    assert (wrong and wrong.reason) == (wrong_at_once and wrong_at_once.reason)
    if wrong is not None:
        assert wrong.reason in (Reason.TOO_MUCH_DATA, Reason.PROTOCOL_ERROR)
        assert wrong.evidence.isprintable()
        assert len(wrong.evidence) <= SHOWN
    for reply in replies:
        assert 200 <= reply.code <= 599
        assert 1 <= len(reply.lines) <= MAX_LINES
        assert all(len(line) <= SHOWN and line.isprintable() for line in reply.lines)
