"""The words, symbols and colour classes for the stable tokens of facts and findings."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

from incamail_lib.checks.words import (
    place_text,
    reason_text,
    stage_text,
    status_text,
    told_trust,
    trust_text,
)
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Answer, Observation, Reason
from incamail_lib.facts.routing import Hazard, SendingType, Severity, StandardSample
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Starttls
from incamail_lib.findings import Level, Outcome, Verdict
from incamail_lib.guide import Certainty
from incamail_lib.i18n import N_, Text, say

if TYPE_CHECKING:
    from incamail_lib.sheets.model import State

__all__ = [
    "COMPONENTS",
    "FAMILIES",
    "SYMBOLS",
    "USAGES",
    "VERDICT_STATES",
    "WHO_ACTS",
    "demanded",
    "family",
    "labelled",
    "observed",
    "place_text",
    "reason_text",
    "stage_text",
    "told_trust",
    "trust_text",
    "word",
]

# Pairs, not a dict by member: members of different StrEnums with equal values are equal keys.
_PAIRS: tuple[tuple[StrEnum, str], ...] = (
    (Outcome.PASSED, N_("passed")),
    (Outcome.FAILED, N_("failed")),
    (Outcome.UNKNOWN, N_("unknown")),
    (Outcome.NOT_APPLICABLE, N_("not applicable")),
    (Level.REQUIRED, N_("required")),
    (Level.RECOMMENDED, N_("recommended")),
    (Level.INFO, N_("for information")),
    (Verdict.READY, N_("ready")),
    (Verdict.NOT_READY, N_("not ready")),
    (Verdict.INCONCLUSIVE, N_("inconclusive")),
    (Answer.YES, N_("yes")),
    (Answer.NO, N_("no")),
    (Answer.INCONCLUSIVE, N_("inconclusive")),
    (Starttls.ACCEPTED, N_("offered and accepted")),
    (Starttls.NOT_OFFERED, N_("not offered")),
    (Starttls.MASKED, N_("masked by a device in between")),
    (Starttls.REFUSED, N_("offered, but refused")),
    (Starttls.VANISHED, N_("offered at first, then missing")),
    (Starttls.UNKNOWN, N_("unknown")),
    (Purpose.SURVEY, N_("Survey without a client certificate")),
    (Purpose.OWN_CERTIFICATE, N_("With the organisation's own certificate")),
    (Purpose.FOREIGN_CERTIFICATE, N_("With a throw-away certificate of an unknown authority")),
    (Purpose.OTHER_KEY, N_("Only for a server certificate of the other key type")),
    (Purpose.LEGACY_TLS, N_("Only TLS 1.0 and 1.1")),
    (Purpose.LEGACY_TLS_1_0, N_("Only TLS 1.0")),
    (Purpose.LARGE_HELLO, N_("With a large ClientHello")),
    (Purpose.INJECTION, N_("Command smuggled in behind STARTTLS")),
    (SendingType.CONFIDENTIAL, N_("confidential")),
    (SendingType.PERSONAL, N_("personal")),
    (SendingType.REGISTERED, N_("registered")),
    (Severity.LEAK, N_("leaves unprotected")),
    (Severity.MISROUTED, N_("goes astray")),
    (Severity.UNKNOWN, N_("cannot be told")),
    (Severity.WARNING, N_("warning")),
    (CredentialUse.RECEIVING, N_("receiving (server certificate)")),
    (CredentialUse.SENDING, N_("sending (client certificate)")),
    (Certainty.PRIMARY, N_("primary source or measured")),
    (Certainty.SECONDARY, N_("secondary source")),
    (Certainty.INFERRED, N_("inferred")),
    (Certainty.UNCONFIRMED, N_("unconfirmed")),
)
_WORDS = {(type(member), member.value): text for member, text in _PAIRS}

SYMBOLS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_APPLICABLE: "–",
}
VERDICT_STATES: dict[Verdict, State] = {
    Verdict.READY: "good",
    Verdict.NOT_READY: "bad",
    Verdict.INCONCLUSIVE: "open",
}

FAMILIES: dict[str, str] = {
    "ROUT": N_("Routing"),
    "DNS": N_("DNS"),
    "NET": N_("Network"),
    "SMTP": N_("SMTP"),
    "TLS": N_("TLS"),
    "CERT": N_("Certificates"),
    "PLAT": N_("Identity of IncaMail"),
}

WHO_ACTS: dict[str, str] = {
    "ROUT": N_("Mail administrators of the organisation"),
    "DNS": N_("Administrators of the organisation's DNS zone"),
    "NET": N_("Firewall and network administrators of the organisation"),
    "SMTP": N_("Mail administrators of the organisation"),
    "TLS": N_("Mail administrators of the organisation"),
    "CERT": N_("Whoever orders and installs the organisation's certificates"),
    "PLAT": N_("Network administrators of the organisation, together with Swiss Post"),
}

COMPONENTS: dict[str, str] = {
    "mail_client": N_("Mail client"),
    "browser": N_("Browser"),
    "mail_server": N_("Mail server"),
    "mail_gateway": N_("Mail gateway"),
    "firewall": N_("Firewall"),
}

PROBES: dict[StandardSample, str] = {
    StandardSample.TAGGED_SUFFIXED: N_("Tag in the subject, suffix in the address"),
    StandardSample.SUFFIX_ONLY: N_("Suffix without a tag"),
    StandardSample.SUFFIX_UPPER_CASE: N_("Suffix in upper case"),
    StandardSample.TAGGED_UNSUFFIXED: N_("Tag without the suffix"),
    StandardSample.TYPE_TAG_SUFFIXED: N_("Sending type without <im>, with the suffix"),
    StandardSample.TYPE_TAG_UNSUFFIXED: N_("Sending type without <im>, without the suffix"),
    StandardSample.ENCODED_SUFFIXED: N_("Encoded subject, with the suffix"),
    StandardSample.ENCODED_B: N_("Encoded subject (Base64), without the suffix"),
    StandardSample.ENCODED_Q: N_("Encoded subject (quoted-printable), without the suffix"),
    StandardSample.ENCODED_SPLIT: N_("Tag across two encoded words, without the suffix"),
    StandardSample.ENCODED_LONG: N_("Very long encoded subject, without the suffix"),
    StandardSample.TAG_UPPER_CASE: N_("Tag in upper case, without the suffix"),
    StandardSample.TWO_BLANKS: N_("Two blanks before the tag, without the suffix"),
    StandardSample.FOLD_FIRST: N_("Line break before the tag, without the suffix"),
    StandardSample.ALIAS: N_("Tag to an address of your own, which may be passed on"),
    StandardSample.TLS_WAIVED: N_(
        "Message that permits sending without encryption (TLS-Required: no)"
    ),
    StandardSample.FOLDED: N_("Folded subject, without the suffix"),
    StandardSample.REPLY: N_("Reply or forward, without the suffix"),
    StandardSample.MIXED_TAGGED: N_("Recipients with and without the suffix"),
    StandardSample.LOOKALIKE_PREFIX: N_("Look-alike: letters before the suffix"),
    StandardSample.LOOKALIKE_INSIDE: N_("Look-alike: the suffix inside another domain"),
    StandardSample.LOOKALIKE_HOMOGRAPH: N_("Look-alike: foreign letters"),
    StandardSample.PLATFORM_ITSELF: N_("IncaMail's own domain"),
    StandardSample.ORDINARY: N_("Ordinary message"),
    StandardSample.OWN_DOMAIN_SUFFIXED: N_("Own address with the suffix"),
}

USAGES: dict[str, str] = {
    "serverAuth": N_("server (serverAuth)"),
    "clientAuth": N_("client (clientAuth)"),
    "anyExtendedKeyUsage": N_("any (anyExtendedKeyUsage)"),
}


def word(token: StrEnum) -> Text:
    """A stable token of facts or findings in words."""
    if isinstance(token, DnsStatus):
        return status_text(token)
    known = _WORDS.get((type(token), token.value))
    if known is not None:
        return Text(template=known)
    from incamail_lib.dossier.words import term  # late: most commands read no dossier

    return term(token)


def verdict_text(verdict: Verdict, accepted_until: dt.date | None) -> Text:
    """The verdict in words; what fails and is accepted is told as that, and never as ready."""
    if accepted_until is None:
        return word(verdict)
    return say("accepted until {day}", day=accepted_until)


def hazard_text(hazard: Hazard) -> Text:
    """What a hazard means, with its evidence; facts of other versions may lack the words."""
    meaning = hazard.text or Text(template="{code}", values={"code": hazard.code})
    if not hazard.detail:
        return meaning
    return say("{meaning} [{detail}]", meaning=meaning, detail=hazard.detail)


def labelled(label: Text | str, value: Text | str | int) -> Text:
    """A name and what is said of it, with the colon of the language."""
    return say("{label}: {value}", label=label, value=value)


def demanded(endpoint: EndpointFacts) -> Text:
    """Whether a certificate is demanded; if not, how far we were let without one, since many
    servers decide at RCPT only."""
    answer = endpoint.client_auth.demanded
    if not answer.is_no:
        return observed(answer)
    from incamail_lib.checks.tls import let_on_without  # late: with it come the checks

    return say("{answer}. {reason}", answer=word(answer.answer), reason=let_on_without(endpoint))


def observed(observation: Observation) -> Text:
    """An answer in words, with its reason where it is no plain yes or no."""
    if observation.reason in (Reason.SEEN, Reason.NOT_SEEN):
        return word(observation.answer)
    return say(
        "{answer} ({reason})",
        answer=word(observation.answer),
        reason=reason_text(observation.reason),
    )


def family(code: str) -> str:
    """The family of a check, e.g. "CERT" of "CERT03"."""
    return code.rstrip("0123456789")
