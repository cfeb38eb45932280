"""DNS: the policies that the client publishes – MTA-STS, TLS reports, TLSA, CAA."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incamail_lib.certificate.reading import parse
from incamail_lib.checks import _certificates as rules
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
from incamail_lib.checks._dns import exactly_one, no_answer, of_every_exchanger
from incamail_lib.checks._subjects import domains, receiving
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import DnsAnswer, DomainFacts, HostFacts, PolicyFetch
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Level, Outcome
from incamail_lib.guide.authorities import caa_names
from incamail_lib.i18n import N_, Text, say
from incamail_lib.mailpolicy.caa import read_caa
from incamail_lib.mailpolicy.mta_sts import covers, has_sound_id, report_addresses


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
@of_every_exchanger
def mta_sts_covers_exchangers(domain: DomainFacts, _: Context) -> Result:
    """Where a record is published, it is one that counts, and its policy names every exchanger."""
    if domain.mta_sts.is_failure:
        return no_answer(domain.mta_sts)
    if not domain.mta_sts.records:
        return not_applicable(say("No MTA-STS record is published."))
    policy = domain.mta_sts_policy
    ignored = _why_ignored(domain.mta_sts.records)
    if ignored is not None:
        return failed(ignored)
    if policy is None or not policy.fetched.is_yes:
        return _not_fetched(policy)
    if policy.problem:
        return failed(say("The policy is damaged at «{field}».", field=policy.problem))
    return _coverage(policy, [m.host.host for m in domain.exchangers])


def _why_ignored(records: tuple[str, ...]) -> Text | None:
    """Why senders take the domain for one without MTA-STS (RFC 8461 §3.1); None where not."""
    if len(records) > 1:
        return say(
            "{count} records stand side by side; senders ignore the policy.", count=len(records)
        )
    if not has_sound_id(records[0]):
        return say("The record has no valid id; senders ignore the policy.")
    return None


def _coverage(policy: PolicyFetch, hosts: list[str]) -> Result:
    missing = [h for h in hosts if not any(covers(p, h) for p in policy.mx_patterns)]
    if missing and policy.mode != "none":
        return failed(say("Not covered: {names}.", names=joined(missing)))
    return passed(say("Mode {mode}.", mode=policy.mode))


def _not_fetched(policy: PolicyFetch | None) -> Result:
    if policy is not None and policy.fetched.reason is Reason.NOT_CONTACTED:
        where = policy.fetched.evidence
        return unknown(say("Not fetched: its server's name leads to {addresses}.", addresses=where))
    return unknown(say("A record is published; the policy itself was not fetched."))


@check(
    "DNS21",
    on=domains,
    title=N_("The gateways' certificates satisfy the MTA-STS policy"),
    why=N_(
        "In mode «enforce», senders deliver only where the certificate is valid, carries the "
        "exchanger's name and comes from an authority that they trust."
    ),
    remedy=N_(
        "Correct the certificate, or set the policy to «testing» until it is corrected; change the "
        "id of the record each time."
    ),
    item="6.2",
    reference="RFC 8461 §4.2, §5",
    level=Level.RECOMMENDED,
    requires=("DNS13",),
)
@of_every_exchanger
def certificates_satisfy_mta_sts(domain: DomainFacts, context: Context) -> Result:
    """Every certificate of an exchanger is valid now, names it, and is trusted somewhere."""
    policy = domain.mta_sts_policy
    if policy is None or policy.mode != "enforce":
        return not_applicable(say("The policy is not in mode «enforce»."))
    names = [m.host.host for m in domain.exchangers]
    shown = [e for e in context.facts.receiving if e.target.host in names and e.leaf]
    refused = [e.target.host for e in shown if not _is_valid_for_sts(e, context)]
    if refused:
        return failed(
            say("Senders refuse to deliver to {names}.", names=joined(sorted({*refused})))
        )
    unseen = [name for name in names if name not in {e.target.host for e in shown}]
    if unseen or not names:
        return unknown(say("No certificate of {names} was seen.", names=joined(unseen or ["–"])))
    return passed(say("{count} exchangers.", count=len(names)))


def _is_valid_for_sts(endpoint: EndpointFacts, context: Context) -> bool:
    leaf, match = endpoint.leaf, endpoint.name_match
    if leaf is None or match is None or not match.matched:
        return False
    if leaf.not_after is None or context.now > leaf.not_after:
        return False
    return not endpoint.trust or any(not t.trusted.is_no for t in endpoint.trust)


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
    """One v=TLSRPTv1 record is published, and names where reports go."""
    one = exactly_one(domain.tls_rpt)
    if one.outcome is Outcome.PASSED and not report_addresses(domain.tls_rpt.records[0]):
        return failed(say("The record names no address for the reports (rua)."))
    return one


def _with_tlsa(facts: AuditFacts) -> Subjects:
    hosts = {m.host.host: m.host for d in facts.dns.domains for m in d.exchangers}
    subjects = [Subject(h.host, h) for h in hosts.values() if h.tlsa.records]
    # Without an answer a sender that uses DANE waits; others deliver, so it weighs less.
    silent = [h for h in hosts.values() if h.tlsa.is_failure]
    subjects += [
        Subject(h.host, replace(no_answer(h.tlsa), level=Level.RECOMMENDED)) for h in silent
    ]
    return subjects or NotApplicable(say("No gateway publishes TLSA records."))


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
    if selector == 1 and matching == 1:
        return certificate.spki_sha256
    if selector == 1 and not certificate.spki_sha256:
        return ""  # so no match: the key could not be read
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
    reference="RFC 8659 §3, §4",
    level=Level.INFO,
    requires=("DNS01",),
)
@of_every_exchanger
def caa_is_published(domain: DomainFacts, _: Context) -> Result:
    """A CAA record governs each exchanger's name: its own, or of the nearest name above."""
    hosts = {m.host.host: m.host.caa for m in domain.exchangers if m.host.caa is not None}
    answers = hosts or {domain.domain: domain.caa}
    free = [name for name, answer in answers.items() if answer.is_absent]
    if free:
        return failed(say("No such record is published for {names}.", names=joined(free)))
    silent = [a for a in answers.values() if not a.records]
    if silent:
        return no_answer(silent[0])
    records = list(dict.fromkeys(r for a in answers.values() for r in a.records))
    return passed(say("{records}", records=joined(records)))


@check(
    "DNS22",
    on=receiving,
    title=N_("The CAA records allow the authority in use"),
    why=N_("An authority that the CAA records do not name must refuse the next renewal."),
    remedy=N_("Add the authority's name to the CAA records, or change the authority."),
    item="6.1",
    reference="RFC 8659 §3, §4.2, §4.3",
    level=Level.RECOMMENDED,
)
def caa_allows_the_authority(endpoint: EndpointFacts, context: Context) -> Result:
    """The records that govern the gateway's name let the issuer of its certificate issue it."""
    leaf = endpoint.leaf
    if leaf is None:
        return unknown(say("No certificate of this gateway was seen."))
    public = rules.is_public(endpoint.trust)
    if public is None:
        return unknown(say(rules.ROOT_NOT_KNOWN))
    if not public:
        return not_applicable(say("A private authority is not bound by the public rules."))
    answer = _caa_of(endpoint.target.host, context.facts)
    if answer is None:
        return unknown(say("The CAA records of this name were not looked up."))
    if answer.is_failure:
        return no_answer(answer)
    return _caa_judged(answer, leaf)


def _caa_of(host: str, facts: AuditFacts) -> DnsAnswer | None:
    exchangers = [m.host for d in facts.dns.domains for m in d.exchangers]
    answers = {h.host: h.caa for h in (*facts.dns.hosts, *exchangers) if h.caa is not None}
    return answers.get(host)


def _caa_judged(answer: DnsAnswer, leaf: CertificateFacts) -> Result:
    """The worst of what is said of its wildcard and of its plain names, if it has both."""
    kinds = {name.startswith("*.") for name in leaf.san_dns} or {False}
    judged = [_caa_for(answer, leaf, wildcard=kind) for kind in sorted(kinds)]
    order = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED)
    return min(judged, key=lambda result: order.index(result.outcome))


def _caa_for(answer: DnsAnswer, leaf: CertificateFacts, *, wildcard: bool) -> Result:
    found = read_caa(answer.records, wildcard=wildcard)
    if found.unknown_critical:
        critical = found.unknown_critical
        return failed(say("A critical property is not known: «{property}».", property=critical))
    if found.allowed is None:
        return passed(say("No CAA record limits who may issue."))
    issuer = joined(leaf.issuer_o or leaf.issuer_cn or ("–",))
    names = caa_names(leaf.issuer_o)
    if not found.allowed:
        return failed(say("The CAA records forbid every authority to issue."))
    if names is None:
        return unknown(say("Under which CAA name {issuer} issues is not known.", issuer=issuer))
    if set(names) & set(found.allowed):
        return passed(say("{issuer} is allowed.", issuer=issuer))
    return failed(
        say(
            "Allowed are {names}; the certificate comes from {issuer}.",
            names=joined(found.allowed),
            issuer=issuer,
        )
    )


CHECKS: tuple[Check, ...] = (
    mta_sts_covers_exchangers,
    certificates_satisfy_mta_sts,
    tls_reports_are_asked_for,
    tlsa_matches,
    caa_is_published,
    caa_allows_the_authority,
)
