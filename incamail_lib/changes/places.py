"""Gateways that came, went or moved, and what a subject of before is called now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from incamail_lib.changes.model import Change, Kind
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.smtp import Side, Target
from incamail_lib.findings import Level
from incamail_lib.i18n import Text, say


def domain_changes(before: AuditFacts, after: AuditFacts) -> Iterator[Change]:
    """Every mail domain that the organisation has named since, or no longer names."""
    then, now = before.declared.domains, after.declared.domains
    for domain in now:
        if domain not in then:
            text = say("This mail domain was not examined before.")
            yield Change(kind=Kind.NEW, subject=domain, text=text)
    for domain in then:
        if domain not in now:
            text = say("This mail domain is no longer examined.")
            yield Change(kind=Kind.GONE, subject=domain, text=text)


def gateway_changes(before: AuditFacts, after: AuditFacts) -> Iterator[Change]:
    """Every address of a gateway that has come, gone or moved."""
    moved = _moved(before, after)
    for old, new in moved.items():
        yield Change(
            kind=Kind.MOVED, subject=new.label, level=Level.RECOMMENDED, text=_way(old, new)
        )
    then, now = _targets(before), _targets(after)
    for target in now:
        if target not in then and target not in moved.values():
            yield Change(kind=Kind.NEW, subject=target.label, text=_NEW[target.role])
    for target in then:
        if target not in now and target not in moved:
            yield Change(kind=Kind.GONE, subject=target.label, text=_GONE[target.role])


_NEW = {
    Side.RECEIVING: say("A receiving gateway that was not there before."),
    Side.SENDING: say("A sending gateway that was not there before."),
    Side.PLATFORM: say("A gateway of IncaMail that was not there before."),
}
_GONE = {
    Side.RECEIVING: say("This receiving gateway is no longer there."),
    Side.SENDING: say("This sending gateway is no longer there."),
    Side.PLATFORM: say("This gateway of IncaMail is no longer there."),
}


def _way(old: Target, new: Target) -> Text:
    if old.host != new.host:
        return say("The gateway has another name; it was {old}.", old=old.label)
    return say("The gateway has another address; it was {old}.", old=old.label)


def renamed(before: AuditFacts, after: AuditFacts) -> Mapping[str, str]:
    """What subjects of before are called now, where they are still the same thing."""
    moved = _moved(before, after)
    kept = {target.host for target in _targets(after)}
    names = {old.host: new.host for old, new in moved.items() if old.host not in kept}
    names |= {old.label: new.label for old, new in moved.items()}
    for use in CredentialUse:
        files, files_now = _files(before, use), _files(after, use)
        if len(files) == len(files_now) == 1:
            names[files[0]] = files_now[0]
    for one, other in (
        (before.vantage, after.vantage),
        (before.receiving_vantage, after.receiving_vantage),
    ):
        if one.machine:
            names[one.machine] = other.machine
    return names


def _files(facts: AuditFacts, use: CredentialUse) -> list[str]:
    return [c.label for c in facts.credentials if use in c.uses]


def _targets(facts: AuditFacts) -> tuple[Target, ...]:
    return tuple(e.target for e in (*facts.receiving, *facts.platform_endpoints))


def _moved(before: AuditFacts, after: AuditFacts) -> dict[Target, Target]:
    """Each address that went, with the one that came in its place: of the same name, else of
    another name at the same address."""
    then, now = _targets(before), _targets(after)
    gone = [target for target in then if target not in now]
    came = [target for target in now if target not in then]
    found: dict[Target, Target] = {}
    for alike in (_same_name, _same_address):
        for old in gone:
            new = next((n for n in came if alike(old, n) and n not in found.values()), None)
            if new is not None:
                found.setdefault(old, new)
    return found


def _same_name(one: Target, other: Target) -> bool:
    return (one.role, one.host) == (other.role, other.host)


def _same_address(one: Target, other: Target) -> bool:
    return (one.role, one.address, one.port) == (other.role, other.address, other.port)
