"""Until when a verdict holds: the first date on which the same facts are judged otherwise.

Found by judging again as of each moment that the facts themselves name, so it is as exact as the
rules are: ends and beginnings of every certificate on any path, and the go-live date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from incamail_lib.checks._core import Check, Judged, judge_as_of
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts, TrustFacts
from incamail_lib.findings import (
    Finding,
    Level,
    Outcome,
    Until,
    Verdict,
    Waiver,
    accepted_until,
    verdict,
)
from incamail_lib.guide.freshness import platform_facts
from incamail_lib.i18n import Text, say
from incamail_lib.record import LAST_YEAR

MOST = 64  # moments that are tried; a client has some ten
_WEIGHT = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.NOT_APPLICABLE)
_CLIENT_USE_ENDS = "CERT24"  # whether the next renewal can still have clientAuth


@dataclass(frozen=True)
class _Moment:
    at: dt.datetime
    subject: str  # a finding's, or only the host of it
    why: Text


@dataclass(frozen=True)
class Asked:
    """What is judged, by what, as of when, and which failures are accepted for how long."""

    facts: AuditFacts
    checks: Sequence[Check[Any]]
    now: dt.datetime
    waivers: Sequence[Waiver] = ()

    def standing(self, judged: Judged, at: dt.datetime) -> Verdict:
        """The verdict that counts on that day: ready as well where all that fails is accepted."""
        found = judged.findings
        accepted = accepted_until(found, self.waivers, at.astimezone(dt.UTC).date())
        return verdict(found) if accepted is None else Verdict.READY


def until(asked: Asked, judged: Judged) -> tuple[Until, ...]:
    """When the verdict first becomes another, and when what is known of the platform is too old
    to rest it on; the earlier first, nothing where no date is known."""
    first = _first_change(asked, judged)
    return tuple(sorted((*first, *_too_old(asked.facts)), key=lambda each: each.at))


def _first_change(asked: Asked, judged: Judged) -> Iterator[Until]:
    before = asked.standing(judged, asked.now)
    every = (*_of_waivers(asked.waivers), *_moments(asked.facts))
    moments = sorted(every, key=lambda moment: moment.at)
    ahead = dict.fromkeys(m.at for m in moments if m.at > asked.now and m.at.year <= LAST_YEAR)
    for at in tuple(ahead)[:MOST]:
        then = judge_as_of(asked.facts, asked.checks, at, judged)
        if asked.standing(then, at) is not before:
            yield _told(at, [m for m in moments if m.at == at], judged, then)
            return


def _told(at: dt.datetime, named: Sequence[_Moment], judged: Judged, then: Judged) -> Until:
    decisive = _decisive(judged, then)
    code, subject = (decisive.code, decisive.subject) if decisive else ("", "")
    of_it = [m for m in named if m.subject and m.subject in subject]
    why = (of_it or named)[0].why
    return Until(
        at=at,
        verdict=verdict(then.findings),
        code=code,
        subject=subject,
        why=_with_client_use(why, subject, judged),
    )


def _of_waivers(waivers: Sequence[Waiver]) -> Iterator[_Moment]:
    for waiver in waivers:
        if waiver.expires.year <= LAST_YEAR:
            why = say("What was accepted of {check} is so no longer.", check=waiver.check)
            yield _Moment(_midnight(waiver.expires) + dt.timedelta(days=1), waiver.subject, why)


def _decisive(before: Judged, after: Judged) -> Finding | None:
    """The required finding that differs and weighs most; None where only a waiver ended."""
    known = set(map(_state, before.findings))
    changed = [f for f in after.findings if _state(f) not in known]
    required = [f for f in changed if f.level is Level.REQUIRED] or changed
    weight = _WEIGHT.index
    return min(required, key=lambda f: (bool(f.blocked_by), weight(f.outcome)), default=None)


def _state(finding: Finding) -> tuple[str, str, Outcome, Level]:
    return finding.code, finding.subject, finding.outcome, finding.level


def _with_client_use(why: Text, subject: str, judged: Judged) -> Text:
    """What must be known before that day: the renewal may come without clientAuth."""
    told = judged.counted.get(_CLIENT_USE_ENDS, ())
    lost = [f for f in told if f.subject == subject and f.outcome is Outcome.FAILED]
    return say("{why} {also}", why=why, also=lost[0].seen) if lost else why


def _moments(facts: AuditFacts) -> Iterator[_Moment]:
    """Every moment at which a comparison with the date may turn out otherwise."""
    for told in facts.credentials:
        yield from _of_chain(told.chain, told.trust, told.label)
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        for one, chain in zip(endpoint.each_certificate(), endpoint.chains, strict=False):
            yield from _of_chain(chain, one.trust, endpoint.target.host)
    go_live = facts.declared.go_live
    if go_live is not None and go_live.year <= LAST_YEAR:
        passed = say("The go-live date has passed.")
        yield _Moment(_midnight(go_live) + dt.timedelta(days=1), "", passed)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _of_chain(
    chain: Sequence[CertificateFacts], trust: Sequence[TrustFacts], subject: str
) -> Iterator[_Moment]:
    every = {c.sha256: c for c in (*chain, *(c for told in trust for c in told.members))}
    for certificate in every.values():
        leaf = certificate.sha256 == chain[0].sha256 if chain else False
        if certificate.not_before is not None:
            yield _Moment(certificate.not_before, subject, _begins(certificate, leaf, subject))
        end = certificate.not_after
        if end is not None and end.year <= LAST_YEAR:
            told = _ends(certificate, leaf, subject)
            # One rule counts the second of the end itself as valid, all others as over.
            yield _Moment(end, subject, told)
            yield _Moment(end + dt.timedelta(seconds=1), subject, told)


def _begins(certificate: CertificateFacts, leaf: bool, subject: str) -> Text:
    if leaf:
        return say("The certificate of {subject} begins to be valid.", subject=subject)
    return say(
        "{name} on the path of {subject} begins to be valid.",
        name=certificate.name,
        subject=subject,
    )


def _ends(certificate: CertificateFacts, leaf: bool, subject: str) -> Text:
    if leaf:
        return say("The certificate of {subject} ends.", subject=subject)
    return say("{name} on the path of {subject} ends.", name=certificate.name, subject=subject)


def _too_old(facts: AuditFacts) -> Iterator[Until]:
    if facts.vantage.on_lab:
        return
    due = [f.reverify_by for f in platform_facts(facts.platform) if f.reverify_by is not None]
    if due:
        why = say("Facts about IncaMail, on which the verdict rests, must be verified again.")
        yield Until(at=_midnight(min(due)) + dt.timedelta(days=1), verdict=None, why=why)


def until_text(until: Sequence[Until]) -> Text:
    """The sentence of the earliest of these days; that none is known, where there is none."""
    if not until:
        return say("No date is known on which this verdict changes by itself.")
    first = until[0]
    return say("This verdict holds until {day} at most: {why}", day=first.at, why=first.why)
