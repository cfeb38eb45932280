"""The certificate that the client's sending gateway shows to IncaMail."""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._advice import SENDING_FILE
from incamail_lib.checks._client_auth import renewal_of
from incamail_lib.checks._core import (
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
from incamail_lib.errors import reason_in
from incamail_lib.facts.certificate import CredentialFacts
from incamail_lib.findings import Leg, Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, Text, say, say_n

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
    passes=N_("The certificate for sending can be read"),
    fails=N_("The certificate file for sending cannot be used"),
    asks=N_("Can the certificate for sending be read?"),
    why=N_("Mutual authentication needs a certificate on the sending gateway."),
    remedy=N_(
        "Name a PEM, DER, PKCS#7 or PKCS#12 file in the dossier, and the environment variable "
        "with its passphrase if it has one."
    ),
    clarify=SENDING_FILE,
    item="6.1",
    reference="Post MGI guide 3, 6.1",
    leg=Leg.LINK,
)
def sending_file_is_readable(told: CredentialFacts, _: Context) -> Result:
    """The file holds at least one certificate. Without a file the question stays open."""
    if told.readable.is_yes:
        return passed(
            say_n(
                "{format}, {n} certificate.",
                "{format}, {n} certificates.",
                len(told.chain),
                format=told.format,
            )
        )
    cannot = say("It cannot be used: {cause}.", cause=reason_in(told.readable.evidence))
    return failed(cannot) if told.readable.is_no else unknown(cannot)


@check(
    "CERT21",
    on=sending_credentials,
    passes=N_("The private key belongs to the certificate"),
    fails=N_("The private key does not belong to the certificate"),
    asks=N_("Does the private key belong to the certificate?"),
    why=N_("With another key every handshake fails."),
    remedy=N_("Look for the key that the certificate was requested with, or request a new one."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 9846 §4.5.2",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def sending_key_matches(told: CredentialFacts, _: Context) -> Result:
    """The public keys are equal. Without the key it is unknown: it may lie on the gateway."""
    if told.key_matches.is_yes and not told.leaf_stands_first:
        return failed(
            say(_NOT_FIRST),
            level=Level.RECOMMENDED,
            remedy=say(_PUT_FIRST),
            title=N_("Another certificate than that of the key stands first in the file"),
        )
    if told.key_matches.is_yes:
        return passed(say("Key and certificate belong together."))
    cause = Text(template=told.key_matches.evidence)
    if told.key_matches.is_no:
        return failed(say("The key does not fit: {cause}.", cause=cause))
    if told.has_key:
        return unknown(
            say("The key could not be compared: {cause}.", cause=cause), remedy=say(_KEY_UNREAD)
        )
    return unknown(
        say("No private key was given, so the certificate cannot be tried."), remedy=say(_NO_KEY)
    )


_KEY_UNREAD = N_(
    "Look whether the passphrase (certificates: sending: passphrase_env) and the format of the "
    "key are right, then measure again."
)
_NO_KEY = N_(
    "Name the key in the dossier (certificates: sending: key) and measure on the sending gateway, "
    "or compare there: «openssl x509 -noout -pubkey» and «openssl pkey -pubout» give the same."
)


@check(
    "CERT22",
    on=sending_credentials,
    passes=N_("The certificate may be used as a client"),
    fails=N_("The certificate may not be used as a client"),
    asks=N_("May the certificate be used as a client?"),
    why=N_(
        "The sending gateway is the client of the connection. Servers that check the usage refuse "
        "a certificate without clientAuth, and most public certificates have lost it since 2026."
    ),
    remedy=_CLIENT_REMEDY,
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
    leg=Leg.LINK,
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
    passes=N_("The certificates of the authorities allow use as a client"),
    fails=N_("An authority's certificate does not allow use as a client"),
    asks=N_("Do the certificates of the authorities allow use as a client?"),
    why=N_(
        "OpenSSL also checks the issuing authorities up to the root: one that is for servers only "
        "is refused."
    ),
    remedy=_CLIENT_REMEDY,
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 5280 §4.2.1.12; openssl-verification-options(1)",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def intermediates_allow_clients(told: CredentialFacts, context: Context) -> Result:
    """No certificate above the leaf restricts what it issues to servers."""
    held = _held(told)
    restricted = rules.authorities_allow(held, "clientAuth", context.now)
    if restricted is not None:
        return replace(restricted, remedy=_server_only_remedy())
    if told.trust and not held.asked:
        return rules.no_store()
    if len(held.path(context.now)) == 1 and not told.chain[0].self_signed:
        return unknown(
            say("The file holds no intermediate certificate."),
            remedy=say("Append the authority's intermediate certificates, then measure again."),
        )
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
    passes=N_("Use as a client will survive the next renewal"),
    fails=N_("Use as a client will end with the next renewal"),
    asks=N_("Will use as a client survive the next renewal?"),
    why=N_(
        "Public authorities stop issuing certificates with clientAuth by 2027. The link would then "
        "break on the day of the renewal, without any change on your side."
    ),
    remedy=_CLIENT_REMEDY,
    clarify=SENDING_FILE,
    item="6.1",
    reference="Chrome Root Program Policy 1.8",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    requires=("CERT22",),
)
def client_usage_survives_renewal(told: CredentialFacts, _: Context) -> Result:
    """The authority still issues clientAuth on the day this certificate ends.

    Where its own date is not known, no renewal is promised: the root programme's is the latest.
    """
    held = _held(told)
    if not held.asked:
        return rules.no_store()
    public = rules.is_public(held.asked)
    if public is None:
        return rules.root_not_known()
    if not public:
        return not_applicable(say("A private authority is not bound by the public rules."))
    if held.leaf.not_after is None:
        return rules.undated(held.leaf)
    return renewal_of(held.leaf, held.leaf.not_after.date())


@check(
    "CERT25",
    on=sending_credentials,
    passes=N_("The certificate for sending is valid today"),
    fails=N_("The certificate for sending is not valid today"),
    asks=N_("Is the certificate for sending valid today?"),
    why=N_("IncaMail refuses expired certificates."),
    remedy=N_("Renew the certificate and register the new one with Swiss Post."),
    clarify=SENDING_FILE,
    item="6.1",
    reference="RFC 5280 §4.1.2.5",
    leg=Leg.LINK,
    requires=("CERT20",),
)
def client_is_valid_today(told: CredentialFacts, context: Context) -> Result:
    """Now lies within the validity of every certificate of the path."""
    return rules.valid_now(_held(told), context.now)


@check(
    "CERT26",
    on=sending_credentials,
    passes=N_("The certificate for sending is valid on the go-live date"),
    fails=N_("The certificate for sending does not outlast the go-live date"),
    asks=N_("Is the certificate for sending valid on the go-live date?"),
    why=N_("A certificate that ends before go-live makes the first day a failure."),
    remedy=N_("Renew before go-live, register the new certificate and test again."),
    clarify=SENDING_FILE,
    item="7.3",
    reference="RFC 5280 §4.1.2.5",
    leg=Leg.LINK,
    requires=("CERT25",),
)
def client_is_valid_at_go_live(told: CredentialFacts, context: Context) -> Result:
    """The go-live date lies before the end of the path."""
    return rules.valid_at(_held(told), context.facts.declared.go_live, context.now)


@check(
    "CERT27",
    on=sending_credentials,
    passes=N_("No renewal of the certificate for sending is due"),
    fails=N_("The certificate for sending is due for renewal"),
    asks=N_("Is a renewal of the certificate for sending due?"),
    why=N_("A new certificate must be registered with Swiss Post before the old one ends."),
    remedy=N_("Renew now and send the new certificate to Swiss Post in good time."),
    clarify=SENDING_FILE,
    item="6.7",
    reference="CA/B Forum BR §6.3.2",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    requires=("CERT25",),
)
def client_renewal_is_not_due(told: CredentialFacts, context: Context) -> Result:
    """More than 30 days, or a third of its life, are left until the path ends."""
    return rules.renewal_not_due(_held(told), context.now)
