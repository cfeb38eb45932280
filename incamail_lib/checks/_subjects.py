"""Selectors: which facts a check is about, each with the label its findings carry."""

from __future__ import annotations

from incamail_lib.checks._core import Subject, Subjects
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialUse


def organisation(facts: AuditFacts) -> Subjects:
    """The audit as a whole."""
    return [Subject("", facts)]


def domains(facts: AuditFacts) -> Subjects:
    """Each mail domain of the client."""
    return [Subject(d.domain, d) for d in facts.dns.domains]


def receiving(facts: AuditFacts) -> Subjects:
    """Each address of each gateway that receives for the client."""
    return [Subject(e.target.label, e) for e in facts.receiving]


def platform(facts: AuditFacts) -> Subjects:
    """Each address of each of the platform's gateways."""
    return [Subject(e.target.label, e) for e in facts.platform_endpoints]


def sending_credentials(facts: AuditFacts) -> Subjects:
    """Each certificate file that the client shows to the platform."""
    return [Subject(c.label, c) for c in facts.credentials if CredentialUse.SENDING in c.uses]
