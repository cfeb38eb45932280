"""Mail on the lab goes the ways that the audit measures: the same plan, seen in a mailbox."""

from __future__ import annotations

import asyncio
import datetime as dt
from email.message import EmailMessage
from pathlib import Path

import pytest

from incamail_lib.facts.delivery import Delivery, DeliveryOutcome
from incamail_lib.facts.routing import Engine, RuleSet, SendingType
from incamail_lib.findings import Verdict
from incamail_lib.lab import SCENARIOS, Scenario, run
from incamail_lib.lab.mail import MailFlow, Organisation, Outcome, mail
from incamail_lib.lab.scenario import DOMAIN_RULE
from incamail_lib.lab.scenarios import EVERY
from incamail_lib.linktest import Consent, Mta, compose, send

DOMAINS = ("muster.example",)
OUT, IN = "hans@partner.example.incamail.ch", "anna@muster.example.incamail.ch"
NOW = dt.datetime.now(dt.UTC)


def message(to: str, subject: str = "") -> EmailMessage:
    """A message of the link test to `to`, which has the suffix already; or with any subject."""
    made = compose(
        "anna@muster.example", OUT, SendingType.CONFIDENTIAL, rules=DOMAIN_RULE, now=NOW
    ).message
    made.replace_header("To", to)
    if subject:
        made.replace_header("Subject", subject)
    return made


async def handed(flow: MailFlow, to: str, subject: str, server: Mta) -> tuple[Delivery, Outcome]:
    made = message(to, subject)
    identity = str(made["Message-ID"])
    consent = Consent(message_id=identity, recipient=to, agreed_by="Anna", agreed_at=NOW)
    done = await send(made, recipient=to, server=server, consent=consent)
    return done, await flow.outcome(identity)


def sent(
    scenario: Scenario,
    folder: Path,
    to: str,
    *,
    subject: str = "",
    outside: bool = False,
    rules: RuleSet | None = None,
) -> tuple[Delivery, Outcome]:
    """Hand one message to the organisation's server, or to the one outside."""

    async def play() -> tuple[Delivery, Outcome]:
        before = asyncio.all_tasks()
        async with run(scenario, domains=DOMAINS, directory=folder) as running:
            given = Organisation(rules, DOMAINS, running.incoming) if rules else None
            async with mail(running, given) as flow:
                server = flow.outside if outside else flow.submission
                found = await handed(flow, to, subject, server)
        assert asyncio.all_tasks() == before, "something still runs"
        return found

    return asyncio.run(play(), debug=True)


SOUND = SCENARIOS["sound"]
GW, MX = "gw1.incamail.com", "mx1.muster.example"


@pytest.mark.parametrize(
    ("to", "outside", "mailbox", "way"),
    [
        (OUT, False, "hans@partner.example", ("out.muster.example", GW)),
        (IN, False, "anna@muster.example", ("out.muster.example", GW, MX)),
        ("anna@muster.example", True, "anna@muster.example", ("mail.outside.example", MX)),
    ],
)
def test_a_message_arrives_by_the_servers_it_should(
    tmp_path: Path, to: str, outside: bool, mailbox: str, way: tuple[str, ...]
) -> None:
    """To IncaMail and on, back to the organisation, in from outside: each hand-over stands in a
    Received line, all of them encrypted."""
    done, found = sent(SOUND, tmp_path, to, outside=outside)
    assert done.outcome is DeliveryOutcome.ACCEPTED
    (arrival,) = found.arrivals
    assert (arrival.recipient, arrival.sender, arrival.way) == (mailbox, "anna@muster.example", way)
    assert arrival.encrypted
    assert arrival.subject.startswith("<im><c> Test-Mail")
    assert found.stopped is None


def test_what_no_rule_selects_goes_directly_and_that_is_seen(tmp_path: Path) -> None:
    """Tagged and without the suffix: under a plain suffix rule it leaves past IncaMail."""
    plain = DOMAIN_RULE.model_copy(update={"refuses_tag_without_suffix": False})
    _, found = sent(SOUND, tmp_path, "hans@partner.example", rules=plain)
    (arrival,) = found.arrivals
    assert arrival.way == ("out.muster.example", "mail.outside.example")
    refused, found = sent(SOUND, tmp_path, "hans@partner.example")
    assert refused.outcome is DeliveryOutcome.REFUSED
    assert found.arrivals == ()


def test_a_rule_that_cannot_be_told_is_not_guessed(tmp_path: Path) -> None:
    """Where the way is unknown, the message is put off and goes nowhere."""
    changes = {"default_relay": "relay.example", "suffix_key": "", "engine": Engine.POSTFIX_TABLE}
    vague = DOMAIN_RULE.model_copy(update=changes)
    done, found = sent(SOUND, tmp_path, OUT, rules=vague)
    assert (done.outcome, found.arrivals, found.log) == (DeliveryOutcome.DEFERRED, (), ())


BROKEN = [
    ("no_client_certificate", OUT, "certificate required"),
    ("server_only_client_certificate", OUT, "unsupported certificate"),
    ("exotic_client_certificate", OUT, "unknown ca"),
    ("expired_client_certificate", OUT, "certificate expired"),
    ("no_client_certificate_at_mail", OUT, "530 5.7.0 No client certificate presented"),
    ("platform_stripped", OUT, "does not offer STARTTLS"),
    ("intercepted", OUT, "could not be verified"),
    ("platform_closed", OUT, "connection refused"),
    ("platform_denies", OUT, "554 5.7.1"),
    ("no_route", OUT, "no MX record of partner.example.incamail.ch leads on"),
    ("next_hop_missing", OUT, "the rule names no next hop"),
    ("foreign_next_hop", OUT, "relay.hoster.example"),
    ("starttls_missing", IN, "does not offer STARTTLS"),
    ("expired", IN, "certificate has expired"),
    ("greylisting", IN, "451 4.7.1"),
    ("null_mx", IN, "takes no mail (null MX)"),
    ("mx_without_address", IN, "no server of muster.example has an address"),
    ("dns_servfail", IN, "MX record of muster.example"),
]


@pytest.mark.parametrize(("name", "to", "words"), BROKEN)
def test_what_breaks_the_link_breaks_the_test(
    tmp_path: Path, name: str, to: str, words: str
) -> None:
    """The first server says 250 all the same; the mailbox stays empty, and the log says why."""
    done, found = sent(SCENARIOS[name], tmp_path, to)
    assert done.outcome is DeliveryOutcome.ACCEPTED
    assert found.arrivals == ()
    assert found.stopped is not None
    assert words in found.stopped.text.english()


# Our sender is stricter than the audit: it goes on with nobody who says more behind the 220.
STRICTER = {"starttls_followed_by_text"}
READY = [s for s in EVERY if s.verdict is Verdict.READY and not s.waits and s.name not in STRICTER]


@pytest.mark.parametrize("scenario", READY, ids=lambda s: s.name)
def test_what_the_audit_calls_ready_delivers_both_ways(scenario: Scenario, tmp_path: Path) -> None:
    """No second truth: a verdict of ready means that mail flows, encrypted, out and back in."""
    _, found = sent(scenario, tmp_path, IN)
    (arrival,) = found.arrivals
    assert arrival.encrypted
    assert arrival.way[0] == "out.muster.example"
    assert len(arrival.way) == 3


def test_hostile_addresses_and_greetings_reach_no_line_of_ours(tmp_path: Path) -> None:
    """An address that cannot stand in a command is refused, and a greeting becomes one word."""

    lines = (
        b"EHLO x\x00) by evil (y",
        b"MAIL FROM:<anna@muster.example>",
        b"RCPT TO:<a b@partner.example>",
        b"DATA",
        b"Subject: x\r\n\r\nx\r\n.",
        b"MAIL FROM:<anna@muster.example>",
        b"RCPT TO:<bert@muster.example>",
        b"DATA",
        b"Subject: y\r\nMessage-ID: <1@x>\r\n\r\nx\r\n.",
    )

    async def play() -> tuple[bytes, bytes]:
        async with (
            run(SOUND, domains=DOMAINS, directory=tmp_path) as running,
            mail(running) as flow,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", flow.submission.port)
            writer.write(b"".join(line + b"\r\n" for line in (*lines, b"QUIT")))
            said = await reader.read()
            writer.close()
            found = await flow.outcome("<1@x>")
            return said, found.arrivals[0].content

    said, content = asyncio.run(play())
    assert b"553 5.1.3" in said
    assert content.startswith(b"Received: from xbyevily ([127.0.0.1])\r\n by out.muster.example ")
