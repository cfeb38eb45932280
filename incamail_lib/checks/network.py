"""NET: can the machines reach each other, and are names used rather than fixed addresses?"""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.checks._advice import ASK_AGAIN
from incamail_lib.checks._core import (
    MEASURE_ON_THE_GATEWAY,
    MEASURE_OUTSIDE,
    Context,
    NotApplicable,
    Result,
    SeenFrom,
    Settled,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._dns import no_answer
from incamail_lib.checks._endpoints import advice_on
from incamail_lib.checks._platform_facts import level_of_host
from incamail_lib.checks._subjects import organisation, platform, receiving
from incamail_lib.checks.words import joined, kind_text, reason_text, stage_text
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.facts.dns import HostFacts
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Leg, Level, Outcome
from incamail_lib.guide import PlatformGateway
from incamail_lib.i18n import N_, say
from incamail_lib.reach import INTERNAL, AddressKind, kind_of

_UNREACHED = frozenset({Reason.REFUSED, Reason.UNREACHABLE})
_IS_IT_YOURS = N_(
    "If this is a server of the organisation, enter the address with the gateway in the dossier, "
    "or its network under network.internal_networks, and measure again. If not, correct the DNS. "
    "IncaMail itself can deliver to a public address only."
)
_CORRECT_THE_DNS = N_(
    "Correct the DNS: no mail server can be reached at such an address. If the answer differs in "
    "the organisation's own network, name its name servers in the dossier (network.nameservers)."
)


def _answers(endpoint: EndpointFacts) -> Result:
    """One judgement for both directions: does the port answer TCP?

    A timeout is not proof of absence: a firewall that drops packets and a lost path look alike
    from here, so it stays unknown; a refusal was said by the machine itself.
    """
    survey = endpoint.survey
    if survey.reached is not None:
        return passed(say("The port answered."))
    if survey.ended is Reason.NOT_CONTACTED:
        return _not_contacted(endpoint.target.address)
    if survey.ended in _UNREACHED:
        return failed(
            say("No connection: {evidence}", evidence=survey.evidence or reason_text(survey.ended))
        )
    return unknown(
        say("No connection could be made from here: {reason}.", reason=reason_text(survey.ended))
    )


def _not_contacted(address: str) -> Result:
    """A name led to an address that nobody allowed.

    In the DNS of the client's own network a private address may be right, and IncaMail sees
    another one: that stays unknown. The others are right nowhere.
    """
    kind = kind_of(address)
    if kind is AddressKind.PUBLIC:
        return unknown(
            say("Not contacted: {address} is outside this computer.", address=address),
            remedy=say(
                "The lab never leaves this computer. Set platform: incamail in the dossier."
            ),
        )
    seen = say(
        "Not contacted: the name leads to {address}, which is {kind}.",
        address=address,
        kind=kind_text(kind),
    )
    if kind in INTERNAL:
        return unknown(seen, remedy=say(_IS_IT_YOURS))
    return failed(seen, remedy=say(_CORRECT_THE_DNS))


@check(
    "NET01",
    on=receiving,
    passes=N_("The client's gateway can be reached"),
    fails=N_("The client's gateway cannot be reached"),
    asks=N_("Can the client's gateway be reached?"),
    why=N_("IncaMail delivers to this port; if it is closed, no secure mail arrives."),
    remedy=N_(
        "Open TCP port 25 on the firewall for connections from IncaMail's servers, and check that "
        "the mail service is running and listening on this address."
    ),
    clarify=N_(
        "Try it from another place outside: «nc -vz HOST 25». If nothing answers there either, "
        "read the log of the firewall and see whether the mail service is running."
    ),
    item="6.4",
    reference="RFC 5321 §2.3.5, §4.5.4.2",
    leg=Leg.ARRIVAL,
    seen_from=SeenFrom.OUTSIDE,
)
def gateway_is_reachable(endpoint: EndpointFacts, context: Context) -> Result:
    """The receiving gateway's port answers, at an address that IncaMail can reach as well; a
    refusal counts only where port 25 is open."""
    result = _answers(endpoint)
    kind = kind_of(endpoint.target.address)
    on_lab = context.facts.vantage.on_lab
    if result.outcome is Outcome.PASSED and kind in INTERNAL and not on_lab:
        return unknown(
            say(
                "The port answered at {address}, which is {kind}: IncaMail cannot deliver there.",
                address=endpoint.target.address,
                kind=kind_text(kind),
            ),
            remedy=say(
                "Measure from outside the organisation's network, with the name servers that the "
                "Internet sees (network.nameservers)."
            ),
        )
    port_25 = context.facts.receiving_vantage.port_25
    blocked = port_25 is not None and port_25.is_no and endpoint.target.port == 25
    if blocked and endpoint.survey.ended in _UNREACHED:
        return unknown(
            say("Port 25 is probably blocked here. Seen: {seen}", seen=result.seen),
            remedy=say(MEASURE_OUTSIDE),
        )
    return result


@check(
    "NET02",
    on=platform,
    passes=N_("IncaMail's gateway can be reached"),
    fails=N_("IncaMail's gateway cannot be reached"),
    asks=N_("Can IncaMail's gateway be reached?"),
    why=N_("Outgoing secure mail takes this way; a closed port leaves it in the queue."),
    remedy=N_(
        "Allow outgoing TCP port 25 from the sending gateway to IncaMail's gateways on the "
        "firewall. If this test did not run on the sending gateway itself, repeat it there: "
        "many networks block port 25 for ordinary computers."
    ),
    clarify=N_(
        "Try it on the sending gateway: «nc -vz HOST 25». If nothing answers, read in the "
        "firewall's log whether it lets outgoing TCP port 25 through."
    ),
    item="6.4",
    reference="RFC 5321 §2.3.5, §4.5.4.2",
    leg=Leg.LINK,
    seen_from=SeenFrom.CLIENT,
)
def platform_is_reachable(endpoint: EndpointFacts, context: Context) -> Result:
    """The platform's port answers; a host that is only guessed to be the platform's weighs less."""
    result = _as_the_gateway_would(_answers(endpoint), context)
    return replace(result, level=level_of_host(endpoint, context))


def _as_the_gateway_would(result: Result, context: Context) -> Result:
    """A refusal met by another machine of the same network may be meant for that machine alone:
    firewalls and block lists go by the sender's address."""
    if result.outcome is not Outcome.FAILED or context.facts.vantage.place is not Place.INSIDE:
        return result
    return unknown(
        say("Seen beside the sending gateway, not on it: {seen}", seen=result.seen),
        remedy=say(MEASURE_ON_THE_GATEWAY),
    )


def _hosts_with_both_families(facts: AuditFacts) -> Subjects[list[EndpointFacts]]:
    """Hosts with an IPv6 address, and those of which it is not known whether they have one."""
    hosts = sorted({e.target.host for e in facts.receiving if ":" in e.target.address})
    by_host = {h: [e for e in facts.receiving if e.target.host == h] for h in hosts}
    named = (*(m.host for d in facts.dns.domains for m in d.exchangers), *facts.dns.hosts)
    receiving_hosts = {e.target.host for e in facts.receiving}
    silent = {h.host: h.aaaa for h in named if h.aaaa.is_failure and h.host in receiving_hosts}
    subjects: list[Subject[list[EndpointFacts]] | Settled] = [
        Subject(host, endpoints) for host, endpoints in by_host.items()
    ]
    subjects += [Settled(h, no_answer(a)) for h, a in silent.items() if h not in by_host]
    return subjects or NotApplicable(say("No receiving gateway has an IPv6 address."))


@check(
    "NET03",
    on=_hosts_with_both_families,
    passes=N_("Published IPv6 addresses answer as well"),
    fails=N_("Published IPv6 addresses do not answer"),
    asks=N_("Do published IPv6 addresses answer as well?"),
    why=N_(
        "A sender may try the IPv6 address first. If nothing answers there, delivery is delayed, "
        "and a firewall rule made for IPv4 alone is the usual cause."
    ),
    remedy=N_(
        "Make the service reachable over IPv6 with the same firewall rules, or withdraw the AAAA "
        "record."
    ),
    clarify=N_(
        "Try it from a machine outside that has IPv6 itself: «nc -6 -vz HOST 25». If nothing "
        "answers there either, read the firewall's log for IPv6."
    ),
    item="6.4",
    reference="RFC 5321 §5.2",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    seen_from=SeenFrom.OUTSIDE,
)
def ipv6_answers_like_ipv4(endpoints: list[EndpointFacts], _: Context) -> Result:
    """Every IPv6 address of the host answers."""
    v6 = [e for e in endpoints if ":" in e.target.address]
    silent = [e.target.address for e in v6 if e.survey.reached is None]
    if not silent:
        return passed(say("Every IPv6 address answered."))
    if all(e.survey.ended in _UNREACHED for e in v6 if e.survey.reached is None):
        return failed(say("No answer from {addresses}.", addresses=joined(silent)))
    return unknown(say("No connection from here to {addresses}.", addresses=joined(silent)))


def _platform_hosts(facts: AuditFacts) -> Subjects[tuple[HostFacts, PlatformGateway]]:
    documented = {g.host: g for g in facts.platform.gateways if g.addresses}
    hosts = [h for h in facts.dns.platform_hosts if h.host in documented]
    if not documented:
        return NotApplicable(say("No addresses are documented for the platform's gateways."))
    return [Subject(h.host, (h, documented[h.host])) for h in hosts]


@check(
    "NET04",
    on=_platform_hosts,
    passes=N_("IncaMail's addresses are the documented ones"),
    fails=N_("IncaMail's addresses are not the documented ones"),
    asks=N_("Are IncaMail's addresses the documented ones?"),
    why=N_(
        "The firewall rules of the network matrix name addresses. If the DNS gives others, mail "
        "is blocked, or somebody else answers for IncaMail."
    ),
    remedy=N_(
        "Ask Swiss Post which addresses its gateways use today, and correct the network matrix "
        "and the firewall rules."
    ),
    clarify=ASK_AGAIN,
    item="6.4",
    reference="Post MGI guide 6.4",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
)
def platform_addresses_are_documented(
    pair: tuple[HostFacts, PlatformGateway], _: Context
) -> Result:
    """Every address the DNS gives for a gateway stands in the network matrix."""
    host, gateway = pair
    if host.a.is_failure or host.aaaa.is_failure:
        return unknown(say("The DNS gave no answer for {host}.", host=host.host))
    seen = sorted({*host.a.records, *host.aaaa.records})
    if not seen:
        return not_applicable(say("{host} has no address in the DNS.", host=host.host))
    others = [address for address in seen if address not in gateway.addresses]
    if others:
        return failed(
            say(
                "The DNS gives {others}, documented are {documented}.",
                others=joined(others),
                documented=joined(gateway.addresses),
            )
        )
    return passed(say("The DNS gives {addresses}, as documented.", addresses=joined(seen)))


@check(
    "NET05",
    on=organisation,
    passes=N_("The network matrix names the sending gateways"),
    fails=N_("The network matrix names no sending gateway"),
    asks=N_("Does the network matrix name the sending gateways?"),
    why=N_(
        "Receiving and sending gateways may be different machines; IncaMail and both firewalls "
        "need to know all of them."
    ),
    remedy=N_(
        "Complete the network matrix with host name and public address of each sending gateway."
    ),
    clarify=N_(
        "Enter the sending gateways with host name and public address in the dossier (gateways: "
        "sending)."
    ),
    item="6.4",
    reference="Post MGI guide 6.1, 6.4",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
)
def sending_gateways_are_declared(facts: AuditFacts, _: Context) -> Result:
    """At least one sending gateway is declared."""
    hosts = ", ".join(g.host for g in facts.declared.sending)
    if not hosts:
        return unknown(say("The dossier names no sending gateway."))
    return passed(say("Sending gateways: {hosts}.", hosts=hosts))


@check(
    "NET06",
    on=platform,
    passes=N_("IncaMail's gateway serves this sender"),
    fails=N_("IncaMail's gateway refuses to serve this sender"),
    asks=N_("Does IncaMail's gateway serve this sender?"),
    why=N_(
        "A gateway that answers but turns the sender away (421, greylisting, block list) will "
        "delay or refuse secure mail."
    ),
    remedy=N_(
        "Run the test from the sending gateway's registered address. If it is refused there, ask "
        "Swiss Post to register the address."
    ),
    clarify=N_(
        "Measure again on the sending gateway, from its registered address, and read in the "
        "firewall's log why the dialogue ended early."
    ),
    item="6.8",
    reference="RFC 5321 §3.1, §4.2.1",
    leg=Leg.LINK,
    requires=("NET02",),
    seen_from=SeenFrom.CLIENT,
)
def platform_serves_us(endpoint: EndpointFacts, context: Context) -> Result:
    """The platform greeted and answered EHLO."""
    return _as_the_gateway_would(_serves(endpoint), context)


def _serves(endpoint: EndpointFacts) -> Result:
    survey = endpoint.survey
    if survey.capabilities is not None:
        return passed(say("The gateway greeted and answered EHLO."))
    if survey.ended is Reason.REJECTED:
        return failed(say("The gateway refused service: {evidence}", evidence=survey.evidence))
    return unknown(
        say(
            "The dialogue ended early ({reason}, {stage}): {evidence}",
            reason=reason_text(survey.ended),
            stage=stage_text(survey.ended_in),
            evidence=survey.evidence,
        ),
        remedy=advice_on(endpoint, survey.ended),
    )
