"""DNS: the policies that the client publishes – MTA-STS, TLS reports, TLSA, CAA."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incamail_lib.certificate.reading import parse
from incamail_lib.checks._advice import ASK_AGAIN, GATEWAY_CERTIFICATE, ONLY_ONE_RECORD
from incamail_lib.checks._core import (
    Context,
    NotApplicable,
    Result,
    Settled,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._dns import cut, exactly_one, no_answer, of_every_exchanger
from incamail_lib.checks._subjects import domains
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import DomainFacts, HostFacts, PolicyFetch
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Leg, Level, Outcome
from incamail_lib.i18n import N_, say, say_n
from incamail_lib.mailpolicy.mta_sts import has_sound_id, report_addresses
from incamail_lib.names import covers


@check(
    "DNS13",
    on=domains,
    passes=N_("The MTA-STS policy covers the mail exchangers"),
    fails=N_("The MTA-STS policy forgets a mail exchanger"),
    asks=N_("Does the MTA-STS policy cover the mail exchangers?"),
    why=N_("A policy that forgets an exchanger makes other senders refuse to deliver to it."),
    remedy=N_("Add the missing exchangers to the policy, or correct its fields."),
    clarify=ASK_AGAIN,
    item="6.2",
    reference="RFC 8461 §3.2, §4.1",
    leg=None,
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
        return ignored
    if policy is None or not policy.fetched.is_yes:
        return _not_fetched(policy)
    if policy.problem:
        return failed(
            say("The policy is damaged at «{field}».", field=policy.problem),
            remedy=say("Correct the named field of the policy."),
            title=N_("The MTA-STS policy is damaged"),
        )
    return _coverage(policy, [m.host.host for m in domain.exchangers])


def _why_ignored(records: tuple[str, ...]) -> Result | None:
    """Why senders take the domain for one without MTA-STS (RFC 8461 §3.1); None where not."""
    title = N_("Senders ignore the MTA-STS policy")
    if len(records) > 1:
        side_by_side = say(
            "{number} records stand side by side; senders ignore the policy.", number=len(records)
        )
        return failed(side_by_side, remedy=say(ONLY_ONE_RECORD), title=title)
    if not has_sound_id(records[0]):
        return failed(
            say("The record has no valid id; senders ignore the policy."),
            remedy=say(
                "Give the record an id of up to 32 letters and digits, and change it whenever the "
                "policy changes."
            ),
            title=title,
        )
    return None


def _coverage(policy: PolicyFetch, hosts: list[str]) -> Result:
    missing = [h for h in hosts if not any(covers(p, h) for p in policy.mx_patterns)]
    if missing and policy.mode != "none":
        return failed(say("Not covered: {names}.", names=joined(missing)))
    title = N_("The MTA-STS policy asks nothing of senders") if missing else ""
    return passed(say("Mode {mode}.", mode=policy.mode), title=title)


def _not_fetched(policy: PolicyFetch | None) -> Result:
    if policy is not None and policy.fetched.reason is Reason.NOT_CONTACTED:
        where = policy.fetched.evidence
        return unknown(
            say("Not fetched: its server's name leads to {addresses}.", addresses=where),
            remedy=say(_FETCH_IT),
        )
    return unknown(
        say("A record is published; the policy itself was not fetched."), remedy=say(_FETCH_IT)
    )


_FETCH_IT = N_(
    "Open https://mta-sts.DOMAIN/.well-known/mta-sts.txt, with the domain's name, from outside and "
    "compare its mx lines with the MX records."
)


@check(
    "DNS21",
    on=domains,
    passes=N_("The gateways' certificates satisfy the MTA-STS policy"),
    fails=N_("A gateway's certificate does not satisfy the MTA-STS policy"),
    asks=N_("Do the gateways' certificates satisfy the MTA-STS policy?"),
    why=N_(
        "In mode «enforce», senders deliver only where the certificate is valid, carries the "
        "exchanger's name and comes from an authority that they trust."
    ),
    remedy=N_(
        "Correct the certificate, or set the policy to «testing» until it is corrected; change the "
        "id of the record each time."
    ),
    clarify=N_(
        "Have each exchanger's certificate shown from outside: openssl s_client -starttls smtp "
        "-verify_hostname HOST -connect HOST:25."
    ),
    item="6.2",
    reference="RFC 8461 §4.2, §5",
    leg=None,
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
    return passed(
        say_n(
            "{n} exchanger has such a certificate.",
            "{n} exchangers have such certificates.",
            len(names),
        )
    )


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
    passes=N_("Reports about TLS problems are asked for"),
    fails=N_("Reports about TLS problems are not asked for"),
    asks=N_("Are reports about TLS problems asked for?"),
    why=N_("Other providers then tell you when they cannot deliver to you over TLS."),
    remedy=N_("Publish a TLS-RPT record with an address for the reports."),
    clarify=ASK_AGAIN,
    item="6.7",
    reference="RFC 8460 §3",
    leg=None,
    level=Level.INFO,
    requires=("DNS01",),
)
def tls_reports_are_asked_for(domain: DomainFacts, _: Context) -> Result:
    """One v=TLSRPTv1 record is published, and names where reports go."""
    one = exactly_one(domain.tls_rpt, several=N_("Several TLS-RPT records make each other void"))
    if one.outcome is Outcome.PASSED and not report_addresses(domain.tls_rpt.records[0]):
        return failed(say("The record names no address for the reports (rua)."))
    return one


def _with_tlsa(facts: AuditFacts) -> Subjects[HostFacts]:
    hosts = {m.host.host: m.host for d in facts.dns.domains for m in d.exchangers}
    subjects: list[Subject[HostFacts] | Settled] = [
        Subject(h.host, h) for h in hosts.values() if h.tlsa.records
    ]
    # Without an answer a sender that uses DANE waits; others deliver, so it weighs less.
    silent = [h for h in hosts.values() if h.tlsa.is_failure]
    subjects += [
        Settled(h.host, replace(no_answer(h.tlsa), level=Level.RECOMMENDED)) for h in silent
    ]
    return subjects or NotApplicable(say("No gateway publishes TLSA records."))


@check(
    "DNS15",
    on=_with_tlsa,
    passes=N_("The TLSA records match the gateway's certificate"),
    fails=N_("The TLSA records do not match the gateway's certificate"),
    asks=N_("Do the TLSA records match the gateway's certificate?"),
    why=N_("Senders that use DANE refuse to deliver when they differ."),
    remedy=N_("Publish the new TLSA record before the certificate changes, and remove the old."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.2",
    reference="RFC 7672 §3.1; RFC 7671 §5",
    leg=Leg.ARRIVAL,
)
def tlsa_matches(host: HostFacts, context: Context) -> Result:
    """A usable record (usage 2 or 3) equals a certificate the gateway shows."""
    if not host.tlsa.authenticated:
        return unknown(
            say("The records are not secured by DNSSEC, as seen from here."),
            remedy=say(
                "Ask through a resolver that validates DNSSEC (dig +dnssec _25._tcp.HOST TLSA must "
                "show the flag «ad»). If the zone is not signed, sign it, or remove the records."
            ),
        )
    shown = [e.chain for e in context.facts.receiving if e.target.host == host.host and e.chain]
    if not shown:
        return unknown(say("No certificate of this gateway was seen."))
    result = _compared(host, shown)
    return cut(host.tlsa) if host.tlsa.is_cut and result.outcome is Outcome.FAILED else result


def _compared(host: HostFacts, shown: list[tuple[CertificateFacts, ...]]) -> Result:
    usable = [r for r in map(_tlsa, host.tlsa.records) if r is not None]
    if not usable:
        return failed(
            say("No record has a usage that SMTP allows (2 or 3)."),
            remedy=say("Publish records of usage 3 (the certificate itself) or 2 (its authority)."),
            title=N_("No TLSA record has a usage that SMTP allows"),
        )
    wrong = [chain for chain in shown if not any(_fits(record, chain) for record in usable)]
    if wrong:
        return failed(say("No record matches certificate {sha256}.", sha256=wrong[0][0].sha256))
    return passed(
        say_n(
            "{n} record, and it matches.",
            "{n} records, of which at least one matches.",
            len(usable),
        )
    )


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
