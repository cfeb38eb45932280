"""Selectors: which facts a check is about, each with the label its findings carry."""

from __future__ import annotations

from incamail_lib.checks._advice import OTHERS_TELL
from incamail_lib.checks._core import NOTHING_MEASURED, Settled, Subject, Subjects, unknown
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.dns import DomainFacts
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.i18n import say


def organisation(facts: AuditFacts) -> Subjects[AuditFacts]:
    """The audit as a whole."""
    return [Subject("", facts)]


def domains(facts: AuditFacts) -> Subjects[DomainFacts]:
    """Each mail domain of the client."""
    return [Subject(d.domain, d) for d in facts.dns.domains]


def receiving(facts: AuditFacts) -> Subjects[EndpointFacts]:
    """Each address of each gateway that receives for the client."""
    return [Subject(e.target.label, e) for e in facts.receiving] or [_no_gateway()]


def platform(facts: AuditFacts) -> Subjects[EndpointFacts]:
    """Each address of each of the platform's gateways."""
    return [Subject(e.target.label, e) for e in facts.platform_endpoints] or [_no_gateway()]


def _no_gateway() -> Settled:
    """In place of gateways of which no address is known: why, other findings tell."""
    return Settled("", unknown(say(NOTHING_MEASURED), remedy=say(OTHERS_TELL)))


def sending_credentials(facts: AuditFacts) -> Subjects[CredentialFacts]:
    """Each certificate file that the client shows to the platform."""
    return [Subject(c.label, c) for c in facts.credentials if CredentialUse.SENDING in c.uses]
