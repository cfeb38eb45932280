"""More than 2,000 drawn chains, judged by us and by the openssl program: for both purposes, at
security levels 1 and 2, at the same second."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from differential import program
from differential.chains import Case
from differential.judged import PURPOSES, accepted, judged, why_stricter
from differential.twists import cases

from incamail_lib.facts.certificate import TrustFacts, TrustReason

pytestmark = [
    pytest.mark.tool("openssl"),
    pytest.mark.xdist_group("differential"),
    pytest.mark.timeout(900),  # half a minute of work, which a busy machine may stretch
]
SEED = 20261126
LEVELS = (1, 2)
Asked = tuple[int, str, int]  # case, purpose, level


@dataclass(frozen=True)
class Both:
    """What both say, by case, purpose and security level; OpenSSL's is "" or its error."""

    cases: dict[int, Case]
    ours: dict[tuple[int, str], TrustFacts]
    theirs: dict[Asked, str]

    def where(self, *, we: bool, they: bool) -> list[Asked]:
        """The questions that we and they answer so."""
        return [
            asked
            for asked, error in self.theirs.items()
            if accepted(self.ours[asked[:2]], asked[2]) is we and (not error) is they
        ]

    def why(self, asked: Asked) -> str:
        """Why we are stricter there; "" without a reason."""
        return why_stricter(self.ours[asked[:2]], self.cases[asked[0]])

    def told(self, asked: Asked) -> str:
        """One question for the message of a failure."""
        answer = self.ours[asked[:2]]
        return f"{asked} {self.cases[asked[0]].said}: {answer.reason} | {self.theirs[asked]}"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """All cases of the seed, judged twice."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    folder: Path = tmp_path_factory.mktemp("chains")
    drawn = list(cases(SEED, now, single=34, combined=1150))
    program.write(drawn, folder)
    theirs = {
        (number, purpose, level): error
        for purpose in PURPOSES
        for level in LEVELS
        for number, error in program.verdicts(
            drawn, folder, purpose=purpose, level=level, now=now
        ).items()
    }
    ours = {(c.number, p): judged(c, p, now) for c in drawn for p in PURPOSES}
    return Both({c.number: c for c in drawn}, ours, theirs)


def test_nothing_is_accepted_that_openssl_refuses(both: Both) -> None:
    """Of 8,000 questions and more, none. Many are accepted, so that this says something."""
    assert len(both.cases) >= 2000
    assert len(both.theirs) == len(both.cases) * len(PURPOSES) * len(LEVELS)
    wrong = both.where(we=True, they=False)
    assert [both.told(asked) for asked in wrong] == []
    assert len(both.where(we=True, they=True)) > 2500
    assert len(both.where(we=False, they=False)) > 3500


def test_whatever_we_refuse_and_openssl_accepts_has_its_reason(both: Both) -> None:
    """Few, and each by a rule of TLS that a chain's verification does not know."""
    stricter = both.where(we=False, they=True)
    unexplained = [a for a in stricter if not both.why(a)]
    assert [both.told(asked) for asked in unexplained] == []
    found = Counter(both.why(a) for a in stricter)
    assert len(found) >= 2
    assert len(stricter) < len(both.theirs) / 50


def test_the_comparison_can_fail(both: Both) -> None:
    """Taken for the other purpose or the lower level, our verdicts are not OpenSSL's."""
    other = {"serverAuth": "clientAuth", "clientAuth": "serverAuth"}
    crossed = [
        asked
        for asked, error in both.theirs.items()
        if error and accepted(both.ours[asked[0], other[asked[1]]], asked[2])
    ]
    assert len(crossed) > 50
    lowered = [a for a, error in both.theirs.items() if error and accepted(both.ours[a[:2]], 1)]
    assert len(lowered) > 20


# OpenSSL's error at level 1 -> the reasons by which we tell the same.
SAME = {
    "2": (TrustReason.UNKNOWN_ROOT, TrustReason.ISSUER_KEY_DIFFERS),
    "7": (TrustReason.BAD_SIGNATURE, TrustReason.ISSUER_KEY_DIFFERS),
    "9": (TrustReason.NOT_YET_VALID,),
    "10": (TrustReason.EXPIRED,),
    "18": (TrustReason.SELF_SIGNED,),
    "19": (TrustReason.UNKNOWN_ROOT,),
    "20": (
        *(TrustReason.UNKNOWN_ROOT, TrustReason.ISSUER_KEY_DIFFERS),
        *(TrustReason.MISSING_INTERMEDIATE, TrustReason.MALFORMED, TrustReason.REFUSED),
    ),  # nor does OpenSSL link a certificate whose extensions it cannot read
    "25": (TrustReason.PATH_LENGTH,),
    "26": (TrustReason.WRONG_PURPOSE,),
    "34": (TrustReason.UNKNOWN_CRITICAL,),
    "47": (TrustReason.NAME_CONSTRAINTS,),
    "48": (TrustReason.NAME_CONSTRAINTS,),
    "66": (TrustReason.WEAK,),
    "67": (TrustReason.WEAK,),
    "68": (TrustReason.WEAK, TrustReason.UNUSUAL),  # "too weak" is also what 3.0 does not know
    "79": (TrustReason.NOT_AN_AUTHORITY,),
}


def test_the_reasons_are_openssls(both: Both) -> None:
    """A chain with one fault is refused for that fault, in our words as in OpenSSL's.

    Where two faults meet, either may be told; and a SHA-3 signature, which the bundled OpenSSL
    verifies and 3.0 does not, may hide another one from one of them.
    """
    odd, seen = [], Counter[str]()
    for (number, purpose, level), error in both.theirs.items():
        single = len(both.cases[number].said) == 1
        if level != 1 or not error or not single or "sha3" in both.cases[number].said[0]:
            continue
        if "our parser" in both.why((number, purpose, level)):
            continue
        code = error.split()[1]
        seen[code] += 1
        if both.ours[number, purpose].reason not in SAME.get(code, ()):
            odd.append(both.told((number, purpose, level)))
    assert odd == []
    told = {"2", "7", "9", "10", "18", "20", "25", "26", "34", "47", "48", "68", "79"}
    assert set(seen) >= told
