"""Judgements about certificates that serve both directions: pure, on facts and a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from incamail_lib.checks._core import Result, failed, not_applicable, passed, unknown
from incamail_lib.checks.words import joined, stores_text
from incamail_lib.facts.certificate import CertificateFacts, TrustFacts, TrustReason
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, say

RENEWAL_DUE = dt.timedelta(days=30)
BROKEN_HASHES = frozenset({"md2", "md5", "sha1"})
MIN_RSA, GOOD_RSA, MIN_EC = 2048, 3000, 224


def valid_now(leaf: CertificateFacts, now: dt.datetime) -> Result:
    """Now lies between notBefore and notAfter (RFC 5280 §4.1.2.5)."""
    if leaf.not_before is None or leaf.not_after is None:
        return unknown(say("The validity could not be read: {problem}.", problem=leaf.problem))
    if now < leaf.not_before:
        return failed(say("Not valid before {date}.", date=leaf.not_before.date().isoformat()))
    if now > leaf.not_after:
        return failed(say("Expired on {date}.", date=leaf.not_after.date().isoformat()))
    return passed(say("Valid until {date}.", date=leaf.not_after.date().isoformat()))


def valid_at(leaf: CertificateFacts, day: dt.date | None, now: dt.datetime) -> Result:
    """Still valid at the end of `day`, the go-live date; one that has passed decides nothing."""
    if day is None:
        return not_applicable(say("No go-live date is fixed yet."))
    if day < now.date():
        return not_applicable(say("The go-live date {day} has passed.", day=day.isoformat()))
    if leaf.not_after is None:
        return unknown(say("The validity could not be read: {problem}.", problem=leaf.problem))
    until = leaf.not_after.date()
    if until <= day:
        return failed(
            say("Ends on {date}; go-live is on {day}.", date=until.isoformat(), day=day.isoformat())
        )
    return passed(
        say("Ends on {date}, after go-live on {day}.", date=until.isoformat(), day=day.isoformat())
    )


def renewal_not_due(leaf: CertificateFacts, now: dt.datetime) -> Result:
    """More than 30 days, or a third of a shorter life, are left."""
    if leaf.not_after is None or leaf.not_before is None:
        return unknown(say("The validity could not be read: {problem}.", problem=leaf.problem))
    left = leaf.not_after - now
    days = max(left.days, 0)
    due = min(RENEWAL_DUE, (leaf.not_after - leaf.not_before) / 3)
    date = leaf.not_after.date().isoformat()
    if left <= due:
        return failed(say("{days} days left, until {date}.", days=days, date=date))
    return passed(say("{days} days left, until {date}.", days=days, date=date))


def key_is_strong(leaf: CertificateFacts) -> Result:
    """RSA of 2048 bit or more, or an elliptic curve of 224 or more (BR §6.1.5, RFC 9325 §4.5)."""
    told = say("{kind}, {bits} bit.", kind=leaf.key_type or "–", bits=leaf.key_bits)
    if leaf.key_type == "RSA":
        return passed(told) if leaf.key_bits >= MIN_RSA else failed(told)
    if leaf.key_type in ("EC", "Ed25519", "Ed448"):
        return passed(told) if leaf.key_bits >= MIN_EC else failed(told)
    return failed(told) if leaf.key_type == "DSA" else unknown(told)


def signatures_are_sound(chain: Sequence[CertificateFacts]) -> Result:
    """No SHA-1 or MD5 below the root, whose own signature is of no matter."""
    bad = [c for c in chain if not c.self_signed and c.signature_hash in BROKEN_HASHES]
    if bad:
        names = joined([f"{c.subject} ({c.signature_hash})" for c in bad])
        return failed(say("Signed with a broken algorithm: {names}.", names=names))
    if chain[0].problem or not chain[0].signature_algorithm:
        return unknown(say("The signature could not be read."))
    return passed(say("{algorithm}", algorithm=chain[0].signature_algorithm))


def chain_is_complete(chain: Sequence[CertificateFacts], trust: Sequence[TrustFacts]) -> Result:
    """No store misses an intermediate; where it is missing, its name and address are told."""
    missing = [t for t in trust if t.reason is TrustReason.MISSING_INTERMEDIATE]
    if missing:
        urls = chain[0].ca_issuers_urls
        return failed(
            say(
                "Missing intermediate: {name} ({url}).",
                name=missing[0].detail,
                url=urls[0] if urls else "–",
            )
        )
    if not trust or all(t.reason is TrustReason.STORE_UNREADABLE for t in trust):
        return unknown(say("No trust store could be asked."))
    return passed(say("{count} certificates, none missing.", count=len(chain)))


def trusted_somewhere(trust: Sequence[TrustFacts]) -> Result:
    """At least one store trusts the chain; the stores stand side by side.

    An end of validity, a missing intermediate and a wrong purpose have checks of their own: here
    it matters whether the authority is recognised.
    """
    asked = [t for t in trust if t.reason is not TrustReason.STORE_UNREADABLE]
    if not asked:
        return unknown(say("No trust store could be asked."))
    other = (
        *(TrustReason.EXPIRED, TrustReason.NOT_YET_VALID, TrustReason.WRONG_PURPOSE),
        *(TrustReason.WEAK, TrustReason.TRUSTED),
    )
    told = stores_text(asked)
    if any(t.reason in other for t in asked):
        return passed(say("{stores}", stores=told))
    if all(t.reason is TrustReason.MISSING_INTERMEDIATE for t in asked):
        return unknown(say("An intermediate is missing, so the authority cannot be judged."))
    return failed(say("{stores}", stores=told))


def stores_agree(trust: Sequence[TrustFacts]) -> Result:
    """All stores give the same answer."""
    asked = [t for t in trust if t.reason is not TrustReason.STORE_UNREADABLE]
    if not asked:
        return unknown(say("No trust store could be asked."))
    if len(asked) == 1:
        return not_applicable(say("Only one trust store was asked."))
    if len({t.reason for t in asked}) == 1:
        return passed(say("{count} stores agree.", count=len(asked)))
    return failed(
        say("The stores differ: {stores}.", stores=stores_text(asked)), level=Level.RECOMMENDED
    )


ROOT_NOT_KNOWN = N_(
    "Whether a public authority issued it is not known: its root was neither shown nor found."
)


def is_public(trust: Sequence[TrustFacts]) -> bool | None:
    """Whether the root is one of a public programme's, so that its rules bind the authority.

    Told by its fingerprint when it was measured, not by the store it was found in. None where the
    chain leads to no root that anybody knows.
    """
    if any(t.public for t in trust):
        return True
    return None if all(t.public is None for t in trust) else False
