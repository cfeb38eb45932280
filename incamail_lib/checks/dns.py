"""DNS: can IncaMail find the client's gateways, and the client IncaMail's?"""

from __future__ import annotations

from incamail_lib.checks._core import (
    Check,
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
from incamail_lib.checks._dns import left_out, no_answer, of_every_exchanger, shown
from incamail_lib.checks._subjects import domains, organisation
from incamail_lib.checks.words import joined, reason_text
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import AddressFacts, DnsStatus, DomainFacts, HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.findings import Level
from incamail_lib.guide.hosted import hosted_by
from incamail_lib.i18n import N_, say


@check(
    "DNS01",
    on=domains,
    title=N_("The domain can be looked up"),
    why=N_("IncaMail finds the gateway of a domain through the DNS."),
    remedy=N_("Check the spelling of the domain and the health of its name servers."),
    item="6.1",
    reference="RFC 5321 §5.1",
)
def domain_is_found(domain: DomainFacts, _: Context) -> Result:
    """The MX question was answered, even if by "there is none"."""
    if domain.mx.status in (DnsStatus.NXDOMAIN, DnsStatus.BAD_NAME):
        return failed(say("The domain does not exist."))
    if domain.mx.status in (DnsStatus.FOUND, DnsStatus.NO_DATA):
        return passed(say("The name servers answered."))
    return no_answer(domain.mx)


@check(
    "DNS02",
    on=domains,
    title=N_("The domain accepts mail"),
    why=N_("A null MX tells the world that the domain takes no mail, so nobody delivers."),
    remedy=N_("Remove the null MX record and publish the gateway's MX records."),
    item="6.1",
    reference="RFC 7505 §3, §4",
    requires=("DNS01",),
)
def domain_accepts_mail(domain: DomainFacts, _: Context) -> Result:
    """No null MX."""
    if domain.null_mx or _nulls(domain) == len(domain.mx.records) > 0:
        return failed(say("A null MX is published."))
    return passed(say("MX: {records}.", records=joined(shown(domain.mx.records) or ("–",))))


def _nulls(domain: DomainFacts) -> int:
    return sum(record.split(" ", 1)[-1] == "." for record in domain.mx.records)


@check(
    "DNS23",
    on=domains,
    title=N_("No null MX stands beside other exchangers"),
    why=N_("Some senders take the null MX for «no mail» and do not deliver at all."),
    remedy=N_("Remove the null MX record."),
    item="6.1",
    reference="RFC 7505 §3",
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
def null_mx_stands_alone(domain: DomainFacts, _: Context) -> Result:
    """The root is named by no MX record of a domain that takes mail."""
    if _nulls(domain):
        return failed(say("MX: {records}.", records=joined(domain.mx.records)))
    return passed(say("No MX record names the DNS root."))


@check(
    "DNS03",
    on=domains,
    title=N_("The gateway is named by an MX record"),
    why=N_("Without MX, senders fall back to the domain's own address, often a web server."),
    remedy=N_("Publish an MX record for the domain."),
    item="6.1",
    reference="RFC 5321 §5.1",
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
@of_every_exchanger
def mx_is_explicit(domain: DomainFacts, _: Context) -> Result:
    """There is an MX record."""
    if domain.implicit_mx:
        return failed(say("There is no MX record; the domain's own address is used."))
    return passed(say("{count} exchangers.", count=len(domain.exchangers)))


@check(
    "DNS04",
    on=domains,
    title=N_("MX records name hosts, not addresses"),
    why=N_("An address in an MX record is not allowed, and many servers do not deliver to it."),
    remedy=N_("Give the gateway a host name and enter that in the MX record."),
    item="6.1",
    reference="RFC 5321 §5.1; RFC 1035 §3.3.9",
    requires=("DNS02",),
)
@of_every_exchanger
def mx_are_names(domain: DomainFacts, _: Context) -> Result:
    """No exchanger is an address literal."""
    literals = [m.host.host for m in domain.exchangers if m.host.is_ip_literal]
    if literals:
        return failed(say("Addresses in place of names: {names}.", names=joined(literals)))
    return passed(say("All are names."))


@check(
    "DNS05",
    on=domains,
    title=N_("MX records name no aliases"),
    why=N_("The standard forbids it, and name checks of certificates then often fail."),
    remedy=N_("Enter the real host name in the MX record instead of the alias."),
    item="6.1",
    reference="RFC 5321 §5.1; RFC 2181 §10.3",
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
@of_every_exchanger
def mx_are_not_aliases(domain: DomainFacts, _: Context) -> Result:
    """No exchanger is a CNAME; one about which nothing was answered leaves it open."""
    aliases = [m.host.host for m in domain.exchangers if m.host.is_alias]
    if aliases:
        return failed(say("Aliases: {names}.", names=joined(aliases)))
    silent = [m.host.a for m in domain.exchangers if m.host.a.is_failure and m.host.aaaa.is_failure]
    if silent:
        return no_answer(silent[0])
    return passed(say("None is an alias."))


@check(
    "DNS06",
    on=domains,
    title=N_("Every mail exchanger has an address"),
    why=N_("An exchanger without address delays mail, or loses it when it is the only one."),
    remedy=N_("Publish A records (and AAAA where IPv6 is served), or remove the MX record."),
    item="6.1",
    reference="RFC 5321 §5.1",
    requires=("DNS02", "DNS04"),
)
@of_every_exchanger
def exchangers_have_addresses(domain: DomainFacts, _: Context) -> Result:
    """Each has an A or AAAA record; one that failed to answer leaves it open."""
    hosts = [m.host for m in domain.exchangers]
    empty = [h.host for h in hosts if h.a.is_absent and h.aaaa.is_absent]
    if empty:
        level = Level.REQUIRED if len(empty) == len(hosts) else Level.RECOMMENDED
        return failed(say("Without address: {names}.", names=joined(empty)), level=level)
    silent = [h.aaaa if h.a.is_absent else h.a for h in hosts if not _addresses(h)]
    if silent or not hosts:
        return no_answer(silent[0] if silent else domain.mx)
    return passed(say("All have an address."))


def _addresses(host: HostFacts) -> tuple[str, ...]:
    return (*host.a.records, *host.aaaa.records)


@check(
    "DNS07",
    on=domains,
    title=N_("The gateway is not hosted by an outside company"),
    why=N_(
        "IncaMail's protection ends at the gateway. Run by an outside company, that company sees "
        "confidential mail decrypted; the guide advises against it."
    ),
    remedy=N_(
        "Let the mail server talk to IncaMail directly (own host name in the set-up document), or "
        "settle confidentiality with the provider in a contract."
    ),
    item="2",
    reference="Post MGI guide 2; DSG Art. 9",
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
@of_every_exchanger
def gateway_is_not_hosted(domain: DomainFacts, _: Context) -> Result:
    """No exchanger, nor what it is an alias of, belongs to a known provider.

    A name outside the domain that is not recognised may belong to anybody: it stays unknown.
    """
    found = [(m.host.host, _provider(m.host)) for m in domain.exchangers]
    hosted = [f"{host} ({by})" for host, by in found if by]
    if hosted:
        return failed(say("Hosted by a provider: {names}.", names=joined(hosted)))
    own = _registrable(domain.domain)
    foreign = [m.host.host for m in domain.exchangers if _leads_elsewhere(m.host, own)]
    if foreign:
        return unknown(say("Not recognised whose they are: {names}.", names=joined(foreign)))
    return passed(say("The exchangers bear the domain's own name."))


def _leads_elsewhere(host: HostFacts, own: str) -> bool:
    names = (host.host, host.a.canonical_name, host.aaaa.canonical_name)
    return any(_registrable(name) != own for name in names if name)


def _provider(host: HostFacts) -> str:
    names = (host.host, host.a.canonical_name, host.aaaa.canonical_name)
    by = next((p for p in map(hosted_by, names) if p is not None), None)
    return by.provider if by else ""


_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "gv", "net", "or", "org"})


def _registrable(name: str) -> str:
    """The part of a name that somebody registered, as far as its labels tell: example.co.uk."""
    labels = name.lower().split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if deep else -2 :])


def _declared(facts: AuditFacts) -> Subjects:
    if not facts.declared.receiving:
        return NotApplicable(say("The dossier leaves the receiving gateways to the MX records."))
    return [Subject("", facts)]


@check(
    "DNS08",
    on=_declared,
    title=N_("The declared receiving gateways are the published ones"),
    why=N_("IncaMail delivers where the MX records lead; gateways not named there stay idle."),
    remedy=N_("Correct the MX records, or the list of gateways in the dossier."),
    item="6.1",
    reference="RFC 5321 §5.1; Post MGI guide 6.1",
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
        return unknown(rest)
    if missing:
        return failed(say("Not among the MX records: {names}.", names=joined(missing)))
    return passed(say("All are among the MX records."))


@check(
    "DNS09",
    on=organisation,
    title=N_("IncaMail finds the gateway by name"),
    why=N_("Fixed addresses change sooner or later, and secure mail then stops without warning."),
    remedy=N_("Choose delivery by MX, or by a host name, in the set-up document."),
    item="8.2",
    reference="Post MGI guide 8.2; RFC 5321 §5.1",
    level=Level.RECOMMENDED,
)
def incoming_route_is_by_name(facts: AuditFacts, _: Context) -> Result:
    """The incoming route is MX or a host name, not an address."""
    incoming = facts.declared.incoming
    if incoming.kind is NextHopKind.STATIC:
        return failed(say("A fixed address is declared: {address}.", address=incoming.value))
    if incoming.kind is NextHopKind.SMART_HOST:
        return passed(say("By the host name {host}.", host=incoming.value))
    return passed(say("By MX."))


def _sending_hosts(facts: AuditFacts) -> Subjects:
    names = [g.host for g in facts.declared.sending]
    if not names:
        return NotApplicable(say("The dossier names no sending gateway."))
    known = {h.host: h for h in facts.dns.hosts}
    return [Subject(name, known[name]) for name in names if name in known]


@check(
    "DNS10",
    on=_sending_hosts,
    title=N_("The sending gateway has a matching reverse name"),
    why=N_("Many servers distrust or delay senders whose address has no name."),
    remedy=N_("Have the provider of the address enter its host name as PTR record."),
    item="6.4",
    reference="RFC 1912 §2.1",
    level=Level.RECOMMENDED,
)
def reverse_name_is_confirmed(host: HostFacts, _: Context) -> Result:
    """Each address has a PTR that leads back to it."""
    if not host.addresses:
        silent = [a for a in (host.a, host.aaaa) if a.is_failure]
        if silent:
            return no_answer(silent[0])
        return unknown(say("No address of {host} is published.", host=host.host))
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
    if len(host.addresses) < len(_addresses(host)):
        return unknown(
            say("Only the first {limit} addresses were looked at.", limit=len(host.addresses))
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
    title=N_("IncaMail's gateways are found in the DNS"),
    why=N_("Your server must find IncaMail by name; fixed addresses are advised against."),
    remedy=N_(
        "Check that the sending gateway's resolver reaches the Internet, and ask Swiss Post for "
        "the names in use."
    ),
    item="8.1",
    reference="RFC 5321 §5.1; Post MGI guide 8.1",
    seen_from=SeenFrom.CLIENT,
)
def platform_is_found(facts: AuditFacts, _: Context) -> Result:
    """At least one of the platform's hosts has an address."""
    found = [h.host for h in facts.dns.platform_hosts if _addresses(h)]
    if found:
        return passed(say("Found: {names}.", names=joined(found)))
    hosts = facts.dns.platform_hosts
    silent = [answer for h in hosts for answer in (h.a, h.aaaa) if answer.is_failure]
    if silent or not facts.dns.platform_hosts:
        return no_answer(silent[0]) if silent else unknown(say("Nothing was looked up."))
    return failed(say("None of IncaMail's hosts has an address."))


CHECKS: tuple[Check, ...] = (
    domain_is_found,
    domain_accepts_mail,
    null_mx_stands_alone,
    mx_is_explicit,
    mx_are_names,
    mx_are_not_aliases,
    exchangers_have_addresses,
    gateway_is_not_hosted,
    declared_gateways_are_published,
    incoming_route_is_by_name,
    reverse_name_is_confirmed,
    platform_is_found,
)
