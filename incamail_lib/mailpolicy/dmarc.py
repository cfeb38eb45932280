"""The DMARC policy that applies to a domain, found by a walk up the tree (RFC 9989 §4.7, §4.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.mailpolicy.text import is_cut, plain, tags

MAX_QUESTIONS = 8  # RFC 9989 §4.10
POLICIES = ("none", "quarantine", "reject")
_RECORD = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|\Z)")
_NEARLY = re.compile(r"\s*v\s*=\s*dmarc", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.\-]*:[^\s,;]+", re.IGNORECASE)


class DmarcFault(StrEnum):
    """Why no policy can be said to apply."""

    ABSENT = "absent"
    SEVERAL = "several"  # side by side at one name: all are discarded
    MISSPELT = "misspelt"  # meant as DMARC, and not a record of it
    INVALID = "invalid"  # p, sp or np is none of the policies
    NO_ANSWER = "no_answer"
    CUT = "cut"


@dataclass(frozen=True)
class Dmarc:
    """The policy for mail from `domain`, or why there is none."""

    domain: str  # where the record stands
    policy: str = ""
    tag: str = ""  # the tag that holds it: p, or sp for a domain below the record's
    record: str = ""
    fault: DmarcFault | None = None
    detail: str = ""
    answer: DnsAnswer | None = None  # of a DNS failure


def is_dmarc(text: str) -> bool:
    """Whether a TXT record is a DMARC record; blanks around = and ; are allowed (§4.8)."""
    return bool(_RECORD.match(text))


def walk(domain: str) -> tuple[str, ...]:
    """The domains at which a record may stand that binds `domain`, in the order of asking."""
    labels = domain.rstrip(".").split(".")
    first = 1 if len(labels) < MAX_QUESTIONS else len(labels) - MAX_QUESTIONS + 1
    above = [".".join(labels[n:]) for n in range(first, len(labels))]
    return (".".join(labels), *above)


def discover(answers: Sequence[DnsAnswer], domains: Sequence[str]) -> Dmarc:
    """The policy that binds the first of `domains`, whose answers these are (see `walk`).

    The own record decides. Else the record of the organisation does: of the name with psd=n, of
    the name below psd=y, or of the highest name that has one; else that of psd=y itself (§4.10).
    """
    own, *above = zip(domains, answers, strict=True)
    found = _at(*own)
    if found.fault is not DmarcFault.ABSENT:
        return found
    walked: list[Dmarc] = []
    faulty: list[Dmarc] = []
    for domain, answer in above:
        higher = _at(domain, answer)
        if higher.fault in (DmarcFault.NO_ANSWER, DmarcFault.CUT):
            return higher  # a nearer or farther record may decide: nothing is known
        if higher.fault in (None, DmarcFault.INVALID):
            walked.append(higher)
            if _psd(higher) in ("y", "n"):
                break
        elif higher.fault is not DmarcFault.ABSENT:
            faulty.append(higher)
    return _organisations(walked) or next(iter(faulty), found)


def _organisations(walked: Sequence[Dmarc]) -> Dmarc | None:
    if not walked:
        return None
    last = walked[-1]
    if _psd(last) == "y" and len(walked) > 1 and _is_child(walked[-2].domain, last.domain):
        last = walked[-2]
    return _inherited(last)


def _is_child(domain: str, parent: str) -> bool:
    return domain.partition(".")[2] == parent


def _psd(found: Dmarc) -> str:
    return dict(tags(found.record)).get("psd", "").lower()


def _at(domain: str, answer: DnsAnswer) -> Dmarc:
    """What one name says by itself."""
    if answer.is_failure or answer.status in (DnsStatus.NOT_ASKED, DnsStatus.BAD_NAME):
        return Dmarc(domain, fault=DmarcFault.NO_ANSWER, answer=answer)
    texts = [plain(record) for record in answer.records]
    records = [text for text in texts if is_dmarc(text)]
    if answer.is_cut or any(is_cut(text) for text in records):
        return Dmarc(domain, fault=DmarcFault.CUT)
    if len(records) > 1:
        return Dmarc(domain, fault=DmarcFault.SEVERAL, detail=str(len(records)))
    if not records:
        meant = [text for text in texts if _NEARLY.match(text)]
        fault = DmarcFault.MISSPELT if meant else DmarcFault.ABSENT
        return Dmarc(domain, fault=fault, detail=meant[0] if meant else "")
    return _own_policy(domain, records[0])


def _own_policy(domain: str, record: str) -> Dmarc:
    given: dict[str, str] = {}
    for name, value in tags(record):
        given.setdefault(name, value)
    wrong = _wrong_tags(given)
    if wrong and not _has_report_address(given):
        return Dmarc(domain, record=record, fault=DmarcFault.INVALID, detail=wrong)
    if wrong:  # §4.7: with a report address, the record counts as p=none
        return Dmarc(domain, "none", "p", record, fault=DmarcFault.INVALID, detail=wrong)
    return Dmarc(domain, given["p"].lower(), "p", record)


def _wrong_tags(given: Mapping[str, str]) -> str:
    """The tags p, sp and np whose value is no policy; a missing p counts as wrong."""
    names = [n for n in ("p", "sp", "np") if n == "p" or n in given]
    wrong = [n for n in names if given.get(n, "").lower() not in POLICIES]
    return ", ".join(f"{n}={given[n]}" if n in given else n for n in wrong)


def _has_report_address(given: Mapping[str, str]) -> bool:
    return any(_URI.fullmatch(part.strip()) for part in given.get("rua", "").split(","))


def _inherited(found: Dmarc) -> Dmarc:
    """For a domain below the record's: sp, where it is given, in place of p."""
    if found.fault is not None:
        return found
    sub = dict(tags(found.record)).get("sp", "").lower()
    return Dmarc(found.domain, sub or found.policy, "sp" if sub else "p", found.record)
