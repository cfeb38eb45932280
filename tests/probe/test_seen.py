"""What may be said of a server rests on what was really sent and seen, on bytes of TLS."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from OpenSSL import SSL
from probe.served import (
    BACKENDS,
    HOST,
    LAB,
    NOW,
    PATIENT,
    Script,
    asking,
    audited,
    credential,
    plan,
    probed,
    scripted,
    settings,
    speaking,
    talked,
    within,
)

from incamail_lib.certificate import foreign_credential
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import Purpose, SmtpFacts, Stage, Starttls, Trait
from incamail_lib.lab import pki
from incamail_lib.lab.channel import Channel, ClientGoneError
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import (
    AfterReply,
    ClientAuth,
    GatewayPlan,
    StarttlsPlan,
    TlsPlan,
    Version,
)
from incamail_lib.lab.tls_context import server_context
from incamail_lib.probe import ProbeSettings
from incamail_lib.probe.settings import Backend

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE
RSA = credential(LAB.leaf(Variant.RSA, "out.muster.example"))
STRANGER = foreign_credential(NOW, rsa=True)
VERSIONS = (Version.TLS_1_2, Version.TLS_1_3)
ASKED = frozenset({Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE})
IN_CLEAR = (b"220 mx1.muster.example ESMTP\r\n", b"250-mx1\r\n250 STARTTLS\r\n", b"220 go\r\n")


def taking_rsa(version: Version, client: ClientAuth) -> GatewayPlan:
    """A gateway that takes no signature by an EC key."""
    tls = TlsPlan(
        LAB.leaf(Variant.RSA, HOST),
        minimum=version,
        maximum=version,
        client=client,
        signatures="RSA-PSS+SHA256:RSA+SHA256",
    )
    return replace(plan(), tls=tls)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_that_was_not_sent_is_neither_accepted_nor_refused(
    version: Version, required: bool, backend: Backend
) -> None:
    """Our EC key fits no signature the server takes, so an empty certificate goes out: open.

    The control with an RSA key is really sent and refused, and so is our own RSA one accepted.
    """
    served = taking_rsa(version, asking(required=required))
    asked = settings(purposes=ASKED, backend=backend, foreign_rsa=lambda: STRANGER)
    found = probed(served, asked)
    auth = found.endpoint.client_auth
    assert (auth.own_accepted.answer, auth.own_accepted.reason) == (OPEN, Reason.NOT_SHOWN)
    assert (auth.foreign_accepted.answer, auth.verified.answer) == (NO, OPEN)
    own = found.connection(Purpose.OWN_CERTIFICATE).tls
    assert own is not None
    assert own.certificate_sent is False
    assert found.endpoint.connections[-1].tls is not None
    assert found.endpoint.connections[-1].tls.certificate_sent is True
    fitting = probed(served, asked, own=RSA).endpoint.client_auth
    assert [o.answer for o in (fitting.own_accepted, fitting.verified)] == [YES, YES]


def test_without_a_fitting_control_nothing_is_verified() -> None:
    """A stranger's certificate that was not sent was not refused."""
    served = taking_rsa(Version.TLS_1_3, asking(required=True))
    auth = probed(served, settings(purposes=ASKED), own=RSA).endpoint.client_auth
    assert auth.own_accepted.is_yes
    assert (auth.foreign_accepted.reason, auth.verified.answer) == (Reason.NOT_SHOWN, OPEN)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_authorities_in_the_request_keep_no_certificate_back(
    version: Version, backend: Backend
) -> None:
    """OpenSSL sends ours although none of the names in the request issued it."""
    other = asking(roots=(LAB.exotic.certificate,))
    asked = settings(purposes=ASKED, backend=backend)
    found = probed(speaking(version, version, other), asked)
    shown = found.connection(Purpose.OWN_CERTIFICATE).tls
    assert shown is not None
    assert shown.certificate_sent is True
    assert found.endpoint.client_auth.own_accepted.is_no


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
def test_a_certificate_asked_for_in_a_second_handshake_is_shown(
    required: bool, backend: Backend
) -> None:
    """As old Windows servers ask, in answer to MAIL: request, demand and verdicts are seen."""
    late = speaking(Version.TLS_1_2, Version.TLS_1_2, asking(asks_late=True, required=required))
    found = probed(late, settings(purposes=ASKED, backend=backend))
    auth, survey = found.endpoint.client_auth, found.endpoint.survey
    assert survey.tls is not None
    assert (survey.tls.renegotiated, auth.requested.answer) == (True, YES)
    assert len(auth.acceptable_cas) == 2
    assert auth.demanded.is_yes is required
    assert auth.demanded_in is (Stage.MAIL if required else None)
    assert (auth.own_accepted.answer, auth.foreign_accepted.answer) == (YES, NO)
    assert auth.verified.is_yes
    assert found.endpoint.differing == ()


def tls_then(context: SSL.Context, talk: Callable[[Channel, SSL.Connection], object]) -> Script:
    """A script that greets, accepts STARTTLS, shakes hands and hands over to `talk`."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        try:
            await channel.send(IN_CLEAR[0])
            for part in IN_CLEAR[1:]:
                await channel.line()
                await channel.send(part)
            tls = await channel.start_tls(context, keep_plaintext=False)
            await talk(channel, tls)  # type: ignore[misc]
        except (ClientGoneError, SSL.Error):
            pass  # the probe hung up, as it may

    return script


def context_of(served: GatewayPlan) -> SSL.Context:
    assert served.tls is not None
    return server_context(served.tls, NOW)


async def serves(channel: Channel, _: SSL.Connection) -> None:
    """A server that answers every command well, without PIPELINING."""
    while (line := await channel.line()) != b"QUIT":
        await channel.send(b"250 mx1\r\n" if line else b"500\r\n")
    await channel.send(b"221 bye\r\n")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_second_handshake_that_hangs_is_no_answer(backend: Backend) -> None:
    """Asked to begin again and then left waiting, we have not seen that nobody asks."""

    async def begins_again(channel: Channel, tls: SSL.Connection) -> None:
        await channel.line()
        await channel.send(b"250 mx1\r\n")
        await channel.line()
        tls.renegotiate()
        tls.do_handshake()
        await channel._flush(tls)
        await channel.hang()

    script = tls_then(context_of(speaking(Version.TLS_1_2, Version.TLS_1_2)), begins_again)
    seen = scripted(script, replace(within(reply_s=0.5), backend=backend))
    assert (seen.ended, seen.ended_in) == (Reason.TIMEOUT, Stage.MAIL)
    assert seen.tls is not None
    assert seen.tls.certificate_requested.answer is OPEN
    assert talked(speaking(Version.TLS_1_2, Version.TLS_1_2)).tls is not None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", [40, 41, 42, 48, 100, 112])
def test_a_warning_is_no_refusal(number: int, backend: Backend) -> None:
    """A warning in TLS 1.2 is kept as such; the dialogue goes on and is judged by its replies."""
    served = speaking(Version.TLS_1_2, Version.TLS_1_2)
    assert served.tls is not None

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        try:
            await channel.send(IN_CLEAR[0])
            for part in IN_CLEAR[1:]:
                await channel.line()
                await channel.send(part)
            await channel.hello_bytes()
            await channel.send(bytes([21, 3, 3, 0, 2, 1, number]))
            tls = await channel.start_tls(context_of(served), keep_plaintext=False)
            await serves(channel, tls)
        except (ClientGoneError, SSL.Error):
            pass

    seen = scripted(script, settings(backend=backend))
    assert seen.tls is not None
    if number == 100:  # no_renegotiation: in a first handshake OpenSSL gives up on it
        assert not seen.tls.accepted.is_known
        return
    assert (seen.ended, seen.tls.accepted.answer) == (Reason.SEEN, YES)
    assert seen.tls.alert is None
    assert seen.tls.warning is not None
    assert seen.tls.warning.number == number


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_version_is_kept_where_the_handshake_then_fails(backend: Backend) -> None:
    """Version, cipher and certificate of TLS 1.2 are seen though we are refused for want of one."""
    demanding = speaking(Version.TLS_1_2, Version.TLS_1_2, asking(required=True))
    seen = talked(demanding, asked=settings(backend=backend)).tls
    assert seen is not None
    assert (seen.established, seen.version, bool(seen.cipher)) == (False, "TLSv1.2", True)
    assert seen.chain
    assert seen.secure_renegotiation is True


@pytest.mark.parametrize("maximum", [Version.TLS_1_2, Version.TLS_1_3])
def test_both_certificates_of_one_port_are_seen(maximum: Version) -> None:
    """A second certificate with an RSA key is shown to a client that takes no other."""
    sound = speaking(maximum, maximum)
    assert sound.tls is not None
    expired = LAB.leaf(Variant.EXPIRED_RSA, HOST)
    dual = replace(sound, tls=replace(sound.tls, second=expired))
    found = probed(dual).endpoint
    assert found.other_key.is_yes
    assert [chain[0].key_type for chain in found.chains] == ["EC", "RSA"]
    alone = probed(sound).endpoint
    assert (alone.other_key.answer, alone.other_key.reason) == (NO, Reason.ALERT)
    assert len(alone.chains) == 1


def test_the_second_back_end_sees_both_certificates_too() -> None:
    """In TLS 1.2, since it cannot name the signatures of TLS 1.3."""
    sound = plan()
    assert sound.tls is not None
    dual = replace(sound, tls=replace(sound.tls, second=LAB.leaf(Variant.RSA, HOST)))
    assert probed(dual, settings(backend="ssl")).endpoint.other_key.is_yes


OTHERS = {
    Trait.CERTIFICATE: replace(plan(), tls=TlsPlan(LAB.leaf(Variant.NEAR_EXPIRY, HOST))),
    Trait.REQUEST: plan(asking()),
    Trait.VERSION: speaking(Version.TLS_1_2, Version.TLS_1_2),
    Trait.STARTTLS: plan(capabilities=("PIPELINING",)),
}


@pytest.mark.parametrize("trait", OTHERS)
def test_contradictions_between_connections_are_facts(trait: Trait) -> None:
    """What differs from the second connection on is named; alike, nothing is."""
    found = probed(plan(later=(2, OTHERS[trait]))).endpoint
    assert trait in found.differing
    assert probed(OTHERS[trait]).endpoint.differing == ()
    if trait is Trait.REQUEST:
        assert found.client_auth.requested.is_no
    if trait is Trait.STARTTLS:
        assert found.starttls is Starttls.VANISHED


@pytest.mark.parametrize("manner", ["reset", "close", "hang"])
def test_a_box_that_drops_large_hellos_is_named(manner: str) -> None:
    """One more try without the hybrid group sees the server after all, and the sizes tell."""
    served = context_of(plan(asking()))

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        try:
            await channel.send(IN_CLEAR[0])
            for part in IN_CLEAR[1:]:
                await channel.line()
                await channel.send(part)
            if await channel.hello_bytes() > 1400:
                if manner == "hang":
                    await channel.hang()
                if manner == "reset":
                    channel.reset()
                return
            tls = await channel.start_tls(served, keep_plaintext=False)
            await serves(channel, tls)
        except (ClientGoneError, SSL.Error):
            pass

    found, _ = audited(script, replace(within(handshake_s=1.0), purposes=ASKED))
    assert found.large_hello.is_no
    large, small = map(int, found.large_hello.evidence.split("/"))
    assert small <= 1400 < large
    assert found.survey.tls is not None
    assert (found.survey.tls.established, found.client_auth.own_accepted.answer) == (True, YES)
    assert found.connections[1].purpose is Purpose.LARGE_HELLO
    assert all(
        c.tls.hello_bytes <= 1400
        for c in found.connections
        if c.tls and c.purpose is not Purpose.LARGE_HELLO
    )


def test_a_large_hello_that_is_answered_is_no_matter() -> None:
    """Sound servers are met with the usual hello only; one that always hangs up names no cause."""
    sound = probed(plan(), settings(purposes=ASKED))
    assert sound.endpoint.large_hello.is_yes
    assert len(sound.gateway.records) == 3
    closing = plan(starttls=StarttlsPlan(then=AfterReply.CLOSE))
    assert probed(closing, settings(purposes=ASKED)).endpoint.large_hello.answer is OPEN


@pytest.mark.parametrize("maximum", [Version.TLS_1_2, Version.TLS_1_3])
def test_a_port_that_speaks_tls_at_once_is_recognised(maximum: Version) -> None:
    """It is told long before the time limit, and nothing further is asked of it."""
    at_once = replace(speaking(maximum, maximum), tls_at_once=True)
    found = probed(at_once, within(greeting_s=1.0))
    survey = found.endpoint.survey
    assert (survey.ended, survey.ended_in) == (Reason.TLS_AT_ONCE, Stage.GREETING)
    assert survey.elapsed_s < 0.9
    assert len(found.gateway.records) == 2


def test_a_slow_server_is_not_taken_for_tls() -> None:
    """A greeting that is late is waited for; the hello on the side changes nothing."""
    from incamail_lib.lab.plan import Greeting

    late = plan(greeting=Greeting(delay_s=0.7))
    found = probed(late, within(greeting_s=1.2))
    assert found.endpoint.survey.ended is Reason.SEEN
    assert found.endpoint.starttls is Starttls.ACCEPTED


# RFC 2409 §6.2, the second Oakley group: a prime of 1024 bits.
OAKLEY_2 = b"""-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


def by_the_standard_library(context: ssl.SSLContext) -> Script:
    """A server of Python's own `ssl` behind STARTTLS, which answers every command well."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(IN_CLEAR[0])
        for part in IN_CLEAR[1:]:
            await reader.readline()
            writer.write(part)
        await writer.drain()
        with suppress(ssl.SSLError, ConnectionError):
            await writer.start_tls(context)
            while (line := await reader.readline()) not in (b"QUIT\r\n", b""):
                writer.write(b"250 mx1\r\n" if line else b"500\r\n")
                await writer.drain()

    return script


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_size_of_a_diffie_hellman_prime_is_seen(backend: Backend, tmp_path: Path) -> None:
    """A prime of 1024 bits is told by its size, which no library names."""
    chain, key = pki.write_pem(LAB.leaf(Variant.RSA, HOST), tmp_path, "server")
    (tmp_path / "dh.pem").write_bytes(OAKLEY_2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")
    context.load_cert_chain(chain, key)
    context.load_dh_params(str(tmp_path / "dh.pem"))
    seen = scripted(by_the_standard_library(context), settings(backend=backend)).tls
    assert seen is not None
    assert (seen.established, seen.dh_bits) == (True, 1024)
    context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")
    usual = scripted(by_the_standard_library(context), settings(backend=backend)).tls
    assert usual is not None
    assert (usual.established, usual.dh_bits, usual.group.lower()) == (True, 0, "x25519")


def test_nothing_is_sent_ahead_where_pipelining_is_not_offered() -> None:
    """RSET is answered before QUIT goes out; offered, both go in one packet."""
    came: list[bytes] = []

    async def counts(channel: Channel, _: SSL.Connection) -> None:
        while (line := await channel.line()) != b"QUIT":
            came.append(line)
            await asyncio.sleep(0.05)
            assert not channel._buffer, "sent ahead of the reply"
            await channel.send(b"250 mx1\r\n")
        await channel.send(b"221 bye\r\n")

    seen = scripted(tls_then(context_of(plan()), counts), settings())
    assert came[-1] == b"RSET"
    assert [e.sent for e in seen.transcript[-2:]] == ["RSET", "QUIT"]
    assert (seen.ended, seen.reached) == (Reason.SEEN, Stage.QUIT)
    assert talked(plan()).transcript[-1].sent == "RSET\nQUIT"


@pytest.mark.parametrize("given", ["", "probe.muster.example"])
def test_without_a_name_we_greet_by_the_address_that_the_peer_sees(given: str) -> None:
    """The literal is that of the socket, and never a loopback address towards a stranger."""
    found = probed(plan(), settings(purposes=ASKED, ehlo_name=given))
    greetings = {c for c in found.gateway.commands if c.startswith("EHLO")}
    assert greetings == {f"EHLO {given or '[127.0.0.1]'}"}


@pytest.mark.ipv6
def test_over_ipv6_the_literal_says_so() -> None:
    """RFC 5321 §4.1.3: an IPv6 literal is marked as such."""
    from probe.served import Raw, says, target

    from incamail_lib.probe.connection import converse

    async def run() -> SmtpFacts:
        script = says(b"220 mx1\r\n", b"250 mx1\r\n", b"221 bye\r\n")
        async with Raw(script).serve("::1") as port:
            there = target(port, "::1")
            asked = settings(ehlo_name="")
            return await converse(there, Purpose.SURVEY, settings=asked, now=NOW)

    assert asyncio.run(run()).transcript[2].sent == "EHLO [IPv6:::1]"


def test_all_connections_to_one_address_are_bounded_together() -> None:
    """When the time for an address is up no further connection is begun, and the facts say why."""
    silent = plan(starttls=StarttlsPlan(then=AfterReply.SILENCE))
    limits = replace(PATIENT, handshake_s=0.4, address_s=0.9)
    found = probed(silent, settings(limits=limits)).endpoint
    assert sum(c.elapsed_s for c in found.connections) < 0.9 + 0.5
    assert len(found.connections) < 7
    assert found.left_alone is Reason.TIMEOUT
    patient = settings(limits=replace(PATIENT, address_s=30.0))
    assert probed(plan(), patient).endpoint.left_alone is None


def with_postmaster(**changes: object) -> ProbeSettings:
    return settings(purposes=ASKED, ask_postmaster="muster.example", **changes)


def test_the_postmaster_is_named_only_where_it_was_asked_for() -> None:
    """RCPT TO the postmaster and nobody else, in the same dialogue, without DATA."""
    found = probed(plan(asking()), with_postmaster())
    first = found.gateway.records[0].commands_in_tls
    assert first[1:] == ["MAIL FROM:<>", "RCPT TO:<postmaster@muster.example>", "RSET", "QUIT"]
    assert found.endpoint.survey.rcpt_reply is not None
    assert found.gateway.messages == ()
    assert not re.search("RCPT|DATA", " ".join(probed(plan(asking())).gateway.commands))


@pytest.mark.parametrize(
    ("reply", "demanded"),
    [
        ("", NO),
        ("554 5.7.1 Client certificate required", YES),
        ("550 5.1.1 Unknown", OPEN),
        ("450 4.2.0 Greylisted", OPEN),
        ("421 4.3.2 Shutting down", OPEN),
    ],
)
def test_what_rcpt_says_of_certificates(reply: str, demanded: Answer) -> None:
    """A demand at RCPT, as Postfix decides by default, is seen where RCPT is asked."""
    found = probed(plan(asking(), rcpt_reply=reply), with_postmaster()).endpoint.client_auth
    assert found.demanded.answer is demanded
    assert found.demanded_in is (Stage.RCPT if demanded is YES else None)
    assert probed(plan(asking(), rcpt_reply=reply)).endpoint.client_auth.demanded.is_no


def test_a_recipient_that_is_taken_with_a_certificate_only_is_a_demand() -> None:
    """Refused without a word about it, but taken from who showed a certificate: so it decides."""
    closed = plan(asking(), rcpt_reply="554 5.7.1 Access denied", later=(2, plan(asking())))
    found = probed(closed, with_postmaster()).endpoint.client_auth
    assert (found.demanded.answer, found.demanded_in) == (YES, Stage.RCPT)
