"""The lab's own mail server decides as a real Postfix with the same rule, on the same messages."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
from pathlib import Path

import pytest
from mta import postfix
from mta.mail import files_of, submit
from mta.process import Log

from incamail_lib.facts.routing import Engine, Method, RuleSet
from incamail_lib.lab import SCENARIOS, pki, run
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.mail import OUTSIDE, MailFlow, Organisation, mail
from incamail_lib.lab.pki import Pki, Variant
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.scenario import DOMAIN_RULE
from incamail_lib.lab.setting import sound_platform

pytestmark = [pytest.mark.postfix, pytest.mark.xdist_group("mta")]

PLATFORM, SENDER, DOMAIN = "gw1.incamail.com", "out.muster.example", "muster.example"
TAGGED, PLAIN = "<im><c> Test-Mail", "Termin im Januar"
MESSAGES = (
    (TAGGED, "a@partner.example.incamail.ch"),
    (PLAIN, "b@partner.example.incamail.ch"),
    (TAGGED, "c@PARTNER.example.INCAMAIL.CH"),
    (TAGGED, "d@partner.example"),
    (PLAIN, "e@partner.example"),
    (TAGGED, "f@partner.example.notincamail.ch"),
    (TAGGED, "g@partner.example.incamail.ch.evil.example"),
    ("Re: <im><c> x", "h@partner.example"),
    (" <IM><c> x", "i@partner.example"),
    ("=?utf-8?q?=3Cim=3E=3Cc=3E_x?=", "j@partner.example"),
    (TAGGED, "k@incamail.ch"),
    ("<c> x", "l@partner.example"),
)
BY_SUFFIX = DOMAIN_RULE.model_copy(
    update={
        "engine": Engine.POSTFIX_TABLE,
        "suffix_key": ".incamail.ch",
        "default_relay": OUTSIDE,
        "refuses_tag_without_suffix": False,
    }
)
BY_SUBJECT = BY_SUFFIX.model_copy(
    update={
        "method": Method.SUBJECT,
        "engine": Engine.POSTFIX_REGEXP,
        "suffix_key": "",
        "subject_pattern": "^Subject:.*<im>",
    }
)
Decided = dict[str, str]
"""Recipient -> the host that got the message."""


@pytest.fixture(scope="module")
def lab() -> Pki:
    """The lab's authorities around now."""
    return pki.build(dt.datetime.now(dt.UTC).replace(microsecond=0))


def by_postfix(lab: Pki, rules: RuleSet) -> Decided:
    """What Postfix does: the platform and a relay of the lab stand at the ends."""

    async def play() -> Decided:
        async with (
            serve(sound_platform(PLATFORM, lab), now=lab.now) as platform,
            serve(GatewayPlan(OUTSIDE, capabilities=("8BITMIME",)), now=lab.now) as relay,
        ):
            settings, files = postfix.sender(
                SENDER,
                platform.port,
                names=(PLATFORM,),
                identity=files_of(lab.leaf(Variant.BOTH, SENDER), lab),
            )
            settings |= {"relayhost": f"[127.0.0.1]:{relay.port}", "relay_domains": ""}
            if rules.method is Method.SUBJECT:
                del settings["transport_maps"]
                settings["header_checks"] = "regexp:{dir}/checks"
                hop = f"smtp:[127.0.0.1]:{platform.port}"
                files["checks"] = f"/{rules.subject_pattern}/ FILTER {hop}\n".encode()
            await asyncio.to_thread(submitted, settings, files)
            return {**taken(platform), **taken(relay)}

    return asyncio.run(play())


def submitted(settings: dict[str, str], files: dict[str, bytes]) -> None:
    with postfix.running(settings, files) as mta:
        for subject, recipient in MESSAGES:
            submit(mta.port, recipient, subject=subject)
        log: Log = mta.log
        for _, recipient in MESSAGES:
            log.await_line(rf"(?i)to=<{recipient}>.*status=sent")


def taken(gateway: Gateway) -> Decided:
    return {
        recipient.lower(): gateway.plan.host
        for message in gateway.messages
        for recipient in message.recipients
    }


def by_the_lab(folder: Path, rules: RuleSet) -> Decided:
    """What the lab's own server does with the same."""

    async def play() -> Decided:
        async with run(SCENARIOS["sound"], domains=(DOMAIN,), directory=folder) as running:
            organisation = Organisation(
                rules, (DOMAIN,), running.incoming, running.certificate, running.key
            )
            async with mail(running, organisation) as flow:
                await asyncio.to_thread(all_submitted, flow)
                await flow.outcome("")
                return {
                    line.recipient.lower(): line.delivery.server
                    for line in flow.log
                    if line.delivery is not None and line.passed_on
                }

    return asyncio.run(play())


def all_submitted(flow: MailFlow) -> None:
    for subject, recipient in MESSAGES:
        submit(flow.submission.port, recipient, subject=subject)


@pytest.mark.parametrize("rules", [BY_SUFFIX, BY_SUBJECT], ids=["suffix", "subject"])
def test_the_labs_server_decides_as_postfix_does(lab: Pki, tmp_path: Path, rules: RuleSet) -> None:
    """Near misses, capitals, replies, encoded tags: each recipient ends at the same host."""
    ours, theirs = by_the_lab(tmp_path, rules), by_postfix(lab, rules)
    assert ours == theirs
    assert len(theirs) == len(MESSAGES)
    assert set(theirs.values()) == {PLATFORM, OUTSIDE}


def test_both_take_charge_before_the_next_server_has_a_say(lab: Pki, tmp_path: Path) -> None:
    """A platform that denies: Postfix says 250 to the client all the same, and so does ours."""

    async def play() -> tuple[int, bytes]:
        async with (
            run(SCENARIOS["platform_denies"], domains=(DOMAIN,), directory=tmp_path) as running,
            mail(running) as flow,
        ):
            return await asyncio.to_thread(answered, flow.submission.port)

    ours = asyncio.run(play())
    settings, files = postfix.sender(
        SENDER, 1, names=(PLATFORM,), identity=files_of(lab.leaf(Variant.BOTH, SENDER), lab)
    )
    with postfix.running(settings, files) as mta:
        theirs = answered(mta.port)
    assert (ours[0], theirs[0]) == (250, 250)
    assert all(said.startswith(b"2.0.0 Ok: queued") for _, said in (ours, theirs))


def answered(port: int) -> tuple[int, bytes]:
    """The reply to a whole message."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo("pc.muster.example")
        client.mail("anna@muster.example")
        client.rcpt("a@partner.example.incamail.ch")
        return client.data(b"Subject: x\r\n\r\nx\r\n")
