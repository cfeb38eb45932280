"""DNS: who may issue certificates for the gateways – CAA."""

from __future__ import annotations

from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._advice import ASK_AGAIN, GATEWAY_CERTIFICATE, WHO_ISSUED
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._dns import cut, no_answer, of_every_exchanger
from incamail_lib.checks._endpoints import advice_on
from incamail_lib.checks._subjects import domains, receiving
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.dns import DnsAnswer, DomainFacts
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Level, Outcome
from incamail_lib.guide.authorities import caa_names
from incamail_lib.i18n import N_, say
from incamail_lib.mailpolicy.caa import read_caa


@check(
    "DNS16",
    on=domains,
    passes=N_("CAA records are published"),
    fails=N_("CAA records are missing"),
    asks=N_("Are CAA records published?"),
    why=N_("It makes it harder for somebody else to get a certificate for your names."),
    remedy=N_("Publish a CAA record with your certificate authority."),
    clarify=ASK_AGAIN,
    item="6.1",
    reference="RFC 8659 §3, §4",
    leg=None,
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
    passes=N_("The CAA records allow the authority in use"),
    fails=N_("The CAA records do not allow the authority in use"),
    asks=N_("Do the CAA records allow the authority in use?"),
    why=N_("An authority that the CAA records do not name must refuse the next renewal."),
    remedy=N_("Add the authority's name to the CAA records, or change the authority."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 8659 §3, §4.2, §4.3",
    leg=None,
    level=Level.RECOMMENDED,
)
def caa_allows_the_authority(endpoint: EndpointFacts, context: Context) -> Result:
    """The records that govern the gateway's name let the issuer of its certificate issue it."""
    leaf = endpoint.leaf
    if leaf is None:
        return unknown(
            say("No certificate of this gateway was seen."),
            remedy=advice_on(endpoint, endpoint.survey.ended),
        )
    public = rules.is_public(endpoint.trust)
    if public is None:
        return unknown(say(rules.ROOT_NOT_KNOWN), remedy=say(WHO_ISSUED))
    if not public:
        return not_applicable(say("A private authority is not bound by the public rules."))
    answer = _caa_of(endpoint.target.host, context.facts)
    if answer is None:
        return unknown(
            say("The CAA records of this name were not looked up."), remedy=say(_LOOK_UP_CAA)
        )
    if answer.is_failure:
        return no_answer(answer)
    return _caa_judged(answer, leaf)


_LOOK_UP_CAA = N_(
    "Have the CAA records of the gateway's name and of the names above it shown (dig HOST CAA), "
    "and compare them with the authority of the certificate."
)


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
        return failed(
            say("A critical property is not known: «{property}».", property=critical),
            remedy=say(
                "Remove the record with this property, or ask the authority whether it knows it."
            ),
            title=N_("A CAA record may keep the authority from issuing"),
        )
    if answer.is_cut:
        return cut(answer)
    if found.allowed is None:
        return passed(
            say("No CAA record limits who may issue."), title=N_("Every authority may issue")
        )
    return _allowed(found.allowed, leaf)


def _allowed(allowed: tuple[str, ...], leaf: CertificateFacts) -> Result:
    """Whether the issuer of a certificate is among the names that may issue."""
    issuer = joined(leaf.issuer_o or leaf.issuer_cn or ("–",))
    names = caa_names(leaf.issuer_o)
    if not allowed:
        return failed(say("The CAA records forbid every authority to issue."))
    if names is None:
        return unknown(
            say("Under which CAA name {issuer} issues is not known.", issuer=issuer),
            remedy=say(
                "Look up in the authority's certification practice statement under which name it "
                "issues (CAA), and compare it with the records."
            ),
        )
    if set(names) & set(allowed):
        return passed(say("{issuer} is allowed.", issuer=issuer))
    return failed(
        say(
            "Allowed are {names}; the certificate comes from {issuer}.",
            names=joined(allowed),
            issuer=issuer,
        )
    )
