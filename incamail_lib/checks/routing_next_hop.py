"""ROUT08 to ROUT10: where the rule hands over the mail that it selects."""

from __future__ import annotations

from incamail_lib.checks._advice import NOT_CLASSIFIED
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    not_applicable,
    passed,
)
from incamail_lib.checks._routing_subject import (
    not_classified,
    probes,
    routes_of,
    weight,
)
from incamail_lib.checks._subjects import organisation
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.routing import (
    Method,
    NextHopKind,
    StandardSample,
)
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say

_BY_MX = N_("The next hop is found by the MX of the suffixed domain.")


@check(
    "ROUT08",
    on=organisation,
    passes=N_("The rule names a host for all mail it selects"),
    fails=N_("The rule names no host for the mail it selects"),
    asks=N_("Does the rule name a host for all mail it selects?"),
    why=N_(
        "A subject rule without a host looks up the recipient's own domain, which leads past "
        "IncaMail; a smart host without a name leads nowhere."
    ),
    remedy=N_("Enter IncaMail's smart host im.post.ch as the next hop of the rule."),
    clarify=N_(
        "Look up in the mail server's table which host the rule names, and enter it in the "
        "dossier (routing, next_hop and value)."
    ),
    item="6.3",
    reference="Post MGI guide 8.1; RFC 5321 §5.1",
    leg=Leg.ROUTE,
)
def next_hop_is_named(facts: AuditFacts, _: Context) -> Result:
    """MX look-up suits the suffix only; smart host and address need a value."""
    rules = facts.declared.rules
    hop = rules.next_hop
    if rules.method is Method.NONE:
        return not_applicable(say("No rule is declared; the ordinary MX look-up applies."))
    if hop.value:
        return passed(say("Next hop: {host}.", host=hop.value))
    if hop.kind is not NextHopKind.MX:
        return failed(say("The rule hands mail to a fixed host, but no host is given."))
    if rules.method is Method.DOMAIN:
        return passed(say(_BY_MX), title=N_("The next hop is found by its MX record"))
    return failed(
        say("The subject rule uses MX look-up without a host: unsuffixed mail leaves in clear."),
        level=weight(rules),
    )


@check(
    "ROUT09",
    on=organisation,
    passes=N_("The next hop is found by its name"),
    fails=N_("The next hop is a fixed address"),
    asks=N_("Is the next hop found by its name?"),
    why=N_("IncaMail's addresses can change; the guide advises against entering them as a route."),
    remedy=N_("Enter IncaMail's smart host by name, or use MX look-up."),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
    requires=("ROUT08",),
)
def next_hop_is_a_name(facts: AuditFacts, _: Context) -> Result:
    """The next hop is not an IP address, however it was declared."""
    routes = routes_of(
        probes(facts, StandardSample.TAGGED_SUFFIXED, StandardSample.TAGGED_UNSUFFIXED)
    )
    if not routes:
        return not_classified()
    hop = facts.declared.rules.next_hop
    if any(h.code == "static_next_hop" for route in routes for h in route.hazards):
        return failed(say("The next hop is the fixed address {address}.", address=hop.value))
    return passed(say("The next hop is found by name or MX look-up."))


@check(
    "ROUT10",
    on=organisation,
    passes=N_("The next hop belongs to IncaMail"),
    fails=N_("The next hop is not known as a host of IncaMail"),
    asks=N_("Does the next hop belong to IncaMail?"),
    why=N_("Everything the rule selects is handed to this host, confidential content included."),
    remedy=N_(
        "Compare the next hop with the platform facts and the set-up document. If it is a gateway "
        "of your own that passes mail on to IncaMail, name it among your sending gateways."
    ),
    clarify=N_(
        "Look up in the mail server's table which host the rule names, and ask Swiss Post whether "
        "it is one of IncaMail's."
    ),
    item="6.4",
    reference="Post MGI guide 6.4, 8.1",
    leg=Leg.ROUTE,
    requires=("ROUT08",),
)
def next_hop_is_incamails(facts: AuditFacts, _: Context) -> Result:
    """The declared host or address is known as IncaMail's, or as a sending gateway of one's own."""
    value = facts.declared.rules.next_hop.value.strip("[] ").rstrip(".").lower()
    if not value:
        return passed(say(_BY_MX), title=N_("The next hop is found by its MX record"))
    if value in _platform_hosts(facts):
        return passed(say("{host} is a host of IncaMail.", host=value))
    if any(value == g.host or value in g.addresses for g in facts.declared.sending):
        return passed(
            say("{host} is a sending gateway of your own.", host=value),
            title=N_("The next hop is a gateway of your own"),
        )
    return failed(say("{host} is not known as a host of IncaMail.", host=value))


def _platform_hosts(facts: AuditFacts) -> frozenset[str]:
    known = {facts.platform.smart_host.value}
    for gateway in facts.platform.gateways:
        known |= {gateway.host, *gateway.addresses}
    for host in facts.dns.platform_hosts:
        known |= {address.address for address in host.addresses}
    return frozenset(name.lower() for name in known)
