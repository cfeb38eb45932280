"""CERT20–CERT34: the certificate that the client's sending gateway shows to IncaMail."""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._client_auth import renewal_of
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
from incamail_lib.checks.validity import Presented, held_by
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.findings import Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, Text, say

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
    if told.key_matches.is_yes and not told.leaf_stands_first:
        return failed(say(_NOT_FIRST), level=Level.RECOMMENDED, remedy=say(_PUT_FIRST))
    if told.key_matches.is_yes:
        return passed(say("Key and certificate belong together."))
    cause = Text(template=told.key_matches.evidence)
    if told.key_matches.is_no:
        return failed(say("The key does not fit: {cause}.", cause=cause))
    if told.has_key:
        return unknown(say("The key could not be compared: {cause}.", cause=cause))
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
    """Extended key usage, key usage and Netscape type of the leaf allow a client."""
    held = _held(told)
    return (
        rules.leaf_serves(held, "clientAuth")
        or rules.peculiar_use(held, "clientAuth")
        or passed(say("clientAuth is allowed."))
    )


@check(
    "CERT23",
    on=sending_credentials,
    title=N_("The certificates of the authorities allow use as a client"),
    why=N_(
        "OpenSSL also checks the issuing authorities up to the root: one that is for servers only "
        "is refused."
    ),
    remedy=_CLIENT_REMEDY,
    item="6.1",
    reference="RFC 5280 §4.2.1.12; openssl-verification-options(1)",
    requires=("CERT20",),
)
def intermediates_allow_clients(told: CredentialFacts, context: Context) -> Result:
    """No certificate above the leaf restricts what it issues to servers."""
    held = _held(told)
    restricted = rules.authorities_allow(held, "clientAuth", context.now)
    if restricted is not None:
        return replace(restricted, remedy=_server_only_remedy())
    if told.trust and not held.asked:
        return unknown(say("No trust store could be asked."))
    if len(held.path(context.now)) == 1 and not told.chain[0].self_signed:
        return unknown(say("The file holds no intermediate certificate."))
    return passed(say("No authority restricts the use."))


def _server_only_remedy() -> Text:
    return say(
        "New intermediate certificates of public authorities are for servers only since {date}. "
        "{remedy}",
        date=ca_policy().new_intermediates.server_only_from.isoformat(),
        remedy=say(_CLIENT_REMEDY),
    )


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
    """The authority still issues clientAuth on the day this certificate ends.

    Where its own date is not known, no renewal is promised: the root programme's is the latest.
    """
    held = _held(told)
    if not held.asked:
        return unknown(say("No trust store could be asked."))
    public = rules.is_public(held.asked)
    if public is None:
        return unknown(say(rules.ROOT_NOT_KNOWN))
    if not public:
        return not_applicable(say("A private authority is not bound by the public rules."))
    if held.leaf.not_after is None:
        return unknown(say("The validity could not be read: {problem}.", problem=held.leaf.problem))
    return renewal_of(held.leaf, held.leaf.not_after.date())


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
    """Now lies within the validity of every certificate of the path."""
    return rules.valid_now(_held(told), context.now)


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
    """The go-live date lies before the end of the path."""
    return rules.valid_at(_held(told), context.facts.declared.go_live, context.now)


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
    """More than 30 days, or a third of its life, are left until the path ends."""
    return rules.renewal_not_due(_held(told), context.now)


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
    return rules.chain_is_complete(_held(told))


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
    """A store accepts the whole path; or IncaMail itself took the certificate, which says more."""
    taken = [e for e in context.facts.platform_endpoints if e.client_auth.own_accepted.is_yes]
    checked = [e for e in taken if e.client_auth.foreign_accepted.is_no]
    if checked:
        return passed(say("IncaMail accepted it, and refused a stranger's."))
    return rules.trusted_somewhere(_held(told), context.now)


@check(
    "CERT31",
    on=sending_credentials,
    title=N_("The key of the certificate for sending is strong enough"),
    why=N_(
        "Keys below RSA 2048 can be broken, and most servers refuse them anywhere on the path. "
        "Unusual elliptic curves are refused as well."
    ),
    remedy=N_("Make a new key: RSA 3072 or an elliptic curve such as P-256."),
    item="6.1",
    reference="RFC 9325 §4.5; CA/B Forum BR §6.1.5",
    requires=("CERT20",),
)
def client_key_is_strong(told: CredentialFacts, context: Context) -> Result:
    """Every key of the path: RSA 2048 or more, a curve that TLS peers take, or Edwards."""
    return rules.key_is_strong(_held(told), context.now)


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
def client_signature_is_sound(told: CredentialFacts, context: Context) -> Result:
    """No broken or rare hash on the path, the root's own signature apart."""
    return rules.signatures_are_sound(_held(told), context.now)


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
