"""DNS: can IncaMail find the client's gateways, and the client IncaMail's?"""

from __future__ import annotations

from incamail_lib.checks._advice import ALL_EXCHANGERS, ASK_AGAIN, OLDER_FACTS
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._dns import cut, no_answer, of_every_exchanger, shown
from incamail_lib.checks._subjects import domains
from incamail_lib.checks.words import joined
from incamail_lib.facts.dns import DnsStatus, DomainFacts, HostFacts
from incamail_lib.findings import Leg, Level
from incamail_lib.guide.hosted import hosted_by
from incamail_lib.i18n import N_, say, say_n
from incamail_lib.mailpolicy.senders import published


@check(
    "DNS01",
    on=domains,
    passes=N_("The domain can be looked up"),
    fails=N_("The domain does not exist"),
    asks=N_("Can the domain be looked up?"),
    why=N_("IncaMail finds the gateway of a domain through the DNS."),
    remedy=N_("Check the spelling of the domain and the health of its name servers."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 5321 §5.1",
    leg=Leg.LOOK_UP,
)
def domain_is_found(domain: DomainFacts, _: Context) -> Result:
    """The MX question was answered, even if by "there is none"."""
    if domain.mx.status is DnsStatus.BAD_NAME:
        return failed(
            say("This is not a legal domain name."),
            remedy=say("Check the spelling of the domain."),
            title=N_("The domain has a name that the DNS does not allow"),
        )
    if domain.mx.status is DnsStatus.NXDOMAIN:
        return failed(say("The domain does not exist."))
    if domain.mx.status in (DnsStatus.FOUND, DnsStatus.NO_DATA):
        return passed(say("The name servers answered."))
    return no_answer(domain.mx)


@check(
    "DNS02",
    on=domains,
    passes=N_("The domain says where it takes mail"),
    fails=N_("The domain says that it takes no mail"),
    asks=N_("Does the domain say where it takes mail?"),
    why=N_("A null MX tells the world that the domain takes no mail, so nobody delivers."),
    remedy=N_("Remove the null MX record and publish the gateway's MX records."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 7505 §3, §4",
    leg=Leg.LOOK_UP,
    requires=("DNS01",),
)
def domain_accepts_mail(domain: DomainFacts, _: Context) -> Result:
    """No null MX, and something that takes mail: an exchanger, or an address of its own."""
    if domain.null_mx or _nulls(domain) == len(domain.mx.records) > 0:
        return failed(say("A null MX is published."))
    if domain.mx.records:
        return passed(say("MX: {records}.", records=joined(shown(domain.mx.records))))
    return _without_mx([m.host for m in domain.exchangers])


def _without_mx(own: list[HostFacts]) -> Result:
    """No MX record is published: then the domain's own address takes the mail, if it has one."""
    if not own:
        return unknown(
            say("There is no MX record; the domain's own address was not looked up."),
            remedy=say(OLDER_FACTS),
        )
    addresses = [address for host in own for address in published(host)]
    if addresses:
        return passed(say("No MX record, but an address: {names}.", names=joined(addresses)))
    silent = [answer for host in own for answer in (host.a, host.aaaa) if not answer.is_absent]
    if silent:
        return no_answer(silent[0])
    return failed(
        say("The domain has neither an MX record nor an address."),
        remedy=say("Publish an MX record that names the gateway."),
        title=N_("The domain has neither an MX record nor an address"),
    )


def _nulls(domain: DomainFacts) -> int:
    return sum(record.split(" ", 1)[-1] == "." for record in domain.mx.records)


@check(
    "DNS23",
    on=domains,
    passes=N_("No null MX stands beside other exchangers"),
    fails=N_("A null MX stands beside other exchangers"),
    asks=N_("Does a null MX stand beside other exchangers?"),
    why=N_("Some senders take the null MX for «no mail» and do not deliver at all."),
    remedy=N_("Remove the null MX record."),
    clarify=ALL_EXCHANGERS,
    item="6.1",
    reference="RFC 7505 §3",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
def null_mx_stands_alone(domain: DomainFacts, _: Context) -> Result:
    """The root is named by no MX record of a domain that takes mail."""
    if _nulls(domain):
        return failed(say("MX: {records}.", records=joined(domain.mx.records)))
    if domain.mx.is_cut:
        return cut(domain.mx)
    return passed(say("No MX record names the DNS root."))


@check(
    "DNS03",
    on=domains,
    passes=N_("The gateway is named by an MX record"),
    fails=N_("No MX record names the gateway"),
    asks=N_("Does an MX record name the gateway?"),
    why=N_("Without MX, senders fall back to the domain's own address, often a web server."),
    remedy=N_("Publish an MX record for the domain."),
    clarify=ALL_EXCHANGERS,
    item="6.1",
    reference="RFC 5321 §5.1",
    leg=Leg.LOOK_UP,
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
@of_every_exchanger
def mx_is_explicit(domain: DomainFacts, _: Context) -> Result:
    """There is an MX record."""
    if domain.implicit_mx:
        return failed(say("There is no MX record; the domain's own address is used."))
    return passed(say_n("{n} exchanger.", "{n} exchangers.", len(domain.exchangers)))


@check(
    "DNS04",
    on=domains,
    passes=N_("MX records name hosts, not addresses"),
    fails=N_("An MX record names an address in place of a host"),
    asks=N_("Do MX records name hosts, not addresses?"),
    why=N_("An address in an MX record is not allowed, and many servers do not deliver to it."),
    remedy=N_("Give the gateway a host name and enter that in the MX record."),
    clarify=ALL_EXCHANGERS,
    item="6.1",
    reference="RFC 5321 §5.1; RFC 1035 §3.3.9",
    leg=Leg.LOOK_UP,
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
    passes=N_("MX records name no aliases"),
    fails=N_("An MX record names an alias"),
    asks=N_("Do MX records name aliases?"),
    why=N_("The standard forbids it, and name checks of certificates then often fail."),
    remedy=N_("Enter the real host name in the MX record instead of the alias."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 5321 §5.1; RFC 2181 §10.3",
    leg=Leg.LOOK_UP,
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
    passes=N_("Every mail exchanger has an address"),
    fails=N_("A mail exchanger has no address"),
    asks=N_("Does every mail exchanger have an address?"),
    why=N_("An exchanger without address delays mail, or loses it when it is the only one."),
    remedy=N_("Publish A records (and AAAA where IPv6 is served), or remove the MX record."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 5321 §5.1",
    leg=Leg.LOOK_UP,
    requires=("DNS02", "DNS04"),
)
@of_every_exchanger
def exchangers_have_addresses(domain: DomainFacts, _: Context) -> Result:
    """Each has an A or AAAA record; one that failed to answer leaves it open."""
    hosts = [m.host for m in domain.exchangers]
    empty = [h.host for h in hosts if h.a.is_absent and h.aaaa.is_absent]
    if empty:
        level = Level.REQUIRED if len(empty) == len(hosts) else Level.RECOMMENDED
        title = N_("No mail exchanger has an address") if len(empty) == len(hosts) else ""
        return failed(
            say("Without address: {names}.", names=joined(empty)), level=level, title=title
        )
    silent = [h.aaaa if h.a.is_absent else h.a for h in hosts if not published(h)]
    if silent or not hosts:
        return no_answer(silent[0] if silent else domain.mx)
    return passed(say("All have an address."))


@check(
    "DNS07",
    on=domains,
    passes=N_("The gateway bears the domain's own name"),
    fails=N_("The gateway is hosted by an outside company"),
    asks=N_("Is the gateway hosted by an outside company?"),
    why=N_(
        "IncaMail's protection ends at the gateway. Run by an outside company, that company sees "
        "confidential mail decrypted; the guide advises against it."
    ),
    remedy=N_(
        "Let the mail server talk to IncaMail directly (own host name in the set-up document), or "
        "settle confidentiality with the provider in a contract."
    ),
    clarify=N_(
        "Ask whoever looks after the gateway which company runs it. If it is an outside one, "
        "settle confidentiality with it in a contract."
    ),
    item="2",
    reference="Post MGI guide 2; DSG Art. 9",
    leg=None,
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
