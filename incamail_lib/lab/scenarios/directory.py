"""Name server trouble: exchangers, aliases, reverse names, failures."""

from __future__ import annotations

from incamail_lib.facts.audit import IncomingRoute
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.i18n import N_
from incamail_lib.lab.scenario import DnsPlan, DnsTwist, Fault, Names, Scenario
from incamail_lib.lab.scenarios._words import INCONCLUSIVE, NOT_READY, READY, codes
from incamail_lib.lab.setting import LOOPBACK, PLATFORM_HOSTS, REVERSE, SMART_HOST


def _mx(plan: DnsPlan, names: Names, *values: str) -> DnsPlan:
    for domain in names.domains:
        plan = plan.replaced(domain, "MX", *values)
    return plan


def null_mx(plan: DnsPlan, names: Names) -> DnsPlan:
    """The domain declares that it takes no mail (RFC 7505)."""
    return _mx(plan, names, "0 .")


def no_mx(plan: DnsPlan, names: Names) -> DnsPlan:
    """No MX record: the domain's own address is used (RFC 5321 §5.1)."""
    plan = _mx(plan, names)
    for domain in names.domains:
        plan = plan.replaced(domain, "A", LOOPBACK)
    return plan


def mx_is_alias(plan: DnsPlan, names: Names) -> DnsPlan:
    """The exchanger that the MX names is an alias of another host."""
    alias, real = names.hosts[0], f"server1.{names.domain}"
    plan = plan.replaced(alias, "A").replaced(alias, "CNAME", f"{real}.")
    return plan.replaced(real, "A", LOOPBACK)


def mx_is_address(plan: DnsPlan, names: Names) -> DnsPlan:
    """The MX names an address in place of a host."""
    return _mx(plan, names, f"10 {LOOPBACK}.")


def mx_without_address(plan: DnsPlan, names: Names) -> DnsPlan:
    """The MX names a host that does not exist."""
    return _mx(plan, names, f"10 gone.{names.domain}.")


def no_ptr(plan: DnsPlan, _: Names) -> DnsPlan:
    """The address has no reverse name."""
    return plan.replaced(REVERSE, "PTR")


def foreign_ptr(plan: DnsPlan, names: Names) -> DnsPlan:
    """The reverse name leads nowhere."""
    return plan.replaced(REVERSE, "PTR", f"customer-1.access.{names.domain}.")


def domain_missing(plan: DnsPlan, names: Names) -> DnsPlan:
    """Neither the domains nor anything below them exists."""
    gone = tuple(n for n, _, _ in plan.records if _below(n, names.domains))
    return plan.without(*gone)


def _below(name: str, domains: tuple[str, ...]) -> bool:
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def bare(plan: DnsPlan, names: Names) -> DnsPlan:
    """Only what delivery needs; no policy of any kind."""
    for domain in names.domains:
        plan = plan.replaced(domain, "TXT").replaced(domain, "CAA")
        plan = plan.without(f"_dmarc.{domain}", f"_smtp._tls.{domain}")
    return plan


def spf_of_many_parts(plan: DnsPlan, names: Names) -> DnsPlan:
    """An SPF record that needs eleven look-ups, and at its end lets everybody send."""
    parts = [f"spf{n}.{names.domain}" for n in range(11)]
    pieces = ("v=spf1", *(f" include:{part}" for part in parts), " +all")
    for domain in names.domains:
        plan = plan.replaced(domain, "TXT", " ".join(f'"{piece}"' for piece in pieces))
    for part in parts:
        plan = plan.replaced(part, "TXT", '"v=spf1 -all"')
    return plan


def spf_of_others(plan: DnsPlan, names: Names) -> DnsPlan:
    """An SPF record that names another server than the sending gateway."""
    for domain in names.domains:
        plan = plan.replaced(domain, "TXT", '"v=spf1 ip4:192.0.2.1 -all"')
    return plan


def null_mx_beside_others(plan: DnsPlan, names: Names) -> DnsPlan:
    """A null MX that was left behind beside the exchangers."""
    hosts = [f"10 {host}." for host in names.hosts]
    return _mx(plan, names, *hosts, "0 .")


def tlsa_outdated(plan: DnsPlan, names: Names) -> DnsPlan:
    """A TLSA record, secured by DNSSEC, that no certificate of the gateway matches."""
    name = f"_25._tcp.{names.hosts[0]}"
    return plan.replaced(name, "TLSA", "3 1 1 " + "00" * 32).secured(name)


def platform_not_found(plan: DnsPlan, _: Names) -> DnsPlan:
    """The platform's hosts have no address."""
    return plan.without(*PLATFORM_HOSTS, SMART_HOST)


def failing(fault: Fault) -> DnsTwist:
    """Questions about the client's domains end in `fault`."""

    def twist(plan: DnsPlan, names: Names) -> DnsPlan:
        for domain in names.domains:
            plan = plan.failing(domain, fault)
        return plan

    return twist


DIRECTORY = (
    Scenario(
        name="null_mx",
        title=N_("The domain says that it takes no mail"),
        description=N_("A null MX stands in the name server, as for domains without mail."),
        fails=codes("DNS02"),
        verdict=NOT_READY,
        dns=null_mx,
    ),
    Scenario(
        name="no_mx",
        title=N_("The domain has no MX record"),
        description=N_("Senders fall back to the domain's own address."),
        fails=codes("DNS03"),
        verdict=READY,
        dns=no_mx,
        hosts=("{domain}",),
    ),
    Scenario(
        name="mx_alias",
        title=N_("The MX record names an alias"),
        description=N_("The exchanger is a CNAME, which the standard forbids."),
        fails=codes("DNS05"),
        verdict=READY,
        dns=mx_is_alias,
    ),
    Scenario(
        name="mx_address",
        title=N_("The MX record names an address"),
        description=N_("An IP address stands where a host name belongs."),
        fails=codes("DNS04"),
        verdict=NOT_READY,
        dns=mx_is_address,
    ),
    Scenario(
        name="mx_without_address",
        title=N_("The MX record names a host that does not exist"),
        description=N_("The exchanger has no address, so that nothing can be delivered."),
        fails=codes("DNS06"),
        verdict=NOT_READY,
        dns=mx_without_address,
    ),
    Scenario(
        name="hosted_gateway",
        title=N_("The gateway is hosted by an outside company"),
        description=N_(
            "The MX leads to a cloud provider, who sees confidential mail after decryption. The "
            "guide advises against it."
        ),
        fails=codes("DNS07 DNS16"),
        verdict=READY,
        hosts=("{flat}.mail.protection.outlook.com",),
    ),
    Scenario(
        name="no_ptr",
        title=N_("The gateway's address has no reverse name"),
        description=N_("Receivers and spam filters distrust such a sender."),
        fails=codes("DNS10"),
        verdict=READY,
        dns=no_ptr,
    ),
    Scenario(
        name="ptr_unconfirmed",
        title=N_("The reverse name does not lead back"),
        description=N_("The reverse name of the address has no address itself."),
        fails=codes("DNS10"),
        verdict=READY,
        dns=foreign_ptr,
    ),
    Scenario(
        name="static_address",
        title=N_("IncaMail is to deliver to a fixed address"),
        description=N_("The set-up document names an IP address in place of MX or a host name."),
        fails=codes("DNS09"),
        verdict=READY,
        incoming=IncomingRoute(kind=NextHopKind.STATIC, value=LOOPBACK),
    ),
    Scenario(
        name="dns_servfail",
        title=N_("The name server fails"),
        description=N_("Every question about the domain is answered with SERVFAIL."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        dns=failing(Fault.SERVFAIL),
    ),
    Scenario(
        name="dns_timeout",
        title=N_("The name server does not answer"),
        description=N_("Questions about the domain get no answer in time."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        dns=failing(Fault.TIMEOUT),
        waits=True,
    ),
    Scenario(
        name="domain_missing",
        title=N_("The domain does not exist"),
        description=N_("The name server knows nothing of the domain; perhaps it is misspelt."),
        fails=codes("DNS01"),
        verdict=NOT_READY,
        dns=domain_missing,
    ),
    Scenario(
        name="gateway_not_published",
        title=N_("A declared gateway stands in no MX record"),
        description=N_("The client names a gateway that the name server does not know."),
        fails=codes("DNS08"),
        verdict=READY,
        declared=("mail-old.{domain}",),
    ),
    Scenario(
        name="bare_domain",
        title=N_("The domain publishes nothing about its mail"),
        description=N_("There is no SPF, DMARC, TLS reporting or CAA record."),
        fails=codes("DNS11 DNS12 DNS14 DNS16"),
        verdict=READY,
        dns=bare,
    ),
    Scenario(
        name="spf_too_long",
        title=N_("The SPF record needs too many look-ups and lets everybody send"),
        description=N_(
            "It includes eleven others, one more than receivers follow, and ends with +all."
        ),
        fails=codes("DNS18 DNS19"),
        verdict=READY,
        dns=spf_of_many_parts,
    ),
    Scenario(
        name="spf_without_gateway",
        title=N_("The SPF record does not name the sending gateway"),
        description=N_("The record was made for the provider that sent before."),
        fails=codes("DNS20"),
        verdict=READY,
        dns=spf_of_others,
    ),
    Scenario(
        name="null_mx_left",
        title=N_("A null MX stands beside the exchangers"),
        description=N_("Some senders read it as «no mail»."),
        fails=codes("DNS23"),
        verdict=READY,
        dns=null_mx_beside_others,
    ),
    Scenario(
        name="tlsa_outdated",
        title=N_("The TLSA record belongs to an old certificate"),
        description=N_("The certificate was renewed, and the TLSA record was forgotten."),
        fails=codes("DNS15"),
        verdict=NOT_READY,
        dns=tlsa_outdated,
    ),
    Scenario(
        name="platform_not_found",
        title=N_("The platform is not found in the DNS"),
        description=N_("The resolver of the sending gateway does not know the platform's hosts."),
        fails=codes("DNS17"),
        verdict=NOT_READY,
        dns=platform_not_found,
    ),
)
