"""What the receiving gateway sends along, and what rules and standards say of it."""

from __future__ import annotations

import math

from incamail_lib.checks import _certificates as rules
from incamail_lib.checks._advice import GATEWAY_CERTIFICATE
from incamail_lib.checks._core import (
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
from incamail_lib.findings import Leg, Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, say, say_n


@check(
    "CERT13",
    on=receiving,
    passes=N_("The certificates are sent in order"),
    fails=N_("The certificates are sent out of order"),
    asks=N_("Are the certificates sent in order?"),
    why=N_("Older mail servers give up on a chain in the wrong order."),
    remedy=N_("Put the gateway's own certificate first, then each issuer of the one before."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 9846 §4.5.1",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("CERT01",),
)
@with_certificate
def server_chain_is_in_order(endpoint: EndpointFacts, _: Context) -> Result:
    """Each certificate is signed by the next. What is not on the path is mentioned only."""
    links = shown_by(endpoint).links
    if links is None:
        return _not_examined()
    if not links.in_order:
        return failed(say("The certificates are out of order."))
    if links.duplicates:
        return failed(
            say_n(
                "{n} certificate is sent twice.",
                "{n} certificates are sent twice.",
                links.duplicates,
            ),
            title=N_("A certificate is sent more than once"),
            remedy=say("Keep each certificate only once in the gateway's certificate file."),
        )
    if links.unrelated:
        names = joined(links.unrelated)
        return passed(say("In order. Not on the path, and not judged: {names}.", names=names))
    return passed(
        say_n(
            "{n} certificate only, so there is no order to keep.",
            "{n} certificates in order.",
            links.length,
        )
    )


def _not_examined() -> Result:
    return unknown(say("The order was not examined."), remedy=say(_MEASURE_AGAIN))


_MEASURE_AGAIN = N_(
    "The facts are of an older version: measure again, or look at the chain yourself: openssl "
    "s_client -starttls smtp -showcerts -connect HOST:25."
)


@check(
    "CERT14",
    on=receiving,
    passes=N_("The root certificate is not sent along"),
    fails=N_("The root certificate is sent along"),
    asks=N_("Is the root certificate sent along?"),
    why=N_("A root proves nothing when it is sent; it only makes every connection longer."),
    remedy=N_("Remove the root from the gateway's certificate file."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 9846 §4.5.1",
    leg=Leg.ARRIVAL,
    level=Level.INFO,
    requires=("CERT01",),
)
@with_certificate
def server_root_is_not_sent(endpoint: EndpointFacts, _: Context) -> Result:
    """The chain ends below the root."""
    links = shown_by(endpoint).links
    if links is None:
        return _not_examined()
    if links.root_sent:
        return failed(say("The root was sent along."))
    return passed(say("The root was not sent."))


@check(
    "CERT15",
    on=receiving,
    passes=N_("The gateway's certificate lives no longer than allowed"),
    fails=N_("The gateway's certificate lives longer than allowed"),
    asks=N_("Does the gateway's certificate live longer than allowed?"),
    why=N_("Certificates that live too long are refused, and a sign of an unusual authority."),
    remedy=N_("Have it issued again with a life that the rules allow on the date of issue."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="CA/B Forum BR §6.3.2 (ballot SC-081v3)",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("CERT04",),
)
@with_certificate
def server_lifetime_is_allowed(endpoint: EndpointFacts, context: Context) -> Result:
    """Public authorities are bound by the schedule; the lab stands in for one."""
    leaf = endpoint.chain[0]
    public = context.facts.vantage.on_lab or rules.is_public(endpoint.trust)
    if public is None:
        return rules.root_not_known()
    if not public:
        return not_applicable(say("The rule binds public authorities only."))
    life = leaf.lifetime_days
    if life is None or leaf.not_before is None:
        return rules.undated(leaf)
    limit = ca_policy().longest_life(leaf.not_before.date())
    days = math.ceil(life)  # "any amount of time greater than this" is one more day
    if limit is not None and days > limit:
        return failed(
            say_n(
                "{n} day; allowed are {limit}.", "{n} days; allowed are {limit}.", days, limit=limit
            )
        )
    return passed(say_n("{n} day.", "{n} days.", days))


@check(
    "CERT16",
    on=receiving,
    passes=N_("The gateway's certificate is publicly logged"),
    fails=N_("The gateway's certificate shows no entry in a public log"),
    asks=N_("Is the gateway's certificate publicly logged?"),
    why=N_("Public authorities log what they issue; a missing log entry is unusual."),
    remedy=N_("Nothing needs to be done for mail; mention it when you renew."),
    clarify=GATEWAY_CERTIFICATE,
    item="6.1",
    reference="RFC 6962 §3.3",
    leg=Leg.ARRIVAL,
    level=Level.INFO,
    requires=("CERT04",),
)
@with_certificate
def server_certificate_is_logged(endpoint: EndpointFacts, _: Context) -> Result:
    """Signed certificate timestamps are embedded."""
    public = rules.is_public(endpoint.trust)
    if public is None:
        return rules.root_not_known()
    if not public:
        return not_applicable(say("Only public authorities log what they issue."))
    count = endpoint.chain[0].sct_count
    if count:
        return passed(say_n("{n} timestamp is embedded.", "{n} timestamps are embedded.", count))
    return failed(say("No timestamp is embedded."))


@check(
    "CERT17",
    on=receiving,
    passes=N_("The gateway shows the certificate that was handed over"),
    fails=N_("The gateway shows another certificate than was handed over"),
    asks=N_("Does the gateway show the certificate that was handed over?"),
    why=N_(
        "One certificate is registered with IncaMail; if the gateway shows another, the link fails."
    ),
    remedy=N_("Install the certificate that the set-up document names, or correct the document."),
    clarify=GATEWAY_CERTIFICATE,
    item="7.1",
    reference="Post MGI guide 7.1",
    leg=Leg.ARRIVAL,
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
