"""Waivers: what a failure that somebody answers for means, and what no file can have accepted."""

from __future__ import annotations

import copy
import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import GATEWAY, NOW, PLATFORM, endpoint, ready, unreached

from incamail_lib.changes import Kind, alarms, compare
from incamail_lib.checks import ALL_CHECKS, judge_facts, until_text
from incamail_lib.dossier.waivers import (
    MOST,
    WaiverError,
    read_waivers,
    same_person,
    waiver_notes,
    waivers_of,
)
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.findings import ACCEPTED, Audit, Person, Verdict, Waiver

TODAY = NOW.date()
DAY = dt.timedelta(days=1)
SOUND: dict[str, Any] = {
    "organisation": "Muster AG",
    "check": "TLS06",
    "reason": "The archive's scanner is replaced in March, see ticket 4711.",
    "requested_by": {"name": "Anna Muster", "email": "anna.muster@muster.example"},
    "approved_by": {"name": "Beat Beispiel", "email": "beat@provider.example"},
    "approved_on": "2026-11-20",
    "expires": "2027-03-31",
}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "waivers.yaml"
    plain = [copy.deepcopy(entry) for entry in entries]  # else YAML writes aliases
    file.write_text(yaml.safe_dump({"waivers": plain}, allow_unicode=True), encoding="utf-8")
    return file


def waiver(tmp_path: Path, **changes: Any) -> Waiver:
    return read_waivers(written(tmp_path, SOUND | changes), TODAY)[0]


def refused(file: Path) -> str:
    with pytest.raises(WaiverError) as caught:
        read_waivers(file, TODAY)
    told = str(caught.value)
    assert "\n" not in told
    assert str(file) in told
    return told


# The gateway demands a client certificate of whoever delivers: TLS06, and nothing else, fails.
DEMANDING = ready(receiving=(endpoint(GATEWAY),))


def judged(told: AuditFacts = DEMANDING, *waivers: Waiver, now: dt.datetime = NOW) -> Audit:
    return judge_facts(told, now, waivers)


def test_what_is_accepted_is_never_ready(tmp_path: Path) -> None:
    """The verdict stays; beside it stands until when, and an exit code of its own."""
    assert judged().exit_code == Verdict.NOT_READY.exit_code
    audit = judged(DEMANDING, waiver(tmp_path))
    assert audit.verdict is Verdict.NOT_READY
    assert audit.accepted_until == dt.date(2027, 3, 31)
    assert audit.exit_code == ACCEPTED
    assert ACCEPTED not in {v.exit_code for v in Verdict}
    assert "Beat Beispiel" in waiver_notes(audit)[0].english()
    assert Audit.model_validate_json(audit.model_dump_json()) == audit


@pytest.mark.parametrize(
    ("subject", "accepted"),
    [("", True), (GATEWAY.host, True), (GATEWAY.label, True), ("mx2.muster.example", False)],
)
def test_a_waiver_may_be_for_one_subject(tmp_path: Path, subject: str, accepted: bool) -> None:
    """As the finding names it, or by its host; another one it does not cover."""
    audit = judged(DEMANDING, waiver(tmp_path, subject=subject))
    assert (audit.accepted_until is not None) is accepted


def test_an_ended_waiver_comes_back_and_is_told(tmp_path: Path) -> None:
    """On its last day it holds, on the next it does not; that is an alarm, told once."""
    one = waiver(tmp_path)
    last = judged(DEMANDING, one, now=dt.datetime(2027, 3, 31, 23, 59, tzinfo=dt.UTC))
    after = judged(DEMANDING, one, now=dt.datetime(2027, 4, 1, tzinfo=dt.UTC))
    assert (last.exit_code, after.exit_code) == (ACCEPTED, 1)
    assert "ended on 2027-03-31" in waiver_notes(after)[0].english()
    ended = [c for c in alarms(compare(last, after)) if c.kind is Kind.WAIVED]
    assert [c.code for c in ended] == ["TLS06"]
    assert not [c for c in alarms(compare(judged(), last)) if c.kind is Kind.WAIVED]


def test_it_holds_no_longer_than_anything_else(tmp_path: Path) -> None:
    """The end of a waiver is a day on which it may change, and so is that of a certificate."""
    audit = judged(DEMANDING, waiver(tmp_path))
    assert audit.until[0].at == dt.datetime(2027, 4, 1, tzinfo=dt.UTC)
    assert "TLS06" in until_text(audit.until).english()
    longer = judged(DEMANDING, waiver(tmp_path, expires="2027-11-01"))
    assert "certificate" in until_text(longer.until).english()
    assert longer.until[0].at == NOW + 150 * DAY


def test_one_of_two_failures_accepted_accepts_nothing(tmp_path: Path) -> None:
    """Nor does a waiver of what does not fail, which is told as needless."""
    weak = endpoint(name_match=endpoint().name_match.model_copy(update={"matched": False}))  # type: ignore[union-attr]
    two = DEMANDING.model_copy(update={"platform_endpoints": (weak,)})
    assert judged(two, waiver(tmp_path)).accepted_until is None
    needless = waiver(tmp_path, check="CERT01")
    audit = judged(DEMANDING, needless)
    assert (audit.waivers, audit.accepted_until) == ((), None)
    assert "meets nothing" in waiver_notes(audit, [needless])[0].english()


def test_what_is_unknown_cannot_be_accepted(tmp_path: Path) -> None:
    """Neither the unknown itself nor one that stands beside an accepted failure."""
    silent = unreached(Reason.TIMEOUT, Stage.CONNECT, PLATFORM)
    told = DEMANDING.model_copy(update={"platform_endpoints": (silent,)})
    audit = judged(told, waiver(tmp_path), waiver(tmp_path, check="NET03"))
    assert audit.accepted_until is None
    unknown = {f.code for f in audit.findings if f.outcome == "unknown"}
    assert not {w.check for w in audit.waivers} & unknown


def test_the_later_of_two_waivers_counts_and_the_earlier_of_two_failures(tmp_path: Path) -> None:
    """For one failure the longer acceptance, over all failures the shortest."""
    general = waiver(tmp_path, expires="2027-02-01")
    special = waiver(tmp_path, subject=GATEWAY.label, expires="2027-03-01")
    assert judged(DEMANDING, general, special).accepted_until == dt.date(2027, 3, 1)
    second = GATEWAY.model_copy(update={"address": "192.0.2.9"})
    two = DEMANDING.model_copy(update={"receiving": (endpoint(GATEWAY), endpoint(second))})
    both = judged(two, special, waiver(tmp_path, subject=second.label, expires="2027-01-01"))
    assert both.accepted_until == dt.date(2027, 1, 1)
    assert judged(two, special).accepted_until is None


def test_waivers_are_of_one_organisation(tmp_path: Path) -> None:
    """Blanks and case do not matter, a name that differs does."""
    every = read_waivers(written(tmp_path, SOUND, SOUND | {"organisation": "Muster2 AG"}), TODAY)
    assert [w.organisation for w in waivers_of("muster  ag", every)] == ["Muster AG"]
    assert read_waivers(tmp_path / "none.yaml", TODAY) == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"check": "*"}, "is no check"),
        ({"check": "all"}, "is no check"),
        ({"check": "TLS"}, "is no check"),
        ({"check": "tls06"}, "is no check"),
        ({"check": "TLS06, TLS07"}, "is no check"),
        ({"expires": "2028-01-01"}, "a year at most"),
        ({"expires": "9999-12-31"}, "a year at most"),
        ({"expires": "2026-11-19"}, "before it is approved"),
        ({"expires": "20270331"}, "expires"),
        ({"expires": "2027-02-30"}, "expires"),
        ({"expires": "never"}, "expires"),
        ({"approved_on": "2026-11-25"}, "yet to come"),
        ({"reason": "ok"}, "reason"),
        ({"organisation": ""}, "organisation"),
        ({"approved_by": {"name": "Beat", "email": "beat@provider.example"}}, "is no person"),
        ({"approved_by": {"name": "B. Beispiel", "email": "b@provider.example"}}, "is no person"),
        ({"approved_by": {"name": "Beat Beispiel", "email": "nobody"}}, "is no person"),
        ({"approved_by": {"name": "\u0410nna Beispiel", "email": "x@p.example"}}, "is no person"),
        ({"approved_by": {"name": "Beat\u200b Muster", "email": "b@p.example"}}, "invisible"),
        ({"approved_by": "Beat Beispiel"}, "approved_by"),
        ({"approver": "Beat Beispiel"}, "Allowed here"),
    ],
)
def test_what_no_waiver_may_say(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """One sentence that names file, entry and what is wrong."""
    told = refused(written(tmp_path, SOUND | changes))
    assert says in told
    assert "waiver 1" in told


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Anna Muster", "other@provider.example"),
        ("anna muster", "other@provider.example"),
        ("Muster Anna", "other@provider.example"),
        ("Dr. Anna B. Muster", "other@provider.example"),
        ("Ánna Müster", "other@provider.example"),
        ("Anna Muester", "other@provider.example"),
        ("Anna Muster-Meier", "other@provider.example"),
        ("Somebody Else", "ANNA.MUSTER@Muster.example"),
        ("Somebody Else", "anna.muster+approve@muster.example"),
        ("Somebody Else", "annamuster@muster.example"),
        ("Somebody Else", "anna.muster@private.example"),
        ("Somebody Else", "muster-anna@private.example"),
    ],
)
def test_who_asks_cannot_approve(tmp_path: Path, name: str, email: str) -> None:
    """In whatever spelling of name or address."""
    approver = {"name": name, "email": email}
    assert "the same person" in refused(written(tmp_path, SOUND | {"approved_by": approver}))


def test_two_people_are_two_people() -> None:
    """Alike in one name, at one company, or behind the same role address of two."""
    anna = Person(name="Anna Muster", email="info@muster.example")
    for name, email in (
        ("Andreas Muster", "andreas.muster@muster.example"),
        ("Anna Meier", "anna.meier@muster.example"),
        ("Beat Beispiel", "info@provider.example"),
    ):
        assert not same_person(anna, Person(name=name, email=email))
        assert not same_person(Person(name=name, email=email), anna)


@pytest.mark.parametrize(
    "text",
    [
        "waivers: [",
        "- organisation: x",
        "just words",
        "",
        "waivers: {}",
        "waivers: yes",
        "waver: []",
        "schema: 2\nwaivers: []",
        "waivers: &a [*a]",
        "waivers: !!python/object:os.system []",
        "waivers: []\nwaivers: []",
        "waivers:\n  - {check: TLS06, check: TLS07}",
        "waivers: " + "[" * 5000,
        "waivers:\n\t- x",
        "a: \x07",
    ],
)
def test_a_malformed_file_is_refused_whole(tmp_path: Path, text: str) -> None:
    """Whatever stands there instead."""
    file = tmp_path / "waivers.yaml"
    file.write_text(text, encoding="utf-8")
    assert "Nothing was audited" in refused(file)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A folder, a pipe that nobody writes to, bytes that are no text."""
    for name, make in (
        ("folder", lambda p: p.mkdir()),
        ("pipe", os.mkfifo),
        ("bytes", lambda p: p.write_bytes(b"\xff\xfe")),
    ):
        make(tmp_path / name)
        refused(tmp_path / name)


def test_waivers_for_everything_are_none(tmp_path: Path) -> None:
    """Ten of an organisation, and none twice."""
    codes = [check.code for check in ALL_CHECKS][: MOST + 1]
    entries = [SOUND | {"check": code} for code in codes]
    assert len(read_waivers(written(tmp_path, *entries[:MOST]), TODAY)) == MOST
    assert f"has {MOST + 1} waivers" in refused(written(tmp_path, *entries))
    spread = [*entries[:MOST], SOUND | {"check": codes[-1], "organisation": "MUSTER  AG"}]
    assert "waivers; 10 are allowed" in refused(written(tmp_path, *spread))
    assert "waiver 2" in refused(written(tmp_path, SOUND, SOUND))
