"""Whether CAA records let an authority issue a certificate (RFC 8659 §4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PROPERTY = re.compile(r'(\d{1,3}) ([A-Za-z0-9]+) "?((?:[^"\\]|\\.)*)"?')
_KNOWN = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail"}) | {
    "contactphone"
}
_CRITICAL = 128


@dataclass(frozen=True)
class CaaSet:
    """What a record set says about one kind of certificate."""

    allowed: tuple[str, ...] | None  # names of authorities; None: everybody may issue
    unknown_critical: str = ""  # a critical property that no authority may pass over


def read_caa(records: Sequence[str], *, wildcard: bool = False) -> CaaSet:
    """The names that may issue: `issuewild` where it stands and a wildcard is meant, else `issue`.

    Without either property nobody is limited (§4.2, §4.3); an empty name forbids everybody.
    """
    found = [m for m in map(_PROPERTY.fullmatch, records) if m]
    critical = [m[2] for m in found if int(m[1]) & _CRITICAL and m[2].lower() not in _KNOWN]
    kinds = ("issuewild", "issue") if wildcard else ("issue",)
    for kind in kinds:
        values = [m[3] for m in found if m[2].lower() == kind]
        if values:
            names = tuple(v.partition(";")[0].strip().lower() for v in values)
            return CaaSet(tuple(n for n in names if n), critical[0] if critical else "")
    return CaaSet(None, critical[0] if critical else "")
