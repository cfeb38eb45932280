"""One message watched on its way through the lab's mail servers to IncaMail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incamail_lib.facts.routing import SendingType
from incamail_lib.lab import Running
from incamail_lib.lab.mail import mail
from incamail_lib.linktest import Consent, compose, send

TO = "anna.keller@recipient.example"


@dataclass(frozen=True)
class Journey:
    """What passed between the organisation's server and IncaMail, and who held the message then.

    Commands only: what was said before TLS, and inside it.
    """

    in_clear: tuple[str, ...]
    in_tls: tuple[str, ...]
    tls_version: str
    reply: str  # to the whole message
    holders: frozenset[str]

    @property
    def verbs_in_clear(self) -> frozenset[str]:
        """The commands that anybody on the wire could read."""
        return frozenset(command.split()[0].upper() for command in self.in_clear)


async def travel(running: Running, domain: str) -> Journey:
    """Hand one message in at the organisation's mail server, as its author does, and look at what
    that server says to IncaMail. LookupError where the scenario lets none arrive."""
    now = dt.datetime.now(dt.UTC)
    made = compose(
        f"user@{domain}",
        f"{TO}{running.platform.suffix.value}",
        SendingType.CONFIDENTIAL,
        rules=running.rules,
        now=now,
    )
    agreed = Consent(
        message_id=made.message_id, recipient=made.recipient, agreed_by="course", agreed_at=now
    )
    async with mail(running) as flow:
        await send(made.message, recipient=made.recipient, server=flow.submission, consent=agreed)
        outcome = await flow.outcome(made.message_id)
    over = next((line.delivery for line in outcome.log if line.passed_on), None)
    if over is None or over.reply is None:
        raise LookupError(outcome.log)
    record = running.gateways[over.server].records[-1]
    return Journey(
        in_clear=tuple(record.commands),
        in_tls=tuple(record.commands_in_tls),
        tls_version=record.tls_version,
        reply=str(over.reply.text),
        holders=frozenset(host for host, one in running.gateways.items() if one.messages),
    )
