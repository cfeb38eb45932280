"""Two messages to one organisation, watched on the lab: by the ordinary way, and from IncaMail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

from incamail_lib.course.bench import DOMAIN, Bench, NotMeasured, at_once
from incamail_lib.facts.delivery import Cause
from incamail_lib.facts.routing import SendingType
from incamail_lib.files import private_folder
from incamail_lib.i18n import Text
from incamail_lib.lab import SCENARIOS, Running, run
from incamail_lib.lab.mail import MailFlow, Outcome, mail
from incamail_lib.lab.setting import PLATFORM_HOSTS
from incamail_lib.linktest import Consent, Mta, TestMessage, compose, compose_html, send

_READER = f"reception@{DOMAIN}"
_STRANGER = "shop@outside.example"
_UNANSWERED = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.CLOSED})


@dataclass(frozen=True)
class Arriving:
    """What became of one message: whether it arrived, whether the hand-over to the organisation
    was encrypted, and what the server that handed it over wrote into its log."""

    arrived: bool
    encrypted: bool
    log: Text

    @property
    def fate(self) -> str:
        """In one word: `encrypted`, `clear` or `none`."""
        if not self.arrived:
            return "none"
        return "encrypted" if self.encrypted else "clear"


@dataclass(frozen=True)
class Both:
    """The two messages."""

    ordinary: Arriving
    secure: Arriving


def arriving(bench: Bench, scenario: str) -> Both:
    """An ordinary sender and IncaMail deliver to the organisation of that scenario.

    Errors: NotMeasured where a server did not answer in time.
    """
    return _arriving(scenario, bench.now)


@cache
def _arriving(scenario: str, now: dt.datetime) -> Both:
    async def work() -> Both:
        with private_folder("incamail-course-") as folder:
            async with (
                run(SCENARIOS[scenario], domains=(DOMAIN,), directory=folder, now=now) as running,
                mail(running) as flow,
            ):
                return await _both(running, flow)

    return at_once(work)


async def _both(running: Running, flow: MailFlow) -> Both:
    now = dt.datetime.now(dt.UTC)
    ordinary = compose_html(_STRANGER, _READER, rules=running.rules, own_domains=(DOMAIN,), now=now)
    # A colleague writes by IncaMail: what comes in from there then is a hand-over of its own.
    suffixed = f"{_READER}{running.platform.suffix.value}"
    secure = compose(
        f"user@{DOMAIN}", suffixed, SendingType.CONFIDENTIAL, rules=running.rules, now=now
    )
    there = await _sent(flow, ordinary, flow.outside)
    here = await _sent(flow, secure, flow.submission)
    return Both(_told(there, {flow.outside.name}), _told(here, set(PLATFORM_HOSTS)))


async def _sent(flow: MailFlow, made: TestMessage, server: Mta) -> Outcome:
    agreed = Consent(
        message_id=made.message_id,
        recipient=made.recipient,
        agreed_by="course",
        agreed_at=dt.datetime.now(dt.UTC),
    )
    await send(made.message, recipient=made.recipient, server=server, consent=agreed)
    return await flow.outcome(made.message_id)


def _told(outcome: Outcome, senders: set[str]) -> Arriving:
    """The hand-over of one of these servers to the organisation."""
    tried = [(line, line.delivery) for line in outcome.log if line.server in senders]
    line, delivery = next(reversed(tried), (None, None))
    if line is None or delivery is None or delivery.cause in _UNANSWERED:
        raise NotMeasured
    return Arriving(bool(outcome.arrivals), bool(delivery.tls_version), line.text)
