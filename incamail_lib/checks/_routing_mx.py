"""What a way to IncaMail is worth that rests on a look-up of its MX."""

from __future__ import annotations

from incamail_lib.checks._core import Result, failed, passed, unknown
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.i18n import say


def with_mx(facts: AuditFacts, *, by_no_rule: bool) -> Result:
    """The MX exists, and where no rule leads to it, no default relay takes the mail before."""
    if by_no_rule and facts.declared.rules.default_relay is None:
        return unknown(
            say(
                "The route rests on the MX of the suffix; whether a default relay is used is open."
            ),
            remedy=say(
                "Say in the dossier (routing, default_relay) which host takes all other mail, or "
                "«none»."
            ),
        )
    answer = facts.dns.platform_mx
    if answer is None or not (answer.records or answer.is_absent):
        return unknown(
            say("The route rests on the MX of the suffix, which could not be looked up."),
            remedy=say(
                "Look it up on the sending gateway (dig probe.incamail.ch MX). If no answer comes "
                "there either, look at the resolver that the gateway uses."
            ),
        )
    if answer.is_absent:
        return failed(
            say("The route rests on the MX of the suffix, but {name} has none.", name=answer.name)
        )
    hosts = [record.rpartition(" ")[2].rstrip(".") for record in answer.records]
    return passed(say("Suffixed addresses find IncaMail by its MX: {hosts}.", hosts=joined(hosts)))
