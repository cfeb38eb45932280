"""The test-suite of RFC 7208 (openspf.org, by way of pyspf 2.0.14) judges the evaluator."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
import yaml

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.mailpolicy.spf import Ask, SpfResult, check_host, recorded
from incamail_lib.mailpolicy.spf_macros import Sender
from incamail_lib.mailpolicy.spf_survey import survey

SUITE = Path(__file__).with_name("rfc7208-tests.yml")
Zone = dict[str, list[tuple[str, Any]]]


def zone_of(data: dict[str, list[Any]]) -> Zone:
    """The suite's records; SPF stands for TXT where a name has no TXT of its own."""
    zone: Zone = {}
    for name, given in data.items():
        entries = [e if isinstance(e, dict) else {e: None} for e in given]
        has_txt = any("TXT" in entry for entry in entries)
        pairs = [pair for entry in entries for pair in entry.items()]
        zone[name.lower()] = [
            ("TXT" if kind == "SPF" else kind, value)
            for kind, value in pairs
            if value != "NONE" and not (kind == "SPF" and has_txt)
        ]
    return zone


def text_of(kind: str, value: Any) -> str:
    if kind == "TXT" and isinstance(value, list):
        return "".join(value)
    if kind == "MX":
        return f"{value[0]} {value[1]}"
    return str(ipaddress.ip_address(value)) if kind == "AAAA" else str(value)


def asking(zone: Zone) -> Ask:
    def ask(name: str, kind: str) -> DnsAnswer:
        entries = zone.get(name.lower().rstrip("."))
        silent = DnsAnswer(name=name, type=kind, status=DnsStatus.TIMEOUT)
        if entries is None:
            status = DnsStatus.TIMEOUT if name.startswith("error.") else DnsStatus.NXDOMAIN
            return DnsAnswer(name=name, type=kind, status=status)
        found = [value for of, value in entries if of == kind]
        if "TIMEOUT" in found or (not found and ("TIMEOUT", None) in entries):
            return silent
        alias = next((value for of, value in entries if of == "CNAME"), None)
        if not found and alias and alias != name:
            return ask(alias, kind)
        status = DnsStatus.FOUND if found else DnsStatus.NO_DATA
        records = tuple(text_of(kind, value) for value in found)
        return DnsAnswer(name=name, type=kind, status=status, records=records)

    return ask


def cases() -> list[Any]:
    documents = list(yaml.safe_load_all(SUITE.read_text(encoding="utf-8")))
    return [
        pytest.param(zone_of(document["zonedata"]), test, id=name)
        for document in documents
        for name, test in document["tests"].items()
    ]


def result_of(test: dict[str, Any], ask: Ask) -> SpfResult:
    mail_from = test["mailfrom"] or f"postmaster@{test['helo']}"
    sender = Sender(ipaddress.ip_address(test["host"]), mail_from, test["helo"])
    return check_host(mail_from.rpartition("@")[2], sender, ask).result


@pytest.mark.parametrize(("zone", "test"), cases())
def test_the_standards_own_cases_are_judged_as_it_says(zone: Zone, test: dict[str, Any]) -> None:
    """Each of the 203 cases ends in a result that the suite allows; the survey never breaks."""
    allowed = test["result"] if isinstance(test["result"], list) else [test["result"]]
    assert result_of(test, asking(zone)).value in allowed
    survey((test["mailfrom"] or test["helo"]).rpartition("@")[2], asking(zone))


@pytest.mark.parametrize(("zone", "test"), cases()[::4])
def test_without_answers_nothing_is_concluded(zone: Zone, test: dict[str, Any]) -> None:
    """The same code without the records passes nothing: what was not asked is a temperror."""
    own = DnsAnswer(name="x", type="TXT", status=DnsStatus.NOT_ASKED)
    assert zone
    assert result_of(test, recorded("x", own, ())) in (SpfResult.TEMPERROR, SpfResult.NONE)
