"""The lab's name server answers for names below a wildcard as RFC 4592 has it."""

from __future__ import annotations

import dns.message
import dns.rcode
import pytest

from incamail_lib.lab.nameserver import Zone

ZONE = Zone(
    [
        ("*.incamail.ch", "MX", "10 gw1.incamail.com."),
        ("there.incamail.ch", "TXT", '"x"'),
    ]
)


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "answers"),
    [
        ("partner.example.incamail.ch", "MX", dns.rcode.NOERROR, 1),
        ("partner.example.incamail.ch", "A", dns.rcode.NOERROR, 0),  # the name is covered
        ("there.incamail.ch", "MX", dns.rcode.NOERROR, 0),  # it exists itself, without an MX
        ("below.there.incamail.ch", "MX", dns.rcode.NXDOMAIN, 0),  # its closest has no wildcard
        ("incamail.ch", "MX", dns.rcode.NOERROR, 0),
        ("incamail.com", "MX", dns.rcode.NXDOMAIN, 0),
        (".".join(["a" * 60] * 3 + ["b" * 52, "incamail", "ch"]), "MX", dns.rcode.NOERROR, 1),
    ],
)
def test_a_wildcard_covers_what_does_not_exist(
    name: str, kind: str, rcode: int, answers: int
) -> None:
    """And only that; the answer bears the name that was asked for."""
    answer = ZONE.answer(dns.message.make_query(name, kind), over_tcp=True)
    assert answer is not None
    assert (answer.rcode(), len(answer.answer)) == (rcode, answers)
    assert all(found.name.to_text() == f"{name}." for found in answer.answer)
