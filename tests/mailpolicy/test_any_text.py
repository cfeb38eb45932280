"""Whatever stands in a zone, reading it ends: with a meaning, or with the fault by name."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.mailpolicy.caa import read_caa
from incamail_lib.mailpolicy.dmarc import MAX_QUESTIONS, discover, walk
from incamail_lib.mailpolicy.mta_sts import has_sound_id, report_addresses
from incamail_lib.mailpolicy.spf import SpfResult, check_host
from incamail_lib.mailpolicy.spf_macros import Sender
from incamail_lib.mailpolicy.spf_survey import survey
from incamail_lib.mailpolicy.text import joined, plain, tags
from incamail_lib.names import covers

PIECES = st.sampled_from(
    [
        *("v=spf1", " ", "+", "-all", "include:", "a", "mx", "ptr", "exists:", "redirect=", "exp="),
        *("%{i}", "%{p}", "%{d2r}", "%%", "ip4:", "ip6:", "192.0.2.1", "2001:db8::1", "/", "//24"),
        *("x.example", ".", ":", "=", ";", "v=DMARC1", "p=reject", "sp=", "psd=y", '"', "\\", "…"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)
SENDER = Sender(ipaddress.ip_address("192.0.2.9"), "postmaster@x.example", "out.x.example")


def answering(record: str):
    """Every TXT question gets the record, every other one nothing."""

    def ask(name: str, kind: str) -> DnsAnswer:
        found = kind == "TXT"
        status = DnsStatus.FOUND if found else DnsStatus.NXDOMAIN
        return DnsAnswer(name=name, type=kind, status=status, records=(record,) if found else ())

    return ask


@settings(deadline=None)
@given(TEXTS)
def test_any_record_is_evaluated(text: str) -> None:
    """One of the seven results, and a survey whose cost is bounded."""
    for record in (text, f"v=spf1 {text}"):
        assert check_host("x.example", SENDER, answering(record)).result in SpfResult
        assert survey("x.example", answering(record)).lookups <= 40 * 40


@settings(deadline=None)
@given(TEXTS, st.text(max_size=80))
def test_any_policy_is_read(text: str, name: str) -> None:
    """DMARC, MTA-STS, TLS-RPT and CAA: nothing raises, whatever it is."""
    names = walk(name)
    assert 1 <= len(names) <= MAX_QUESTIONS
    answers = [
        DnsAnswer(name=n, type="TXT", status=DnsStatus.FOUND, records=(text,)) for n in names
    ]
    discover(answers, names)
    read_caa([text, f'0 issue "{text}"'])
    tags(text), plain(text), joined(text), has_sound_id(text), report_addresses(text)
    covers(text, name)


def test_a_walk_asks_at_most_eight_names() -> None:
    """The domain, then from seven labels upwards (RFC 9989 §4.10)."""
    labels = [str(n) for n in range(12)]
    names = walk(".".join(labels))
    assert names[0] == ".".join(labels)
    assert names[1] == ".".join(labels[-7:])
    assert names[-1] == "11"
    assert len(names) == MAX_QUESTIONS
    assert walk("a.b.example") == ("a.b.example", "b.example", "example")
