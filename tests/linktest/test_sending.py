"""A message is handed over on consent alone; whatever the server does is a fact with evidence."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import email
import email.policy
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incamail_lib.errors import MaterialError, UsageError
from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, SendingType
from incamail_lib.facts.smtp import Stage
from incamail_lib.i18n import LANGUAGES, translator
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.plan import (
    USUAL_CAPABILITIES,
    Account,
    AfterReply,
    ClientAuth,
    GatewayPlan,
    Greeting,
    HangUp,
    Manner,
    StarttlsPlan,
    TlsPlan,
    Version,
)
from incamail_lib.linktest import (
    Consent,
    Mta,
    SendLimits,
    TestMessage,
    TlsUse,
    compose,
    delivery_text,
    send,
)

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0, second=0, minute=0)
HOST = "mail.muster.example"
LAB = pki.build(NOW)
SECRET = "correct horse battery"
QUICK = SendLimits(connect_s=5.0, reply_s=0.5, total_s=5.0)
RULES = RuleSet(
    method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
)
TEST: TestMessage = compose(
    "anna@muster.example",
    "hans.muster@partner.example",
    SendingType.CONFIDENTIAL,
    rules=RULES,
    now=NOW,
    body=".a line that begins with a dot",
)
AGREED = Consent(
    message_id=TEST.message_id, recipient=TEST.recipient, agreed_by="Anna Muster", agreed_at=NOW
)
BARE = tuple(c for c in USUAL_CAPABILITIES if c != "STARTTLS")


def plan(**changes: Any) -> GatewayPlan:
    """A sound server with `changes`."""
    return replace(GatewayPlan(HOST, TlsPlan(LAB.leaf(pki.Variant.BOTH, HOST))), **changes)


def roots(folder: Path) -> Path:
    return pki.write_trust_store(LAB, folder)


def hand_over(
    given: GatewayPlan, folder: Path, *, limits: SendLimits = QUICK, **server: Any
) -> tuple[Delivery, Gateway]:
    """The test message to a server of `given`, STARTTLS required unless told otherwise."""

    async def run() -> tuple[Delivery, Gateway]:
        async with serve(given, now=NOW) as gateway:
            settings: dict[str, Any] = {"name": HOST, "roots": roots(folder)} | server
            mta = Mta("127.0.0.1", gateway.port, **settings)
            done = await send(
                TEST.message,
                recipient=TEST.recipient,
                server=mta,
                consent=AGREED,
                limits=limits,
                now=NOW,
            )
        return done, gateway

    return asyncio.run(run(), debug=True)


@pytest.mark.parametrize("version", [Version.TLS_1_2, Version.TLS_1_3])
def test_the_message_arrives_whole_over_verified_tls(tmp_path: Path, version: Version) -> None:
    """The server holds what was composed, byte for byte, and the fact says how it went."""
    tls = TlsPlan(LAB.leaf(pki.Variant.BOTH, HOST), minimum=version, maximum=version)
    done, gateway = hand_over(plan(tls=tls), tmp_path)
    taken = gateway.messages[0]
    assert taken.content == TEST.message.as_bytes()
    assert (taken.sender, taken.recipients) == ("anna@muster.example", (TEST.recipient,))
    assert taken.in_tls
    assert (done.outcome, done.stage) == (DeliveryOutcome.ACCEPTED, SendingStage.CONTENT)
    assert done.reply is not None
    assert (done.reply.code, done.reply.enhanced) == (250, "2.0.0")
    assert (done.tls_version, done.certificate_verified) == (version.value, True)
    assert (done.message_id, done.agreed_by) == (TEST.message_id, "Anna Muster")
    assert done.started_at == NOW
    assert gateway.commands[-1] == "QUIT"
    assert Delivery.model_validate_json(done.model_dump_json()) == done


@pytest.mark.parametrize(
    ("given", "said"), [("", "muster.example"), ("out.muster.example", "out.muster.example")]
)
def test_we_greet_by_the_name_of_the_dossier_or_of_the_sender(
    tmp_path: Path, given: str, said: str
) -> None:
    """Servers judge a sender by it: never this computer's own name, before TLS and inside it."""
    done, gateway = hand_over(plan(), tmp_path, ehlo_name=given)
    assert done.outcome is DeliveryOutcome.ACCEPTED
    greeted = [c.lower() for c in gateway.commands if c.upper().startswith("EHLO")]
    assert greeted == [f"ehlo {said}"] * 2


def test_without_tls_only_when_the_operator_says_so(tmp_path: Path) -> None:
    """A server without STARTTLS gets nothing by default, and the message when TLS may be left."""
    bare = plan(capabilities=BARE)
    done, gateway = hand_over(bare, tmp_path)
    assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.NO_STARTTLS)
    assert not any(c.startswith("MAIL") for c in gateway.commands)
    for allowed in (TlsUse.OPPORTUNISTIC, TlsUse.OFF):
        done, gateway = hand_over(bare, tmp_path, starttls=allowed)
        assert done.outcome is DeliveryOutcome.ACCEPTED
        assert (done.tls_version, done.certificate_verified) == ("", False)
        assert len(gateway.messages) == 1
    done, _ = hand_over(plan(), tmp_path, starttls=TlsUse.OPPORTUNISTIC)
    assert done.tls_version == "TLSv1.3"


def test_a_stranger_s_certificate_stops_the_message(tmp_path: Path) -> None:
    """Wrong name, unknown root and expiry are refused; only the operator can wave them through."""
    for variant in (pki.Variant.WRONG_NAME, pki.Variant.EXOTIC, pki.Variant.EXPIRED):
        bad = plan(tls=TlsPlan(LAB.leaf(variant, HOST)))
        done, gateway = hand_over(bad, tmp_path)
        assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.CERTIFICATE)
        assert done.stage is SendingStage.HANDSHAKE
        assert done.evidence
        assert gateway.messages == ()
        done, gateway = hand_over(bad, tmp_path, verify=False)
        assert done.outcome is DeliveryOutcome.ACCEPTED
        assert (bool(done.tls_version), done.certificate_verified) == (True, False)


REPLIES: list[tuple[dict[str, Any], DeliveryOutcome, SendingStage, int, str]] = [
    ({"greeting": Greeting(("421 4.3.2 busy",), then_close=True)},
     DeliveryOutcome.DEFERRED, SendingStage.GREETING, 421, "4.3.2"),
    ({"greeting": Greeting(("554 5.7.1 go away",))},
     DeliveryOutcome.REFUSED, SendingStage.GREETING, 554, "5.7.1"),
    ({"ehlo_reply": "502 5.5.1 no"}, DeliveryOutcome.REFUSED, SendingStage.EHLO, 502, "5.5.1"),
    ({"mail_reply": "451 4.7.1 Greylisted"},
     DeliveryOutcome.DEFERRED, SendingStage.MAIL, 451, "4.7.1"),
    ({"rcpt_reply": "450 4.2.0 later"}, DeliveryOutcome.DEFERRED, SendingStage.RCPT, 450, "4.2.0"),
    ({"rcpt_reply": "550 5.1.1 unknown"}, DeliveryOutcome.REFUSED, SendingStage.RCPT, 550, "5.1.1"),
    ({"data_reply": "451 4.3.0 full"}, DeliveryOutcome.DEFERRED, SendingStage.DATA, 451, "4.3.0"),
    ({"data_reply": "554 5.5.1 none"}, DeliveryOutcome.REFUSED, SendingStage.DATA, 554, "5.5.1"),
    ({"content_reply": "452 4.3.1 disk"},
     DeliveryOutcome.DEFERRED, SendingStage.CONTENT, 452, "4.3.1"),
    ({"content_reply": "552 5.3.4 big"},
     DeliveryOutcome.REFUSED, SendingStage.CONTENT, 552, "5.3.4"),
    ({"largest": 100},
     DeliveryOutcome.REFUSED, SendingStage.CONTENT, 552, "5.3.4"),
    ({"mail_reply": "499 later"}, DeliveryOutcome.DEFERRED, SendingStage.MAIL, 499, ""),
    ({"mail_reply": "599 never"}, DeliveryOutcome.REFUSED, SendingStage.MAIL, 599, ""),
    ({"account": Account("anna", SECRET)},
     DeliveryOutcome.REFUSED, SendingStage.MAIL, 530, "5.7.0"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "stage", "code", "enhanced"), REPLIES)
def test_a_reply_that_ends_it_is_kept(
    tmp_path: Path, changes, outcome, stage, code, enhanced
) -> None:
    """4xx defers and 5xx refuses, at whatever stage; reply and enhanced code are evidence."""
    done, gateway = hand_over(plan(**changes), tmp_path)
    assert (done.outcome, done.stage, done.cause) == (outcome, stage, Cause.REPLY)
    assert done.reply is not None
    assert (done.reply.code, done.reply.enhanced) == (code, enhanced)
    assert gateway.messages == ()


def test_a_forwarding_reply_to_rcpt_is_as_good_as_250(tmp_path: Path) -> None:
    """251 lets the dialogue go on; an intermediate reply out of place does not."""
    done, _ = hand_over(plan(rcpt_reply="354 what"), tmp_path)
    assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.PROTOCOL_ERROR)
    done, _ = hand_over(plan(rcpt_reply="251 2.1.5 will forward"), tmp_path)
    assert done.stage is SendingStage.DATA  # the lab took no recipient, so DATA is out of order


NO, LOST = DeliveryOutcome.NOT_SENT, DeliveryOutcome.UNCERTAIN
ENDS: list[tuple[dict[str, Any], DeliveryOutcome, SendingStage, set[Cause]]] = [
    ({"listens": False}, NO, SendingStage.CONNECT, {Cause.CONNECTION_REFUSED}),
    ({"greeting": Greeting(manner=Manner.SILENT)}, NO, SendingStage.GREETING, {Cause.TIMEOUT}),
    ({"greeting": Greeting(("HTTP/1.1 400 Bad Request",))},
     NO, SendingStage.GREETING, {Cause.PROTOCOL_ERROR}),
    ({"reset_at": Stage.EHLO}, NO, SendingStage.EHLO, {Cause.CLOSED}),
    ({"starttls": StarttlsPlan("454 4.7.0 not now")},
     NO, SendingStage.STARTTLS, {Cause.STARTTLS_REFUSED}),
    ({"starttls": StarttlsPlan(reply="")}, NO, SendingStage.STARTTLS, {Cause.TIMEOUT}),
    ({"starttls": StarttlsPlan(trailing="250 ok\r\n")},
     NO, SendingStage.HANDSHAKE, {Cause.PROTOCOL_ERROR}),
    ({"starttls": StarttlsPlan(then=AfterReply.GARBAGE)},
     NO, SendingStage.HANDSHAKE, {Cause.TLS_FAILED}),
    ({"starttls": StarttlsPlan(then=AfterReply.SILENCE)},
     NO, SendingStage.HANDSHAKE, {Cause.TIMEOUT}),
    ({"hangs_up": HangUp.AT_DATA}, NO, SendingStage.DATA, {Cause.CLOSED}),
    ({"hangs_up": HangUp.IN_CONTENT}, LOST, SendingStage.CONTENT, {Cause.CLOSED}),
    ({"hangs_up": HangUp.AFTER_CONTENT}, LOST, SendingStage.CONTENT, {Cause.CLOSED}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "stage", "causes"), ENDS)
def test_whatever_breaks_is_a_fact(tmp_path: Path, changes, outcome, stage, causes) -> None:
    """No exception comes out: stage and cause say where it broke; once handed over whole, the
    outcome is uncertain and never «not sent»."""
    done, _ = hand_over(plan(**changes), tmp_path)
    assert (done.outcome, done.stage) == (outcome, stage)
    assert done.cause in causes
    assert done.reply is None or done.reply.code >= 400


def test_a_server_that_took_the_message_in_silence_is_not_called_unsent(tmp_path: Path) -> None:
    """The server has the message although no answer came: sending it again would double it."""
    done, gateway = hand_over(plan(hangs_up=HangUp.AFTER_CONTENT), tmp_path)
    assert len(gateway.messages) == 1
    assert done.outcome is DeliveryOutcome.UNCERTAIN


def test_a_refusal_of_our_missing_certificate_is_seen(tmp_path: Path) -> None:
    """A server that demands a client certificate ends TLS 1.3 after the handshake: not sent."""
    client = ClientAuth(required=True, roots=LAB.roots)
    demanding = plan(tls=TlsPlan(LAB.leaf(pki.Variant.BOTH, HOST), client=client))
    done, _ = hand_over(demanding, tmp_path)
    assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.TLS_FAILED)
    assert done.stage is SendingStage.EHLO_IN_TLS
    assert "certificate required" in done.evidence


@pytest.mark.parametrize("manner", [Manner.ENDLESS, Manner.DRIP, Manner.SILENT])
def test_an_endless_greeting_is_given_up(tmp_path: Path, manner: Manner) -> None:
    """Neither silence nor drops nor lines without end hold a person longer than the limit."""
    lines = ("220 " + "x" * 2000,)
    slow = plan(greeting=Greeting(lines, manner, pause_s=0.002))
    limits = SendLimits(connect_s=5.0, reply_s=5.0, total_s=1.0)
    done, _ = hand_over(slow, tmp_path, limits=limits)
    assert done.outcome is DeliveryOutcome.NOT_SENT
    assert done.cause in (Cause.TIMEOUT, Cause.PROTOCOL_ERROR)
    assert done.elapsed_s < 3.0


@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("LOGIN",), ("CRAM-MD5", "PLAIN")])
def test_a_login_happens_inside_tls(tmp_path: Path, mechanisms: tuple[str, ...]) -> None:
    """PLAIN, or LOGIN where nothing else is known, lets the message in."""
    asked: list[str] = []

    def password() -> str:
        asked.append("now")
        return SECRET

    guarded = plan(account=Account("anna", SECRET, mechanisms))
    done, gateway = hand_over(guarded, tmp_path, user="anna", password=password)
    assert done.outcome is DeliveryOutcome.ACCEPTED
    assert gateway.records[0].user == "anna"
    assert asked == ["now"]
    assert not any(c.startswith("AUTH") for c in gateway.records[0].commands)


@pytest.mark.parametrize("word", ["wrong", "pässwort"])
def test_a_wrong_password_is_a_refusal(tmp_path: Path, word: str) -> None:
    """The server's 535 is the fact; the message stays here."""
    guarded = plan(account=Account("anna", SECRET))
    done, gateway = hand_over(guarded, tmp_path, user="anna", password=lambda: word)
    assert (done.outcome, done.stage) == (DeliveryOutcome.REFUSED, SendingStage.AUTH)
    assert done.reply is not None
    assert done.reply.text == "535 5.7.8 Error: authentication failed"
    assert gateway.messages == ()


NO_LOGIN: list[dict[str, Any]] = [
    {"capabilities": BARE, "account": Account("anna", SECRET)},
    {"capabilities": (*BARE, "AUTH PLAIN LOGIN"), "account": Account("anna", SECRET)},
    {"account": Account("anna", SECRET, ("CRAM-MD5",))},
    {},
]


@pytest.mark.parametrize("changes", NO_LOGIN)
def test_no_password_is_asked_for_where_none_can_be_given(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Without TLS, or without a mechanism in common, the provider is never called."""

    def never() -> str:
        raise AssertionError("the password was asked for")

    done, gateway = hand_over(
        plan(**changes), tmp_path, starttls=TlsUse.OPPORTUNISTIC, user="anna", password=never
    )
    assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.NO_LOGIN)
    assert gateway.messages == ()


def test_the_password_is_nowhere_to_be_read(tmp_path: Path) -> None:
    """Neither the server's repr, the fact, its words, nor the lab's record holds the secret, even
    where a server repeats it."""

    def fits(text: str) -> bool:
        token = base64.b64encode(f"\0anna\0{SECRET}".encode()).decode()
        return not any(secret in text for secret in (SECRET, SECRET[:8], token))

    mta = Mta("127.0.0.1", user="anna", password=lambda: SECRET)
    assert fits(repr(mta))
    assert "anna" not in repr(mta)
    guarded = plan(account=Account("anna", "another", echoes=True))
    assert fits(repr(guarded))
    done, gateway = hand_over(guarded, tmp_path, user="anna", password=lambda: SECRET)
    assert done.reply is not None
    assert (done.reply.code, done.reply.lines) == (535, ())
    assert fits(done.model_dump_json())
    assert fits(delivery_text(done).english())
    assert fits(repr(gateway.records))


def test_a_dossier_on_the_lab_sends_to_this_computer_only() -> None:
    """A name may lead anywhere, so only the addresses of loopback are taken."""
    for host in ("mail.muster.example", "localhost", "10.1.2.3", "8.8.8.8"):
        with pytest.raises(UsageError, match="never leaves this computer"):
            Mta(host, only_here=True)
        assert Mta(host).host == host, "a server that a person typed is his will"
    assert Mta("127.0.0.1", only_here=True).only_here
    assert Mta("::1", only_here=True).only_here


def test_a_cancelled_hand_over_sends_nothing_more(tmp_path: Path) -> None:
    """Whoever gives up waiting is not followed by a message that goes out all the same."""

    async def run() -> Gateway:
        async with serve(plan(account=Account("anna", SECRET)), now=NOW) as gateway:
            loop, cancelled = asyncio.get_running_loop(), threading.Event()

            def password() -> str:
                loop.call_soon_threadsafe(task.cancel)
                assert cancelled.wait(10)
                return SECRET

            mta = Mta(
                "127.0.0.1",
                gateway.port,
                name=HOST,
                roots=roots(tmp_path),
                user="anna",
                password=password,
            )
            task = asyncio.create_task(
                send(TEST.message, recipient=TEST.recipient, server=mta, consent=AGREED)
            )
            with pytest.raises(asyncio.CancelledError):
                await task
            cancelled.set()
            await loop.shutdown_default_executor()  # the dialogue has come to its end
            return gateway

    gateway = asyncio.run(run())
    assert gateway.messages == ()
    assert gateway.commands[-1].upper().startswith("EHLO")


def test_a_cancelled_hand_over_waits_no_longer(tmp_path: Path) -> None:
    """A dialogue that hangs in a silent server ends with the call, not after a minute."""

    async def run() -> None:
        silent = plan(starttls=StarttlsPlan(reply=""))
        async with serve(silent, now=NOW) as gateway:
            mta = Mta("127.0.0.1", gateway.port, name=HOST, roots=roots(tmp_path))
            given = send(TEST.message, recipient=TEST.recipient, server=mta, consent=AGREED)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(given, 0.3)

            begun = time.monotonic()
            await asyncio.get_running_loop().shutdown_default_executor()
            assert time.monotonic() - begun < 10

    asyncio.run(run())


@pytest.mark.parametrize("author", ["ä@muster.example", "nobody", ""])
def test_a_message_of_another_making_needs_a_plain_sender(author: str) -> None:
    """A message that was not composed here is sent only from an address SMTP can carry."""
    message = email.message_from_bytes(TEST.message.as_bytes(), policy=email.policy.SMTP)
    del message["From"]
    message["From"] = author
    server = Mta("127.0.0.1", 1)

    async def run() -> None:
        with pytest.raises(UsageError, match="envelope"):
            await send(message, recipient=TEST.recipient, server=server, consent=AGREED)

    asyncio.run(run())


CONSENTS: list[Callable[[], object]] = [
    lambda: True,
    lambda: None,
    lambda: AGREED.model_copy(update={"message_id": "<other@muster.example>"}),
    lambda: AGREED.model_copy(update={"recipient": "other@partner.example.incamail.ch"}),
    lambda: AGREED.model_copy(update={"agreed_by": " "}),
]


@pytest.mark.parametrize("consent", CONSENTS)
def test_nothing_happens_without_consent(consent: Callable[[], object]) -> None:
    """A plain yes, another message, another recipient or nobody's name: no connection is made."""

    async def run() -> Gateway:
        async with serve(plan(), now=NOW) as gateway:
            mta = Mta("127.0.0.1", gateway.port)
            given: Any = consent()
            with pytest.raises(UsageError, match="consent") as caught:
                await send(TEST.message, recipient=TEST.recipient, server=mta, consent=given)
            for language in LANGUAGES:
                assert TEST.message_id in translator(language).text(caught.value.text)
            return gateway

    assert asyncio.run(run()).records == []


@pytest.mark.parametrize(
    "recipient",
    ["x@partner.example.incamail.ch", "a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example> X=<"],
)
def test_the_envelope_cannot_be_another_one(recipient: str) -> None:
    """Even with consent, only who stands in To gets the message, and no command is slipped in."""
    consent = AGREED.model_copy(update={"recipient": recipient})

    async def run() -> None:
        async with serve(plan(), now=NOW) as gateway:
            mta = Mta("127.0.0.1", gateway.port)
            with pytest.raises(UsageError, match="Nothing was sent"):
                await send(TEST.message, recipient=recipient, server=mta, consent=consent)
            assert gateway.records == []

    asyncio.run(run())


SERVERS: list[dict[str, Any]] = [
    {"host": "a b"},
    {"host": "a..b"},
    {"host": ""},
    {"host": "x" * 64 + ".example"},
    {"host": "mail.example", "name": "a\r\nb"},
    {"host": "mail.example", "ehlo_name": "a b"},
    {"host": "mail.example", "port": 0},
    {"host": "mail.example", "user": "anna"},
    {"host": "mail.example", "password": lambda: SECRET},
    {"host": "mail.example", "user": "a", "password": lambda: SECRET, "starttls": TlsUse.OFF},
]


@pytest.mark.parametrize("given", SERVERS)
def test_a_server_that_cannot_work_is_told_at_once(given: dict[str, Any]) -> None:
    """Bad names and ports, half a login, and a login in clear are refused before anything."""
    with pytest.raises(UsageError) as caught:
        Mta(**given)
    assert SECRET not in str(caught.value)
    assert Mta("::1").label


def test_a_damaged_trust_store_is_named(tmp_path: Path) -> None:
    """A file of roots that is none, or is missing, is told with its name."""
    for name in ("damaged.pem", "missing.pem"):
        path = tmp_path / name
        if name == "damaged.pem":
            path.write_text("no certificate")
        with pytest.raises(MaterialError, match=name):
            hand_over(plan(), tmp_path, roots=path)


def test_a_delivery_is_told_in_words(tmp_path: Path) -> None:
    """Outcome, server, recipient, stage and the server's own words stand in one sentence."""
    done, _ = hand_over(plan(rcpt_reply="550 5.1.1 unknown"), tmp_path)
    told = delivery_text(done).english()
    assert all(part in told for part in ("refused", TEST.recipient, "RCPT", "550 5.1.1 unknown"))
    bare, _ = hand_over(plan(capabilities=BARE), tmp_path)
    assert "STARTTLS" in delivery_text(bare).english()
    assert "not handed" in delivery_text(bare).english()


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_and_stage_can_be_told(cause: Cause, tmp_path: Path) -> None:
    """No delivery ends in a way for which there are no words."""
    done, _ = hand_over(plan(capabilities=BARE), tmp_path)
    for stage in SendingStage:
        for outcome in DeliveryOutcome:
            changed = {"cause": cause, "stage": stage, "outcome": outcome}
            assert TEST.recipient in delivery_text(done.model_copy(update=changed)).english()
