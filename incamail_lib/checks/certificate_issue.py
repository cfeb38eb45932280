"""Who issued the certificate for sending, and how soundly."""

from __future__ import annotations

from incamail_lib.checks import _certificate_strength as strength
from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._advice import GATEWAY_CERTIFICATE, SENDING_FILE
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._subjects import sending_credentials
from incamail_lib.checks.validity import Presented, held_by
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say

_CLIENT_REMEDY = N_(
    "First ask Swiss Post which client certificates it accepts. As a bridge, buy a certificate "
    "with clientAuth while your authority still issues it. For the long term use a separate "
    "client certificate from a private authority that Swiss Post registers."
)


def _held(told: CredentialFacts) -> Presented:
    return held_by(told, "clientAuth")


_NOT_FIRST = N_(
    "They belong together, but another certificate stands first in the file. OpenSSL, Postfix and "
    "Exim take the first and refuse the key."
)
_PUT_FIRST = N_("Put the certificate that the key belongs to first, then each issuer.")


@check(
    "CERT28",
    on=sending_credentials,
    passes=N_("The certificate for sending is not self-signed"),
    fails=N_("The certificate for sending is self-signed"),
    asks=N_("Is the certificate for sending signed by an authority?"),
    why=N_("IncaMail refuses self-signed certificates."),
    remedy=N_("Get a certificate from an authority that IncaMail recognises."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="Post MGI guide 3, 6.1",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def client_certificate_is_issued(told: CredentialFacts, _: Context) -> Result:
    """The leaf is signed by somebody else."""
    if told.chain[0].self_signed:
        return failed(say("It is signed by itself."))
    return passed(say("Issued by {issuer}.", issuer=told.chain[0].issuer))


@check(
    "CERT29",
    on=sending_credentials,
    passes=N_("The file for sending holds a chain without gap"),
    fails=N_("The file for sending lacks a needed intermediate certificate"),
    asks=N_("Is the certificate chain in the file for sending complete?"),
    why=N_("The gateway can only send what it has; IncaMail needs them to verify."),
    remedy=N_("Append the intermediate certificates of the authority to the file, in order."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 9846 §4.5.1",
    leg=Leg.LINK,
    requires=("CERT28",),
)
def client_chain_is_complete(told: CredentialFacts, _: Context) -> Result:
    """No store misses an intermediate."""
    return rules.chain_is_complete(_held(told))


@check(
    "CERT30",
    on=sending_credentials,
    passes=N_("At least one trust store accepts the certificate for sending"),
    fails=N_("No trust store accepts the certificate for sending"),
    asks=N_("Is the authority of the certificate for sending recognised?"),
    why=N_("IncaMail refuses certificates of authorities that it does not know."),
    remedy=N_("Ask Swiss Post to register your authority, or use a common public one."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 3, 6.1",
    leg=Leg.LINK,
    requires=("CERT28", "CERT29"),
)
def client_authority_is_recognised(told: CredentialFacts, context: Context) -> Result:
    """A store accepts the whole path; or IncaMail itself took the certificate, which says more.

    Which of several certificates was shown is not told, and one refusal leaves it to the stores.
    """
    asked = [e.client_auth for e in context.facts.platform_endpoints]
    sending = (c for c in context.facts.credentials if CredentialUse.SENDING in c.uses)
    leaves = {c.chain[0].sha256 for c in sending if c.chain}
    taken = any(a.own_accepted.is_yes and a.foreign_accepted.is_no for a in asked)
    if taken and len(leaves) == 1 and not any(a.own_accepted.is_no for a in asked):
        return passed(
            say("IncaMail accepted it, and refused a stranger's."),
            title=N_("IncaMail recognises the certificate for sending"),
        )
    return rules.trusted_somewhere(_held(told), context.now)


@check(
    "CERT31",
    on=sending_credentials,
    passes=N_("The key of the certificate for sending is strong enough"),
    fails=N_("A key in the certificate chain for sending is weak or unusual"),
    asks=N_("Is the key of the certificate for sending strong enough?"),
    why=N_(
        "Keys below RSA 2048 can be broken, and most servers refuse them anywhere on the path. "
        "Unusual elliptic curves are refused as well."
    ),
    remedy=N_("Make a new key: RSA 3072 or an elliptic curve such as P-256."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 9325 §4.5; CA/B Forum BR §6.1.5",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def client_key_is_strong(told: CredentialFacts, context: Context) -> Result:
    """Every key of the path: RSA 2048 or more, a curve that TLS peers take, or Edwards."""
    return strength.key_is_strong(_held(told), context.now)


@check(
    "CERT32",
    on=sending_credentials,
    passes=N_("The certificate for sending is soundly signed"),
    fails=N_("A signature in the certificate chain for sending is weak or rare"),
    asks=N_("Is the certificate for sending soundly signed?"),
    why=N_("SHA-1 and MD5 signatures can be forged and are refused."),
    remedy=N_("Have the certificate issued again; today's authorities sign with SHA-256."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 9155 §2; CA/B Forum BR §7.1.3.2",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def client_signature_is_sound(told: CredentialFacts, context: Context) -> Result:
    """No broken or rare hash on the path, the root's own signature apart."""
    return strength.signatures_are_sound(_held(told), context.now)


@check(
    "CERT33",
    on=sending_credentials,
    passes=N_("The certificate for sending has a common name"),
    fails=N_("The certificate for sending has no common name"),
    asks=N_("Does the certificate for sending have a common name?"),
    why=N_(
        "The guide asks for the name in the certificate. Some authorities leave the common name "
        "out today, and IncaMail may not recognise you without it."
    ),
    remedy=N_("Ask Swiss Post whether the subject alternative name is enough."),
    clarify=SENDING_FILE,
    item="7.1",
    reference="CA/B Forum BR §7.1.4.3; Post MGI guide 7.1",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    requires=("CERT20",),
)
def client_has_common_name(told: CredentialFacts, _: Context) -> Result:
    """The subject has a CN."""
    names = told.chain[0].subject_cn
    if names:
        return passed(say("CN {names}.", names=joined(names)))
    return failed(say("The subject has no common name."))


@check(
    "CERT34",
    on=sending_credentials,
    passes=N_("Receiving and sending use certificates of their own"),
    fails=N_("One certificate serves both directions"),
    asks=N_("Do receiving and sending use certificates of their own?"),
    why=N_(
        "With one certificate for both directions, a renewal for the receiving side can silently "
        "break sending. Two certificates can follow different rules."
    ),
    remedy=N_("Plan a separate client certificate for sending at the next renewal."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
    leg=Leg.LINK,
    level=Level.INFO,
    requires=("CERT20",),
)
def directions_have_own_certificates(told: CredentialFacts, context: Context) -> Result:
    """The certificate for sending is none that a receiving gateway shows."""
    shown = {e.leaf.sha256 for e in context.facts.receiving if e.leaf}
    both = CredentialUse.RECEIVING in told.uses
    if both or told.chain[0].sha256 in shown:
        return failed(say("One certificate serves both directions."))
    if not shown:
        return unknown(
            say("No receiving gateway showed its certificate."), remedy=say(GATEWAY_CERTIFICATE)
        )
    return passed(say("The directions use different certificates."))
