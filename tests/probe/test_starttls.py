"""What becomes of STARTTLS, old TLS versions and smuggled commands, and what is no verdict."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from probe.served import (
    BACKENDS,
    HOST,
    NOW,
    OWN,
    SERVER_ONLY,
    asking,
    plan,
    probed,
    settings,
    speaking,
    talked,
    target,
    verdicts,
)

from incamail_lib.certificate import Credential
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import Purpose, SmtpFacts, Stage, Starttls
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.plan import (
    MASKED_CAPABILITIES,
    USUAL_CAPABILITIES,
    AfterReply,
    ClientAuth,
    GatewayPlan,
    Greeting,
    Refusal,
    StarttlsPlan,
    Version,
)
from incamail_lib.probe import ProbeSettings
from incamail_lib.probe.connection import converse

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE
IN_CLEAR = tuple(c for c in USUAL_CAPABILITIES if c != "STARTTLS")
ASTERISKS = Greeting(("220 " + "*" * 60,))
VULNERABLE = StarttlsPlan(keeps_plaintext=True)
REQUIRED = asking(required=True)
UNWELCOME = "554 5.7.1 Access denied"
BUSY = "421 4.3.2 Service not available"


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_accepted_starttls_leads_into_tls(backend: str) -> None:
    """Offered and answered 220: the chain as sent, the version, and EHLO a second time."""
    sound = plan()
    seen = talked(sound, asked=settings(backend=backend))
    assert sound.tls is not None
    assert (seen.ended, seen.reached, seen.starttls) == (Reason.SEEN, Stage.QUIT, Starttls.ACCEPTED)
    assert seen.capabilities == USUAL_CAPABILITIES
    assert seen.capabilities_in_tls == IN_CLEAR
    assert seen.starttls_reply is not None
    assert seen.starttls_reply.text == "220 2.0.0 Ready to start TLS"
    assert seen.tls is not None
    assert (seen.tls.established, seen.tls.version) == (True, "TLSv1.3")
    assert [c.subject for c in seen.tls.chain] == [
        c.subject.rfc4514_string() for c in sound.tls.chain
    ]
    assert seen.tls.accepted.is_yes


@dataclass(frozen=True)
class Without:
    """A gateway with which no TLS comes about, and why."""

    name: str
    plan: GatewayPlan
    state: Starttls
    commands: tuple[str, ...] = ("EHLO", "QUIT")
    reply: str = ""  # to STARTTLS


TRIED = ("EHLO", "STARTTLS", "QUIT")
WITHOUT = (
    Without("not_offered", plan(capabilities=IN_CLEAR), Starttls.NOT_OFFERED),
    Without("no_extension_at_all", plan(capabilities=()), Starttls.NOT_OFFERED),
    Without("masked_keyword", plan(capabilities=MASKED_CAPABILITIES), Starttls.MASKED),
    Without("masked_banner", plan(capabilities=IN_CLEAR, greeting=ASTERISKS), Starttls.MASKED),
    *(
        Without(
            f"refused_{reply[:3]}",
            plan(starttls=StarttlsPlan(reply)),
            Starttls.REFUSED,
            commands=TRIED,
            reply=reply,
        )
        for reply in (
            "454 4.7.0 TLS not available due to local problem",
            "500 5.5.2 Error: command not recognized",
            "502 5.5.1 Command not implemented",
        )
    ),
    Without("ehlo_unknown_500", plan(ehlo_reply="500 5.5.2 What?"), Starttls.NOT_OFFERED),
    Without("ehlo_unknown_502", plan(ehlo_reply="502 5.5.1 No EHLO here"), Starttls.NOT_OFFERED),
)


@pytest.mark.parametrize("row", WITHOUT, ids=lambda row: row.name)
def test_a_gateway_without_tls_is_told_apart_and_met_once(row: Without) -> None:
    """Not offered, masked and refused differ; one connection tells, HELO is never tried."""
    found = probed(row.plan)
    endpoint, survey = found.endpoint, found.endpoint.survey
    assert endpoint.starttls is row.state
    assert (survey.ended, survey.reached) == (Reason.SEEN, Stage.QUIT)
    assert survey.tls is None
    assert (survey.starttls_reply.text if survey.starttls_reply else "") == row.reply
    assert tuple(c.split(" ")[0] for c in found.gateway.commands) == row.commands
    assert len(found.gateway.records) == 1
    whys = {o.reason for o in verdicts(endpoint)}
    assert (any(o.is_known for o in verdicts(endpoint)), whys) == (False, {Reason.NOT_REACHED})


def test_a_banner_of_asterisks_masks_nothing_where_starttls_is_offered() -> None:
    """The banner alone is no verdict: STARTTLS behind it is used."""
    seen = talked(plan(greeting=ASTERISKS))
    assert seen.starttls is Starttls.ACCEPTED
    assert seen.tls is not None


@pytest.mark.parametrize("reply", ["500 5.5.2 What?", "502 5.5.1 No EHLO here"])
def test_an_unknown_ehlo_means_no_extensions(reply: str) -> None:
    """500 and 502 to EHLO are a complete answer: no capabilities, and the reply is kept."""
    seen = talked(plan(ehlo_reply=reply))
    assert seen.capabilities == ()
    assert seen.ehlo_refusal is not None
    assert seen.ehlo_refusal.text == reply


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 5.7.1 Go away", Reason.REJECTED),
        ("504 5.5.2 Need a full host name", Reason.REJECTED),
        (BUSY, Reason.UNAVAILABLE),
        ("451 4.7.1 Greylisted", Reason.GREYLISTED),
    ],
)
def test_another_refusal_of_ehlo_says_nothing_of_extensions(reply: str, reason: Reason) -> None:
    """Only "no such command" means no extensions; any other refusal leaves STARTTLS unknown."""
    seen = talked(plan(ehlo_reply=reply))
    assert (seen.ended, seen.ended_in, seen.evidence) == (reason, Stage.EHLO, reply)
    assert (seen.starttls, seen.capabilities) == (Starttls.UNKNOWN, None)
    assert seen.ehlo_refusal is None


@pytest.mark.parametrize(
    "later",
    [
        plan(capabilities=IN_CLEAR),
        plan(capabilities=MASKED_CAPABILITIES),
        plan(ehlo_reply="502 5.5.1 No EHLO here"),
    ],
    ids=["not_offered", "masked", "ehlo_unknown"],
)
@pytest.mark.parametrize("number", [2, 5])
def test_starttls_that_is_gone_later_has_vanished(later: GatewayPlan, number: int) -> None:
    """Offered on the first connection and not on another: vanished; what was seen stands."""
    found = probed(plan(asking(), later=(number, later)))
    assert found.endpoint.starttls is Starttls.VANISHED
    assert found.endpoint.client_auth.demanded.is_no
    assert found.endpoint.injection.answer is OPEN
    assert found.endpoint.injection.reason is Reason.NOT_REACHED


@pytest.mark.parametrize(
    "later",
    [
        plan(greeting=Greeting((BUSY,), then_close=True)),
        plan(greeting=Greeting((UNWELCOME,), then_close=True)),
        plan(reset_at=Stage.EHLO),
        plan(starttls=StarttlsPlan("454 4.7.0 TLS not available")),
    ],
    ids=["busy", "unwelcome", "reset", "refused"],
)
def test_starttls_that_could_not_be_seen_again_has_not_vanished(later: GatewayPlan) -> None:
    """A busy or broken second connection does not take back what the first was offered."""
    assert probed(plan(later=(2, later))).endpoint.starttls is Starttls.ACCEPTED


@pytest.mark.parametrize("trailing", ["250 2.0.0 Ok\r\n", "250-half a reply", "\x00\x1b[2J"])
def test_plaintext_behind_the_220_is_shown_and_never_obeyed(trailing: str) -> None:
    """What was not protected by TLS is kept, printable, and is no answer to anything in TLS."""
    seen = talked(plan(starttls=StarttlsPlan(trailing=trailing)))
    assert seen.plaintext_after_starttls.isprintable()
    assert len(seen.plaintext_after_starttls) == len(trailing)
    assert (seen.ended, seen.capabilities_in_tls) == (Reason.SEEN, IN_CLEAR)
    assert talked(plan()).plaintext_after_starttls == ""


@dataclass(frozen=True)
class Asked:
    """How a gateway treats client certificates, what we show, and who can be asked."""

    name: str
    client: ClientAuth | None
    own: Credential | None
    shown: bool  # on the connection that asks about injection


ANSWERING = (
    Asked("no_certificates", None, OWN, shown=False),
    Asked("no_certificate_of_ours", None, None, shown=False),
    Asked("optional", asking(), OWN, shown=False),
    Asked("optional_ours_refused", asking(), SERVER_ONLY, shown=False),
    Asked("demanded", REQUIRED, OWN, shown=True),
    Asked("demanded_at_ehlo", replace(REQUIRED, refusal=Refusal.AT_EHLO), OWN, shown=True),
    Asked("demanded_at_mail", replace(REQUIRED, refusal=Refusal.AT_MAIL_530), None, shown=False),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", ANSWERING, ids=lambda row: row.name)
def test_a_smuggled_command_is_obeyed_by_the_vulnerable_alone(row: Asked, backend: str) -> None:
    """The question is asked as the gateway lets us in, with our certificate only where it must."""
    asked = settings(backend=backend)
    sound = probed(plan(row.client), asked, own=row.own)
    vulnerable = probed(plan(row.client, starttls=VULNERABLE), asked, own=row.own)
    answers = [found.endpoint.injection for found in (sound, vulnerable)]
    assert [(a.answer, a.reason) for a in answers] == [
        (NO, Reason.NOT_SEEN),
        (YES, Reason.SMTP_REPLY),
    ]
    assert answers[1].evidence == "250 2.0.0 Ok"
    assert [f.connection(Purpose.INJECTION).tls_replies for f in (sound, vulnerable)] == [1, 2]
    last = sound.gateway.records[-1]
    assert "NOOP" not in last.commands_in_tls
    assert bool(last.client_subject) is row.shown


@pytest.mark.parametrize("own", [None, SERVER_ONLY], ids=["none", "server_only"])
@pytest.mark.parametrize("refusal", [Refusal.IN_TLS, Refusal.AT_EHLO])
@pytest.mark.parametrize("starttls", [StarttlsPlan(), VULNERABLE], ids=["sound", "vulnerable"])
def test_who_is_not_let_in_learns_nothing_of_injection(
    starttls: StarttlsPlan, refusal: Refusal, own: Credential | None
) -> None:
    """Refused for our certificate, in TLS or by 421 to EHLO: never a yes and never a no."""
    demanding = plan(replace(REQUIRED, refusal=refusal), starttls=starttls)
    injection = probed(demanding, own=own).endpoint.injection
    assert injection.answer is OPEN
    assert injection.reason in (Reason.ALERT, Reason.UNAVAILABLE, Reason.CLOSED)


@pytest.mark.parametrize(
    ("later", "answer", "reason"),
    [
        (plan(starttls=StarttlsPlan("503 5.5.0 Improper pipelining")), NO, Reason.SMTP_REPLY),
        (plan(starttls=StarttlsPlan("454 4.7.0 TLS not available")), OPEN, Reason.NOT_REACHED),
        (plan(starttls=StarttlsPlan(BUSY)), OPEN, Reason.UNAVAILABLE),
        (plan(greeting=Greeting((BUSY,), then_close=True)), OPEN, Reason.UNAVAILABLE),
        (plan(reset_at=Stage.STARTTLS), OPEN, Reason.RESET),
        (plan(reset_at=Stage.HANDSHAKE), NO, Reason.RESET),
        (plan(starttls=StarttlsPlan(then=AfterReply.CLOSE)), NO, Reason.CLOSED),
        (plan(starttls=StarttlsPlan(then=AfterReply.GARBAGE)), NO, Reason.PROTOCOL_ERROR),
    ],
    ids=["5xx", "454", "421", "busy", "reset_before", "reset_in_tls", "closed", "garbage"],
)
def test_a_refused_injection_is_a_no_and_a_busy_server_is_none(
    later: GatewayPlan, answer: Answer, reason: Reason
) -> None:
    """Refusing the smuggled bytes for good, in SMTP or TLS, is sound; a passing fault is open."""
    asked = settings(purposes=frozenset({Purpose.SURVEY, Purpose.INJECTION}))
    found = probed(plan(later=(2, later)), asked).endpoint.injection
    assert (found.answer, found.reason) == (answer, reason)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("served", "version"),
    [
        (speaking(Version.TLS_1_0, Version.TLS_1_3), "TLSv1.1"),
        (speaking(Version.TLS_1_0, Version.TLS_1_0), "TLSv1"),
        (speaking(Version.TLS_1_1, Version.TLS_1_1), "TLSv1.1"),
        (speaking(Version.TLS_1_0, Version.TLS_1_3, asking()), "TLSv1.1"),
    ],
    ids=["with_new", "only_10", "only_11", "asking"],
)
def test_legacy_tls_that_is_agreed_is_named(
    served: GatewayPlan, version: str, backend: str
) -> None:
    """TLS 1.0 or 1.1 negotiated is a yes with its version, also where newer ones are refused."""
    endpoint = probed(served, settings(backend=backend)).endpoint
    assert (endpoint.legacy.answer, endpoint.legacy.reason) == (YES, Reason.SEEN)
    assert endpoint.legacy_version == version
    assert endpoint.starttls is Starttls.ACCEPTED


@pytest.mark.parametrize("backend", BACKENDS)
def test_legacy_tls_is_agreed_even_where_a_certificate_is_missing(backend: str) -> None:
    """The server's certificate came, so the version was agreed, whatever it demanded next."""
    old = speaking(Version.TLS_1_0, Version.TLS_1_3, REQUIRED)
    assert probed(old, settings(backend=backend)).endpoint.legacy.is_yes


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("client", [None, REQUIRED], ids=["plain", "demanding"])
def test_legacy_tls_that_is_refused_is_a_no(client: ClientAuth | None, backend: str) -> None:
    """An alert in answer to an old ClientHello is a no, and its number is kept."""
    found = probed(plan(client), settings(backend=backend))
    legacy, connection = found.endpoint.legacy, found.connection(Purpose.LEGACY_TLS)
    assert (legacy.answer, legacy.reason) == (NO, Reason.ALERT)
    assert connection.tls is not None
    assert connection.tls.alert is not None
    assert connection.tls.alert.number == 70
    assert found.endpoint.legacy_version == ""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("later", "answer", "reason"),
    [
        (plan(reset_at=Stage.HANDSHAKE), NO, Reason.RESET),
        (plan(starttls=StarttlsPlan(then=AfterReply.CLOSE)), NO, Reason.CLOSED),
        (plan(reset_at=Stage.EHLO), OPEN, Reason.RESET),
        (plan(starttls=StarttlsPlan(then=AfterReply.GARBAGE)), OPEN, Reason.PROTOCOL_ERROR),
        (plan(greeting=Greeting((UNWELCOME,), then_close=True)), OPEN, Reason.REJECTED),
        (plan(starttls=StarttlsPlan("454 4.7.0 Not now")), OPEN, Reason.NOT_REACHED),
    ],
    ids=["reset", "closed", "reset_before", "garbage", "unwelcome", "454"],
)
def test_hanging_up_on_old_tls_is_a_no_and_other_faults_are_not(
    later: GatewayPlan, answer: Answer, reason: Reason, backend: str
) -> None:
    """Hung up in the old handshake though the new one works: no; any other end: no answer."""
    asked = settings(purposes=frozenset({Purpose.SURVEY, Purpose.LEGACY_TLS}), backend=backend)
    legacy = probed(plan(later=(2, later)), asked).endpoint.legacy
    assert (legacy.answer, legacy.reason) == (answer, reason)


@pytest.mark.parametrize("then", [AfterReply.CLOSE, AfterReply.GARBAGE])
def test_who_never_speaks_tls_with_us_refuses_no_version(then: AfterReply) -> None:
    """Where every handshake fails alike, nothing is said of legacy TLS, injection or clients."""
    found = probed(plan(starttls=StarttlsPlan(then=then)))
    assert [o.answer for o in verdicts(found.endpoint)] == [OPEN] * 7
    assert found.endpoint.starttls is Starttls.ACCEPTED


def without_common_ground() -> GatewayPlan:
    """A gateway that has no cipher suite that anybody offers."""
    found = speaking(Version.TLS_1_2, Version.TLS_1_2)
    assert found.tls is not None
    return replace(found, tls=replace(found.tls, ciphers="aNULL"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("served", "alert"),
    [(speaking(Version.TLS_1_0, Version.TLS_1_1), 70), (without_common_ground(), 40)],
    ids=["old_versions", "no_cipher"],
)
def test_who_shares_no_tls_with_us_is_not_said_to_demand_a_certificate(
    served: GatewayPlan, alert: int, backend: str
) -> None:
    """Alert 70, or 40 without a CertificateRequest, is about TLS and not about us."""
    found = probed(served, settings(backend=backend)).endpoint
    assert found.survey.tls is not None
    assert found.survey.tls.alert is not None
    assert found.survey.tls.alert.number == alert
    auth = found.client_auth
    assert [(o.answer, o.reason) for o in (auth.demanded, auth.own_accepted)] == [
        (OPEN, Reason.ALERT)
    ] * 2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("host", "sent"), [(HOST, HOST), (f"{HOST}.", HOST), ("127.0.0.1", ""), ("mx 1", "")]
)
def test_the_name_is_sent_as_sni(host: str, sent: str, backend: str) -> None:
    """A host's name is named in the handshake; an address, or what is no name, never is."""
    seen, gateway = named(host, settings(backend=backend))
    assert gateway.records[0].server_name == sent
    assert seen.tls is not None
    assert (seen.tls.established, seen.tls.server_name) == (True, sent)


def named(host: str, asked: ProbeSettings) -> tuple[SmtpFacts, Gateway]:
    """One conversation with a gateway that is known by this name."""

    async def run() -> tuple[SmtpFacts, Gateway]:
        async with serve(plan(), now=NOW) as gateway:
            there = target(gateway.port, host=host)
            return await converse(there, Purpose.SURVEY, settings=asked, now=NOW), gateway

    return asyncio.run(run())
