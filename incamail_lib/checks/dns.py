"""DNS: can IncaMail find the client's gateways, and the client IncaMail's?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incamail_lib.certificate.reading import parse
from incamail_lib.checks._core import (
    Check,
    Context,
    NotApplicable,
    Result,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._subjects import domains, organisation
from incamail_lib.checks.words import joined, reason_text, status_text
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import AddressFacts, DnsAnswer, DnsStatus, DomainFacts, HostFacts
from incamail_lib.facts.routing import NextHopKind
from incamail_lib.findings import Level
from incamail_lib.guide.hosted import hosted_by
from incamail_lib.i18n import N_, say


def _shown(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people write them, without the dot of the root."""
    return tuple(name.rstrip(".") for name in names)


def _silent(answer: DnsAnswer) -> Result:
    """The DNS gave no usable answer: unknown, never "there is none"."""
    return unknown(
        say(
            "The look-up of {kind} for {name} gave no answer: {status}.",
            kind=answer.type,
            name=answer.name,
            status=status_text(answer.status),
        )
    )


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
    return _silent(domain.mx)


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
    if domain.null_mx:
        return failed(say("A null MX is published."))
    return passed(say("MX: {records}.", records=joined(_shown(domain.mx.records) or ("–",))))


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
def mx_are_not_aliases(domain: DomainFacts, _: Context) -> Result:
    """No exchanger is a CNAME."""
    aliases = [m.host.host for m in domain.exchangers if m.host.is_alias]
    if aliases:
        return failed(say("Aliases: {names}.", names=joined(aliases)))
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
def exchangers_have_addresses(domain: DomainFacts, _: Context) -> Result:
    """Each has an A or AAAA record; one that failed to answer leaves it open."""
    hosts = [m.host for m in domain.exchangers]
    empty = [h.host for h in hosts if h.a.is_absent and h.aaaa.is_absent]
    if empty:
        level = Level.REQUIRED if len(empty) == len(hosts) else Level.RECOMMENDED
        return failed(say("Without address: {names}.", names=joined(empty)), level=level)
    silent = [h.aaaa if h.a.is_absent else h.a for h in hosts if not _addresses(h)]
    if silent or not hosts:
        return _silent(silent[0] if silent else domain.mx)
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
def gateway_is_not_hosted(domain: DomainFacts, _: Context) -> Result:
    """No exchanger belongs to a known provider."""
    found = [(m.host.host, hosted_by(m.host.host)) for m in domain.exchangers]
    hosted = [f"{host} ({by.provider})" for host, by in found if by is not None]
    if hosted:
        return failed(say("Hosted by a provider: {names}.", names=joined(hosted)))
    return passed(say("No exchanger belongs to a known provider."))


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
        return _silent(silent[0])
    published = {m.host.host for d in facts.dns.domains for m in d.exchangers}
    missing = [g.host for g in facts.declared.receiving if g.host not in published]
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
            return _silent(silent[0])
        return unknown(say("No address of {host} is published.", host=host.host))
    refuted = [a.address for a in host.addresses if a.forward_confirmed.is_no]
    if refuted:
        return failed(say("No matching reverse name: {addresses}.", addresses=joined(refuted)))
    open_ones = [a for a in host.addresses if not a.forward_confirmed.is_known]
    if open_ones:
        return _not_confirmed(open_ones[0])
    return passed(say("Confirmed: {names}.", names=joined(_shown(host.addresses[0].ptr.records))))


def _not_confirmed(address: AddressFacts) -> Result:
    """The reverse name, or the way back from it, could not be looked up."""
    if address.ptr.is_failure:
        return _silent(address.ptr)
    way_back = address.forward_confirmed
    return unknown(
        say(
            "It could not be seen: {reason}. {evidence}",
            reason=reason_text(way_back.reason),
            evidence=way_back.evidence,
        )
    )


@check(
    "DNS11",
    on=domains,
    title=N_("One SPF record is published"),
    why=N_("SPF tells receivers which servers may send for the domain; two records void it."),
    remedy=N_("Publish exactly one TXT record that begins with v=spf1."),
    item="6.8",
    reference="RFC 7208 §3.2, §4.5",
    level=Level.RECOMMENDED,
    requires=("DNS01",),
)
def spf_is_published(domain: DomainFacts, _: Context) -> Result:
    """Exactly one v=spf1 record."""
    return _exactly_one(domain.spf)


@check(
    "DNS12",
    on=domains,
    title=N_("A DMARC policy is published"),
    why=N_("DMARC protects the domain from being forged, and recipients from false IncaMails."),
    remedy=N_("Publish a DMARC record; begin with p=none and read the reports."),
    item="6.8",
    reference="RFC 7489 §6.3, §6.6.3",
    level=Level.RECOMMENDED,
    requires=("DNS01",),
)
def dmarc_is_published(domain: DomainFacts, _: Context) -> Result:
    """Exactly one v=DMARC1 record at the domain itself."""
    return _exactly_one(domain.dmarc)


def _exactly_one(answer: DnsAnswer) -> Result:
    if answer.is_failure:
        return _silent(answer)
    if len(answer.records) == 1:
        return passed(say("{record}", record=answer.records[0]))
    if answer.records:
        return failed(say("{count} records stand side by side.", count=len(answer.records)))
    return failed(say("No such record is published."))


@check(
    "DNS13",
    on=domains,
    title=N_("The MTA-STS policy covers the mail exchangers"),
    why=N_("A policy that forgets an exchanger makes other senders refuse to deliver to it."),
    remedy=N_("Add the missing exchangers to the policy, or correct its fields."),
    item="6.2",
    reference="RFC 8461 §3.2, §4.1",
    level=Level.RECOMMENDED,
    requires=("DNS02",),
)
def mta_sts_covers_exchangers(domain: DomainFacts, _: Context) -> Result:
    """Where a record is published, the policy is sound and names every exchanger."""
    if domain.mta_sts.is_failure:
        return _silent(domain.mta_sts)
    if not domain.mta_sts.records:
        return not_applicable(say("No MTA-STS record is published."))
    policy = domain.mta_sts_policy
    if policy is None or not policy.fetched.is_yes:
        return unknown(say("A record is published; the policy itself was not fetched."))
    if policy.problem:
        return failed(say("The policy is damaged at «{field}».", field=policy.problem))
    hosts = [m.host.host for m in domain.exchangers]
    left_out = [h for h in hosts if not any(_matches(p, h) for p in policy.mx_patterns)]
    if left_out and policy.mode != "none":
        return failed(say("Not covered: {names}.", names=joined(left_out)))
    return passed(say("Mode {mode}.", mode=policy.mode))


def _matches(pattern: str, host: str) -> bool:
    """A pattern with a leading *. stands for exactly one label (RFC 8461 §4.1)."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern


@check(
    "DNS14",
    on=domains,
    title=N_("TLS problems are reported"),
    why=N_("Other providers then tell you when they cannot deliver to you over TLS."),
    remedy=N_("Publish a TLS-RPT record with an address for the reports."),
    item="6.7",
    reference="RFC 8460 §3",
    level=Level.INFO,
    requires=("DNS01",),
)
def tls_reports_are_asked_for(domain: DomainFacts, _: Context) -> Result:
    """A v=TLSRPTv1 record is published."""
    return _exactly_one(domain.tls_rpt)


def _with_tlsa(facts: AuditFacts) -> Subjects:
    hosts = {m.host.host: m.host for d in facts.dns.domains for m in d.exchangers}
    secured = [h for h in hosts.values() if h.tlsa.records]
    if not secured:
        return NotApplicable(say("No gateway publishes TLSA records."))
    return [Subject(h.host, h) for h in secured]


@check(
    "DNS15",
    on=_with_tlsa,
    title=N_("The TLSA records match the gateway's certificate"),
    why=N_("Senders that use DANE refuse to deliver when they differ."),
    remedy=N_("Publish the new TLSA record before the certificate changes, and remove the old."),
    item="6.2",
    reference="RFC 7672 §3.1; RFC 7671 §5",
)
def tlsa_matches(host: HostFacts, context: Context) -> Result:
    """A usable record (usage 2 or 3) equals a certificate the gateway shows."""
    if not host.tlsa.authenticated:
        return unknown(say("The records are not secured by DNSSEC, as seen from here."))
    shown = [e.chain for e in context.facts.receiving if e.target.host == host.host and e.chain]
    if not shown:
        return unknown(say("No certificate of this gateway was seen."))
    usable = [r for r in map(_tlsa, host.tlsa.records) if r is not None]
    if not usable:
        return failed(say("No record has a usage that SMTP allows (2 or 3)."))
    wrong = [chain for chain in shown if not any(_fits(record, chain) for record in usable)]
    if wrong:
        return failed(say("No record matches certificate {sha256}.", sha256=wrong[0][0].sha256))
    return passed(say("{count} records, one matches.", count=len(usable)))


def _tlsa(record: str) -> tuple[int, int, int, str] | None:
    """Usage, selector, matching type and data of a record that SMTP may use."""
    words = record.split()
    if len(words) < 4 or not all(word.isdigit() for word in words[:3]):
        return None
    usage, selector, matching = (int(word) for word in words[:3])
    if usage not in (2, 3) or selector not in (0, 1) or matching not in (0, 1, 2):
        return None
    return usage, selector, matching, "".join(words[3:]).lower()


def _fits(record: tuple[int, int, int, str], chain: tuple[CertificateFacts, ...]) -> bool:
    usage, selector, matching, data = record
    candidates = chain[:1] if usage == 3 else chain
    return any(_digest(c, selector, matching) == data for c in candidates)


def _digest(certificate: CertificateFacts, selector: int, matching: int) -> str:
    if selector == 1 and (matching == 1 or not certificate.spki_sha256):
        return certificate.spki_sha256  # empty, so no match, where the key could not be read
    data = certificate.der if selector == 0 else _public_key(certificate)
    if matching == 0:
        return data.hex()
    return hashlib.new("sha256" if matching == 1 else "sha512", data).hexdigest()


def _public_key(certificate: CertificateFacts) -> bytes:
    key = parse(certificate.der).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@check(
    "DNS16",
    on=domains,
    title=N_("A CAA record limits who may issue certificates"),
    why=N_("It makes it harder for somebody else to get a certificate for your names."),
    remedy=N_("Publish a CAA record with your certificate authority."),
    item="6.1",
    reference="RFC 8659 §4",
    level=Level.INFO,
    requires=("DNS01",),
)
def caa_is_published(domain: DomainFacts, _: Context) -> Result:
    """A CAA record governs the domain."""
    if domain.caa.is_failure:
        return _silent(domain.caa)
    if domain.caa.records:
        return passed(say("{records}", records=joined(domain.caa.records)))
    return failed(say("No such record is published."))


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
)
def platform_is_found(facts: AuditFacts, _: Context) -> Result:
    """At least one of the platform's hosts has an address."""
    found = [h.host for h in facts.dns.platform_hosts if _addresses(h)]
    if found:
        return passed(say("Found: {names}.", names=joined(found)))
    silent = [h.a for h in facts.dns.platform_hosts if h.a.is_failure]
    if silent or not facts.dns.platform_hosts:
        return _silent(silent[0]) if silent else unknown(say("Nothing was looked up."))
    return failed(say("None of IncaMail's hosts has an address."))


CHECKS: tuple[Check, ...] = (
    domain_is_found,
    domain_accepts_mail,
    mx_is_explicit,
    mx_are_names,
    mx_are_not_aliases,
    exchangers_have_addresses,
    gateway_is_not_hosted,
    declared_gateways_are_published,
    incoming_route_is_by_name,
    reverse_name_is_confirmed,
    spf_is_published,
    dmarc_is_published,
    mta_sts_covers_exchangers,
    tls_reports_are_asked_for,
    tlsa_matches,
    caa_is_published,
    platform_is_found,
)
