"""Certificates that were renewed or replaced, at each place where one is shown or held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from incamail_lib.changes.model import Change, Kind
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse, TrustFacts
from incamail_lib.facts.smtp import EndpointFacts, Side
from incamail_lib.findings import Level
from incamail_lib.i18n import NO_DATE, Text, say


@dataclass(frozen=True)
class _Shown:
    """One certificate with what the trust stores said of its chain."""

    leaf: CertificateFacts
    trust: tuple[TrustFacts, ...]

    @property
    def trusted(self) -> bool:
        return any(answer.trusted.is_yes for answer in self.trust)

    @property
    def names(self) -> frozenset[str]:
        leaf = self.leaf
        names = (*leaf.san_dns, *leaf.san_ip, *leaf.san_email)
        return frozenset(name.lower() for name in names or leaf.subject_cn)


# Where: a use of a file, or a side and its host; and how that place is called in findings.
_Place = tuple[CredentialUse | Side, str]


def certificate_changes(before: AuditFacts, after: AuditFacts) -> Iterator[Change]:
    """What became of the certificates at each place that was looked at both times."""
    then, now = _held(before), _held(after)
    for place, shown in now.items():
        if place in then:
            yield from _at_one_place(then[place], shown, _called(place, after))


def _held(facts: AuditFacts) -> dict[_Place, tuple[_Shown, ...]]:
    found: dict[_Place, dict[str, _Shown]] = {}
    for told in facts.credentials:
        for use in told.uses if told.chain else ():
            shown = _Shown(told.chain[0], told.trust)
            found.setdefault((use, ""), {})[shown.leaf.sha256] = shown
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        for shown in _of(endpoint):
            place = (endpoint.target.role, endpoint.target.host)
            found.setdefault(place, {})[shown.leaf.sha256] = shown
    return {place: tuple(shown.values()) for place, shown in found.items()}


def _of(endpoint: EndpointFacts) -> Iterator[_Shown]:
    for one, chain in zip(endpoint.each_certificate(), endpoint.chains, strict=False):
        yield _Shown(chain[0], one.trust)


def _called(place: _Place, facts: AuditFacts) -> str:
    use, host = place
    return host or next(c.label for c in facts.credentials if use in c.uses and c.chain)


def _at_one_place(
    then: tuple[_Shown, ...], now: tuple[_Shown, ...], subject: str
) -> Iterator[Change]:
    """One of each kind of key may stand at a place, or one on each machine behind a name."""
    kept = {one.leaf.sha256 for one in then} & {one.leaf.sha256 for one in now}
    gone = [one for one in then if one.leaf.sha256 not in kept]
    came = [one for one in now if one.leaf.sha256 not in kept]
    for new in list(came):
        old = min(gone, key=lambda one: _distance(one, new), default=None)
        if old is None:
            break
        gone.remove(old)
        came.remove(new)
        yield from _instead(old, new, subject)
    for new in came:
        told = say("A further certificate is shown: {name}, valid until {end}.", **_told(new))
        yield Change(kind=Kind.NEW, subject=subject, text=told)
    for old in gone:
        told = say("One certificate of several is no longer shown: {name}.", name=old.leaf.name)
        yield Change(kind=Kind.GONE, subject=subject, text=told)


def _told(shown: _Shown) -> dict[str, str]:
    return {"name": shown.leaf.name, "end": _day(shown.leaf.not_after)}


def _day(moment: dt.datetime | None) -> str:
    return moment.date().isoformat() if moment else NO_DATE


def _distance(old: _Shown, new: _Shown) -> tuple[bool, bool, str]:
    """How unlikely it is that `new` stands in the place of `old`."""
    alike = old.leaf.key_type == new.leaf.key_type
    return not alike, old.names != new.names, old.leaf.sha256


def _instead(old: _Shown, new: _Shown, subject: str) -> Iterator[Change]:
    found = _why_no_renewal(old, new)
    dates = {"end": _day(new.leaf.not_after), "before": _day(old.leaf.not_after)}
    if found is None:
        text = say("The certificate was renewed: it ends on {end}, before on {before}.", **dates)
        yield Change(kind=Kind.RENEWED, subject=subject, text=text)
    else:
        text = say("The certificate was replaced, which is no renewal. {reason}", reason=found)
        yield Change(kind=Kind.REPLACED, subject=subject, level=Level.RECOMMENDED, text=text)
    if old.leaf.spki_sha256 != new.leaf.spki_sha256:
        yield Change(kind=Kind.KEY_CHANGED, subject=subject, text=_NEW_KEY)
    if _issuer(old.leaf) != _issuer(new.leaf):
        text = say(
            "The certificate is from another authority: {new}; it was {old}.",
            new=_issuer(new.leaf),
            old=_issuer(old.leaf),
        )
        yield Change(kind=Kind.ISSUER_CHANGED, subject=subject, text=text)


_NEW_KEY = say(
    "The certificate has another key. Whoever has noted the old one, as in a TLSA record or at "
    "Swiss Post, must know the new one."
)


def _why_no_renewal(old: _Shown, new: _Shown) -> Text | None:
    """A renewal has the same names, ends later and is trusted if the old one was."""
    lost = sorted(old.names - new.names)
    if lost:
        return say("It no longer names {names}.", names=", ".join(lost))
    if old.names != new.names:
        more = ", ".join(sorted(new.names - old.names))
        return say("It names {names} in addition.", names=more)
    ends = old.leaf.not_after, new.leaf.not_after
    if ends[0] is None or ends[1] is None:
        return say("The end of one of them cannot be read.")
    if ends[1] <= ends[0]:
        later, earlier = (_day(end) for end in ends)
        return say("It ends on {end}, no later than {before}.", end=earlier, before=later)
    if old.trusted and not new.trusted:
        return say("No trust store that was asked accepts it; the old one was accepted.")
    return None


def _issuer(leaf: CertificateFacts) -> str:
    """The organisation, since authorities change their intermediates; else the whole name."""
    return ", ".join(leaf.issuer_o) or leaf.issuer
