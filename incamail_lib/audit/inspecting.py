"""One certificate file, judged by the checks of the audit: no second opinion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from incamail_lib.audit.trusting import file_trust
from incamail_lib.certificate import match_name
from incamail_lib.certificate.stores import TrustStore
from incamail_lib.checks._core import Check, judge
from incamail_lib.checks._of_certificates import certificate_checks
from incamail_lib.checks._subjects import receiving, sending_credentials
from incamail_lib.facts.audit import AuditFacts, Declared, Vantage
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse, NameMatch
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    Side,
    SmtpFacts,
    Stage,
    Target,
    TlsFacts,
)
from incamail_lib.findings import Finding, Level, Outcome, Verdict, verdict
from incamail_lib.guide import load_platform
from incamail_lib.record import UtcDatetime

BOTH = (CredentialUse.SENDING, CredentialUse.RECEIVING)
_PURPOSES = {"clientAuth": CredentialUse.SENDING, "serverAuth": CredentialUse.RECEIVING}
# A file alone does not tell these: they ask for the other direction, or what a gateway sent.
_BEYOND_A_FILE = frozenset({"CERT17", "CERT34"})
_NAME, _KEY = "CERT06", "CERT21"
# Whether the authority is recognised. Without a store of the peer's nobody can say: Swiss Post
# registers private authorities too.
_RECOGNITION = frozenset({"CERT04", "CERT05", "CERT30"})
_ON_THE_PATH = frozenset({"CERT03", "CERT23", "CERT29"})


class Inspection(CredentialFacts):
    """A certificate file with what the audit's checks say about it.

    `uses` are those it was judged for, `usable` the answer for each direction, asked for or not.
    """

    judged_at: UtcDatetime
    verdict: Verdict
    usable: dict[CredentialUse, Verdict]
    name_match: NameMatch | None = None
    findings: tuple[Finding, ...] = ()


def inspected(
    told: CredentialFacts,
    *,
    uses: Sequence[CredentialUse],
    stores: Sequence[TrustStore],
    stores_decide: bool,
    host: str = "",
    now: dt.datetime,
) -> Inspection:
    """Judge a file for `uses`; none given means those that its extended key usage names.

    Where `stores` are not the peer's own (`stores_decide`), an authority that they do not know
    decides nothing.
    """
    whole = told.model_copy(update={"uses": BOTH})
    whole = whole.model_copy(update={"trust": file_trust(whole, stores, now)})
    match = match_name(told.chain[0], host) if host and told.chain else None
    found = {use: _weighed(_findings(whole, use, match, now), whole, stores_decide) for use in BOTH}
    usable = {use: verdict(found[use]) for use in BOTH}
    asked = tuple(uses) or _named_in(told)
    findings = {(f.code, f.subject): f for use in asked for f in found[use]}
    return Inspection(
        **whole.model_dump() | {"uses": asked},
        judged_at=now,
        verdict=verdict(findings.values()),
        usable=usable,
        name_match=match,
        findings=tuple(findings.values()),
    )


def _named_in(told: CredentialFacts) -> tuple[CredentialUse, ...]:
    usages = (told.chain[0].ext_key_usage if told.chain else None) or ()
    return tuple(use for name, use in _PURPOSES.items() if name in usages) or BOTH


def _findings(
    told: CredentialFacts, use: CredentialUse, match: NameMatch | None, now: dt.datetime
) -> tuple[Finding, ...]:
    """The checks of this direction on facts that hold nothing but the file."""
    facts = _facts(told, use, match, now)
    of_files = [c for c in certificate_checks() if c.subjects is sending_credentials]
    checks = of_files
    if use is CredentialUse.RECEIVING:
        checks = [c for c in of_files if c.code in ("CERT20", _KEY)]
        if told.chain:
            checks += [c for c in certificate_checks() if c.subjects is receiving]
    skipped = _BEYOND_A_FILE if match else _BEYOND_A_FILE | {_NAME}
    return judge(facts, _standing_alone([c for c in checks if c.code not in skipped]), now)


def _standing_alone(checks: Sequence[Check[Any]]) -> list[Check[Any]]:
    """The checks without prerequisites that are not among them, such as STARTTLS."""
    codes = {c.code for c in checks}
    return [replace(c, requires=tuple(r for r in c.requires if r in codes)) for c in checks]


def _weighed(
    findings: Sequence[Finding], told: CredentialFacts, stores_decide: bool
) -> tuple[Finding, ...]:
    """What a file alone cannot settle is for information: it decides nothing."""

    def beyond(finding: Finding) -> bool:
        if finding.code == _KEY:  # it may lie on the gateway: the file is not to blame
            return finding.outcome is Outcome.UNKNOWN and not told.has_key
        unknown_path = finding.outcome is Outcome.UNKNOWN and finding.code in _ON_THE_PATH
        return not stores_decide and (finding.code in _RECOGNITION or unknown_path)

    return tuple(f.model_copy(update={"level": Level.INFO}) if beyond(f) else f for f in findings)


def _facts(
    told: CredentialFacts, use: CredentialUse, match: NameMatch | None, now: dt.datetime
) -> AuditFacts:
    platform = load_platform()
    hop = NextHop(kind=NextHopKind.SMART_HOST, value=platform.smart_host.value)
    shown = (_shown(told, match, now),) if use is CredentialUse.RECEIVING and told.chain else ()
    return AuditFacts(
        measured_at=now,
        vantage=Vantage(ehlo_name="", version="", python="", openssl="", backend=""),
        declared=Declared(
            organisation=told.label,
            domains=(),
            rules=RuleSet(method=Method.DOMAIN, next_hop=hop),
        ),
        platform=platform,
        dns=DnsFacts(),
        receiving=shown,
        credentials=(told.model_copy(update={"uses": (CredentialUse.SENDING,)}),),
    )


def _shown(told: CredentialFacts, match: NameMatch | None, now: dt.datetime) -> EndpointFacts:
    """A gateway that would show this file: the checks of the receiving side read such facts."""
    nothing = inconclusive(Reason.NOT_TRIED)
    tls = TlsFacts(
        established=False,
        chain=told.chain,
        links=told.links,
        certificate_requested=nothing,
        accepted=nothing,
    )
    survey = SmtpFacts(
        purpose=Purpose.SURVEY,
        started_at=now,
        elapsed_s=0,
        reached=None,
        ended=Reason.NOT_TRIED,
        ended_in=Stage.CONNECT,
        tls=tls,
    )
    return EndpointFacts(
        target=Target(role=Side.RECEIVING, host=match.host if match else told.label, address=""),
        connections=(survey,),
        client_auth=ClientAuthFacts(
            requested=nothing,
            demanded=nothing,
            own_accepted=nothing,
            foreign_accepted=nothing,
            verified=nothing,
        ),
        legacy=nothing,
        injection=nothing,
        trust=tuple(t for t in told.trust if t.purpose == "serverAuth"),
        name_match=match,
    )
