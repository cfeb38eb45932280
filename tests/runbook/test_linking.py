"""The link test without a form: nothing is sent without consent, nothing is claimed unseen."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from runbook.forms.test_forms import opened, sending

from incamail_lib.dossier import read_dossier
from incamail_lib.dossier.agreed import (
    HTML_TEST,
    Audience,
    Direction,
    MessageKind,
    TestResult,
    messages_of,
)
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.runbook.attempts import Offer
from incamail_lib.runbook.html_linking import HtmlTests
from incamail_lib.runbook.incoming import IncomingTests
from incamail_lib.runbook.linking import LinkTests

LIFE = """\
organisation: Muster AG
domains: [muster.example]
sender: anna@muster.example
submission: {{host: 127.0.0.1, port: {port}, starttls: off}}
"""


def linked(folder: Path, text: str = "", person: str = "Anna Muster") -> LinkTests:
    """The tests of a dossier; without a text of one on the lab."""
    if text:
        (folder / "muster.yaml").write_text(text, encoding="utf-8")
    return LinkTests(opened(folder).session, person)


def offer(tests: LinkTests, kind: MessageKind = MessageKind.CONFIDENTIAL) -> Offer:
    return next(offer for offer in tests.shown().offers if offer.key[1] is kind)


def said(tests: LinkTests, given: Offer) -> str:
    return asyncio.run(tests.send(given)).english()


def seen(tests: LinkTests, given: Offer, words: str, *, arrived: bool = True) -> str:
    """What a person notes of a message."""
    identity = given.test.message_id
    return tests.look(given.key, identity, arrived=arrived, words=words).english()


@pytest.mark.parametrize(
    ("to", "audience", "way"),
    [
        ("", Audience.EXTERNAL, "out.muster.example, gw1.incamail.com"),
        (
            "eva@muster.example",
            Audience.INTERNAL,
            "out.muster.example, gw1.incamail.com, mx1.muster.example",
        ),
    ],
)
def test_the_record_holds_what_was_done(
    tmp_path: Path, to: str, audience: Audience, way: str
) -> None:
    """Which test, to which kind of address, by whom, the reply, and the arrival on its own."""
    tests = linked(tmp_path)
    tests.to(to)
    for kind in (MessageKind.CONFIDENTIAL, MessageKind.PERSONAL, MessageKind.REGISTERED):
        assert "It arrived." in said(tests, offer(tests, kind))
    noted = read_dossier(tmp_path / "muster.yaml").acceptance
    assert [t.key for t in noted] == [
        (Direction.OUTGOING, kind, audience)
        for kind in (MessageKind.CONFIDENTIAL, MessageKind.PERSONAL, MessageKind.REGISTERED)
    ]
    for test in noted:
        assert (test.result, test.tested_by) == (TestResult.PASSED, "Anna Muster")
        (attempt,) = test.attempts
        assert attempt.reply.startswith("250")
        assert attempt.seen is not None
        assert (attempt.seen.by, ", ".join(attempt.seen.way)) == ("", way)
        assert attempt.seen.encrypted is True
    assert [t.attempt.message_id for t in tests.shown().tries] != []
    again = linked(tmp_path).recipient
    assert f"{again}.incamail.ch" == noted[-1].to, "the recipient is typed once"


def test_what_breaks_the_link_is_recorded_as_handed_over_and_not_arrived(tmp_path: Path) -> None:
    """250, and still failed: the sentence says both, with what the next server answered."""
    text = (
        "organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\n"
        "scenario: exotic_client_certificate\n"
    )
    tests = linked(tmp_path, text)
    told = said(tests, offer(tests))
    assert "250" in told
    assert "It did not arrive." in told
    assert "unknown ca" in told
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.result is TestResult.FAILED
    assert noted.attempts[0].outcome is DeliveryOutcome.ACCEPTED


def test_a_rule_of_the_scenario_is_the_rule_of_the_messages(tmp_path: Path) -> None:
    """What the audit finds of a rule on the lab, the link test goes by: here the way by MX."""
    text = "organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\nscenario: no_route\n"
    tests = linked(tmp_path, text)
    (route,) = tests.shown().messages[0].routing.routes
    assert route.rule == "mx"
    assert "no MX record" in said(tests, offer(tests))


def test_the_html_message_comes_from_outside(tmp_path: Path) -> None:
    """One act on the lab: the server outside, the receiving gateway, the mailbox."""
    tests = HtmlTests(opened(tmp_path).session, "Anna Muster")
    (given,) = tests.shown().offers
    assert given.consent.english().endswith("to anna.muster@muster.example")
    assert "mail.outside.example, mx1.muster.example" in said(tests, given)
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert (noted.key, noted.result) == (HTML_TEST, TestResult.PASSED)


def listening() -> socket.socket:
    """A socket that takes connections and never answers; whoever called stands in its queue."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    made.settimeout(0.05)
    return made


def called(at: socket.socket) -> bool:
    """Whether anybody connected."""
    try:
        at.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"person": ""}, "choose first who is at work"),
        ({"to": ""}, "enter the recipient"),
        ({"host": ""}, "name the organisation's own mail server"),
        ({"to": "other@recipient.test", "stale": True}, "the message has changed"),
    ],
)
def test_without_all_that_consent_needs_nobody_is_called(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """No person, no recipient, no server, or another message than the one agreed to: the server
    is not even connected to, and nothing is recorded."""
    with listening() as at:
        text = LIFE.format(port=at.getsockname()[1])
        if "host" in change:
            text = text.replace("host: 127.0.0.1, ", "")
        tests = linked(tmp_path, text, person=change.get("person", "Anna Muster"))
        tests.to("hans@recipient.test")
        given = offer(tests)
        tests.to(change.get("to", "hans@recipient.test"))
        if not change.get("stale"):
            given = next(iter(tests.shown().offers), given)
        assert told in said(tests, given)
        assert not called(at)
        with socket.create_connection(at.getsockname()):
            assert called(at), "the test can fail"
    assert read_dossier(tmp_path / "muster.yaml").acceptance == ()


def test_only_what_makes_another_message_takes_a_consent_away(tmp_path: Path) -> None:
    """Whoever is about to press agrees to what stands there, whatever is noted meanwhile; a
    message that was sent is replaced, and the others stay."""
    tests = linked(tmp_path)
    first, *others = tests.shown().offers
    tests.session.put(("answers", "4.1", "note"), "Ask the archivist.")
    tests.session.tell()
    assert tests.shown().offers == (first, *others)
    said(tests, first)
    after, *same = tests.shown().offers
    assert same == others
    assert after.test.message_id != first.test.message_id
    tests.session.put(("routing", "method"), "subject")
    tests.session.put(("routing", "subject_pattern"), "<im>")
    assert not set(map(id, tests.shown().offers)) & set(map(id, same))
    assert tests.shown().offers[1].test.message_id != others[0].test.message_id


def test_consent_names_the_whole_recipient_however_long(tmp_path: Path) -> None:
    """What is agreed to is never cut, in the value as on the button."""
    to = "a" * 64 + "@" + ".".join(("b" * 55,) * 3) + ".example"
    runbook = opened(tmp_path)
    test = runbook.link_test
    test.enter("to", to)
    given = offer(test.tests)
    assert given.consent.english().endswith(f"{to}.incamail.ch")
    assert test.widget.content.count(f"{to}.incamail.ch</button>") == 3
    assert sending(test)[0].label.endswith(f"{to}.incamail.ch")


def test_an_arrival_needs_a_person_and_what_was_seen(tmp_path: Path) -> None:
    """Nothing is claimed that nobody saw; of an earlier message it changes no result."""
    tests = linked(tmp_path)
    given = offer(tests)
    said(tests, given)
    tests._person = ""
    assert "choose first" in seen(tests, given, "Read.")
    tests._person = "Bea"
    assert "say what" in seen(tests, given, " ")
    again = offer(tests)
    said(tests, again)
    seen(tests, given, "bounced", arrived=False)
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.result is TestResult.PASSED, "the later message arrived"
    first, second = noted.attempts
    assert first.seen is not None
    assert second.seen is not None
    assert (first.seen.arrived, first.seen.by) == (False, "Bea")
    assert (second.seen.arrived, second.seen.by) == (True, "")


def test_in_life_the_server_is_preset_from_the_dossier(tmp_path: Path) -> None:
    """Host, port, STARTTLS, name, authority and user are taken from there; a file that is missing
    is told by one sentence, and nothing is sent."""
    text = (
        "organisation: Muster AG\ndomains: [muster.example]\n"
        "submission: {host: 127.0.0.1, port: 587, starttls: opportunistic, "
        "name: mail.muster.example, roots: ca.pem}\n"
    )
    tests = linked(tmp_path, text)
    server = tests.mta()
    assert (server.host, server.port, server.starttls) == ("127.0.0.1", 587, "opportunistic")
    assert (server.name, server.roots) == ("mail.muster.example", tmp_path / "ca.pem")
    shown = tests.shown().server.english()
    assert "127.0.0.1:587" in shown
    assert "if offered" in shown
    tests.to("hans@recipient.test")
    assert "ca.pem cannot be used" in said(tests, offer(tests))
    assert read_dossier(tmp_path / "muster.yaml").acceptance == ()


def test_a_login_without_its_password_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named before anybody is called; how to set it is shown beside the server."""
    monkeypatch.delenv("INCAMAIL_SMTP_PASSWORD", raising=False)
    text = LIFE.format(port=9).replace("starttls: off", "user: anna")
    tests = linked(tmp_path, text)
    tests.to("hans@recipient.test")
    login = tests.shown().login
    assert login is not None
    assert "INCAMAIL_SMTP_PASSWORD" in login.english()
    assert "INCAMAIL_SMTP_PASSWORD" in said(tests, offer(tests))


def incoming(folder: Path, scenario: str = "sound", person: str = "Anna Muster") -> IncomingTests:
    """What the lab's IncaMail sends to Muster AG."""
    text = (
        "organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\n"
        f"scenario: {scenario}\nsubmission: {{host: mail.muster.example}}\n"
    )
    (folder / "muster.yaml").write_text(text, encoding="utf-8")
    return IncomingTests(opened(folder).session, person)


def all_sent(tests: IncomingTests) -> str:
    return asyncio.run(tests.send_all(tests.shown().offers)).english()


def test_on_the_lab_incamail_sends_all_at_one_word(tmp_path: Path) -> None:
    """Every sending type from inside and outside: through IncaMail's gateway, which shows its own
    certificate, into the mailbox, and into the dossier with whoever agreed."""
    tests = incoming(tmp_path)
    assert all_sent(tests) == "6 of 6 messages arrived."
    noted = {test.key: test for test in read_dossier(tmp_path / "muster.yaml").acceptance}
    wanted = set(messages_of(Direction.INCOMING)) - {HTML_TEST}
    assert set(noted) == wanted
    for test in noted.values():
        assert (test.result, test.tested_by) == (TestResult.PASSED, "Anna Muster")
        (attempt,) = test.attempts
        assert attempt.to == "anna.muster@muster.example"
        assert attempt.reply.startswith("250")
        assert attempt.seen is not None
        assert attempt.seen.way == ("gw1.incamail.com", "mx1.muster.example")
        assert (attempt.seen.by, attempt.seen.encrypted) == ("", True)


@pytest.mark.parametrize("scenario", ["starttls_missing", "expired", "null_mx"])
def test_what_keeps_incamail_out_fails_every_incoming_test(tmp_path: Path, scenario: str) -> None:
    """IncaMail took the messages, and the mailbox stays empty: failed, with the reason."""
    told = all_sent(incoming(tmp_path, scenario))
    assert told.startswith("0 of 6 messages arrived.")
    assert "It did not arrive." in told
    noted = read_dossier(tmp_path / "muster.yaml").acceptance
    assert [test.result for test in noted] == [TestResult.FAILED] * 6


def test_nobody_plays_swiss_post_without_a_person_or_in_life(tmp_path: Path) -> None:
    """No name, other messages than those agreed to, a recipient outside, no lab: nothing is
    sent, and nothing noted."""
    assert "choose first who is at work" in all_sent(incoming(tmp_path, person=""))
    tests = incoming(tmp_path)
    before = tests.shown().offers
    tests.to("bea@muster.example")
    assert "has changed" in asyncio.run(tests.send_all(before)).english()
    tests.to("bea@elsewhere.example")
    problem = tests.shown().problem
    assert problem is not None
    assert "an address of the organisation only" in problem.english()
    assert tests.shown().offers == ()
    assert read_dossier(tmp_path / "muster.yaml").acceptance == ()
    (tmp_path / "muster.yaml").write_text(LIFE.format(port=9), encoding="utf-8")
    live = IncomingTests(opened(tmp_path).session, "Anna Muster")
    assert "in life Swiss Post sends" in asyncio.run(live.send_all(live.shown().offers)).english()
    assert read_dossier(tmp_path / "muster.yaml").acceptance == ()
