"""CERT01–CERT16: the certificate that the client's receiving gateway shows."""

from __future__ import annotations

import math

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
from incamail_lib.checks._endpoints import with_certificate
from incamail_lib.checks._subjects import receiving
from incamail_lib.checks.validity import shown_by
from incamail_lib.checks.words import joined
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, say


@check(
    "CERT01",
    on=receiving,
    title=N_("The gateway's certificate is legible"),
    why=N_("A damaged certificate is refused by everybody."),
    remedy=N_("Have the certificate issued again and install it anew."),
    item="6.1",
    reference="RFC 5280 §4.1",
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
    title=N_("The gateway's certificate is not self-signed"),
    why=N_("IncaMail refuses self-signed certificates."),
    remedy=N_("Get a certificate from an authority that IncaMail recognises."),
    item="6.1",
    reference="Post MGI guide 3, 6.1; RFC 5280 §3.2",
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
    title=N_("The gateway sends the intermediate certificates"),
    why=N_("Without them IncaMail cannot lead the certificate back to a recognised root."),
    remedy=N_(
        "Install the intermediate certificates behind the gateway's own certificate in the same "
        "file, in this order; the authority offers them for download."
    ),
    item="6.1",
    reference="RFC 9846 §4.5.1; RFC 5280 §6.1",
    requires=("CERT02",),
)
@with_certificate
def server_chain_is_complete(endpoint: EndpointFacts, _: Context) -> Result:
    """No store misses an intermediate."""
    return rules.chain_is_complete(shown_by(endpoint))


@check(
    "CERT04",
    on=receiving,
    title=N_("A recognised authority issued the gateway's certificate"),
    why=N_("IncaMail refuses certificates of authorities that it does not know."),
    remedy=N_(
        "Get a certificate from a common public authority, or ask Swiss Post to register yours."
    ),
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 3, 6.1",
    requires=("CERT02", "CERT03"),
)
@with_certificate
def server_authority_is_recognised(endpoint: EndpointFacts, context: Context) -> Result:
    """At least one store accepts the whole path for a server; each is told."""
    return rules.trusted_somewhere(shown_by(endpoint), context.now)


@check(
    "CERT05",
    on=receiving,
    title=N_("All trust stores agree on the gateway's certificate"),
    why=N_("Which roots a store holds differs and changes; IncaMail's store is not known."),
    remedy=N_("Ask Swiss Post whether its servers trust this authority's root today."),
    item="6.1",
    reference="RFC 5280 §6.1",
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
    title=N_("The gateway's certificate carries its host name"),
    why=N_("A sender that verifies names refuses to deliver when they differ."),
    remedy=N_(
        "Have the host name from the MX record entered as subject alternative name; the common "
        "name alone does not count any more."
    ),
    item="6.1",
    reference="RFC 9525 §6.3",
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
    title=N_("The gateway's certificate is valid today"),
    why=N_("IncaMail refuses expired certificates."),
    remedy=N_("Renew the certificate, and check the gateway's clock."),
    item="6.1",
    reference="RFC 5280 §4.1.2.5",
    requires=("CERT01",),
)
@with_certificate
def server_is_valid_today(endpoint: EndpointFacts, context: Context) -> Result:
    """Now lies within the validity of every certificate of the path."""
    return rules.valid_now(shown_by(endpoint), context.now)


@check(
    "CERT08",
    on=receiving,
    title=N_("The gateway's certificate is valid on the go-live date"),
    why=N_("A certificate that ends before go-live makes the first day a failure."),
    remedy=N_("Plan the renewal before go-live and test again afterwards."),
    item="7.3",
    reference="RFC 5280 §4.1.2.5",
    requires=("CERT07",),
)
@with_certificate
def server_is_valid_at_go_live(endpoint: EndpointFacts, context: Context) -> Result:
    """The go-live date lies before the end of the path."""
    return rules.valid_at(shown_by(endpoint), context.facts.declared.go_live, context.now)


@check(
    "CERT09",
    on=receiving,
    title=N_("No renewal of the gateway's certificate is due"),
    why=N_("Certificates live ever shorter; a forgotten renewal stops all secure mail."),
    remedy=N_("Renew now, and automate renewal: from 2029 certificates live 47 days at most."),
    item="6.7",
    reference="CA/B Forum BR §6.3.2",
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
    title=N_("The key of the gateway's certificate is strong enough"),
    why=N_(
        "Keys below RSA 2048 can be broken, and most servers refuse them anywhere on the path. "
        "Unusual elliptic curves are refused as well."
    ),
    remedy=N_("Make a new key: RSA 3072 or an elliptic curve such as P-256."),
    item="6.1",
    reference="RFC 9325 §4.5; CA/B Forum BR §6.1.5",
    requires=("CERT01",),
)
@with_certificate
def server_key_is_strong(endpoint: EndpointFacts, context: Context) -> Result:
    """Every key of the path: RSA 2048 or more, a curve that TLS peers take, or Edwards."""
    return rules.key_is_strong(shown_by(endpoint), context.now)


@check(
    "CERT11",
    on=receiving,
    title=N_("The gateway's certificate is soundly signed"),
    why=N_("SHA-1 and MD5 signatures can be forged and are refused."),
    remedy=N_("Have the certificate issued again; today's authorities sign with SHA-256."),
    item="6.1",
    reference="RFC 9155 §2; CA/B Forum BR §7.1.3.2",
    requires=("CERT01",),
)
@with_certificate
def server_signature_is_sound(endpoint: EndpointFacts, context: Context) -> Result:
    """No broken or rare hash on the path, the root's own signature apart."""
    return rules.signatures_are_sound(shown_by(endpoint), context.now)


@check(
    "CERT12",
    on=receiving,
    title=N_("The gateway's certificate may be used as a server"),
    why=N_("IncaMail's servers refuse a certificate that is meant for clients only."),
    remedy=N_(
        "Get a certificate with the usages serverAuth and digitalSignature for the receiving "
        "gateway, from an authority whose own certificates allow servers."
    ),
    item="6.1",
    reference="RFC 5280 §4.2.1.12",
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


@check(
    "CERT13",
    on=receiving,
    title=N_("The certificates are sent in order"),
    why=N_("Older mail servers give up on a chain in the wrong order."),
    remedy=N_("Put the gateway's own certificate first, then each issuer of the one before."),
    item="6.1",
    reference="RFC 9846 §4.5.1",
    level=Level.RECOMMENDED,
    requires=("CERT01",),
)
@with_certificate
def server_chain_is_in_order(endpoint: EndpointFacts, _: Context) -> Result:
    """Each certificate is signed by the next. What is not on the path is mentioned only."""
    links = shown_by(endpoint).links
    if links is None:
        return unknown(say("The order was not examined."))
    if not links.in_order:
        return failed(say("The certificates are out of order."))
    if links.duplicates:
        return failed(say("{count} certificates are sent twice.", count=links.duplicates))
    if links.unrelated:
        names = joined(links.unrelated)
        return passed(say("In order. Not on the path, and not judged: {names}.", names=names))
    return passed(say("{count} certificates in order.", count=links.length))


@check(
    "CERT14",
    on=receiving,
    title=N_("The root certificate is not sent along"),
    why=N_("A root proves nothing when it is sent; it only makes every connection longer."),
    remedy=N_("Remove the root from the gateway's certificate file."),
    item="6.1",
    reference="RFC 9846 §4.5.1",
    level=Level.INFO,
    requires=("CERT01",),
)
@with_certificate
def server_root_is_not_sent(endpoint: EndpointFacts, _: Context) -> Result:
    """The chain ends below the root."""
    links = shown_by(endpoint).links
    if links is not None and links.root_sent:
        return failed(say("The root was sent along."))
    return passed(say("The root was not sent."))


@check(
    "CERT15",
    on=receiving,
    title=N_("The gateway's certificate lives no longer than allowed"),
    why=N_("Certificates that live too long are refused, and a sign of an unusual authority."),
    remedy=N_("Have it issued again with a life that the rules allow on the date of issue."),
    item="6.1",
    reference="CA/B Forum BR §6.3.2 (ballot SC-081v3)",
    level=Level.RECOMMENDED,
    requires=("CERT04",),
)
@with_certificate
def server_lifetime_is_allowed(endpoint: EndpointFacts, context: Context) -> Result:
    """Public authorities are bound by the schedule; the lab stands in for one."""
    leaf = endpoint.chain[0]
    public = context.facts.vantage.on_lab or rules.is_public(endpoint.trust)
    if public is None:
        return unknown(say(rules.ROOT_NOT_KNOWN))
    if not public:
        return not_applicable(say("The rule binds public authorities only."))
    life = leaf.lifetime_days
    if life is None or leaf.not_before is None:
        return unknown(say("The validity could not be read: {problem}.", problem=leaf.problem))
    limit = ca_policy().longest_life(leaf.not_before.date())
    days = math.ceil(life)  # "any amount of time greater than this" is one more day
    if limit is not None and days > limit:
        return failed(say("{days} days; allowed are {limit}.", days=days, limit=limit))
    return passed(say("{days} days.", days=days))


@check(
    "CERT16",
    on=receiving,
    title=N_("The gateway's certificate is publicly logged"),
    why=N_("Public authorities log what they issue; a missing log entry is unusual."),
    remedy=N_("Nothing needs to be done for mail; mention it when you renew."),
    item="6.1",
    reference="RFC 6962 §3.3",
    level=Level.INFO,
    requires=("CERT04",),
)
@with_certificate
def server_certificate_is_logged(endpoint: EndpointFacts, _: Context) -> Result:
    """Signed certificate timestamps are embedded."""
    public = rules.is_public(endpoint.trust)
    if public is None:
        return unknown(say(rules.ROOT_NOT_KNOWN))
    if not public:
        return not_applicable(say("Only public authorities log what they issue."))
    count = endpoint.chain[0].sct_count
    if count:
        return passed(say("{count} timestamps.", count=count))
    return failed(say("No timestamp is embedded."))


@check(
    "CERT17",
    on=receiving,
    title=N_("The gateway shows the certificate that was handed over"),
    why=N_(
        "One certificate is registered with IncaMail; if the gateway shows another, the link fails."
    ),
    remedy=N_("Install the certificate that the set-up document names, or correct the document."),
    item="7.1",
    reference="Post MGI guide 7.1",
    level=Level.RECOMMENDED,
    requires=("CERT01",),
)
@with_certificate
def shown_certificate_is_the_declared_one(endpoint: EndpointFacts, context: Context) -> Result:
    """The leaf equals the one in the file for receiving."""
    files = [c for c in context.facts.credentials if CredentialUse.RECEIVING in c.uses and c.chain]
    if not files:
        return not_applicable(say("No certificate file for receiving was given."))
    if endpoint.chain[0].sha256 in {c.chain[0].sha256 for c in files}:
        return passed(say("It is the same certificate."))
    return failed(
        say("It shows another certificate: SHA-256 {sha256}.", sha256=endpoint.chain[0].sha256)
    )


CHECKS: tuple[Check, ...] = (
    certificate_is_legible,
    server_certificate_is_issued,
    server_chain_is_complete,
    server_authority_is_recognised,
    server_stores_agree,
    server_name_matches,
    server_is_valid_today,
    server_is_valid_at_go_live,
    server_renewal_is_not_due,
    server_key_is_strong,
    server_signature_is_sound,
    server_usage_is_allowed,
    server_chain_is_in_order,
    server_root_is_not_sent,
    server_lifetime_is_allowed,
    server_certificate_is_logged,
    shown_certificate_is_the_declared_one,
)
