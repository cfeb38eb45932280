"""DNS: the gateways by name – declared, delivered to, sending, and those of IncaMail."""

from __future__ import annotations

from incamail_lib.checks._advice import ALL_EXCHANGERS, ASK_AGAIN, SENDING_ADDRESS
from incamail_lib.checks._core import (
    Context,
    NotApplicable,
    Result,
    SeenFrom,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._dns import left_out, no_answer, shown
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined, reason_text
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import AddressFacts, HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say, say_n
from incamail_lib.mailpolicy.senders import published


def _declared(facts: AuditFacts) -> Subjects[AuditFacts]:
    if not facts.declared.receiving:
        return NotApplicable(say("The dossier leaves the receiving gateways to the MX records."))
    return [Subject("", facts)]


@check(
    "DNS08",
    on=_declared,
    passes=N_("The declared receiving gateways are published"),
    fails=N_("Declared receiving gateways are not published"),
    asks=N_("Are the declared receiving gateways published?"),
    why=N_("IncaMail delivers where the MX records lead; gateways not named there stay idle."),
    remedy=N_("Correct the MX records, or the list of gateways in the dossier."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 5321 §5.1; Post MGI guide 6.1",
    leg=Leg.LOOK_UP,
    level=Level.RECOMMENDED,
)
def declared_gateways_are_published(facts: AuditFacts, _: Context) -> Result:
    """Every declared gateway is among the exchangers, where the incoming route is by MX."""
    if facts.declared.incoming.kind is not NextHopKind.MX:
        return not_applicable(say("Incoming mail does not use the MX records."))
    silent = [d.mx for d in facts.dns.domains if d.mx.is_failure]
    if silent:
        return no_answer(silent[0])
    published = {m.host.host for d in facts.dns.domains for m in d.exchangers}
    missing = [g.host for g in facts.declared.receiving if g.host not in published]
    rest = next((text for text in map(left_out, facts.dns.domains) if text), None)
    if missing and rest is not None:
        return unknown(rest, remedy=say(ALL_EXCHANGERS))
    if missing:
        return failed(say("Not among the MX records: {names}.", names=joined(missing)))
    return passed(say("All are among the MX records."))


@check(
    "DNS09",
    on=organisation,
    passes=N_("IncaMail finds the gateway by name"),
    fails=N_("IncaMail delivers to a fixed address"),
    asks=N_("Does IncaMail find the gateway by name?"),
    why=N_("Fixed addresses change sooner or later, and secure mail then stops without warning."),
    remedy=N_("Choose delivery by MX, or by a host name, in the set-up document."),
    clarify=N_(
        "Look up in the set-up document how IncaMail finds the gateway, and enter it in the "
        "dossier (incoming: route and value)."
    ),
    item="8.2",
    reference="Post MGI guide 8.2; RFC 5321 §5.1",
    leg=Leg.LOOK_UP,
    level=Level.RECOMMENDED,
)
def incoming_route_is_by_name(facts: AuditFacts, _: Context) -> Result:
    """The incoming route is MX or a host name, not an address. Required while nobody has decided
    it: what was measured may then be another way than IncaMail takes."""
    incoming = facts.declared.incoming
    if "incoming.route" in facts.declared.undecided:
        return unknown(
            say("Nobody has decided yet how IncaMail finds the gateway; MX was assumed."),
            level=Level.REQUIRED,
        )
    if incoming.kind is NextHopKind.STATIC:
        return failed(say("A fixed address is declared: {address}.", address=incoming.value))
    if incoming.kind is NextHopKind.SMART_HOST:
        return passed(say("By the host name {host}.", host=incoming.value))
    return passed(say("By MX."))


def _sending_hosts(facts: AuditFacts) -> Subjects[HostFacts]:
    names = [g.host for g in facts.declared.sending]
    if not names:
        return NotApplicable(say("The dossier names no sending gateway."))
    known = {h.host: h for h in facts.dns.hosts}
    return [Subject(name, known[name]) for name in names if name in known]


@check(
    "DNS10",
    on=_sending_hosts,
    passes=N_("The sending gateway has a matching reverse name"),
    fails=N_("The sending gateway has no matching reverse name"),
    asks=N_("Does the sending gateway have a matching reverse name?"),
    why=N_("Many servers distrust or delay senders whose address has no name."),
    remedy=N_("Have the provider of the address enter its host name as PTR record."),
    clarify=N_(
        "Look up the name of the address with «dig -x ADDRESS», and whether that name leads back "
        "to the address. If the look-up fails, ask the provider of the address."
    ),
    item="6.4",
    reference="RFC 1912 §2.1",
    leg=None,
    level=Level.RECOMMENDED,
)
def reverse_name_is_confirmed(host: HostFacts, _: Context) -> Result:
    """Each address has a PTR that leads back to it."""
    if not host.addresses:
        silent = [a for a in (host.a, host.aaaa) if a.is_failure]
        if silent:
            return no_answer(silent[0])
        return unknown(
            say("No address of {host} is published.", host=host.host), remedy=say(SENDING_ADDRESS)
        )
    refuted = [a.address for a in host.addresses if a.forward_confirmed.is_no]
    if refuted:
        return failed(say("No matching reverse name: {addresses}.", addresses=joined(refuted)))
    open_ones = [a for a in host.addresses if not a.forward_confirmed.is_known]
    if open_ones:
        return _not_confirmed(open_ones[0])
    return _rest_of_addresses(host) or passed(
        say("Confirmed: {names}.", names=joined(shown(host.addresses[0].ptr.records)))
    )


def _rest_of_addresses(host: HostFacts) -> Result | None:
    """Why those that were confirmed may not be all; None where they are."""
    silent = [a for a in (host.a, host.aaaa) if a.is_failure]
    if silent:
        return no_answer(silent[0])
    if len(host.addresses) < len(published(host)):
        return unknown(
            say_n(
                "Only the first address was looked at.",
                "Only the first {n} addresses were looked at.",
                len(host.addresses),
            ),
            remedy=say("Look up the names of the other addresses with «dig -x ADDRESS»."),
        )
    return None


def _not_confirmed(address: AddressFacts) -> Result:
    """The reverse name, or the way back from it, could not be looked up."""
    if address.ptr.is_failure:
        return no_answer(address.ptr)
    way_back = address.forward_confirmed
    return unknown(
        say(
            "It could not be seen: {reason}. {evidence}",
            reason=reason_text(way_back.reason),
            evidence=way_back.evidence,
        )
    )


@check(
    "DNS17",
    on=organisation,
    passes=N_("IncaMail's gateways are found in the DNS"),
    fails=N_("IncaMail's gateways are not found in the DNS"),
    asks=N_("Are IncaMail's gateways found in the DNS?"),
    why=N_("Your server must find IncaMail by name; fixed addresses are advised against."),
    remedy=N_(
        "Check that the sending gateway's resolver reaches the Internet, and ask Swiss Post for "
        "the names in use."
    ),
    clarify=N_(
        "Repeat the look-up on the sending gateway (dig HOST). If it fails there too, look at the "
        "resolver that the gateway uses."
    ),
    item="8.1",
    reference="RFC 5321 §5.1; Post MGI guide 8.1",
    leg=Leg.ROUTE,
    seen_from=SeenFrom.CLIENT,
)
def platform_is_found(facts: AuditFacts, _: Context) -> Result:
    """At least one of the platform's hosts has an address."""
    found = [h.host for h in facts.dns.platform_hosts if published(h)]
    if found:
        return passed(say("Found: {names}.", names=joined(found)))
    hosts = facts.dns.platform_hosts
    silent = [answer for h in hosts for answer in (h.a, h.aaaa) if answer.is_failure]
    if silent or not facts.dns.platform_hosts:
        return no_answer(silent[0]) if silent else unknown(say("Nothing was looked up."))
    return failed(say("None of IncaMail's hosts has an address."))
