"""Judgements about certificates that serve both directions: pure, on facts and a date.

Each looks at the whole path that the trust stores found, anchor included. What else lies in the
file or was sent is mentioned and never judged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from incamail_lib.checks._advice import DATES_UNREAD, NO_STORE, OTHERS_FIRST, WHO_ISSUED
from incamail_lib.checks._core import Result, failed, not_applicable, passed, unknown
from incamail_lib.checks.validity import Presented, earliest_renewal, ends, first_to_end
from incamail_lib.checks.words import hindrance_text, joined, stores_text, trust_remedy
from incamail_lib.facts.certificate import CertificateFacts, Hindrance, TrustFacts, TrustReason
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, Text, say, say_n

MEMBER_REMEDY = N_(
    "Install the authority's current intermediate certificates, or have the certificate issued "
    "anew by an authority whose own certificates are sound."
)
# Each has a check of its own: here it keeps the question of the authority open.
_OTHER_CHECKS = frozenset(
    {
        *(TrustReason.EXPIRED, TrustReason.NOT_YET_VALID, TrustReason.WRONG_PURPOSE),
        *(TrustReason.WEAK, TrustReason.UNUSUAL, TrustReason.TRUSTED),
    }
)
_GAPS = frozenset({TrustReason.MISSING_INTERMEDIATE, TrustReason.ISSUER_KEY_DIFFERS})


def valid_now(shown: Presented, now: dt.datetime) -> Result:
    """Now lies within the validity of every certificate of the path (RFC 5280 §6.1.3).

    The second of notAfter itself is over, as OpenSSL counts it (X509_cmp_time).
    """
    path = shown.path(now)
    for certificate in path:
        if certificate.not_before is None or certificate.not_after is None:
            return undated(certificate)
        start, end = certificate.not_before, certificate.not_after
        if now < start:
            early = _outside(certificate, path, N_("Not valid before {date}."), start)
            return replace(early, remedy=trust_remedy(TrustReason.NOT_YET_VALID))
        if now >= end:
            return _outside(certificate, path, N_("Expired on {date}."), end)
    return passed(_until(path))


def undated(certificate: CertificateFacts) -> Result:
    """Unknown, since a date of the certificate cannot be read."""
    return unknown(
        say("The validity could not be read: {problem}.", problem=certificate.problem),
        remedy=say(DATES_UNREAD),
    )


def _outside(
    certificate: CertificateFacts,
    path: Sequence[CertificateFacts],
    sentence: str,
    moment: dt.datetime,
) -> Result:
    told = say(sentence, date=moment.date().isoformat())
    if certificate is path[0]:
        return failed(told)
    named = say("On the path lies {name}: {told}", name=certificate.name, told=told)
    return failed(
        named,
        remedy=say(MEMBER_REMEDY),
        title=N_("A certificate on the path to the authority is not valid today"),
    )


def _until(path: Sequence[CertificateFacts]) -> Text:
    first, end = first_to_end(path), ends(path)
    date = end.date().isoformat() if end else "–"
    if first is path[0]:
        return say("Valid until {date}.", date=date)
    return say("Valid until {date}, when {name} on its path ends.", date=date, name=first.name)


def valid_at(shown: Presented, day: dt.date | None, now: dt.datetime) -> Result:
    """The path still holds at the end of `day`, the go-live date; a past one decides nothing.

    Where another store accepts the chain by a path that ends earlier, that is recommended to be
    looked at: which of them the peer has is not known.
    """
    if day is None:
        return not_applicable(say("No go-live date is fixed yet."))
    if day < now.date():
        return not_applicable(say("The go-live date {day} has passed.", day=day.isoformat()))
    path = shown.path(now)
    if ends(path) is None:
        return undated(path[0])
    told = _at_go_live(path, day)
    if _over_by(path, day):
        own = first_to_end(path) is path[0]
        return failed(told, title="" if own else _PATH_ENDS)
    for answer in shown.other_paths(now):
        if answer.members and _over_by(answer.members, day):
            other = _at_go_live(answer.members, day)
            text = say("By the path of {store}: {told}", store=answer.store, told=other)
            return failed(text, level=Level.RECOMMENDED, title=_STORE_PATH_ENDS)
    return passed(told)


_PATH_ENDS = N_("A certificate on the path does not outlast the go-live date")
_STORE_PATH_ENDS = N_("By one trust store's path, the chain does not outlast go-live")


def _over_by(path: Sequence[CertificateFacts], day: dt.date) -> bool:
    end = ends(path)
    return end is not None and end.date() <= day


def _at_go_live(path: Sequence[CertificateFacts], day: dt.date) -> Text:
    first, end = first_to_end(path), ends(path)
    told = {"date": end.date().isoformat() if end else "–", "day": day.isoformat()}
    over = _over_by(path, day)
    if first is path[0] and over:
        return say("Ends on {date}; go-live is on {day}.", **told)
    if first is path[0]:
        return say("Ends on {date}, after go-live on {day}.", **told)
    if over:
        return say(
            "{name} on its path ends on {date}; go-live is on {day}.", name=first.name, **told
        )
    return say(
        "{name} on its path ends on {date}, after go-live on {day}.", name=first.name, **told
    )


def renewal_not_due(shown: Presented, now: dt.datetime) -> Result:
    """More than 30 days, or a third of the leaf's life, are left until the path ends."""
    renewal = earliest_renewal(shown, now)
    if renewal is None:
        return undated(shown.leaf)
    start, end, _ = renewal
    told = say_n(
        "{n} day left, until {date}.",
        "{n} days left, until {date}.",
        max((end.date() - now.date()).days, 0),  # as every calendar and the portfolio count
        date=end.date().isoformat(),
    )
    return failed(told) if now >= start else passed(told)


def leaf_serves(shown: Presented, purpose: str) -> Result | None:
    """What keeps the leaf itself from its purpose; None if nothing does."""
    hindrance = shown.leaf.hindrance(purpose)
    if hindrance is None:
        return None
    return failed(hindrance_text(shown.leaf, hindrance, purpose), title=_unread_use(hindrance))


def _unread_use(hindrance: Hindrance) -> str:
    """The title where the use is not forbidden but cannot be read; else the check's own."""
    unread = hindrance is Hindrance.UNREADABLE
    return N_("What a certificate may be used for cannot be read") if unread else ""


def authorities_allow(shown: Presented, purpose: str, now: dt.datetime) -> Result | None:
    """What keeps the certificates above the leaf from allowing the purpose; None if nothing."""
    for certificate in shown.path(now)[1:]:
        hindrance = certificate.hindrance(purpose, issuing=True)
        if hindrance is not None:
            told = hindrance_text(certificate, hindrance, purpose, issuing=True)
            return failed(told, title=_unread_use(hindrance))
    return None


def peculiar_use(shown: Presented, purpose: str) -> Result | None:
    """What OpenSSL takes and other libraries refuse, as a recommendation; None if nothing."""
    leaf = shown.leaf
    if leaf.is_ca:
        told = say(
            "{name} is the certificate of an authority (CA): OpenSSL takes it, other libraries "
            "do not.",
            name=leaf.name,
        )
        own = say("Use a certificate issued for the gateway itself, not that of an authority.")
        return failed(told, level=Level.RECOMMENDED, title=_NOT_EVERY_LIBRARY, remedy=own)
    if purpose == "serverAuth" and not leaf.signs:
        told = say(
            "Its key usage lacks digitalSignature, which TLS 1.3 and ECDHE need: OpenSSL takes "
            "it all the same, GnuTLS (Exim on Debian) refuses it."
        )
        signing = say("Have the certificate issued again with the key usage digitalSignature.")
        return failed(told, level=Level.RECOMMENDED, title=_NOT_EVERY_LIBRARY, remedy=signing)
    return None


_NOT_EVERY_LIBRARY = N_("Not every TLS library takes the certificate for this use")


def chain_is_complete(shown: Presented) -> Result:
    """No store misses an intermediate, and none was replaced by one with another key."""
    if not shown.asked:
        return no_store()
    if shown.leaf.problem:
        told = say("The certificate cannot be read: {problem}.", problem=shown.leaf.problem)
        return unknown(told)
    gaps = [t for t in shown.asked if t.reason in _GAPS]
    if gaps:
        return _gap(shown, gaps[0])
    if shown.beside:
        names = joined([c.name for c in shown.beside])
        return passed(say("None missing. Not on the path, and not judged: {names}.", names=names))
    return passed(
        say_n("{n} certificate, none missing.", "{n} certificates, none missing.", len(shown.chain))
    )


def _gap(shown: Presented, gap: TrustFacts) -> Result:
    if gap.reason is TrustReason.ISSUER_KEY_DIFFERS:
        told = say(
            "{name} has the name of the issuer that is needed, but another key: the authority "
            "has replaced this certificate.",
            name=gap.detail,
        )
        outdated = N_("An outdated intermediate certificate stands in the chain")
        return failed(told, remedy=trust_remedy(gap.reason), title=outdated)
    urls = shown.leaf.ca_issuers_urls
    return failed(
        say("Missing intermediate: {name} ({url}).", name=gap.detail, url=urls[0] if urls else "–")
    )


def trusted_somewhere(shown: Presented, now: dt.datetime) -> Result:
    """At least one store accepts the chain for the purpose; the stores stand side by side.

    An end of validity, a missing intermediate, a wrong purpose and a weak key have checks of
    their own. They keep this question open and never answer it.
    """
    if not shown.asked:
        return no_store()
    told = stores_text(shown.asked)
    if shown.accepted_at(now):
        return passed(say("{stores}. Revocation was not checked.", stores=told))
    reasons = [t.reason for t in shown.asked]
    if any(_judged_elsewhere(t) for t in shown.asked):
        return unknown(
            say("Not accepted for another reason, so this stays open: {stores}.", stores=told),
            remedy=say(OTHERS_FIRST),
        )
    if all(reason in _GAPS for reason in reasons):
        return unknown(
            say("An intermediate is missing, so the authority cannot be judged."),
            remedy=trust_remedy(reasons[0]),
        )
    return failed(say("{stores}", stores=told), remedy=_remedy(shown.asked))


def _judged_elsewhere(answer: TrustFacts) -> bool:
    """Whether another check sees this fault: it looks at the path, so the culprit must be on it."""
    on_path = answer.culprit is None or answer.culprit in answer.members
    return answer.reason in _OTHER_CHECKS and on_path


def _remedy(asked: Sequence[TrustFacts]) -> Text | None:
    """The remedy for the store that came furthest: a path with a fault before an unknown root."""
    furthest = max(asked, key=lambda t: (t.complete, len(t.members)))
    return trust_remedy(furthest.reason)


def stores_agree(shown: Presented) -> Result:
    """All stores give the same answer."""
    asked = shown.asked
    if not asked:
        return no_store()
    if len(asked) == 1:
        return not_applicable(say("Only one trust store was asked."))
    if len({t.reason for t in asked}) == 1:
        return passed(say_n("{n} store agrees.", "{n} stores agree.", len(asked)))
    return failed(
        say("The stores differ: {stores}.", stores=stores_text(asked)), level=Level.RECOMMENDED
    )


def no_store() -> Result:
    """Unknown, since every trust store was unreadable or none was named."""
    return unknown(say("No trust store could be asked."), remedy=say(NO_STORE))


ROOT_NOT_KNOWN = N_(
    "Whether a public authority issued it is not known: its root was neither shown nor found."
)


def root_not_known() -> Result:
    """Unknown, since nobody can tell whether public rules bind the authority."""
    return unknown(say(ROOT_NOT_KNOWN), remedy=say(WHO_ISSUED))


def is_public(trust: Sequence[TrustFacts]) -> bool | None:
    """Whether the root is one of a public programme's, so that its rules bind the authority.

    Told by its fingerprint when it was measured, not by the store it was found in. None where the
    chain leads to no root that anybody knows.
    """
    if any(t.public for t in trust):
        return True
    return None if all(t.public is None for t in trust) else False
