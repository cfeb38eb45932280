"""The suffix rule as each mail server wants it written: what a remedy tells to enter."""

from __future__ import annotations

from incamail_lib.facts.routing import (
    ENGINE_NAMES,
    EXIM_ENGINES,
    POSTFIX_ENGINES,
    Engine,
    RuleSet,
)
from incamail_lib.i18n import Text, say

# transport(5); Exim specification 20; New-SendConnector, New-OutboundConnector; AsyncOS smtproutes
_SYNTAX = (
    (POSTFIX_ENGINES, "transport_maps: .incamail.ch smtp:[{host}]"),
    (EXIM_ENGINES, "driver = manualroute, domains = *.incamail.ch, route_data = {host}"),
    (
        (Engine.EXCHANGE_ONLINE, Engine.EXCHANGE_ONLINE_WORDS),
        'New-OutboundConnector -RecipientDomains "*.incamail.ch" -SmartHosts "{host}"',
    ),
    (
        (Engine.EXCHANGE_SERVER,),
        'New-SendConnector -AddressSpaces "SMTP:*.incamail.ch;1" -SmartHosts {host}',
    ),
    ((Engine.CISCO_ESA,), "smtproutes: .incamail.ch {host}"),
)


def in_own_syntax(rules: RuleSet) -> Text | None:
    """The suffix rule as the declared mail server wants it written; None: the check's own words."""
    host = rules.next_hop.value.strip("[]") or "im.post.ch"
    for engines, line in _SYNTAX:
        if rules.engine in engines:
            return say(
                "Enter this in {product}: {line}",
                product=ENGINE_NAMES[rules.engine].partition(" (")[0],
                line=line.format(host=host),
            )
    return None
