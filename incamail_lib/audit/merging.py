"""Measurements of one organisation from several places, as one: each side from where it counts.

The way to IncaMail is taken from the gateway's file, else from one made behind the same firewall;
domains and receiving gateways from the one made elsewhere. Whatever speaks against taking files
together is told before anything is judged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from incamail_lib.audit.saving import load_facts
from incamail_lib.errors import UsageError
from incamail_lib.facts.audit import AuditFacts, Declared, Place, ReceivingFrom
from incamail_lib.i18n import Text, say, say_n

FURTHEST_APART = dt.timedelta(days=14)
OLD_AFTER = dt.timedelta(days=30)
_TOLD_FROM = dt.timedelta(days=1)
_OUTGOING = (Place.GATEWAY, Place.INSIDE, Place.ELSEWHERE)  # which file tells of the way out
_RECEIVING = (Place.ELSEWHERE, Place.INSIDE, Place.GATEWAY)
# Of what is declared, these change what was measured.
_COMPARED = ("receiving", "sending", "incoming", "rules")


@dataclass(frozen=True)
class _File:
    name: str
    facts: AuditFacts


def merged_facts(paths: Sequence[Path]) -> AuditFacts:
    """The facts of one file, or of several taken together.

    Errors: MaterialError for a damaged file, UsageError for files that do not belong together.
    """
    files = [_File(str(path), load_facts(path)) for path in dict.fromkeys(paths)]
    first, *others = files
    for other in others:
        _same_subject(first, other)
    if others:
        _told_apart(files)
        _of_one_time(files)
    return _together(files)


def _same_subject(one: _File, other: _File) -> None:
    """Refuse other organisations, platforms and settings. Errors: UsageError."""
    ours, theirs = one.facts.declared, other.facts.declared
    if _who(ours) != _who(theirs):
        names = [one.organisation for one in (ours, theirs)]
        if names[0] == names[1]:  # then it is told by what differs
            names = [", ".join(one.domains) for one in (ours, theirs)]
        raise UsageError(
            say(
                "{file} is about «{ours}» and {other} about «{theirs}». Name facts of one "
                "organisation.",
                file=one.name,
                ours=names[0],
                other=other.name,
                theirs=names[1],
            )
        )
    differing = [field for field in _COMPARED if getattr(ours, field) != getattr(theirs, field)]
    if _whom(one.facts) != _whom(other.facts):
        differing.append("platform")
    if differing:
        raise UsageError(
            say(
                "{file} and {other} were measured with different dossiers ({fields}). Measure both "
                "anew with the same one.",
                file=one.name,
                other=other.name,
                fields=", ".join(differing),
            )
        )


def with_age(facts: AuditFacts, now: dt.datetime) -> AuditFacts:
    """The facts with a note on page 1 when the oldest of them may no longer hold."""
    other = facts.receiving_from
    oldest = min(facts.measured_at, other.measured_at) if other else facts.measured_at
    if now - oldest <= OLD_AFTER:
        return facts
    note = say_n(
        "What was measured is {n} day old. Servers, certificates and firewalls change: measure "
        "anew before you go live.",
        "What was measured is {n} days old. Servers, certificates and firewalls change: measure "
        "anew before you go live.",
        (now - oldest).days,
    )
    kept = tuple(known for known in facts.limits if known.template != note.template)
    return facts.model_copy(update={"limits": (*kept, note)})


def _who(declared: Declared) -> tuple[str, frozenset[str]]:
    return declared.organisation, frozenset(declared.domains)


def _whom(facts: AuditFacts) -> tuple[object, ...]:
    platform = facts.platform
    hosts = frozenset(gateway.host for gateway in platform.gateways)
    return facts.vantage.on_lab, platform.suffix.value, platform.smart_host.value, hosts


def _told_apart(files: Sequence[_File]) -> None:
    """Refuse files of no place, of the same place, or merged already. Errors: UsageError."""
    places: dict[Place, _File] = {}
    for file in files:
        place = file.facts.vantage.place
        if file.facts.receiving_from is not None:
            raise UsageError(
                say("{file} was merged already. Name the files it was made from.", file=file.name)
            )
        if place is Place.UNDECLARED:
            raise UsageError(
                say(
                    "{file} does not say where it was measured, so it cannot be taken together "
                    "with others. Measure anew with «incamail measure --vantage».",
                    file=file.name,
                )
            )
        if place in places:
            raise UsageError(
                say(
                    "{file} and {other} were measured at the same place ({place}). Name the one "
                    "that counts.",
                    file=places[place].name,
                    other=file.name,
                    place=place.value,
                )
            )
        places[place] = file


def _of_one_time(files: Sequence[_File]) -> None:
    """Refuse files that lie too far apart. Errors: UsageError."""
    oldest = min(files, key=lambda file: file.facts.measured_at)
    if _apart(files) > FURTHEST_APART:
        raise UsageError(
            say_n(
                "{file} was measured {n} day before the newest file; the limit is {limit}. "
                "Measure it anew.",
                "{file} was measured {n} days before the newest file; the limit is {limit}. "
                "Measure it anew.",
                _apart(files).days,
                file=oldest.name,
                limit=say_n("{n} day", "{n} days", FURTHEST_APART.days),
            )
        )


def _apart(files: Sequence[_File]) -> dt.timedelta:
    moments = [file.facts.measured_at for file in files]
    return max(moments) - min(moments)


def _best(files: Sequence[_File], order: Sequence[Place]) -> AuditFacts:
    return min((f.facts for f in files), key=lambda facts: order.index(facts.vantage.place))


def _together(files: Sequence[_File]) -> AuditFacts:
    if len(files) == 1:
        return files[0].facts
    outgoing, receiving = _best(files, _OUTGOING), _best(files, _RECEIVING)
    if outgoing is receiving:
        return outgoing
    resolvers = dict.fromkeys(facts.dns.resolver for facts in (receiving, outgoing))
    return outgoing.model_copy(
        update={
            "dns": receiving.dns.model_copy(
                update={
                    "resolver": ", ".join(resolvers),
                    "platform_hosts": outgoing.dns.platform_hosts,
                    "platform_mx": outgoing.dns.platform_mx,
                }
            ),
            "receiving": receiving.receiving,
            "receiving_from": ReceivingFrom(
                vantage=receiving.vantage, measured_at=receiving.measured_at
            ),
            "limits": _notes(files, outgoing, receiving),
        }
    )


def _notes(files: Sequence[_File], outgoing: AuditFacts, receiving: AuditFacts) -> tuple[Text, ...]:
    """What was left out, and where the two places saw different things."""
    notes = [note for facts in (outgoing, receiving) for note in facts.limits]
    if _apart(files) >= _TOLD_FROM:
        notes.append(
            say_n(
                "The measurements lie {n} day apart.",
                "The measurements lie {n} days apart.",
                _apart(files).days,
            )
        )
    inner, outer = _exchangers(outgoing), _exchangers(receiving)
    if inner and outer and inner != outer:
        notes.append(
            say(
                "The name servers inside and outside name different mail servers. IncaMail sees "
                "those outside: {names}.",
                names=", ".join(sorted(outer)),
            )
        )
    inside, outside = _leaves(outgoing), _leaves(receiving)
    for host in sorted(inside.keys() & outside.keys()):
        if not inside[host] & outside[host]:
            notes.append(
                say(
                    "{host} shows one certificate inside the network and another one outside: a "
                    "device on the way may end TLS.",
                    host=host,
                )
            )
    return tuple(note for n, note in enumerate(notes) if note not in notes[:n])


def _exchangers(facts: AuditFacts) -> frozenset[str]:
    return frozenset(mx.host.host for domain in facts.dns.domains for mx in domain.exchangers)


def _leaves(facts: AuditFacts) -> dict[str, frozenset[str]]:
    """The certificates that each host showed, on whichever of its addresses."""
    shown: dict[str, frozenset[str]] = {}
    for endpoint in facts.receiving:
        if endpoint.leaf is not None:
            host = endpoint.target.host
            shown[host] = shown.get(host, frozenset()) | {endpoint.leaf.sha256}
    return shown
