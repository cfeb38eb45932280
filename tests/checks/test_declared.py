"""What each check waits for, weighs, and is part of: a loss of it would hide or invent findings."""

from __future__ import annotations

import dataclasses

import pytest
from factories import NOW, facts
from judging import RULES

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import Check, Subject, failed, judge, passed
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Leg, Level, Outcome
from incamail_lib.i18n import say

# What must be shown first; a check that is not here is judged whatever the others say.
WAITS = {
    **{"ROUT09": "ROUT08", "ROUT10": "ROUT08", "DNS02": "DNS01", "DNS03": "DNS02"},
    **{"DNS04": "DNS02", "DNS05": "DNS02", "DNS06": "DNS02 DNS04", "DNS07": "DNS02"},
    **{"DNS11": "DNS01", "DNS12": "DNS01", "DNS13": "DNS02", "DNS14": "DNS01"},
    **{"DNS16": "DNS01", "DNS18": "DNS11", "DNS19": "DNS11", "DNS20": "DNS11 DNS18"},
    **{"DNS21": "DNS13", "DNS23": "DNS02", "NET06": "NET02"},
    **{"SMTP01": "NET01 SMTP09", "SMTP02": "SMTP01", "SMTP03": "SMTP02", "SMTP04": "SMTP03"},
    **{"SMTP05": "SMTP03", "SMTP06": "SMTP01", "SMTP07": "SMTP01", "SMTP09": "NET01"},
    **dict.fromkeys(("TLS01", "TLS15", "CERT01"), "SMTP03"),
    **dict.fromkeys((f"TLS0{n}" for n in (2, 3, 4, 5, 6, 8)), "TLS01"),
    **{"TLS07": "TLS05", "TLS16": "TLS01", "TLS10": "PLAT01", "TLS11": "TLS10"},
    **{"TLS12": "TLS11", "TLS13": "TLS11", "TLS14": "TLS11", "TLS18": "PLAT01"},
    **dict.fromkeys((f"CERT{n:02}" for n in (2, 6, 7, 10, 11, 12, 13, 14, 17)), "CERT01"),
    **{"CERT03": "CERT02", "CERT04": "CERT02 CERT03", "CERT05": "CERT04", "CERT08": "CERT07"},
    **{"CERT09": "CERT07", "CERT15": "CERT04", "CERT16": "CERT04"},
    **dict.fromkeys((f"CERT{n}" for n in (21, 22, 23, 25, 28, 31, 32, 33, 34)), "CERT20"),
    **{"CERT24": "CERT22", "CERT26": "CERT25", "CERT27": "CERT25", "CERT29": "CERT28"},
    **{"CERT30": "CERT28 CERT29", "PLAT01": "NET02 NET06"},
    **dict.fromkeys((f"PLAT{n:02}" for n in (2, 3, 4, 5, 6, 7, 8, 10)), "PLAT01"),
}
ADVICE = {
    "ROUT": (2, 5, 7, 9, 12, 13, 16, 17),
    "DNS": (3, 5, 7, 8, 9, 10, 11, 12, 13, 18, 19, 20, 21, 22, 23),
    "NET": (3, 4, 5, 9),
    "SMTP": (5, 6, 8),
    "TLS": (2, 7, 13, 17, 19),
    "CERT": (5, 9, 13, 15, 17, 24, 27, 33),
    "PLAT": (9, 10),
}
REMARKS = ["DNS14", "DNS16", "SMTP07", "TLS08", "TLS14", "CERT14", "CERT16", "CERT34"]
# Of no stretch of the way that a message goes: what others do with mail in the client's name.
NOWHERE = [f"DNS{n:02}" for n in (7, 10, 11, 12, 13, 14, 16, 18, 19, 20, 21, 22, 23)]


def whole(_: AuditFacts) -> list[Subject[int]]:
    return [Subject("", 1)]


def answering(code: str, *, good: bool, requires: tuple[str, ...] = ()) -> Check[int]:
    """A check that is asked of the audit as a whole and always says the same."""
    result = passed(say("yes")) if good else failed(say("no"))
    return dataclasses.replace(
        RULES[code], subjects=whole, run=lambda *_: result, requires=requires
    )


@pytest.mark.parametrize("code", sorted(RULES))
def test_each_check_waits_for_what_it_hangs_on(code: str) -> None:
    """Where that fails it is not judged, and says what is first; where it holds it is judged."""
    wanted = WAITS.get(code, "").split()
    assert sorted(RULES[code].requires) == sorted(wanted)
    itself = answering(code, good=True, requires=RULES[code].requires)
    for lost in wanted:
        before = [answering(w, good=w != lost) for w in wanted]
        last = judge(facts(), [*before, itself], NOW)[-1]
        assert (last.outcome, last.blocked_by) == (Outcome.UNKNOWN, lost)
    before = [answering(w, good=True) for w in wanted]
    assert judge(facts(), [*before, itself], NOW)[-1].blocked_by in ("", "NET07", "NET08")


def test_what_is_advised_and_what_is_a_remark_does_not_decide() -> None:
    """Everything else is required: a check that decides by mistake would turn clients away."""
    advice = {f"{family}{n:02}" for family, numbers in ADVICE.items() for n in numbers}
    of_level = {
        level: {c.code for c in ALL_CHECKS if c.level is level}
        for level in (Level.RECOMMENDED, Level.INFO)
    }
    assert of_level == {Level.RECOMMENDED: advice, Level.INFO: set(REMARKS)}


def leg_of(code: str) -> Leg | None:
    """The stretch of the way that a check is about, from its family and number."""
    number = int(code[-2:])
    if code in NOWHERE:
        return None
    if code.startswith("ROUT") or code == "DNS17":
        return Leg.ROUTE
    if code.startswith("DNS"):
        return Leg.ARRIVAL if number == 15 else Leg.LOOK_UP
    if code == "NET10":
        return Leg.INSIDE
    outwards = {
        "NET": number not in (1, 3, 8),
        "SMTP": False,
        "TLS": number in (10, 11, 12, 13, 14, 18, 19),
        "CERT": number >= 20,
        "PLAT": True,
    }[code[:-2]]
    return Leg.LINK if outwards else Leg.ARRIVAL


@pytest.mark.parametrize("code", sorted(RULES))
def test_each_check_is_of_one_stretch_of_the_way(code: str) -> None:
    """The drawing of the way marks the right station."""
    assert RULES[code].leg is leg_of(code)
