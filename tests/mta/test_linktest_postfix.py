"""A test message goes through a real Postfix into the lab platform, as guide 8.3 has it."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from mta import postfix
from mta.mail import files_of

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, SendingType
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.message import Message
from incamail_lib.lab.pki import Pki, Variant
from incamail_lib.lab.setting import sound_platform
from incamail_lib.linktest import Consent, Mta, TestMessage, compose, send
from incamail_lib.linktest.trouble import Trouble, trouble_of

pytestmark = [pytest.mark.postfix, pytest.mark.xdist_group("mta")]

PLATFORM = "gw1.incamail.com"
SENDER = "out.muster.example"
RULES = RuleSet(
    method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
)


@pytest.fixture(scope="module")
def lab() -> Pki:
    """The lab's authorities around now."""
    return pki.build(dt.datetime.now(dt.UTC).replace(microsecond=0))


def composed(lab: Pki, kind: SendingType = SendingType.CONFIDENTIAL) -> TestMessage:
    return compose(
        "anna@muster.example", "hans.muster@partner.example", kind, rules=RULES, now=lab.now
    )


def through_postfix(
    lab: Pki, test: TestMessage, folder: Path, *, tls: bool = True, **changes: str
) -> tuple[Delivery, tuple[Message, ...]]:
    """Hand the message to a Postfix that routes the suffix to the lab's platform."""

    async def run() -> tuple[Delivery, tuple[Message, ...]]:
        async with serve(sound_platform(PLATFORM, lab), now=lab.now) as platform:
            settings, files = postfix.sender(
                SENDER,
                platform.port,
                names=(PLATFORM,),
                identity=files_of(lab.leaf(Variant.BOTH, SENDER), lab),
            )
            if tls:
                settings["smtpd_tls_security_level"] = "may"
                settings["smtpd_tls_chain_files"] = "{dir}/key.pem, {dir}/chain.pem"
            return await asyncio.to_thread(
                blocking, test, platform, settings | changes, files=files, folder=folder, lab=lab
            )

    return asyncio.run(run())


def blocking(
    test: TestMessage,
    platform: Gateway,
    settings: dict[str, str],
    *,
    files: dict[str, bytes],
    folder: Path,
    lab: Pki,
) -> tuple[Delivery, tuple[Message, ...]]:
    """Postfix runs in a thread of its own; so does the loop that sends."""
    with postfix.running(settings, files) as mta:
        server = Mta("127.0.0.1", mta.port, name=SENDER, roots=pki.write_trust_store(lab, folder))
        consent = Consent(
            message_id=test.message_id,
            recipient=test.recipient,
            agreed_by="Anna Muster",
            agreed_at=lab.now,
        )
        done = asyncio.run(
            send(test.message, recipient=test.recipient, server=server, consent=consent)
        )
        if done.outcome is DeliveryOutcome.ACCEPTED:
            mta.log.await_line(rf"to=<{test.recipient}>.*status=")
        return done, platform.messages


@pytest.mark.parametrize("kind", list(SendingType))
def test_the_link_test_reaches_the_platform(lab: Pki, tmp_path: Path, kind: SendingType) -> None:
    """Postfix takes the message over verified TLS, and the platform has it, tag in clear."""
    test = composed(lab, kind)
    done, taken = through_postfix(lab, test, tmp_path)
    assert (done.outcome, done.stage) == (DeliveryOutcome.ACCEPTED, SendingStage.CONTENT)
    assert (done.tls_version, done.certificate_verified) == ("TLSv1.3", True)
    assert done.reply is not None
    assert "queued as" in done.reply.text
    assert len(taken) == 1
    assert (taken[0].recipients, taken[0].in_tls) == ((test.recipient,), True)
    assert f"Subject: {test.message['Subject']}\r\n".encode() in taken[0].content
    assert f"Message-ID: {test.message_id}\r\n".encode() in taken[0].content


def test_a_postfix_that_refuses_the_recipient_is_a_fact(lab: Pki, tmp_path: Path) -> None:
    """Where Postfix does not relay for us, its 554 is the outcome and nothing reaches IncaMail."""
    refusing: dict[str, Any] = {
        "mynetworks": "192.0.2.0/24",
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    }
    done, taken = through_postfix(lab, composed(lab), tmp_path, **refusing)
    assert (done.outcome, done.stage) == (DeliveryOutcome.REFUSED, SendingStage.RCPT)
    assert done.reply is not None
    assert "Relay access denied" in done.reply.text
    assert taken == ()


def test_a_postfix_without_tls_gets_nothing(lab: Pki, tmp_path: Path) -> None:
    """STARTTLS is required by default, and this Postfix does not offer it."""
    done, taken = through_postfix(lab, composed(lab), tmp_path, tls=False)
    assert (done.outcome, done.cause) == (DeliveryOutcome.NOT_SENT, Cause.NO_STARTTLS)
    assert taken == ()


REFUSALS: list[tuple[dict[str, str], Trouble]] = [
    ({"mynetworks": "192.0.2.0/24"}, Trouble.RELAY_DENIED),
    ({"message_size_limit": "100"}, Trouble.TOO_LARGE),
    ({"smtpd_sender_restrictions": "reject"}, Trouble.SENDER_REFUSED),
    ({"smtpd_recipient_restrictions": "reject"}, Trouble.POLICY),
    (
        {
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_req_ccert": "yes",
            "smtpd_tls_CAfile": "{dir}/roots.pem",
        },
        Trouble.CLIENT_CERTIFICATE,
    ),
]


@pytest.mark.parametrize(("changes", "expected"), REFUSALS, ids=lambda x: getattr(x, "value", ""))
def test_what_postfix_refuses_is_told_for_what_it_is(
    lab: Pki, tmp_path: Path, changes: dict[str, str], expected: Trouble
) -> None:
    """Its own words and codes, each with its own remedy; nothing reaches IncaMail."""
    refusing: dict[str, Any] = {
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"
    }
    done, taken = through_postfix(lab, composed(lab), tmp_path, **refusing | changes)
    assert trouble_of(done) is expected, (done.stage, done.reply, done.evidence)
    assert taken == ()
