"""CERT20–CERT34: the certificate that the client's sending gateway shows to IncaMail."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._core import (
    Check,
    Context,
    Result,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._subjects import sending_credentials
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse, TrustFacts
from incamail_lib.findings import Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, Text, say

_CLIENT_REMEDY = N_(
    "First ask Swiss Post which client certificates it accepts. As a bridge, buy a certificate "
    "with clientAuth while your authority still issues it. For the long term use a separate "
    "client certificate from a private authority that Swiss Post registers."
)


def _client_trust(told: CredentialFacts) -> Sequence[TrustFacts]:
    return [t for t in told.trust if t.purpose == "clientAuth"]


@check(
    "CERT20",
    on=sending_credentials,
    title=N_("The certificate for sending can be read"),
    why=N_("Mutual authentication needs a certificate on the sending gateway."),
    remedy=N_(
        "Name a PEM, DER, PKCS#7 or PKCS#12 file in the dossier, and the environment variable "
        "with its passphrase if it has one."
    ),
    item="6.1",
    reference="Post MGI guide 3, 6.1",
)
def sending_file_is_readable(told: CredentialFacts, _: Context) -> Result:
    """The file holds at least one certificate. Without a file the question stays open."""
    if told.readable.is_yes:
        return passed(
            say("{format}, {count} certificates.", format=told.format, count=len(told.chain))
        )
    cannot = say("It cannot be used: {cause}.", cause=Text(template=told.readable.evidence))
    return failed(cannot) if told.readable.is_no else unknown(cannot)


@check(
    "CERT21",
    on=sending_credentials,
    title=N_("The private key belongs to the certificate"),
    why=N_("With another key every handshake fails."),
    remedy=N_("Look for the key that the certificate was requested with, or request a new one."),
    item="6.1",
    reference="RFC 9846 §4.5.2",
    requires=("CERT20",),
)
def sending_key_matches(told: CredentialFacts, _: Context) -> Result:
    """The public keys are equal. Without the key it is unknown: it may lie on the gateway."""
    if told.key_matches.is_yes:
        return passed(say("Key and certificate belong together."))
    if told.key_matches.is_no:
        return failed(say("The key belongs to another certificate."))
    return unknown(say("No private key was given, so the certificate cannot be tried."))


@check(
    "CERT22",
    on=sending_credentials,
    title=N_("The certificate may be used as a client"),
    why=N_(
        "The sending gateway is the client of the connection. Servers that check the usage refuse "
        "a certificate without clientAuth, and most public certificates have lost it since 2026."
    ),
    remedy=_CLIENT_REMEDY,
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
    requires=("CERT20",),
)
def client_usage_is_allowed(told: CredentialFacts, _: Context) -> Result:
    """The leaf has clientAuth, or no extended key usage at all."""
    leaf = told.chain[0]
    if leaf.allows("clientAuth"):
        return passed(say("clientAuth is allowed."))
    usages = joined(leaf.ext_key_usage or ())
    return failed(say("clientAuth is missing; allowed are {usages}.", usages=usages))


@check(
    "CERT23",
    on=sending_credentials,
    title=N_("The intermediate certificates allow use as a client"),
    why=N_("OpenSSL also checks the issuing authorities: one that is for servers only is refused."),
    remedy=_CLIENT_REMEDY,
    item="6.1",
    reference="RFC 5280 §4.2.1.12; openssl-verification-options(1)",
    requires=("CERT20",),
)
def intermediates_allow_clients(told: CredentialFacts, _: Context) -> Result:
    """No intermediate restricts its certificates to servers."""
    refusing = [c.subject for c in told.chain[1:] if not c.allows("clientAuth")]
    if refusing:
        return failed(say("clientAuth is missing in {names}.", names=joined(refusing)))
    if len(told.chain) == 1 and not told.chain[0].self_signed:
        return unknown(say("The file holds no intermediate certificate."))
    return passed(say("No intermediate restricts the use."))


@check(
    "CERT24",
    on=sending_credentials,
    title=N_("Use as a client will survive the next renewal"),
    why=N_(
        "Public authorities stop issuing certificates with clientAuth by 2027. The link would then "
        "break on the day of the renewal, without any change on your side."
    ),
    remedy=_CLIENT_REMEDY,
    item="6.1",
    reference="Chrome Root Program Policy 1.8",
    level=Level.RECOMMENDED,
    requires=("CERT22",),
)
def client_usage_survives_renewal(told: CredentialFacts, _: Context) -> Result:
    """The authority still issues clientAuth on the day this certificate ends."""
    if not rules.is_public(_client_trust(told)):
        return not_applicable(say("A private authority is not bound by the public rules."))
    leaf = told.chain[0]
    if leaf.not_after is None:
        return unknown(say("The validity could not be read: {problem}.", problem=leaf.problem))
    end = ca_policy().end_of_client_auth(leaf.issuer_o)
    renewal, last = leaf.not_after.date().isoformat(), end.ends_on.isoformat()
    if leaf.not_after.date() >= end.ends_on:
        return failed(
            say(
                "It ends on {renewal}; {authority} issues clientAuth until {last} only.",
                renewal=renewal,
                authority=end.authority,
                last=last,
            )
        )
    return failed(
        say(
            "One more renewal (by {renewal}) can keep clientAuth; {authority} ends it on {last}.",
            renewal=renewal,
            authority=end.authority,
            last=last,
        ),
        level=Level.INFO,
    )


@check(
    "CERT25",
    on=sending_credentials,
    title=N_("The certificate for sending is valid today"),
    why=N_("IncaMail refuses expired certificates."),
    remedy=N_("Renew the certificate and register the new one with Swiss Post."),
    item="6.1",
    reference="RFC 5280 §4.1.2.5",
    requires=("CERT20",),
)
def client_is_valid_today(told: CredentialFacts, context: Context) -> Result:
    """Now lies within the validity."""
    return rules.valid_now(told.chain[0], context.now)


@check(
    "CERT26",
    on=sending_credentials,
    title=N_("The certificate for sending is valid on the go-live date"),
    why=N_("A certificate that ends before go-live makes the first day a failure."),
    remedy=N_("Renew before go-live, register the new certificate and test again."),
    item="7.3",
    reference="RFC 5280 §4.1.2.5",
    requires=("CERT25",),
)
def client_is_valid_at_go_live(told: CredentialFacts, context: Context) -> Result:
    """The go-live date lies before the end."""
    return rules.valid_at(told.chain[0], context.facts.declared.go_live, context.now)


@check(
    "CERT27",
    on=sending_credentials,
    title=N_("No renewal of the certificate for sending is due"),
    why=N_("A new certificate must be registered with Swiss Post before the old one ends."),
    remedy=N_("Renew now and send the new certificate to Swiss Post in good time."),
    item="6.7",
    reference="CA/B Forum BR §6.3.2",
    level=Level.RECOMMENDED,
    requires=("CERT25",),
)
def client_renewal_is_not_due(told: CredentialFacts, context: Context) -> Result:
    """More than 30 days, or a third of its life, are left."""
    return rules.renewal_not_due(told.chain[0], context.now)


@check(
    "CERT28",
    on=sending_credentials,
    title=N_("The certificate for sending is not self-signed"),
    why=N_("IncaMail refuses self-signed certificates."),
    remedy=N_("Get a certificate from an authority that IncaMail recognises."),
    item="6.1",
    reference="Post MGI guide 3, 6.1",
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
    title=N_("The file for sending holds the intermediate certificates"),
    why=N_("The gateway can only send what it has; IncaMail needs them to verify."),
    remedy=N_("Append the intermediate certificates of the authority to the file, in order."),
    item="6.1",
    reference="RFC 9846 §4.5.1",
    requires=("CERT28",),
)
def client_chain_is_complete(told: CredentialFacts, _: Context) -> Result:
    """No store misses an intermediate."""
    return rules.chain_is_complete(told.chain, _client_trust(told))


@check(
    "CERT30",
    on=sending_credentials,
    title=N_("A recognised authority issued the certificate for sending"),
    why=N_("IncaMail refuses certificates of authorities that it does not know."),
    remedy=N_("Ask Swiss Post to register your authority, or use a common public one."),
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 3, 6.1",
    requires=("CERT28", "CERT29"),
)
def client_authority_is_recognised(told: CredentialFacts, context: Context) -> Result:
    """A store knows the authority; or IncaMail itself took the certificate, which says more."""
    taken = [e for e in context.facts.platform_endpoints if e.client_auth.own_accepted.is_yes]
    checked = [e for e in taken if e.client_auth.foreign_accepted.is_no]
    if checked:
        return passed(say("IncaMail accepted it, and refused a stranger's."))
    return rules.trusted_somewhere(_client_trust(told))


@check(
    "CERT31",
    on=sending_credentials,
    title=N_("The key of the certificate for sending is strong enough"),
    why=N_("Keys below RSA 2048 can be broken and are refused."),
    remedy=N_("Make a new key: RSA 3072 or an elliptic curve such as P-256."),
    item="6.1",
    reference="RFC 9325 §4.5; CA/B Forum BR §6.1.5",
    requires=("CERT20",),
)
def client_key_is_strong(told: CredentialFacts, _: Context) -> Result:
    """RSA 2048, EC 224 or more."""
    return rules.key_is_strong(told.chain[0])


@check(
    "CERT32",
    on=sending_credentials,
    title=N_("The certificate for sending is soundly signed"),
    why=N_("SHA-1 and MD5 signatures can be forged and are refused."),
    remedy=N_("Have the certificate issued again; today's authorities sign with SHA-256."),
    item="6.1",
    reference="RFC 9155 §2; CA/B Forum BR §7.1.3.2",
    requires=("CERT20",),
)
def client_signature_is_sound(told: CredentialFacts, _: Context) -> Result:
    """No broken hash below the root."""
    return rules.signatures_are_sound(told.chain)


@check(
    "CERT33",
    on=sending_credentials,
    title=N_("The certificate for sending has a common name"),
    why=N_(
        "The guide asks for the name in the certificate. Some authorities leave the common name "
        "out today, and IncaMail may not recognise you without it."
    ),
    remedy=N_("Ask Swiss Post whether the subject alternative name is enough."),
    item="7.1",
    reference="CA/B Forum BR §7.1.4.3; Post MGI guide 7.1",
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
    title=N_("Receiving and sending use certificates of their own"),
    why=N_(
        "With one certificate for both directions, a renewal for the receiving side can silently "
        "break sending. Two certificates can follow different rules."
    ),
    remedy=N_("Plan a separate client certificate for sending at the next renewal."),
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
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
        return unknown(say("No receiving gateway showed its certificate."))
    return passed(say("The directions use different certificates."))


CHECKS: tuple[Check, ...] = (
    sending_file_is_readable,
    sending_key_matches,
    client_usage_is_allowed,
    intermediates_allow_clients,
    client_usage_survives_renewal,
    client_is_valid_today,
    client_is_valid_at_go_live,
    client_renewal_is_not_due,
    client_certificate_is_issued,
    client_chain_is_complete,
    client_authority_is_recognised,
    client_key_is_strong,
    client_signature_is_sound,
    client_has_common_name,
    directions_have_own_certificates,
)
