"""SPF as a receiver evaluates it for one sender (RFC 7208 §4, §5), on answers already looked up."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.mailpolicy.spf_macros import Address, Sender, expand
from incamail_lib.mailpolicy.spf_record import (
    COUNTED,
    Mechanism,
    SpfRecord,
    SpfSyntaxError,
    is_spf,
    parse,
)
from incamail_lib.mailpolicy.text import is_cut, plain

MAX_LOOKUPS = 10  # RFC 7208 §4.6.4
MAX_VOIDS = 2
MAX_EXCHANGERS = 10
MAX_REVERSE_NAMES = 10

Ask = Callable[[str, str], DnsAnswer]
"""The answer to a question (name without final dot, type); NOT_ASKED where it was not asked."""


class SpfResult(StrEnum):
    """What a receiver concludes (RFC 7208 §2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result, no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfFault(StrEnum):
    """Why a record cannot be evaluated."""

    SYNTAX = "syntax"
    SEVERAL_RECORDS = "several_records"
    NO_RECORD = "no_record"  # include or redirect leads to a domain without one
    TOO_MANY_LOOKUPS = "too_many_lookups"
    TOO_MANY_VOIDS = "too_many_voids"
    TOO_MANY_EXCHANGERS = "too_many_exchangers"
    LOOP = "loop"
    NO_ANSWER = "no_answer"  # the DNS failed, or the question was never asked
    CUT = "cut"  # more records, or a longer one, than are kept


TEMPORARY = frozenset({SpfFault.NO_ANSWER, SpfFault.CUT})


@dataclass(frozen=True)
class SpfProblem:
    """One fault and where it lies: the domain whose record it is in, and the term or name."""

    fault: SpfFault
    domain: str
    detail: str = ""
    answer: DnsAnswer | None = None  # of a DNS failure


@dataclass(frozen=True)
class SpfOutcome:
    """The result for one sender, and the fault behind an error."""

    result: SpfResult
    problem: SpfProblem | None = None


class SpfError(Exception):
    """Ends an evaluation with an error; holds the problem."""

    def __init__(self, problem: SpfProblem) -> None:
        super().__init__(problem.fault.value)
        self.problem = problem

    @property
    def outcome(self) -> SpfOutcome:
        """Temperror for what may be gone tomorrow, else permerror."""
        passing = self.problem.fault in TEMPORARY
        return SpfOutcome(SpfResult.TEMPERROR if passing else SpfResult.PERMERROR, self.problem)


_BY_QUALIFIER = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}
_LABELS = re.compile(r"(?=.{1,253}\Z)[^.]{1,63}(\.[^.]{1,63})+\Z")


def recorded(domain: str, own: DnsAnswer, answers: Iterable[DnsAnswer]) -> Ask:
    """Answers out of saved facts; `own` is the SPF record of `domain` itself."""
    known = {(a.name.lower().rstrip("."), a.type): a for a in answers}
    known[domain.lower().rstrip("."), "TXT"] = own

    def ask(name: str, kind: str) -> DnsAnswer:
        found = known.get((name.lower().rstrip("."), kind))
        return found or DnsAnswer(name=name, type=kind, status=DnsStatus.NOT_ASKED)

    return ask


def check_host(domain: str, sender: Sender, ask: Ask) -> SpfOutcome:
    """What a receiver concludes about `sender`, of whose MAIL FROM `domain` is the domain."""
    try:
        return SpfOutcome(_Evaluation(sender, ask).result(domain.rstrip(".")))
    except SpfError as error:
        return error.outcome


def record_of(domain: str, ask: Ask) -> SpfRecord | None:
    """The one SPF record of a domain; None where it has none. Errors: SpfError."""
    answer = ask(domain, "TXT")
    if answer.is_failure or answer.status is DnsStatus.NOT_ASKED:
        raise SpfError(SpfProblem(SpfFault.NO_ANSWER, domain, answer=answer))
    texts = [plain(record) for record in answer.records if is_spf(record)]
    if len(texts) > 1:
        raise SpfError(SpfProblem(SpfFault.SEVERAL_RECORDS, domain, str(len(texts))))
    if not texts:
        if answer.is_cut:
            raise SpfError(SpfProblem(SpfFault.CUT, domain))
        return None
    if is_cut(texts[0]):
        raise SpfError(SpfProblem(SpfFault.CUT, domain))
    try:
        return parse(texts[0])
    except SpfSyntaxError as error:
        raise SpfError(SpfProblem(SpfFault.SYNTAX, domain, str(error))) from None


def addresses_of(name: str, kind: str, domain: str, ask: Ask) -> list[Address]:
    """The addresses that a name has; none where it has none. Errors: SpfError."""
    answer = ask(name, kind)
    if answer.is_failure or answer.status is DnsStatus.NOT_ASKED:
        raise SpfError(SpfProblem(SpfFault.NO_ANSWER, domain, name, answer))
    if answer.is_cut:
        raise SpfError(SpfProblem(SpfFault.CUT, domain, name))
    return [ipaddress.ip_address(record) for record in answer.records]


class _Evaluation:
    """One run of check_host: it counts what RFC 7208 §4.6.4 limits."""

    def __init__(self, sender: Sender, ask: Ask) -> None:
        mapped = getattr(sender.address, "ipv4_mapped", None)
        self._sender = replace(sender, address=mapped) if mapped else sender  # RFC 4291 §2.5.5.2
        self._ask = ask
        self._lookups = self._voids = 0

    def result(self, domain: str) -> SpfResult:
        if not _LABELS.match(domain):
            return SpfResult.NONE
        record = record_of(domain, self._ask)
        if record is None:
            return SpfResult.NONE
        for mechanism in record.mechanisms:
            self._count(mechanism, domain)
            if self._matches(mechanism, domain):
                return _BY_QUALIFIER[mechanism.qualifier]
        if not record.redirect:
            return SpfResult.NEUTRAL
        return self._redirected(record.redirect, domain)

    def _redirected(self, spec: str, domain: str) -> SpfResult:
        self._looked_up(domain, "redirect")
        target = self._named(spec, domain)
        result = self.result(target)
        if result is SpfResult.NONE:
            raise SpfError(SpfProblem(SpfFault.NO_RECORD, domain, target))
        return result

    def _count(self, mechanism: Mechanism, domain: str) -> None:
        if mechanism.name in COUNTED:
            self._looked_up(domain, mechanism.term)

    def _looked_up(self, domain: str, term: str) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise SpfError(SpfProblem(SpfFault.TOO_MANY_LOOKUPS, domain, term))

    def _void(self, domain: str, term: str) -> None:
        self._voids += 1
        if self._voids > MAX_VOIDS:
            raise SpfError(SpfProblem(SpfFault.TOO_MANY_VOIDS, domain, term))

    def _named(self, spec: str, domain: str) -> str:
        if not spec:
            return domain
        validated = "unknown"
        if "%{p" in spec.lower():
            validated = next(iter(self._validated(domain)), "unknown")
        return expand(spec, domain, self._sender, validated)

    def _matches(self, mechanism: Mechanism, domain: str) -> bool:
        if mechanism.name == "all":
            return True
        if mechanism.network is not None:
            return self._sender.address in mechanism.network
        target = self._named(mechanism.domain, domain)
        if mechanism.name == "include":
            return self._included(target, domain)
        if mechanism.name == "ptr":
            return any(_below(name, target) for name in self._validated(domain))
        return self._by_address(mechanism, target, domain)

    def _by_address(self, mechanism: Mechanism, target: str, domain: str) -> bool:
        if mechanism.name == "mx":
            return self._by_mx(target, mechanism, domain)
        if mechanism.name == "exists":
            return bool(self._addresses(target, "A", mechanism, domain))
        return self._near(self._addresses(target, self._kind, mechanism, domain), mechanism)

    def _included(self, target: str, domain: str) -> bool:
        result = self.result(target)
        if result is SpfResult.NONE:
            raise SpfError(SpfProblem(SpfFault.NO_RECORD, domain, target))
        return result is SpfResult.PASS

    @property
    def _kind(self) -> str:
        return "A" if self._sender.address.version == 4 else "AAAA"

    def _addresses(self, name: str, kind: str, mechanism: Mechanism, domain: str) -> list[Address]:
        found = addresses_of(name, kind, domain, self._ask)
        if not found:
            self._void(domain, mechanism.term)
        return found

    def _near(self, addresses: list[Address], mechanism: Mechanism) -> bool:
        return any(self._sender.address in _network(a, mechanism) for a in addresses)

    def _by_mx(self, target: str, mechanism: Mechanism, domain: str) -> bool:
        hosts = exchangers_of(target, domain, self._ask)
        if not hosts:
            self._void(domain, mechanism.term)
        if len(hosts) > MAX_EXCHANGERS:
            raise SpfError(SpfProblem(SpfFault.TOO_MANY_EXCHANGERS, domain, mechanism.term))
        return any(
            self._near(addresses_of(host, self._kind, domain, self._ask), mechanism)
            for host in hosts
        )

    def _validated(self, domain: str) -> list[str]:
        """The names that the sender's address bears and that lead back to it (§5.5); what the DNS
        fails to answer is skipped. Names below `domain` come first."""
        reverse = self._sender.address.reverse_pointer
        names = [r.rstrip(".") for r in self._ask(reverse, "PTR").records][:MAX_REVERSE_NAMES]
        confirmed = [
            n for n in names if str(self._sender.address) in self._ask(n, self._kind).records
        ]
        return sorted(confirmed, key=lambda n: (n.lower() != domain.lower(), not _below(n, domain)))


def exchangers_of(name: str, domain: str, ask: Ask) -> list[str]:
    """The exchangers of the mechanism mx. Errors: SpfError."""
    answer = ask(name, "MX")
    if answer.is_failure or answer.status is DnsStatus.NOT_ASKED:
        raise SpfError(SpfProblem(SpfFault.NO_ANSWER, domain, name, answer))
    return [record.split(" ", 1)[-1].rstrip(".") for record in answer.records]


def _network(
    address: Address, mechanism: Mechanism
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    bits = mechanism.v4_bits if address.version == 4 else mechanism.v6_bits
    return ipaddress.ip_network((address, bits), strict=False)


def _below(name: str, domain: str) -> bool:
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")
