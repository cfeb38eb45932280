"""How often a gateway is met, what is said to it, and when it is left alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from probe.served import (
    BACKENDS,
    HOST,
    NOW,
    OWN,
    asking,
    audited,
    plan,
    probed,
    says_in_tls,
    settings,
    speaking,
    target,
    verdicts,
    within,
)

from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Stage, Starttls
from incamail_lib.lab.plan import (
    MASKED_CAPABILITIES,
    AfterReply,
    GatewayPlan,
    Greeting,
    Manner,
    Refusal,
    StarttlsPlan,
    Version,
)
from incamail_lib.probe import probe_endpoint

OPEN = Answer.INCONCLUSIVE
REQUIRED = asking(required=True)
# Without the one that only a box in between brings about.
IN_ORDER = tuple(p for p in Purpose if p is not Purpose.LARGE_HELLO)
HELLO = b"250-mx1\r\n250 STARTTLS\r\n"
OLD = {Purpose.LEGACY_TLS, Purpose.LEGACY_TLS_1_0}
ALLOWED = {"EHLO", "STARTTLS", "NOOP", "MAIL", "RSET", "QUIT"}
PLANS = {
    "sound": plan(),
    "optional": plan(asking()),
    "demanding": plan(REQUIRED),
    "demanding_at_mail": plan(replace(REQUIRED, refusal=Refusal.AT_MAIL_530)),
    "vulnerable": plan(starttls=StarttlsPlan(keeps_plaintext=True)),
    "old": speaking(Version.TLS_1_0, Version.TLS_1_2),
    "plaintext_behind": plan(starttls=StarttlsPlan(trailing="354 Go ahead\r\n")),
    "masked": plan(capabilities=MASKED_CAPABILITIES),
    "refused": plan(starttls=StarttlsPlan("454 4.7.0 Not now")),
    "no_ehlo": plan(ehlo_reply="502 5.5.1 No"),
    "busy": plan(greeting=Greeting(("421 4.3.2 No",), then_close=True)),
    "mail_354": plan(mail_reply="354 Go ahead"),
}


def verbs(commands: list[str]) -> list[str]:
    return [command.split(" ")[0] for command in commands]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["sound", "optional", "demanding", "vulnerable", "old"])
def test_a_full_audit_is_seven_connections(name: str, backend: str) -> None:
    """One connection for each purpose, in the order that tells most first; TLS 1.0 is asked for
    apart only where TLS 1.1 was refused."""
    found = probed(PLANS[name], settings(backend=backend))
    expected = [p for p in IN_ORDER if name != "old" or p is not Purpose.LEGACY_TLS_1_0]
    assert [c.purpose for c in found.endpoint.connections] == expected
    assert len(found.gateway.records) == len(expected)
    assert found.endpoint.left_alone is None


@pytest.mark.parametrize("asked", [Purpose.OWN_CERTIFICATE, Purpose.LEGACY_TLS, Purpose.INJECTION])
def test_only_what_is_asked_is_connected_for(asked: Purpose) -> None:
    """The survey always, then the purposes asked; the others are open as not tried."""
    found = probed(plan(asking()), settings(purposes=frozenset({asked})))
    expected = [Purpose.SURVEY, asked]
    expected += [Purpose.LEGACY_TLS_1_0] if asked is Purpose.LEGACY_TLS else []
    assert [c.purpose for c in found.endpoint.connections] == expected
    assert len(found.gateway.records) == len(expected)
    auth = found.endpoint.client_auth
    answers = {
        Purpose.OWN_CERTIFICATE: auth.own_accepted,
        Purpose.FOREIGN_CERTIFICATE: auth.foreign_accepted,
        Purpose.LEGACY_TLS: found.endpoint.legacy,
        Purpose.INJECTION: found.endpoint.injection,
    }
    assert answers.pop(asked).is_known
    assert {o.reason for o in answers.values()} == {Reason.NOT_TRIED}


def test_certificates_that_are_not_there_cost_no_connection() -> None:
    """Without a certificate of ours and without a stranger's the two connections are missing."""
    found = probed(plan(REQUIRED), settings(foreign=None), own=None)
    assert len(found.gateway.records) == 5
    auth = found.endpoint.client_auth
    assert auth.own_accepted.reason is Reason.NOT_TRIED
    assert auth.foreign_accepted.reason is Reason.NOT_TRIED


@pytest.mark.parametrize("name", PLANS)
def test_neither_recipient_nor_message_is_ever_named(name: str) -> None:
    """Whatever the gateway answers, RCPT and DATA are not said and nothing is delivered."""
    found = probed(PLANS[name])
    assert set(verbs(list(found.gateway.commands))) <= ALLOWED
    assert found.gateway.messages == ()


def test_mail_is_asked_without_a_sender_and_taken_back() -> None:
    """MAIL FROM:<> inside TLS, then RSET and QUIT; never in clear."""
    first = probed(plan()).gateway.records[0]
    assert first.commands_in_tls[1:] == ["MAIL FROM:<>", "RSET", "QUIT"]
    assert verbs(first.commands) == ["EHLO", "STARTTLS"]
    assert probed(plan(), settings(ask_mail=False)).gateway.records[0].commands_in_tls[1:] == [
        "QUIT"
    ]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["sound", "optional", "vulnerable", "old", "masked", "refused"])
def test_every_dialogue_that_was_not_broken_off_ends_with_quit(name: str, backend: str) -> None:
    """The last command is QUIT, in TLS or in clear, and its answer is in the transcript."""
    found = probed(PLANS[name], settings(backend=backend))
    for facts, record in zip(found.endpoint.connections, found.gateway.records, strict=True):
        if facts.ended is Reason.ALERT:
            continue  # the gateway ended it
        if facts.purpose in OLD:
            continue  # a hello of our own making has no keys to say anything with
        assert (record.commands_in_tls or record.commands)[-1] == "QUIT"
        assert facts.transcript[-1].sent.endswith("QUIT")
        assert facts.transcript[-1].received.startswith("221 ")
    assert sum(c.ended is Reason.SEEN for c in found.endpoint.connections) >= 1


@pytest.mark.parametrize("name", ["probe.muster.example", "[127.0.0.1]"])
def test_we_greet_by_the_name_given(name: str) -> None:
    """EHLO carries the name of the settings on every connection, in clear and inside TLS."""
    found = probed(plan(), settings(ehlo_name=name))
    greetings = [c for c in found.gateway.commands if c.upper().startswith(("EHLO", "HELO"))]
    assert set(greetings) == {f"EHLO {name}"}
    # Twice on each, but for those that end with the handshake.
    assert len(greetings) == 2 * 4 + 3


# How many answers (demanded, own, foreign, old versions, injection) so many connections give.
ANSWERED = {0: 0, 1: 1, 2: 2, 3: 3, 4: 3, 5: 3, 6: 4}


@pytest.mark.parametrize("allowed", ANSWERED)
def test_a_rate_limit_is_respected(allowed: int) -> None:
    """The first 421 is the last connection; what was seen before it counts, the rest is open."""
    found = probed(plan(REQUIRED).limited_to(allowed))
    endpoint = found.endpoint
    assert len(found.gateway.records) == len(endpoint.connections) == allowed + 1
    assert endpoint.connections[-1].ended is Reason.RATE_LIMITED
    auth = endpoint.client_auth
    answers = [auth.demanded, auth.own_accepted, auth.foreign_accepted]
    answers += [endpoint.legacy, endpoint.injection]
    known = ANSWERED[allowed]
    assert all(o.is_known for o in answers[:known])
    assert [o.answer for o in answers[known:]] == [OPEN] * (5 - known)
    not_made = Reason.NOT_TRIED if allowed else Reason.NOT_REACHED
    assert {o.reason for o in answers[known:]} <= {not_made, Reason.RATE_LIMITED}
    left = Reason.RATE_LIMITED if 0 < allowed < 6 else None
    assert endpoint.left_alone is left


def test_without_a_limit_nothing_is_left_open() -> None:
    """The same gateway that allows seven connections answers everything."""
    found = probed(plan(REQUIRED).limited_to(7))
    assert (found.endpoint.left_alone, len(found.gateway.records)) == (None, 7)
    assert all(o.is_known for o in verdicts(found.endpoint))


LEAVING = {
    "busy": (plan(greeting=Greeting(("421 4.3.2 No",), then_close=True)), Reason.UNAVAILABLE),
    "unwelcome": (plan(greeting=Greeting(("554 5.7.1 No",), then_close=True)), Reason.REJECTED),
    "greylisted": (plan(greeting=Greeting(("451 4.7.1 Grey",))), Reason.GREYLISTED),
    "ehlo_busy": (plan(ehlo_reply="421 4.3.2 No"), Reason.UNAVAILABLE),
    "starttls_busy": (plan(starttls=StarttlsPlan("421 4.3.2 No")), Reason.UNAVAILABLE),
    "silent": (plan(greeting=Greeting(manner=Manner.SILENT)), Reason.TIMEOUT),
    "endless": (plan(greeting=Greeting(manner=Manner.ENDLESS)), Reason.TOO_MUCH_DATA),
    "busy_at_mail": (plan(mail_reply="421 4.7.0 Too many messages"), Reason.RATE_LIMITED),
}


@pytest.mark.parametrize("name", LEAVING)
def test_a_gateway_that_has_had_enough_is_left_alone(name: str) -> None:
    """After such an answer on the second connection there is no third, and the facts say why."""
    later, reason = LEAVING[name]
    found = probed(plan(later=(2, later)), within(greeting_s=0.5))
    assert len(found.gateway.records) == 2
    assert (found.endpoint.left_alone, found.endpoint.connections[1].ended) == (reason, reason)
    for left in (found.endpoint.legacy, found.endpoint.injection):
        assert (left.answer, left.reason) == (OPEN, Reason.NOT_TRIED)
        assert left.evidence == f"{reason.value} in own_certificate"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("parts", "stage"),
    [
        ((b"421 4.7.0 Too many connections\r\n",), Stage.EHLO_IN_TLS),
        ((HELLO, b"421 4.7.0 Too many messages\r\n"), Stage.MAIL),
    ],
    ids=["ehlo", "mail"],
)
def test_too_busy_inside_tls_is_too_busy_all_the_same(
    parts: tuple[bytes, ...], stage: Stage, backend: str
) -> None:
    """A rate limit told after the handshake stops us too, and is no demand for a certificate."""
    endpoint, connections = audited(says_in_tls(*parts), settings(backend=backend))
    assert connections == 1
    assert (endpoint.survey.ended, endpoint.survey.ended_in) == (Reason.RATE_LIMITED, stage)
    assert endpoint.left_alone is Reason.RATE_LIMITED
    assert endpoint.client_auth.demanded.answer is OPEN
    assert endpoint.survey.tls is not None
    assert endpoint.survey.tls.chain


@pytest.mark.parametrize("refusal", [Refusal.IN_TLS, Refusal.AT_EHLO])
def test_a_refusal_for_want_of_a_certificate_is_no_reason_to_stop(refusal: Refusal) -> None:
    """421 for a missing certificate is about us: with one, the gateway is asked further."""
    found = probed(plan(replace(REQUIRED, refusal=refusal)))
    assert len(found.gateway.records) == 7
    assert found.endpoint.left_alone is None
    assert found.endpoint.client_auth.own_accepted.is_yes


@dataclass(frozen=True)
class BrokenOnce(GatewayPlan):
    """A gateway of which one connection alone, the one that `later` numbers, is another's."""

    def for_connection(self, number: int) -> GatewayPlan:
        """See GatewayPlan."""
        assert self.later is not None
        return self.later[1] if number == self.later[0] else self


BREAKS = {
    "reset": plan(reset_at=Stage.HANDSHAKE),
    "closed": plan(starttls=StarttlsPlan(then=AfterReply.CLOSE)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize("name", BREAKS)
def test_one_break_in_tls_is_tried_once_again(name: str, at: int, backend: str) -> None:
    """A handshake broken once costs one connection more, and no answer is lost or changed."""
    asked = settings(backend=backend)
    sound = probed(plan(REQUIRED), asked).endpoint
    broken = BrokenOnce(HOST, plan(REQUIRED).tls, later=(at, BREAKS[name]))
    found = probed(broken, asked)
    assert len(found.gateway.records) == 8
    assert tuple(c.purpose for c in found.endpoint.connections) == IN_ORDER
    assert [(o.answer, o.reason) for o in verdicts(found.endpoint)] == [
        (o.answer, o.reason) for o in verdicts(sound)
    ]


@pytest.mark.parametrize(
    "stage", [Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS], ids=str
)
def test_a_break_before_tls_is_not_tried_again(stage: Stage) -> None:
    """Broken off before TLS, nothing is to be learnt from a second attempt or another purpose."""
    found = probed(plan(reset_at=stage))
    assert len(found.gateway.records) == len(found.endpoint.connections) == 1
    assert [o.answer for o in verdicts(found.endpoint)] == [OPEN] * 7


def audit_at(address: str, port: int) -> EndpointFacts:
    """Probe an address for every purpose."""
    there = target(port, address)
    return asyncio.run(probe_endpoint(there, settings=settings(), own=OWN, now=NOW))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_port_is_refused(backend: str) -> None:
    """One attempt, its reason, and no verdict; nothing was reached."""
    found = probed(plan(listens=False), settings(backend=backend))
    survey = found.endpoint.survey
    assert (survey.ended, survey.ended_in, survey.reached) == (Reason.REFUSED, Stage.CONNECT, None)
    assert (found.endpoint.starttls, survey.bytes_sent) == (Starttls.UNKNOWN, 0)
    assert len(found.endpoint.connections) == 1
    assert [o.answer for o in verdicts(found.endpoint)] == [OPEN] * 7
    assert found.endpoint.client_auth.demanded.reason is Reason.REFUSED
    assert survey.evidence == "Connection refused"  # the system's words, no call of Python


@pytest.mark.parametrize("address", ["127.255.255.255", "fe80::1"])
def test_an_address_without_a_route_is_unreachable(address: str) -> None:
    """The broadcast address of loopback, or a link without a name, takes no connection."""
    endpoint = audit_at(address, 25)
    survey = endpoint.survey
    assert (survey.ended, survey.ended_in, survey.reached) == (
        *(Reason.UNREACHABLE, Stage.CONNECT, None),
    )
    assert survey.evidence
    assert survey.elapsed_s < 5.0
    assert (len(endpoint.connections), endpoint.starttls) == (1, Starttls.UNKNOWN)
