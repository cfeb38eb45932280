"""Whether what IncaMail shows is trusted, valid, alike everywhere and complete."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from incamail_lib.checks._advice import NO_STORE, PLATFORM_CERTIFICATE
from incamail_lib.checks._certificates import chain_is_complete, valid_at, valid_now
from incamail_lib.checks._core import (
    Context,
    NotApplicable,
    Result,
    SeenFrom,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import for_each_certificate
from incamail_lib.checks._subjects import platform
from incamail_lib.checks.platform import IN_BETWEEN, no_certificate
from incamail_lib.checks.validity import shown_by
from incamail_lib.checks.words import joined, stores_text
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import TrustFacts, TrustReason
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Leg, Level, Outcome
from incamail_lib.i18n import N_, say, say_n


@check(
    "PLAT06",
    on=platform,
    passes=N_("The trust stores asked accept IncaMail's certificate"),
    fails=N_("Not every trust store accepts IncaMail's certificate"),
    asks=N_("Do the trust stores accept IncaMail's certificate?"),
    why=N_(
        "The sending gateway can only verify IncaMail if the root of its certificate is in the "
        "gateway's own trust store. Which roots are in a store differs and changes."
    ),
    remedy=N_(
        "Add the root certificate of IncaMail's authority to the trust store of the sending "
        "gateway, or update that store. Compare its fingerprint with the authority's publication."
    ),
    clarify=PLATFORM_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §6.1; Post MGI guide 6.1",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def stores_trust_the_platform(endpoint: EndpointFacts, context: Context) -> Result:
    """Every named trust store accepts the path; when only some do, the MTA's may be the one."""
    if not endpoint.trust:
        return no_certificate(endpoint)
    accepting = shown_by(endpoint).accepted_at(context.now)
    others = [_as_of(context.now, t) for t in endpoint.trust if t not in accepting]
    doubtful = [t for t in accepting if t.reserved]
    if others:
        return _not_everywhere([t.store for t in endpoint.trust if t in accepting], others)
    if doubtful:
        return failed(
            say("Not every TLS library accepts it ({reasons}).", reasons=stores_text(doubtful)),
            level=Level.RECOMMENDED,
            title=N_("Not every TLS library accepts IncaMail's certificate"),
            remedy=say(_OTHER_LIBRARIES),
        )
    stores = joined([t.store for t in endpoint.trust])
    return passed(say("Trusted by {stores}. Revocation was not checked.", stores=stores))


def _as_of(now: dt.datetime, answer: TrustFacts) -> TrustFacts:
    """The answer with the reason that holds at `now`, where it was measured at another time."""
    if not answer.trusted.is_yes:
        return answer
    begun = all(c.not_before is not None and c.not_before <= now for c in answer.members)
    reason = TrustReason.EXPIRED if begun else TrustReason.NOT_YET_VALID
    return answer.model_copy(update={"reason": reason})


def _not_everywhere(trusting: list[str], others: list[TrustFacts]) -> Result:
    """What the stores that do not accept it mean; one that cannot be read refuses nothing."""
    reasons = stores_text(others)
    refusing = [t for t in others if t.reason is not TrustReason.STORE_UNREADABLE]
    lacking = all(t.reason is TrustReason.UNKNOWN_ROOT for t in others)
    if not trusting and refusing == others:
        return failed(
            say("No store trusts it ({reasons}).", reasons=reasons),
            remedy=None if lacking else say(_NOT_OURS),
            title=N_("No trust store accepts IncaMail's certificate"),
        )
    if not trusting:
        told = say("No store accepts it; some could not judge it ({reasons}).", reasons=reasons)
        return unknown(told, remedy=say(NO_STORE))
    both = {"stores": joined(trusting), "reasons": reasons}
    if not refusing:
        open_ = unknown(say("Trusted by {stores}; {reasons}.", **both), remedy=say(NO_STORE))
        return replace(open_, level=Level.RECOMMENDED)
    return failed(
        say("Trusted by {stores}, but not everywhere ({reasons}).", **both),
        level=Level.RECOMMENDED,
    )


# A store that lacks the root can be mended by the client; whatever is wrong with the certificate
# itself cannot.
_NOT_OURS = N_(
    "Tell Swiss Post what was seen here and when: the certificate is theirs, and nothing of yours "
    "mends it. Make sure first that nothing of your own answers in IncaMail's place (guide 8.4)."
)
_OTHER_LIBRARIES = N_(
    "Try the connection with the TLS library of your own mail server. If that refuses it, ask "
    "Swiss Post, or lower the security level for this connection only."
)


@check(
    "PLAT07",
    on=platform,
    passes=N_("IncaMail's certificate is valid today and on the go-live date"),
    fails=N_("IncaMail's certificate is not valid today"),
    asks=N_("Is IncaMail's certificate valid?"),
    why=N_("An expired certificate stops every delivery that verifies it."),
    remedy=N_("Ask Swiss Post when the certificate will be renewed."),
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="RFC 5280 §4.1.2.5",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def platform_certificate_is_valid(endpoint: EndpointFacts, context: Context) -> Result:
    """Now lies within the validity of the path; an end before go-live is a renewal to watch.

    The rule is that of CERT08. It weighs less, since renewing it is not the client's to do.
    """
    if not endpoint.chain:
        return no_certificate(endpoint)
    shown = shown_by(endpoint)
    today = valid_now(shown, context.now)
    if today.outcome is not Outcome.PASSED:
        return replace(today, remedy=None) if today.outcome is Outcome.FAILED else today
    later = valid_at(shown, context.facts.declared.go_live, context.now)
    if later.outcome is Outcome.NOT_APPLICABLE:
        return replace(today, title=N_("IncaMail's certificate is valid today"))
    if later.outcome is not Outcome.FAILED:
        return later
    title = later.title or N_("IncaMail's certificate does not outlast the go-live date")
    return replace(later, level=Level.RECOMMENDED, title=title)


@check(
    "PLAT08",
    on=platform,
    passes=N_("The fingerprint is the one that was given"),
    fails=N_("The fingerprint differs from the one that was given"),
    asks=N_("Is the fingerprint the one that was given?"),
    why=N_("A fingerprint received over another channel proves the certificate beyond doubt."),
    remedy=N_(
        "Certificates are renewed every few months, and their fingerprint changes each time: ask "
        "Swiss Post for the current one before you suspect an attack."
    ),
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="Post MGI guide 8.4",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def fingerprint_is_as_given(endpoint: EndpointFacts, context: Context) -> Result:
    """SHA-1 of the leaf, or SHA-256 of its public key, equals a value given for the platform."""
    leaf = endpoint.leaf
    given = context.facts.platform.fingerprints_sha1.value
    keys = context.facts.platform.spki_sha256.value
    if not given and not keys:
        return not_applicable(say("No fingerprint was given."))
    if leaf is None:
        return no_certificate(endpoint)
    if leaf.sha1 in map(_bare, given) or leaf.spki_sha256 in map(_bare, keys):
        return passed(say("The fingerprint matches."))
    return failed(say("The fingerprint differs: SHA-1 {sha1}.", sha1=leaf.sha1))


def _bare(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _pairs(facts: AuditFacts) -> Subjects[tuple[EndpointFacts, ...]]:
    if len(facts.platform_endpoints) < 2:
        return NotApplicable(say("Only one gateway of the platform was examined."))
    return [Subject("", facts.platform_endpoints)]


@check(
    "PLAT09",
    on=_pairs,
    passes=N_("IncaMail's gateways show the same organisation and issuer"),
    fails=N_("IncaMail's gateways show different organisations or issuers"),
    asks=N_("Do IncaMail's gateways show the same organisation and issuer?"),
    why=N_("A difference shows that something sits in between on one of the ways."),
    remedy=IN_BETWEEN,
    clarify=PLATFORM_CERTIFICATE,
    item="8.4",
    reference="Post MGI guide 8.4",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    seen_from=SeenFrom.CLIENT,
)
def gateways_agree(endpoints: tuple[EndpointFacts, ...], _: Context) -> Result:
    """Organisation and issuer are the same at every gateway that showed a certificate."""
    leaves = [e.leaf for e in endpoints if e.leaf]
    if len(leaves) < 2:
        return unknown(say("Fewer than two gateways showed a certificate."))
    identities = {(leaf.subject_o, leaf.issuer_o) for leaf in leaves}
    if len(identities) == 1:
        return passed(
            say_n(
                "{n} gateway showed one organisation and issuer.",
                "{n} gateways showed the same organisation and issuer.",
                len(leaves),
            )
        )
    shown = sorted(" / ".join((*o, *i)) for o, i in identities)
    return failed(say("They differ: {identities}.", identities=joined(shown)))


@check(
    "PLAT10",
    on=platform,
    passes=N_("The certificate chain of IncaMail's gateway has no gap"),
    fails=N_("IncaMail's gateway does not send a needed intermediate certificate"),
    asks=N_("Is the certificate chain of IncaMail's gateway complete?"),
    why=N_("Without the intermediate certificate many servers cannot verify it."),
    remedy=N_("Report it to Swiss Post, or add the intermediate to the gateway's trust store."),
    clarify=PLATFORM_CERTIFICATE,
    item="6.1",
    reference="RFC 5280 §6.1; RFC 9846 §4.5.1",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
@for_each_certificate
def platform_chain_is_complete(endpoint: EndpointFacts, _: Context) -> Result:
    """No store misses an intermediate, and none was replaced by one with another key."""
    if not endpoint.trust:
        return no_certificate(endpoint)
    found = chain_is_complete(shown_by(endpoint))
    return replace(found, remedy=None) if found.outcome is Outcome.FAILED else found
