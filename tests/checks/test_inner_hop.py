"""The way between mail server and gateway: judged by what our own machines noted, nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from factories import NOW, declared, facts

from incamail_lib.checks import of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts, ComponentFacts
from incamail_lib.facts.transfer import MessageHops
from incamail_lib.findings import Finding, Leg, Level, Outcome
from incamail_lib.routing.received import read_hops

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
SERVER, GATEWAY = "exch.muster.local", "gw.muster.local"

IN = f"from {GATEWAY} ({GATEWAY} [10.0.0.7]) by {SERVER} (Postfix) with {{}} id 1; x"
OUT = f"from {SERVER} ({SERVER} [10.0.0.8]) by {GATEWAY} (Postfix) with {{}} id 1; x"
STRANGER = f"from evil.example (evil.example [8.8.8.8]) by {GATEWAY} (Postfix) with ESMTPS id 1; x"
WORKPLACE = f"from pc7 (pc7 [10.0.1.1]) by {SERVER} (Postfix) with ESMTPSA id 1; x"
INCAMAIL = "from gw.muster.example ([8.8.4.4]) by gw1.incamail.com with ESMTPS id 1; x"


def message(*lines: str, label: str = "m") -> MessageHops:
    return read_hops("".join(f"Received: {line}\n" for line in lines).encode() + b"\n", label)


def incoming(protocol: str) -> MessageHops:
    return message(IN.format(protocol), STRANGER, label="incoming")


def outgoing(protocol: str) -> MessageHops:
    return message(INCAMAIL, OUT.format(protocol), WORKPLACE, label="outgoing")


def measured(
    *messages: MessageHops,
    present: bool | None = True,
    servers: tuple[str, ...] = (SERVER,),
    gateways: tuple[str, ...] = (GATEWAY,),
) -> AuditFacts:
    components = (
        ComponentFacts(key="mail_gateway", present=present, hosts=gateways),
        ComponentFacts(key="mail_server", present=True, hosts=servers),
    )
    return facts(declared=declared(components=components), hops=messages)


def found(measured: AuditFacts) -> Finding:
    return next(f for f in judge(measured, of_family("NET"), NOW) if f.code == "NET10")


def test_both_directions_encrypted_pass() -> None:
    """One message that came in and one that left, both by TLS; the stretch is the inner one."""
    finding = found(measured(incoming("ESMTPS"), outgoing("ESMTPS")))
    assert finding.outcome is PASSED
    assert finding.leg is Leg.INSIDE


@pytest.mark.parametrize("plain", ["incoming", "outgoing"])
def test_one_hand_over_in_clear_fails(plain: str) -> None:
    """Either direction; the line that shows it is told."""
    finding = found(
        measured(
            incoming("ESMTP" if plain == "incoming" else "ESMTPS"),
            outgoing("ESMTP" if plain == "outgoing" else "ESMTPS"),
        )
    )
    assert (finding.outcome, finding.level) == (FAILED, Level.REQUIRED)
    assert "with ESMTP" in finding.seen.english()
    assert "not encrypted" in finding.title


def test_an_old_version_is_not_encrypted_well_enough() -> None:
    """TLS 1.1 fails; it is named."""
    old = IN.replace(" by ", " (using TLSv1.1 with cipher AES256-SHA (256/256 bits)) by ")
    finding = found(measured(message(old.format("ESMTPS"), STRANGER), outgoing("ESMTPS")))
    assert finding.outcome is FAILED
    assert "TLSv1.1" in finding.seen.english()


@pytest.mark.parametrize("messages", [(incoming("ESMTPS"),), (outgoing("ESMTPS"),)])
def test_one_direction_does_not_prove_the_other(messages: tuple[MessageHops, ...]) -> None:
    """Seen in one direction only, it stays unknown, and required."""
    finding = found(measured(*messages))
    assert (finding.outcome, finding.level) == (UNKNOWN, Level.REQUIRED)
    assert ".eml" in finding.remedy.english()


@pytest.mark.parametrize(
    "changes",
    [{"servers": ()}, {"servers": ("other.muster.local",)}, {"gateways": ("other.local",)}],
)
def test_machines_that_nobody_named_are_not_guessed(changes: dict[str, Any]) -> None:
    """The gateway's hand-over to IncaMail is none between mail server and gateway."""
    finding = found(measured(incoming("ESMTPS"), outgoing("ESMTPS"), **changes))
    assert finding.outcome is UNKNOWN


def test_lines_below_a_strangers_are_forged_perhaps() -> None:
    """What whoever wrote the message put there proves no encryption, in either direction."""
    forged = message(IN.format("ESMTPS"), STRANGER, OUT.format("ESMTPS"), IN.format("ESMTPS"))
    assert found(measured(forged)).outcome is UNKNOWN
    assert found(measured(forged, outgoing("ESMTPS"))).outcome is PASSED


def test_a_greeting_from_outside_is_no_machine_of_ours() -> None:
    """A stranger may greet as the mail server: from a public address only the address counts."""
    greeting = OUT.format("ESMTPS").replace("10.0.0.8", "8.8.8.8")
    assert found(measured(incoming("ESMTPS"), message(greeting))).outcome is UNKNOWN
    known = measured(incoming("ESMTPS"), message(greeting), servers=(SERVER, "8.8.8.8"))
    assert found(known).outcome is PASSED


def test_a_product_that_says_nothing_leaves_it_unknown() -> None:
    """ESMTP of a server that may not note TLS is neither passed nor failed."""
    silent = message(IN.replace("(Postfix) ", "").format("ESMTP"), STRANGER)
    finding = found(measured(silent, outgoing("ESMTPS")))
    assert finding.outcome is UNKNOWN
    assert "cannot be told" in finding.seen.english()


def test_a_filter_on_the_gateway_itself_is_no_hand_over() -> None:
    """A line from loopback, in clear, is left out, and what stands below it still counts."""
    own = f"from localhost (localhost [127.0.0.1]) by {GATEWAY} (Postfix) with ESMTP id 1; x"
    came_in = message(IN.format("ESMTPS"), own, STRANGER)
    left = message(INCAMAIL, own, OUT.format("ESMTPS"), WORKPLACE)
    assert found(measured(came_in, left)).outcome is PASSED
    in_clear = message(INCAMAIL, own, OUT.format("ESMTP"), WORKPLACE)
    assert found(measured(came_in, in_clear)).outcome is FAILED


def test_without_a_gateway_the_question_does_not_arise() -> None:
    """Said to be absent: not applicable, even with messages."""
    assert found(measured(incoming("ESMTP"), present=False)).outcome is Outcome.NOT_APPLICABLE


def test_a_gateway_that_nobody_spoke_of_does_not_hold_up_the_verdict() -> None:
    """Not said to be there: unknown, and recommended only; a hand-over in clear is required."""
    assert (found(facts()).outcome, found(facts()).level) == (UNKNOWN, Level.RECOMMENDED)
    clear = found(measured(incoming("ESMTP"), present=None))
    assert (clear.outcome, clear.level) == (FAILED, Level.REQUIRED)
