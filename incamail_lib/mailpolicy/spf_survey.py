"""An SPF record with all that it includes, whoever sends: its cost, its faults, how it ends.

A sender that nothing matches makes a receiver read everything, so faults are looked for on that
longest way. What depends on the sender (macros other than %{d}, ptr) is counted and not followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from incamail_lib.mailpolicy.spf import (
    MAX_EXCHANGERS,
    MAX_LOOKUPS,
    MAX_VOIDS,
    Ask,
    SpfError,
    SpfFault,
    SpfProblem,
    addresses_of,
    exchangers_of,
    record_of,
)
from incamail_lib.mailpolicy.spf_macros import UnknownMacroError, expand
from incamail_lib.mailpolicy.spf_record import COUNTED, Mechanism, SpfRecord

MAX_RECORDS = 40  # followed in all; far beyond what any receiver reads
Ending = tuple[str | None, str]  # how a record ends, and by which term everybody passes
NARROWEST = 3  # a network with fewer fixed bits is taken for "everybody"


@dataclass(frozen=True)
class SpfSurvey:
    """What a domain's SPF record amounts to."""

    lookups: int
    voids: int
    problems: tuple[SpfProblem, ...]  # in the order in which a receiver meets them
    ending: str | None  # qualifier of the `all` that decides; "" without one, None: not readable
    open_by: str = ""  # the term that lets everybody send; "" where none does


def survey(domain: str, ask: Ask) -> SpfSurvey:
    """The record of `domain` followed as far as it leads."""
    walk = _Walk(ask)
    ending, open_by = walk.follow(domain.rstrip("."), ())
    problems = list(walk.problems)
    if walk.lookups > MAX_LOOKUPS:
        problems.append(SpfProblem(SpfFault.TOO_MANY_LOOKUPS, domain, str(walk.lookups)))
    if walk.voids > MAX_VOIDS:
        problems.append(SpfProblem(SpfFault.TOO_MANY_VOIDS, domain, str(walk.voids)))
    return SpfSurvey(walk.lookups, walk.voids, tuple(dict.fromkeys(problems)), ending, open_by)


@dataclass
class _Walk:
    ask: Ask
    lookups: int = 0
    voids: int = 0
    records: int = 0
    problems: list[SpfProblem] = field(default_factory=list)

    def follow(self, domain: str, way: tuple[str, ...]) -> Ending:
        """How the record of `domain` ends, and the term that lets everybody pass."""
        if domain.lower() in way:
            self.problems.append(SpfProblem(SpfFault.LOOP, way[-1], domain))
            return None, ""
        self.records += 1
        if self.records > MAX_RECORDS:
            return None, ""
        record = self._record(domain, way)
        if record is None:
            return None, ""
        return self._read(record, domain, (*way, domain.lower()))

    def _record(self, domain: str, way: tuple[str, ...]) -> SpfRecord | None:
        try:
            record = record_of(domain, self.ask)
        except SpfError as error:
            self.problems.append(error.problem)
            return None
        if record is None and way:
            self.problems.append(SpfProblem(SpfFault.NO_RECORD, way[-1], domain))
        return record

    def _read(self, record: SpfRecord, domain: str, way: tuple[str, ...]) -> Ending:
        open_by, closed = "", False
        for mechanism in record.mechanisms:
            if mechanism.name == "all":
                lets = mechanism.qualifier == "+" and not closed
                return mechanism.qualifier, open_by or (mechanism.term if lets else "")
            everybody = self._matches_everybody(mechanism, domain, way)
            if everybody and mechanism.qualifier == "+" and not closed:
                open_by = open_by or mechanism.term
            closed = closed or everybody
        if not record.redirect:
            return "", open_by
        ending, open_there = self._redirected(record.redirect, domain, way)
        return ending, open_by or ("" if closed else open_there)

    def _redirected(self, spec: str, domain: str, way: tuple[str, ...]) -> Ending:
        self.lookups += 1
        target = self._target(spec, domain)
        return self.follow(target, way) if target else (None, "")

    def _target(self, spec: str, domain: str) -> str:
        try:
            return expand(spec, domain, None) if spec else domain
        except UnknownMacroError:
            return ""

    def _matches_everybody(self, mechanism: Mechanism, domain: str, way: tuple[str, ...]) -> bool:
        if mechanism.network is not None:
            return mechanism.network.prefixlen < NARROWEST
        if mechanism.name not in COUNTED:
            return False
        self.lookups += 1
        target = self._target(mechanism.domain, domain)
        if not target or mechanism.name == "ptr":
            return False
        if mechanism.name == "include":
            return bool(self.follow(target, way)[1])
        try:
            return self._by_address(mechanism, target, domain)
        except SpfError as error:
            self.problems.append(error.problem)
            return False

    def _by_address(self, mechanism: Mechanism, target: str, domain: str) -> bool:
        if mechanism.name == "exists":
            found = bool(addresses_of(target, "A", domain, self.ask))
            self.voids += not found
            return found
        hosts = [target]
        if mechanism.name == "mx":
            hosts = exchangers_of(target, domain, self.ask)
            self.voids += not hosts
            if len(hosts) > MAX_EXCHANGERS:
                raise SpfError(SpfProblem(SpfFault.TOO_MANY_EXCHANGERS, domain, mechanism.term))
        v4 = [a for h in hosts for a in addresses_of(h, "A", domain, self.ask)]
        v6 = [a for h in hosts for a in addresses_of(h, "AAAA", domain, self.ask)]
        self.voids += mechanism.name == "a" and not (v4 or v6)
        wide4, wide6 = mechanism.v4_bits < NARROWEST, mechanism.v6_bits < NARROWEST
        return bool((v4 and wide4) or (v6 and wide6))
