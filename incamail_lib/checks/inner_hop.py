"""NET10: is the way between mail server and gateway encrypted? Read from messages handed in.

IncaMail's encryption begins at the gateway (guide 2), so this stretch needs its own. Nobody can
look at it from outside; the machines themselves note it in the Received lines of each message.
Whoever wrote a message may have forged the lines below those of the organisation's own machines:
from the first line on that tells of a stranger, nothing counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from incamail_lib.checks._core import (
    Context,
    NotApplicable,
    Result,
    Subjects,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts, ComponentFacts
from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop, HopNote
from incamail_lib.findings import Leg, Level, Outcome
from incamail_lib.i18n import N_, Text, say
from incamail_lib.reach import AddressKind, kind_of

OUTDATED = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})  # RFC 8996


class _Way(StrEnum):
    OUTGOING = "outgoing"  # from the mail server to the gateway
    INCOMING = "incoming"  # from the gateway to the mail server


_MISSING: dict[_Way, Text] = {
    _Way.OUTGOING: say("No message that was handed in shows the way from mail server to gateway."),
    _Way.INCOMING: say("No message that was handed in shows the way from gateway to mail server."),
}
_HAND_IN = N_(
    "Save two messages as .eml, one that came in through the gateway and one that left through it "
    "(with all headers, from the recipient's mailbox), and name them in the dossier (samples). "
    "Name the machines as they call themselves there (components, hosts)."
)


def _gateway(facts: AuditFacts) -> ComponentFacts | None:
    return next((c for c in facts.declared.components if c.key == "mail_gateway"), None)


def _with_gateway(facts: AuditFacts) -> Subjects[AuditFacts]:
    gateway = _gateway(facts)
    if gateway is not None and gateway.present is False:
        return NotApplicable(say("There is no gateway between mail server and IncaMail."))
    return organisation(facts)


@check(
    "NET10",
    on=_with_gateway,
    passes=N_("The way between mail server and gateway is encrypted"),
    fails=N_("The way between mail server and gateway is not encrypted well enough"),
    asks=N_("Is the way between mail server and gateway encrypted?"),
    why=N_(
        "IncaMail's encryption begins at the gateway. Between it and the mail server a message "
        "travels as your own machines send it."
    ),
    remedy=N_(
        "Demand TLS 1.2 or newer between mail server and gateway, in both directions, and look at "
        "a new message."
    ),
    clarify=_HAND_IN,
    item="6.1",
    reference="Post MGI guide 2",
    leg=Leg.INSIDE,
)
def inner_way_is_encrypted(facts: AuditFacts, _: Context) -> Result:
    """Every hand-over seen between the two was encrypted, and one was seen in each direction."""
    gateways, servers = _machines(facts)
    seen = [pair for message in facts.hops for pair in inner_hops(message.hops, gateways, servers)]
    weak = [hop for _, hop in seen if _is_weak(hop)]
    if weak:
        return failed(_weakness(weak[0]))
    doubtful = [hop for _, hop in seen if hop.encrypted is not Answer.YES]
    if doubtful:
        return _open(
            facts, say("It cannot be told from this line: {line}", line=doubtful[0].evidence)
        )
    ways = {way for way, _ in seen}
    missing = [text for way, text in _MISSING.items() if way not in ways]
    if not seen or missing:
        return _open(facts, _nothing_seen(facts, servers) if not seen else missing[0])
    versions = dict.fromkeys(hop.tls_version for _, hop in seen if hop.tls_version)
    if versions:
        return passed(say("Seen in both directions: {versions}.", versions=joined([*versions])))
    return passed(say("TLS was noted in both directions, without its version."))


def inner_hops(
    hops: Sequence[Hop], gateways: Collection[str], servers: Collection[str]
) -> Iterator[tuple[_Way, Hop]]:
    """The hand-overs between the two that our own machines vouch for, the newest first."""
    for hop in hops:
        by_gateway, by_server = _wrote(hop, gateways), _wrote(hop, servers)
        if by_gateway == by_server or _is_loopback(hop.from_address):
            continue  # a stranger's line, newer than ours; or a machine that talks to itself
        from_gateway, from_server = _came_from(hop, gateways), _came_from(hop, servers)
        if by_gateway and from_server:
            yield _Way.OUTGOING, hop
        elif by_server and from_gateway:
            yield _Way.INCOMING, hop
        elif not (from_gateway or from_server):
            return


def _machines(facts: AuditFacts) -> tuple[frozenset[str], frozenset[str]]:
    """Names and addresses of the gateways, as declared or found, and of the mail servers."""
    declared = facts.declared
    hosts = {c.key: c.hosts for c in declared.components}
    gateways = {*hosts.get("mail_gateway", ())}
    for gateway in (*declared.receiving, *declared.sending):
        gateways |= {gateway.host, *gateway.addresses}
    exchangers = (mx.host for domain in facts.dns.domains for mx in domain.exchangers)
    for host in (*facts.dns.hosts, *exchangers):
        gateways |= {host.host, *host.a.records, *host.aaaa.records}
    servers = frozenset(hosts.get("mail_server", ()))
    return frozenset(gateways - servers), servers


def _wrote(hop: Hop, machines: Collection[str]) -> bool:
    return hop.by in machines or hop.by_address in machines


def _came_from(hop: Hop, machines: Collection[str]) -> bool:
    """By its address; by its name only inside: a stranger may greet with any name."""
    if hop.from_address in machines:
        return True
    inside = bool(hop.from_address) and kind_of(hop.from_address) is not AddressKind.PUBLIC
    return inside and any(name in machines for name in hop.from_names)


def _is_loopback(address: str) -> bool:
    return bool(address) and kind_of(address) is AddressKind.LOOPBACK


def _is_weak(hop: Hop) -> bool:
    return hop.encrypted is Answer.NO or hop.tls_version in OUTDATED


def _weakness(hop: Hop) -> Text:
    if hop.encrypted is Answer.YES:
        return say(
            "Encrypted with {version} only: {line}", version=hop.tls_version, line=hop.evidence
        )
    if hop.note is HopNote.NO_CIPHER:
        return say("TLS with a cipher that does not encrypt: {line}", line=hop.evidence)
    return say("Handed over in clear: {line}", line=hop.evidence)


def _nothing_seen(facts: AuditFacts, servers: Collection[str]) -> Text:
    if not facts.hops:
        return say("No message was handed in that shows it.")
    if not servers:
        return say(
            "Messages were handed in, but the dossier does not say by which names the mail server "
            "calls itself in them (components.mail_server.hosts)."
        )
    return say("No message that was handed in shows a hand-over between mail server and gateway.")


def _open(facts: AuditFacts, seen: Text) -> Result:
    """Not known: it weighs fully only where a gateway is said to be there."""
    gateway = _gateway(facts)
    if gateway is not None and gateway.present:
        return unknown(seen)
    return Result(Outcome.UNKNOWN, seen, Level.RECOMMENDED)
