"""SMTP01–SMTP09 of literal facts: each good state, how it is missed, and how it stays open."""

from __future__ import annotations

from typing import Any

import pytest
from factories import GATEWAY, broken, endpoint, facts, survey
from judging import alone

from incamail_lib.checks.words import reason_text
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import EndpointFacts, Reply, Side, Stage, Starttls, Target
from incamail_lib.findings import Finding, Level, Outcome

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE


def of(code: str, **changes: Any) -> Finding:
    """What a check says of one receiving gateway, sound but for the changes."""
    return alone(code, facts(receiving=(endpoint(GATEWAY, **changes),)))


def surveyed(code: str, **changes: Any) -> Finding:
    """What a check says of a gateway that showed this in its one dialogue."""
    return of(code, connections=(survey(**changes),))


def ended(code: str, reason: Reason, stage: Stage, **changes: Any) -> Finding:
    """What a check says where the dialogue ended early."""
    connection = broken(reason, stage, **changes)
    return of(code, connections=(connection,), starttls=Starttls.UNKNOWN)


def test_a_gateway_that_answers_ehlo_serves_this_sender() -> None:
    """The greeting is shown; facts without one still show that it answered."""
    assert surveyed("SMTP01").seen.english() == "220 mx1 ESMTP"
    assert surveyed("SMTP01", greeting=None).seen.english() == "250"
    assert surveyed("SMTP01", greeting=None).outcome is PASSED


@pytest.mark.parametrize("code", ["SMTP01", "SMTP02", "SMTP03", "SMTP06", "SMTP09"])
@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.GREYLISTED, Reason.TIMEOUT])
def test_a_dialogue_that_ended_early_leaves_the_question_open(code: str, reason: Reason) -> None:
    """A gateway that turned us away says nothing of IncaMail, and the reason is told."""
    found = ended(code, reason, Stage.GREETING)
    assert found.outcome is UNKNOWN
    assert reason_text(reason).english() in found.seen.english()


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (Reason.RATE_LIMITED, "limit on connections"),
        (Reason.GREYLISTED, "greylisting"),
        (Reason.UNAVAILABLE, "come back later"),
        (Reason.REJECTED, "refuses the measuring machine"),
    ],
)
def test_who_was_turned_away_hears_what_to_do_about_this(reason: Reason, advice: str) -> None:
    """The advice fits the reason, also where a later question was only not reached."""
    assert advice in ended("SMTP01", reason, Stage.EHLO).remedy.english()
    cut = endpoint(
        GATEWAY,
        connections=(broken(reason, Stage.EHLO),),
        injection=inconclusive(Reason.NOT_REACHED),
    )
    assert advice in alone("SMTP04", facts(receiving=(cut,))).remedy.english()


def test_starttls_is_offered_or_the_way_it_is_missing_is_told() -> None:
    """Offered in either case of letters; left out, masked, vanishing and EHLO unknown fail."""
    assert surveyed("SMTP02").outcome is PASSED
    assert surveyed("SMTP02", capabilities=("mx1", "starttls")).outcome is PASSED
    for state in (Starttls.NOT_OFFERED, Starttls.MASKED, Starttls.VANISHED):
        assert of("SMTP02", starttls=state).outcome is FAILED
    helo = survey(capabilities=None, ehlo_refusal=Reply(code=502, lines=("what?",)))
    no_ehlo = of("SMTP02", connections=(helo,), starttls=Starttls.UNKNOWN)
    assert no_ehlo.outcome is FAILED
    assert "what?" in no_ehlo.seen.english()


def test_an_offer_that_nobody_saw_passes_nothing() -> None:
    """An EHLO reply without the word proves no offer, whatever the state says."""
    unseen = of("SMTP02", connections=(survey(capabilities=("mx1",)),), starttls=Starttls.UNKNOWN)
    assert unseen.outcome is UNKNOWN


def test_the_command_is_accepted_or_refused_with_its_reply() -> None:
    """A 220 passes; any other answer fails and is shown."""
    assert of("SMTP03").seen.english() == "220 go"
    refused = Reply(code=454, lines=("TLS not available",))
    found = of("SMTP03", connections=(survey(starttls_reply=refused),), starttls=Starttls.REFUSED)
    assert found.outcome is FAILED
    assert "TLS not available" in found.seen.english()
    without = of("SMTP03", connections=(survey(starttls_reply=None),), starttls=Starttls.REFUSED)
    assert without.outcome is FAILED
    bare = of("SMTP03", connections=(survey(starttls_reply=None),))
    assert (bare.outcome, bare.seen.english()) == (PASSED, "220")


@pytest.mark.parametrize(
    ("injection", "outcome"),
    [
        (yes(Reason.SMTP_REPLY, "250 reset"), FAILED),
        (no(), PASSED),
        (inconclusive(Reason.NOT_TRIED), NOT_APPLICABLE),
        (inconclusive(Reason.RESET), UNKNOWN),
        (inconclusive(Reason.UNSUPPORTED), UNKNOWN),
    ],
)
def test_a_smuggled_command_is_obeyed_or_not(injection: Any, outcome: Outcome) -> None:
    """Obeyed fails and shows the reply; what was not tried by wish is no open question."""
    found = of("SMTP04", injection=injection)
    assert found.outcome is outcome
    if outcome is FAILED:
        assert "250 reset" in found.seen.english()


def test_a_test_that_the_gateways_limit_prevented_was_not_left_out_by_wish() -> None:
    """Not tried because the gateway had enough of us is unknown, and says what to do."""
    found = of("SMTP04", injection=inconclusive(Reason.NOT_TRIED), left_alone=Reason.RATE_LIMITED)
    assert found.outcome is UNKNOWN
    assert "limit on connections" in found.remedy.english()


def test_plaintext_behind_the_answer_is_shown() -> None:
    """Nothing more in clear passes; a line that follows the 220 fails."""
    assert surveyed("SMTP05").outcome is PASSED
    extra = surveyed("SMTP05", plaintext_after_starttls="250 injected")
    assert extra.outcome is FAILED
    assert "250 injected" in extra.seen.english()


@pytest.mark.parametrize(
    ("size", "outcome", "seen"),
    [
        ("SIZE 41999999", FAILED, "42"),
        ("SIZE 42000000", PASSED, "42.0"),
        ("size 52428800", PASSED, "52.4"),
        ("SIZE 0", PASSED, "no fixed"),
        ("SIZE 1", FAILED, "30"),
        ("PIPELINING", UNKNOWN, "SIZE is missing"),
    ],
)
def test_the_size_limit_holds_what_encoding_adds(size: str, outcome: Outcome, seen: str) -> None:
    """30 MB need 42; 0 is no fixed limit; without the word nothing is known."""
    found = surveyed("SMTP06", capabilities_in_tls=("mx1", size))
    assert found.outcome is outcome
    assert seen in found.seen.english()


def test_the_size_limit_inside_tls_is_the_one_that_counts() -> None:
    """Before TLS some gateways announce another; without a second EHLO the first one stands."""
    low, high = ("mx1", "SIZE 1000000"), ("mx1", "SIZE 90000000")
    assert surveyed("SMTP06", capabilities=low, capabilities_in_tls=high).outcome is PASSED
    assert surveyed("SMTP06", capabilities=high, capabilities_in_tls=low).outcome is FAILED
    assert surveyed("SMTP06", capabilities=high, capabilities_in_tls=None).outcome is PASSED
    assert surveyed("SMTP06", capabilities=low, capabilities_in_tls=None).outcome is FAILED


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        ("mx1.muster.example ESMTP", PASSED),
        ("MX1.Muster.Example", PASSED),
        ("mx_1.muster.example ESMTP", PASSED),
        ("mx1 ESMTP", FAILED),
        ("[192.0.2.1] ESMTP", FAILED),
        ("*******.example ready", FAILED),
        ("-mx.muster.example", FAILED),
        (f"{'a' * 64}.muster.example", FAILED),
        ("a.b", FAILED),
        ("a.bc", PASSED),
        (".".join(["a" * 50] * 5), FAILED),
        ("", FAILED),
    ],
)
def test_the_greeting_begins_with_a_full_name(greeting: str, outcome: Outcome) -> None:
    """A name of several labels, each as the DNS allows; a bare or masked one is a remark."""
    found = surveyed("SMTP07", greeting=Reply(code=220, lines=(greeting,)))
    assert (found.outcome, found.level) == (outcome, Level.INFO)


def test_a_greeting_without_a_line_is_no_name() -> None:
    """Neither a bare code nor facts without a greeting pass."""
    assert surveyed("SMTP07", greeting=Reply(code=220, lines=())).outcome is FAILED
    assert surveyed("SMTP07", greeting=None).outcome is FAILED


def target(number: int) -> Target:
    return Target(
        role=Side.RECEIVING, host=f"mx{number}.muster.example", address=f"192.0.2.{number}"
    )


def alike(*endpoints: EndpointFacts) -> Finding:
    return alone("SMTP08", facts(receiving=endpoints))


def machine(number: int, *, tls: dict[str, Any] | None = None, **changes: Any) -> EndpointFacts:
    """One of several gateways; `tls` changes what its handshake showed."""
    sound = survey()
    assert sound.tls is not None
    shown = survey(tls=sound.tls.model_copy(update=tls or {}))
    return endpoint(target(number), **({"connections": (shown,)} | changes))


def unasking(number: int) -> EndpointFacts:
    auth = endpoint().client_auth.model_copy(update={"requested": no()})
    return machine(number, client_auth=auth)


def sized(number: int, size: str) -> EndpointFacts:
    return machine(number, connections=(survey(capabilities=("mx", "STARTTLS", size)),))


def test_gateways_that_behave_alike_pass() -> None:
    """Two of one kind agree; a single one has nothing to agree with."""
    assert alike(machine(1), machine(2)).outcome is PASSED
    assert alike(machine(1)).outcome is NOT_APPLICABLE
    assert alike().outcome is NOT_APPLICABLE


@pytest.mark.parametrize(
    "odd",
    [
        machine(2, starttls=Starttls.NOT_OFFERED),
        machine(2, tls={"version": "TLSv1.2"}),
        unasking(2),
        sized(2, "SIZE 1000"),
        sized(2, "PIPELINING"),
    ],
    ids=["starttls", "version", "asking", "size", "no size"],
)
def test_the_one_that_differs_is_named_and_the_others_are_not(odd: EndpointFacts) -> None:
    """The fewer are the odd ones, wherever they stand in the list."""
    for order in ((odd, machine(1), machine(3)), (machine(1), machine(3), odd)):
        found = alike(*order)
        assert found.outcome is FAILED
        assert "mx2" in found.seen.english()
        assert "mx1" not in found.seen.english()
        assert "mx3" not in found.seen.english()


def unseen(number: int, **changes: Any) -> EndpointFacts:
    """A gateway of which nothing could be seen."""
    nothing = inconclusive(Reason.NOT_REACHED)
    auth = endpoint().client_auth.model_copy(update={"requested": nothing})
    silent: dict[str, Any] = {
        "connections": (broken(Reason.TIMEOUT, Stage.CONNECT),),
        "client_auth": auth,
    }
    return machine(number, **({"starttls": Starttls.UNKNOWN} | silent | changes))


def test_what_was_not_seen_of_one_neither_agrees_nor_differs() -> None:
    """Open with one unseen; still failed where two that were seen differ."""
    assert alike(machine(1), unseen(2)).outcome is UNKNOWN
    assert alike(unseen(1), unseen(2)).outcome is UNKNOWN
    differ = alike(machine(1), unasking(2), machine(3), unseen(4))
    assert differ.outcome is FAILED
    assert "mx4" not in differ.seen.english()


def test_without_starttls_there_is_no_version_to_be_seen() -> None:
    """Two gateways without STARTTLS are alike; what TLS would show is not missing."""
    nothing = inconclusive(Reason.NOT_REACHED)
    auth = endpoint().client_auth.model_copy(update={"requested": nothing})
    plain = [
        machine(
            n,
            starttls=Starttls.NOT_OFFERED,
            client_auth=auth,
            connections=(survey(tls=None, capabilities_in_tls=None),),
        )
        for n in (1, 2)
    ]
    assert alike(*plain).outcome is PASSED


def test_after_an_accepted_starttls_a_missing_handshake_is_a_gap() -> None:
    """The version and the request were there to be seen, and were not."""
    nothing = inconclusive(Reason.RESET)
    auth = endpoint().client_auth.model_copy(update={"requested": nothing})
    no_version = [machine(n, connections=(survey(tls=None),)) for n in (1, 2)]
    assert alike(*no_version).outcome is UNKNOWN
    no_request = [machine(n, client_auth=auth) for n in (1, 2)]
    assert alike(*no_request).outcome is UNKNOWN
