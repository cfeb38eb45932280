"""What the overview of a run says of one organisation, without its whole audit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable

from incamail_lib.changes import Change, fingerprint
from incamail_lib.checks.validity import Presented, earliest_renewal, held_by, shown_by
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.phases import progress
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.findings import Audit, Finding, Level, Outcome, Until, Verdict
from incamail_lib.guide import Contents
from incamail_lib.i18n import Text
from incamail_lib.record import Record, UtcDatetime

_CLIENT_USE_LASTS = "CERT24"


class Failing(Record):
    """A check that failed, whatever its subject."""

    code: str
    title: str  # English source text
    level: Level


class Held(Record):
    """A certificate with the end of its path."""

    where: str  # host, or base name of the file
    name: str
    sha256: str
    ends: UtcDatetime
    renew_from: UtcDatetime
    for_sending: bool = False
    client_use: Text | None = None  # until when it can be had with clientAuth, where that ends


class PhaseCount(Record):
    """How far one phase is."""

    phase: str
    done: int
    steps: int


class Judged(Record):
    """What an audit says, as far as the overview tells it; empty without one."""

    accepted_until: dt.date | None = None
    until: tuple[Until, ...] = ()
    measured_at: UtcDatetime | None = None
    go_live: dt.date | None = None
    failing: tuple[Failing, ...] = ()
    unknown: tuple[str, ...] = ()  # codes of what is required and not known
    certificates: tuple[Held, ...] = ()
    fingerprint: str = ""  # of what is compared
    record: str = ""  # SHA-256 of the audit's file


class Digest(Judged):
    """One organisation in one run."""

    organisation: str
    dossier: str  # base name of its file
    exit_code: int
    verdict: Verdict | None = None  # None: there is a problem instead
    problem: Text | None = None
    owner: str = ""  # who leads the project there
    folder: str = ""
    phases: tuple[PhaseCount, ...] = ()
    changes: tuple[Change, ...] = ()  # since the run before
    compared_with: int | None = None  # that run; None: the organisation is new


def apart(digests: Iterable[Digest]) -> tuple[Digest, ...]:
    """The same, those of an organisation that has several named with their dossiers."""
    found = tuple(digests)
    times = Counter(digest.organisation for digest in found)
    return tuple(
        digest
        if times[digest.organisation] == 1
        else digest.model_copy(update={"organisation": f"{digest.organisation} ({digest.dossier})"})
        for digest in found
    )


def judged_of(audit: Audit, record: bytes) -> Judged:
    """What the overview tells of an audit; `record` is its file."""
    return Judged(
        accepted_until=audit.accepted_until,
        until=audit.until,
        measured_at=audit.facts.measured_at,
        go_live=audit.facts.declared.go_live,  # as it was taken
        failing=failing_of(audit),
        unknown=unknown_of(audit),
        certificates=certificates_of(audit),
        fingerprint=fingerprint(audit),
        record=hashlib.sha256(record).hexdigest(),
    )


def failing_of(audit: Audit) -> tuple[Failing, ...]:
    """Each check that failed, once, the heaviest first."""
    failed = [f for f in audit.findings if f.outcome is Outcome.FAILED]
    levels = tuple(Level)
    ranked = sorted(failed, key=lambda f: (levels.index(f.level), f.code))
    found: dict[str, Finding] = {}
    for finding in ranked:
        found.setdefault(finding.code, finding)
    return tuple(Failing(code=f.code, title=f.title, level=f.level) for f in found.values())


def unknown_of(audit: Audit) -> tuple[str, ...]:
    """Required checks that could not be judged, without those that hang on another."""
    every = (f for f in audit.findings if f.outcome is Outcome.UNKNOWN and not f.blocked_by)
    return tuple(dict.fromkeys(f.code for f in every if f.level is Level.REQUIRED))


def certificates_of(audit: Audit) -> tuple[Held, ...]:
    """The client's certificates, in its files and at its gateways, each once."""
    found: dict[str, Held] = {}
    for where, shown, for_sending in _shown(audit.facts):
        renewal = earliest_renewal(shown, audit.judged_at)
        if renewal is not None and shown.leaf.sha256 not in found:
            start, end, _ = renewal
            found[shown.leaf.sha256] = _held(
                audit, where, shown.leaf, ends=end, renew_from=start, for_sending=for_sending
            )
    return tuple(found.values())


def _shown(facts: AuditFacts) -> list[tuple[str, Presented, bool]]:
    files = [
        (c.label, held_by(c), CredentialUse.SENDING in c.uses) for c in facts.credentials if c.chain
    ]
    gateways = [(e.target.host, shown_by(e), False) for e in facts.receiving if e.chain]
    return [*files, *gateways]


def _held(
    audit: Audit,
    where: str,
    leaf: CertificateFacts,
    *,
    ends: dt.datetime,
    renew_from: dt.datetime,
    for_sending: bool,
) -> Held:
    lost = (
        f.seen
        for f in audit.findings
        if f.code == _CLIENT_USE_LASTS and f.subject == where and f.outcome is Outcome.FAILED
    )
    return Held(
        where=where,
        name=leaf.name,
        sha256=leaf.sha256,
        ends=ends,
        renew_from=renew_from,
        for_sending=for_sending,
        client_use=next(lost, None) if for_sending else None,
    )


def phases_of(dossier: Dossier, guide: Contents, today: dt.date) -> tuple[PhaseCount, ...]:
    """How far each phase of an organisation is."""
    return tuple(
        PhaseCount(phase=phase.phase, done=phase.done, steps=len(phase.steps))
        for phase in progress(dossier, guide, today).phases
    )
