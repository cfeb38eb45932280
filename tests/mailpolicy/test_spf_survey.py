"""SPF whoever sends: cost, faults and end of a record, on literal answers."""

from __future__ import annotations

import pytest

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.mailpolicy.spf import Ask, SpfFault
from incamail_lib.mailpolicy.spf_record import SpfSyntaxError, parse
from incamail_lib.mailpolicy.spf_survey import SpfSurvey, survey

F = SpfFault


def asking(zone: dict[str, list[str]]) -> Ask:
    """Names to "TYPE value" lines; a line "!" is silence."""

    def ask(name: str, kind: str) -> DnsAnswer:
        lines = zone.get(name)
        if lines == ["!"]:
            return DnsAnswer(name=name, type=kind, status=DnsStatus.TIMEOUT)
        records = tuple(x.split(" ", 1)[1] for x in lines or () if x.startswith(f"{kind} "))
        status = DnsStatus.NXDOMAIN if lines is None else DnsStatus.NO_DATA
        status = DnsStatus.FOUND if records else status
        return DnsAnswer(name=name, type=kind, status=status, records=records)

    return ask


def surveyed(record: str, **zone: list[str]) -> SpfSurvey:
    names = {name.replace("_", "."): lines for name, lines in zone.items()}
    return survey("d.example", asking({"d.example": [f"TXT {record}"], **names}))


@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", []),
        ("v=spf1 " + "a " * 11 + "-all", [F.TOO_MANY_LOOKUPS]),
        ("v=spf1 " + "a " * 10 + "-all", []),
        ("v=spf1 a:x.example a:y.example -all", []),
        ("v=spf1 a:x.example a:y.example exists:z.example -all", [F.TOO_MANY_VOIDS]),
        ("v=spf1 include:gone.example -all", [F.NO_RECORD]),
        ("v=spf1 redirect=gone.example", [F.NO_RECORD]),
        ("v=spf1 include:d.example -all", [F.LOOP]),
        ("v=spf1 redirect=d.example", [F.LOOP]),
        ("v=spf1 ipv4:192.0.2.1 -all", [F.SYNTAX]),
        ("v=spf1 ip4:192.0.2.1 -al", [F.SYNTAX]),
        ("v=spf1 include:two.example -all", [F.SEVERAL_RECORDS]),
        ("v=spf1 include:mute.example -all", [F.NO_ANSWER]),
        ("v=spf1 mx:crowd.example -all", [F.TOO_MANY_EXCHANGERS]),
        ("v=spf1 exists:%{i}.x.example -all", []),  # depends on who sends: counted, not followed
        ("v=spf1 moo=anything -all", []),  # an unknown modifier is allowed
        ("v=spf1 -all ip5:x", [F.SYNTAX]),  # the whole record is read, also behind all
    ],
)
def test_faults_are_found_on_the_longest_way(record: str, faults: list[SpfFault]) -> None:
    """Each kind of permerror and temperror has its own name."""
    found = surveyed(
        record,
        two_example=["TXT v=spf1 -all", "TXT v=spf1 ~all"],
        mute_example=["!"],
        crowd_example=[f"MX 10 m{n}.example." for n in range(11)],
    )
    if record.count("a ") >= 10:
        found = survey("d.example", asking({"d.example": [f"TXT {record}", "A 192.0.2.1"]}))
    assert [p.fault for p in found.problems] == faults


@pytest.mark.parametrize(
    ("record", "ending", "open_by"),
    [
        ("v=spf1 -all", "-", ""),
        ("v=spf1 ~all", "~", ""),
        ("v=spf1 ?all", "?", ""),
        ("v=spf1 mx", "", ""),
        ("v=spf1 +all", "+", "+all"),
        ("v=spf1 all", "+", "all"),
        ("v=spf1 -all +all", "-", ""),
        ("v=spf1 ip4:0.0.0.0/0 -all", "-", "ip4:0.0.0.0/0"),
        ("v=spf1 -ip4:0.0.0.0/0 +all", "+", ""),
        ("v=spf1 include:open.example -all", "-", "include:open.example"),
        ("v=spf1 include:strict.example -all", "-", ""),
        ("v=spf1 redirect=strict.example", "-", ""),
        ("v=spf1 redirect=open.example", "+", "+all"),
        ("v=spf1 redirect=gone.example", None, ""),
        ("v=spf1 nonsense", None, ""),
    ],
)
def test_how_a_record_ends_and_whether_it_lets_everybody_in(
    record: str, ending: str | None, open_by: str
) -> None:
    """The first `all` decides, also by redirect; what lets everybody in before it is named."""
    found = surveyed(record, open_example=["TXT v=spf1 +all"], strict_example=["TXT v=spf1 -all"])
    assert (found.ending, found.open_by) == (ending, open_by)


@pytest.mark.parametrize(
    "term",
    [
        *(
            "ip4:1.2.3",
            "ip4:1.2.3.4/33",
            "ip4:1.2.3.4/032",
            "ip4",
            "ip6:::1/129",
            "ip6:fe80::1%eth0",
        ),
        *("all:x.example", "include", "include:", "exists", "ptr/24", "a:%{z}.example", "a:x.123"),
        *("a:x.example/33", "a//129", "mx/", "redirect=", "+", "a:x..%", "a:%{d0}.example"),
    ],
)
def test_a_term_outside_the_grammar_is_named(term: str) -> None:
    """The term stands in the error as it stands in the record."""
    with pytest.raises(SpfSyntaxError) as caught:
        parse(f"v=spf1 {term} -all")
    assert str(caught.value) == term


def test_a_hostile_record_costs_little() -> None:
    """Thousands of terms, dots and digits are read at once."""
    for piece in ("a:" + "1" * 3900, "a:" + "a." * 1900 + "b", "exists:%{d}" * 300, "?" * 3900):
        surveyed(f"v=spf1 {piece} -all")
