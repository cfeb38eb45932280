"""Each behaviour a lab gateway can be given is really seen by a client on the wire."""

import asyncio
import contextlib
import datetime as dt
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest

from incamail_lib.facts.smtp import Stage
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.plan import (
    MASKED_CAPABILITIES,
    Account,
    AfterReply,
    ClientAuth,
    GatewayPlan,
    Greeting,
    HangUp,
    Judged,
    Manner,
    Refusal,
    StarttlsPlan,
    TlsPlan,
    Version,
)

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0, second=0, minute=0)
HOST = "mx1.muster.example"
LAB = pki.build(NOW)
CLIENT_HOST = "out.muster.example"


def tls(**changes) -> TlsPlan:
    """Sound TLS with `changes`."""
    return replace(TlsPlan(LAB.leaf(pki.Variant.BOTH, HOST)), **changes)


def plan(**changes) -> GatewayPlan:
    """A sound gateway with `changes`."""
    return replace(GatewayPlan(HOST, tls()), **changes)


def asking(**changes) -> GatewayPlan:
    """A gateway that asks for a client certificate."""
    return plan(tls=tls(client=replace(ClientAuth(required=True, roots=LAB.roots), **changes)))


def client_context(tmp_path, variant=None, maximum=ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A stdlib TLS client that checks the server by the lab's roots."""
    context = ssl.create_default_context(cafile=pki.write_trust_store(LAB, tmp_path))
    context.maximum_version = maximum
    if variant:
        issued = LAB.leaf(variant, CLIENT_HOST)
        context.load_cert_chain(*pki.write_pem(issued, tmp_path, variant.value))
    return context


def talk(gateway_plan: GatewayPlan, client: Callable[[int], object]):
    """Run `client(port)` in a thread against the gateway; gives its result and the gateway."""

    async def run() -> tuple[object, Gateway]:
        async with serve(gateway_plan, now=NOW) as gateway:
            result = await asyncio.to_thread(client, gateway.port)
        return result, gateway

    return asyncio.run(run(), debug=True)


def starttls(context: ssl.SSLContext, then=lambda smtp: smtp.ehlo()):
    """A client that upgrades to TLS and then does one thing."""

    def client(port: int):
        with smtplib.SMTP("127.0.0.1", port, local_hostname="probe.example", timeout=5) as smtp:
            smtp._host = HOST  # type: ignore[attr-defined]  # the name that starttls asks for
            smtp.starttls(context=context)
            try:
                return then(smtp)
            except smtplib.SMTPServerDisconnected:
                return smtp.sock  # closed; the alert is in the gateway's record

    return client


def raw(sent: bytes = b"", read: int = 1) -> Callable[[int], bytes]:
    """A client that sends bytes in clear and reads until `read` lines or the end came."""

    async def run(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = b""
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            for _ in range(read):
                got += await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return got

    return lambda port: asyncio.run(run(port))


def test_a_message_is_taken_over_verified_mutual_tls(tmp_path) -> None:
    """A client with a good certificate delivers, and the gateway keeps message and subject."""

    def deliver(smtp: smtplib.SMTP):
        return smtp.sendmail("a@muster.example", ["b@x.example"], "Subject: x\r\n\r\n..dot\r\n")

    context = client_context(tmp_path, pki.Variant.BOTH)
    refused, gateway = talk(asking(), starttls(context, deliver))
    (message,) = gateway.messages
    assert refused == {}
    assert message.recipients == ("b@x.example",)
    assert message.content == b"Subject: x\r\n\r\n..dot\r\n"
    assert message.in_tls
    assert f"CN={CLIENT_HOST}" in message.client
    assert gateway.records[0].server_name == HOST


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("variant", "problem"),
    [
        (pki.Variant.SERVER, 26),
        (pki.Variant.SERVER_ONLY_CA, 26),
        (pki.Variant.EXOTIC, 20),
        (pki.Variant.EXPIRED, 10),
        (pki.Variant.SELF_SIGNED, 18),
    ],
)
def test_a_bad_client_certificate_is_refused_in_tls(tmp_path, variant, problem, maximum) -> None:
    """The gateway ends TLS with the X.509 error that fits the certificate; no EHLO inside."""

    def client(port: int):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            starttls(client_context(tmp_path, variant, maximum))(port)

    _, gateway = talk(asking(), client)
    assert gateway.records[0].client_problems[0] == problem
    assert gateway.records[0].commands_in_tls == []


@pytest.mark.parametrize("variant", [pki.Variant.BOTH, pki.Variant.CLIENT, pki.Variant.NO_EKU])
def test_a_good_client_certificate_is_accepted(tmp_path, variant) -> None:
    """clientAuth, both usages or no usage extension at all: EHLO is answered inside TLS."""
    (code, _), gateway = talk(asking(), starttls(client_context(tmp_path, variant)))
    assert code == 250
    assert gateway.records[0].client_problems == ()


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({"required": False}, None),
        ({"judged": Judged.NOTHING}, pki.Variant.EXOTIC),
        ({"judged": Judged.CHAIN}, pki.Variant.SERVER),
        ({"names_its_cas": False}, pki.Variant.BOTH),
    ],
)
def test_a_lenient_gateway_lets_the_client_in(tmp_path, changes, variant) -> None:
    """Optional, unverified, purpose-blind or listing no CAs: the EHLO is answered."""
    (code, _), _ = talk(asking(**changes), starttls(client_context(tmp_path, variant)))
    assert code == 250


@pytest.mark.parametrize(
    ("refusal", "variant", "expected"),
    [
        (Refusal.AT_EHLO, None, (421, b"4.7.1 " + HOST.encode() + b" Error: No client")),
        (Refusal.AT_EHLO, pki.Variant.SERVER, (421, b"4.7.1 " + HOST.encode() + b" Error: Client")),
        (Refusal.AT_MAIL_530, None, (530, b"5.7.0 No client certificate presented")),
        (Refusal.AT_MAIL_454, None, (454, b"4.7.0 No client certificate presented")),
        (Refusal.AT_MAIL_530, pki.Variant.BOTH, (250, b"2.1.0 Ok")),
    ],
)
def test_smtp_level_demand(tmp_path, refusal, variant, expected) -> None:
    """A demand after TLS is told by SMTP replies, and only to those who do not fulfil it."""

    def then(smtp: smtplib.SMTP):
        first = smtp.ehlo()
        return first if first[0] != 250 else smtp.docmd("MAIL", "FROM:<>")

    context = client_context(tmp_path, variant)
    (code, text), _ = talk(asking(refusal=refusal), starttls(context, then))
    assert code == expected[0]
    assert text.startswith(expected[1])


@pytest.mark.parametrize("version", list(Version)[:2])
def test_legacy_tls_can_be_served(tmp_path, version) -> None:
    """A gateway set to TLS 1.0 or 1.1 negotiates exactly that; the sound one refuses it."""
    context = client_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    old = plan(tls=tls(minimum=version, maximum=version))
    _, gateway = talk(old, starttls(context))
    assert gateway.records[0].tls_version == version.value
    with pytest.raises(ssl.SSLError):
        talk(plan(), starttls(context))


def test_the_chain_is_sent_exactly_as_declared(tmp_path) -> None:
    """With the intermediate left out the client cannot build the chain; with it, it can."""
    issued = LAB.leaf(pki.Variant.BOTH, HOST)
    assert talk(plan(), starttls(client_context(tmp_path)))[0][0] == 250
    short = plan(tls=TlsPlan(issued, issued.leaf_only))
    with pytest.raises(ssl.SSLCertVerificationError, match="local issuer"):
        talk(short, starttls(client_context(tmp_path)))


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (
            Greeting(("220-{host} one", "220 two"), pause_s=0.01),
            b"220-mx1.muster.example one\r\n220 two\r\n",
        ),
        (Greeting(("220 ****************",)), b"220 ****************\r\n"),
        (Greeting(("421 4.3.2 busy",), then_close=True), b"421 4.3.2 busy\r\n"),
        (Greeting(("220 slow",), Manner.DRIP, pause_s=0.001), b"220 slow\r\n"),
        (Greeting(manner=Manner.ENDLESS), b"220-please wait\r\n220-please wait\r\n"),
    ],
)
def test_greetings(greeting, expected) -> None:
    """Continuation, masked, refused, dripped and endless greetings come as declared."""
    got, _ = talk(plan(greeting=greeting), raw(read=expected.count(b"\r\n")))
    assert got == expected


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS])
def test_a_reset_ends_the_connection_at_its_stage(stage) -> None:
    """The client sees an end in place of the reply of that stage, and what came before."""
    replies = {Stage.CONNECT: 0, Stage.GREETING: 0, Stage.EHLO: 1, Stage.STARTTLS: 2}
    bare = plan(reset_at=stage, capabilities=())

    def client(port: int) -> int:
        with contextlib.closing(smtplib.SMTP(timeout=5)) as smtp:
            done = 0
            steps = (
                lambda: smtp.connect("127.0.0.1", port),
                lambda: smtp.docmd("EHLO", "x"),
                lambda: smtp.docmd("STARTTLS"),
            )
            for step in steps:
                try:
                    step()
                except (ConnectionError, smtplib.SMTPServerDisconnected):
                    return done
                done += 1
            return done

    assert talk(bare, client)[0] == replies[stage]


def test_plaintext_before_tls_is_obeyed_only_by_the_vulnerable(tmp_path) -> None:
    """CVE-2011-0411: the vulnerable gateway runs the smuggled command inside TLS."""

    def smuggle(port: int) -> None:
        # No `with`: its QUIT would meet the extra reply that the vulnerable gateway sends.
        with contextlib.closing(smtplib.SMTP("127.0.0.1", port, timeout=5)) as smtp:
            smtp.ehlo("x")
            smtp.send("STARTTLS\r\nNOOP\r\n")
            smtp.getreply()
            context = client_context(tmp_path)
            assert smtp.sock is not None
            smtp.sock = context.wrap_socket(smtp.sock, server_hostname=HOST)
            smtp.file = None
            smtp.docmd("RSET")

    vulnerable = plan(starttls=StarttlsPlan(keeps_plaintext=True))
    assert talk(vulnerable, smuggle)[1].records[0].commands_in_tls[:1] == ["NOOP"]
    assert talk(plan(), smuggle)[1].records[0].commands_in_tls[:1] == ["RSET"]


@pytest.mark.parametrize(
    ("starttls_plan", "expected"),
    [
        (StarttlsPlan("454 4.7.0 TLS not available"), b"454 4.7.0 TLS not available\r\n"),
        (StarttlsPlan(then=AfterReply.CLOSE), b"220 2.0.0 Ready to start TLS\r\n"),
        (StarttlsPlan(trailing="250 ok\r\n"), b"220 2.0.0 Ready to start TLS\r\n250 ok\r\n"),
    ],
)
def test_replies_to_starttls(starttls_plan, expected) -> None:
    """Refusal, close and smuggled plaintext after 220 come as declared."""
    lines = 1 if starttls_plan.reply.startswith("454") else 2
    got, _ = talk(plan(starttls=starttls_plan), raw(b"STARTTLS\r\n", read=1 + lines))
    assert got.partition(b"\r\n")[2] == expected


def test_garbage_answers_the_first_tls_record(tmp_path) -> None:
    """A client that begins TLS after 220 meets bytes that are no TLS."""
    garbage = plan(starttls=StarttlsPlan(then=AfterReply.GARBAGE))
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record"):
        talk(garbage, starttls(client_context(tmp_path)))


def test_capabilities_are_offered_as_declared() -> None:
    """Masked capabilities show XXXXXXXA and no STARTTLS; EHLO itself can be refused."""
    masked, _ = talk(plan(capabilities=MASKED_CAPABILITIES), raw(b"EHLO x\r\n", read=6))
    assert b"250-XXXXXXXA" in masked
    assert b"STARTTLS" not in masked
    refused, _ = talk(plan(ehlo_reply="502 5.5.1 no"), raw(b"EHLO x\r\n", read=2))
    assert refused.endswith(b"502 5.5.1 no\r\n")


def test_a_rate_limit_answers_421_from_the_next_connection_on() -> None:
    """The connections within the limit are served; the one after it gets 421."""

    def twice(port: int) -> tuple[bytes, bytes]:
        return raw()(port), raw()(port)

    (first, second), gateway = talk(plan().limited_to(1), twice)
    assert first.startswith(b"220 ")
    assert second.startswith(b"421 ")
    assert len(gateway.records) == 2


def test_a_tarpit_is_left_behind_clean() -> None:
    """Stopping while a client still hangs in a silent greeting leaves no task and no socket."""

    async def run() -> set[asyncio.Task[object]]:
        before = asyncio.all_tasks()
        silent = plan(greeting=Greeting(manner=Manner.SILENT))
        async with serve(silent, now=NOW) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(b"EHLO x\r\n")
            await writer.drain()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return asyncio.all_tasks() - before

    assert asyncio.run(run()) == set()


def test_a_message_is_kept_as_it_was_handed_over(tmp_path) -> None:
    """Envelope and content are there for a test, dots undone; what was refused is not."""

    def hand_over(smtp: smtplib.SMTP):
        smtp.ehlo()
        return smtp.sendmail("a@x.example", ["b@y.example"], b"Subject: x\r\n\r\n.dot\r\n")

    _, gateway = talk(plan(), starttls(client_context(tmp_path), hand_over))
    message = gateway.messages[0]
    assert (message.sender, message.recipients) == ("a@x.example", ("b@y.example",))
    assert (message.content, message.in_tls) == (b"Subject: x\r\n\r\n.dot\r\n", True)
    with pytest.raises(smtplib.SMTPDataError, match=r"4\.3\.1"):
        talk(plan(content_reply="452 4.3.1 disk"), starttls(client_context(tmp_path), hand_over))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        talk(plan(rcpt_reply="550 5.1.1 no"), starttls(client_context(tmp_path), hand_over))
    with pytest.raises(smtplib.SMTPDataError, match=r"5\.5\.1"):
        talk(plan(data_reply="554 5.5.1 no"), starttls(client_context(tmp_path), hand_over))


@pytest.mark.parametrize("where", list(HangUp))
def test_a_gateway_hangs_up_where_the_plan_says(tmp_path, where) -> None:
    """The client loses it while handing over; only after the content does the gateway have it."""

    def hand_over(smtp: smtplib.SMTP):
        smtp.ehlo()
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            smtp.sendmail("a@x.example", ["b@y.example"], b"Subject: x\r\n\r\nx\r\n")

    _, gateway = talk(plan(hangs_up=where), starttls(client_context(tmp_path), hand_over))
    assert len(gateway.messages) == (1 if where is HangUp.AFTER_CONTENT else 0)


def test_a_login_is_offered_and_taken_inside_tls_only(tmp_path) -> None:
    """AUTH is not offered in clear, the wrong password is refused, and no record holds either."""
    guarded = plan(account=Account("anna", "secret-word"))

    def log_in(password: str):
        def then(smtp: smtplib.SMTP):
            smtp.ehlo()
            return smtp.login("anna", password)

        return then

    (code, _), gateway = talk(guarded, starttls(client_context(tmp_path), log_in("secret-word")))
    assert code == 235
    assert gateway.records[0].user == "anna"
    assert gateway.records[0].commands_in_tls[1] == "AUTH PLAIN"
    with pytest.raises(smtplib.SMTPAuthenticationError):
        talk(guarded, starttls(client_context(tmp_path), log_in("wrong")))
    in_clear, _ = talk(guarded, raw(b"EHLO x\r\nAUTH PLAIN AGEAYg==\r\n", read=10))
    assert b"AUTH" not in in_clear
    assert in_clear.endswith(b"538 5.7.11 Error: encryption required\r\n")
    unknown, _ = talk(plan(), raw(b"AUTH PLAIN AGEAYg==\r\n", read=2))
    assert unknown.endswith(b"500 5.5.2 Error: command not recognized\r\n")
