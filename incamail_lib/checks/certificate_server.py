"""The certificate that the client's receiving gateway shows."""

from __future__ import annotations

from incamail_lib.checks import _certificate_strength as strength
from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._advice import GATEWAY_CERTIFICATE
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import with_certificate
from incamail_lib.checks._subjects import receiving
from incamail_lib.checks.validity import shown_by
from incamail_lib.checks.words import joined
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say


@check(
    "CERT01",
    on=receiving,
    passes=N_("The gateway's certificate is legible"),
    fails=N_("The gateway's certificate cannot be read"),
    asks=N_("Is the gateway's certificate legible?"),
    why=N_("A damaged certificate is refused by everybody."),
    remedy=N_("Have the certificate issued again and install it anew."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §4.1",
    leg=Leg.ARRIVAL,
    requires=("SMTP03",),
)
@with_certificate
def certificate_is_legible(endpoint: EndpointFacts, _: Context) -> Result:
    """The leaf could be parsed."""
    leaf = endpoint.chain[0]
    if leaf.problem:
        return failed(say("It cannot be read: {problem}.", problem=leaf.problem))
    return passed(say("{subject}", subject=leaf.subject or ", ".join(leaf.san_dns)))


@check(
    "CERT02",
    on=receiving,
    passes=N_("The gateway's certificate is not self-signed"),
    fails=N_("The gateway's certificate is self-signed"),
    asks=N_("Is the gateway's certificate signed by an authority?"),
    why=N_("IncaMail refuses self-signed certificates."),
    remedy=N_("Get a certificate from an authority that IncaMail recognises."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="Post MGI guide 3, 6.1; RFC 5280 §3.2",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_certificate_is_issued(endpoint: EndpointFacts, _: Context) -> Result:
    """The leaf is signed by somebody else."""
    if endpoint.chain[0].self_signed:
        return failed(say("It is signed by itself."))
    return passed(say("Issued by {issuer}.", issuer=endpoint.chain[0].issuer))


@check(
    "CERT03",
    on=receiving,
    passes=N_("The gateway's certificate chain has no gap"),
    fails=N_("The gateway does not send a needed intermediate certificate"),
    asks=N_("Is the gateway's certificate chain complete?"),
    why=N_("Without them IncaMail cannot lead the certificate back to a recognised root."),
    remedy=N_(
        "Install the intermediate certificates behind the gateway's own certificate in the same "
        "file, in this order; the authority offers them for download."
    ),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 9846 §4.5.1; RFC 5280 §6.1",
    leg=Leg.ARRIVAL,
    requires=("CERT02",),
)
@with_certificate
def server_chain_is_complete(endpoint: EndpointFacts, _: Context) -> Result:
    """No store misses an intermediate."""
    return rules.chain_is_complete(shown_by(endpoint))


@check(
    "CERT04",
    on=receiving,
    passes=N_("At least one trust store accepts the gateway's certificate"),
    fails=N_("No trust store accepts the gateway's certificate"),
    asks=N_("Is the authority of the gateway's certificate recognised?"),
    why=N_("IncaMail refuses certificates of authorities that it does not know."),
    remedy=N_(
        "Get a certificate from a common public authority, or ask Swiss Post to register yours."
    ),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 3, 6.1",
    leg=Leg.ARRIVAL,
    requires=("CERT02", "CERT03"),
)
@with_certificate
def server_authority_is_recognised(endpoint: EndpointFacts, context: Context) -> Result:
    """At least one store accepts the whole path for a server; each is told."""
    return rules.trusted_somewhere(shown_by(endpoint), context.now)


@check(
    "CERT05",
    on=receiving,
    passes=N_("The trust stores asked agree on the gateway's certificate"),
    fails=N_("The trust stores differ about the gateway's certificate"),
    asks=N_("Do the trust stores agree on the gateway's certificate?"),
    why=N_("Which roots a store holds differs and changes; IncaMail's store is not known."),
    remedy=N_("Ask Swiss Post whether its servers trust this authority's root today."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §6.1",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("CERT04",),
)
@with_certificate
def server_stores_agree(endpoint: EndpointFacts, _: Context) -> Result:
    """Every store says the same."""
    return rules.stores_agree(shown_by(endpoint))


@check(
    "CERT06",
    on=receiving,
    passes=N_("The gateway's certificate carries its host name"),
    fails=N_("The gateway's certificate does not carry its host name"),
    asks=N_("Does the gateway's certificate carry its host name?"),
    why=N_("A sender that verifies names refuses to deliver when they differ."),
    remedy=N_(
        "Have the host name from the MX record entered as subject alternative name; the common "
        "name alone does not count any more."
    ),
    clarify=N_(
        "Compare the names in the certificate with the host name of the MX record: openssl x509 "
        "-noout -ext subjectAltName -in FILE."
    ),
    item="6.1",
    reference="RFC 9525 §6.3",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_name_matches(endpoint: EndpointFacts, _: Context) -> Result:
    """A DNS-ID matches the host."""
    match = endpoint.name_match
    if match is None:
        return unknown(say("The name was not compared."))
    if match.matched:
        return passed(say("Valid for {host}.", host=match.host))
    names = joined(match.presented) if match.presented else "–"
    return failed(say("Not valid for {host}; it names {names}.", host=match.host, names=names))


@check(
    "CERT07",
    on=receiving,
    passes=N_("The gateway's certificate is valid today"),
    fails=N_("The gateway's certificate is not valid today"),
    asks=N_("Is the gateway's certificate valid today?"),
    why=N_("IncaMail refuses expired certificates."),
    remedy=N_("Renew the certificate, and check the gateway's clock."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §4.1.2.5",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_is_valid_today(endpoint: EndpointFacts, context: Context) -> Result:
    """Now lies within the validity of every certificate of the path."""
    return rules.valid_now(shown_by(endpoint), context.now)


@check(
    "CERT08",
    on=receiving,
    passes=N_("The gateway's certificate is valid on the go-live date"),
    fails=N_("The gateway's certificate does not outlast the go-live date"),
    asks=N_("Is the gateway's certificate valid on the go-live date?"),
    why=N_("A certificate that ends before go-live makes the first day a failure."),
    remedy=N_("Plan the renewal before go-live and test again afterwards."),
    clarify=GATEWAY_CERTIFICATE,
    item="7.3",
    reference="RFC 5280 §4.1.2.5",
    leg=Leg.ARRIVAL,
    requires=("CERT07",),
)
@with_certificate
def server_is_valid_at_go_live(endpoint: EndpointFacts, context: Context) -> Result:
    """The go-live date lies before the end of the path."""
    return rules.valid_at(shown_by(endpoint), context.facts.declared.go_live, context.now)


@check(
    "CERT09",
    on=receiving,
    passes=N_("No renewal of the gateway's certificate is due"),
    fails=N_("The gateway's certificate is due for renewal"),
    asks=N_("Is a renewal of the gateway's certificate due?"),
    why=N_("Certificates live ever shorter; a forgotten renewal stops all secure mail."),
    remedy=N_("Renew now, and automate renewal: from 2029 certificates live 47 days at most."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.7",
    reference="CA/B Forum BR §6.3.2",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("CERT07",),
)
@with_certificate
def server_renewal_is_not_due(endpoint: EndpointFacts, context: Context) -> Result:
    """More than 30 days, or a third of its life, are left until the path ends."""
    return rules.renewal_not_due(shown_by(endpoint), context.now)


@check(
    "CERT10",
    on=receiving,
    passes=N_("The key of the gateway's certificate is strong enough"),
    fails=N_("A key in the gateway's certificate chain is weak or unusual"),
    asks=N_("Is the key of the gateway's certificate strong enough?"),
    why=N_(
        "Keys below RSA 2048 can be broken, and most servers refuse them anywhere on the path. "
        "Unusual elliptic curves are refused as well."
    ),
    remedy=N_("Make a new key: RSA 3072 or an elliptic curve such as P-256."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 9325 §4.5; CA/B Forum BR §6.1.5",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_key_is_strong(endpoint: EndpointFacts, context: Context) -> Result:
    """Every key of the path: RSA 2048 or more, a curve that TLS peers take, or Edwards."""
    return strength.key_is_strong(shown_by(endpoint), context.now)


@check(
    "CERT11",
    on=receiving,
    passes=N_("The gateway's certificate is soundly signed"),
    fails=N_("A signature in the gateway's certificate chain is weak or rare"),
    asks=N_("Is the gateway's certificate soundly signed?"),
    why=N_("SHA-1 and MD5 signatures can be forged and are refused."),
    remedy=N_("Have the certificate issued again; today's authorities sign with SHA-256."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 9155 §2; CA/B Forum BR §7.1.3.2",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_signature_is_sound(endpoint: EndpointFacts, context: Context) -> Result:
    """No broken or rare hash on the path, the root's own signature apart."""
    return strength.signatures_are_sound(shown_by(endpoint), context.now)


@check(
    "CERT12",
    on=receiving,
    passes=N_("The gateway's certificate may be used as a server"),
    fails=N_("The gateway's certificate chain does not allow use as a server"),
    asks=N_("May the gateway's certificate be used as a server?"),
    why=N_("IncaMail's servers refuse a certificate that is meant for clients only."),
    remedy=N_(
        "Get a certificate with the usages serverAuth and digitalSignature for the receiving "
        "gateway, from an authority whose own certificates allow servers."
    ),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
    leg=Leg.ARRIVAL,
    requires=("CERT01",),
)
@with_certificate
def server_usage_is_allowed(endpoint: EndpointFacts, context: Context) -> Result:
    """Extended key usage, key usage and Netscape type of the whole path allow a server."""
    shown = shown_by(endpoint)
    return (
        rules.leaf_serves(shown, "serverAuth")
        or rules.authorities_allow(shown, "serverAuth", context.now)
        or rules.peculiar_use(shown, "serverAuth")
        or passed(say("serverAuth is allowed."))
    )
