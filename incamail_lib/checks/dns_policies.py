"""DNS: the policies that the client publishes – SPF, DMARC, MTA-STS, TLS reports, TLSA, CAA."""

from __future__ import annotations

import hashlib

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
from incamail_lib.checks._dns import no_answer
from incamail_lib.checks._subjects import domains
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import DnsAnswer, DomainFacts, HostFacts, PolicyFetch
from incamail_lib.facts.observation import Reason
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, say


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
        return no_answer(answer)
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
        return no_answer(domain.mta_sts)
    if not domain.mta_sts.records:
        return not_applicable(say("No MTA-STS record is published."))
    policy = domain.mta_sts_policy
    if policy is None or not policy.fetched.is_yes:
        return _not_fetched(policy)
    if policy.problem:
        return failed(say("The policy is damaged at «{field}».", field=policy.problem))
    hosts = [m.host.host for m in domain.exchangers]
    left_out = [h for h in hosts if not any(_matches(p, h) for p in policy.mx_patterns)]
    if left_out and policy.mode != "none":
        return failed(say("Not covered: {names}.", names=joined(left_out)))
    return passed(say("Mode {mode}.", mode=policy.mode))


def _not_fetched(policy: PolicyFetch | None) -> Result:
    if policy is not None and policy.fetched.reason is Reason.NOT_CONTACTED:
        where = policy.fetched.evidence
        return unknown(say("Not fetched: its server's name leads to {addresses}.", addresses=where))
    return unknown(say("A record is published; the policy itself was not fetched."))


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
        return no_answer(domain.caa)
    if domain.caa.records:
        return passed(say("{records}", records=joined(domain.caa.records)))
    return failed(say("No such record is published."))


CHECKS: tuple[Check, ...] = (
    spf_is_published,
    dmarc_is_published,
    mta_sts_covers_exchangers,
    tls_reports_are_asked_for,
    tlsa_matches,
    caa_is_published,
)
