"""Addresses: taken apart as RFC 5321 and 5322 say, whatever is given."""

from __future__ import annotations

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.routing.address import length_problems, parse_address, split_mailboxes
from incamail_lib.routing.lookalike import Likeness, likeness

SUFFIX = ".incamail.ch"


@pytest.mark.parametrize(
    ("given", "local", "domain"),
    [
        ("a@X.Example.INCAMAIL.ch", "a", "x.example.incamail.ch"),
        ("a@x.example.incamail.ch.", "a", "x.example.incamail.ch"),
        ("Hans Muster <h.m@x.example>", "h.m", "x.example"),
        ('"a@b c"@x.example', '"a@b c"', "x.example"),
        ("a(comment)@x.example", "a", "x.example"),
        ("<@r.example,@s.example:a@x.example>", "a", "x.example"),
        ("a@müller.example", "a", "xn--mller-kva.example"),
        ("a@MÜLLER.example", "a", "xn--mller-kva.example"),
        ("a@xn--mller-kva.example", "a", "xn--mller-kva.example"),
        ("a+folder@x.example", "a+folder", "x.example"),
        ("δ@x.example", "δ", "x.example"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", "a", "[ipv6:2001:db8::1]"),
    ],
)
def test_valid_addresses_are_taken_apart(given: str, local: str, domain: str) -> None:
    """Local part as given, domain in comparable form."""
    address = parse_address(given)
    assert (address.local, address.domain, address.problem) == (local, domain, "")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", "empty"),
        ("<>", "no_at_sign"),
        ("postmaster", "no_at_sign"),
        ("@x.example", "no_local_part"),
        ("a@", "no_domain"),
        ("a@.incamail.ch", "domain"),
        ("a@x..incamail.ch", "domain"),
        ("a@[192.0.2.1].incamail.ch", "domain"),
        ("a@-x.example", "domain"),
        ("a b@x.example", "local_part"),
        ("a..b@x.example", "local_part"),
        ('"a@x.example', "no_at_sign"),
        ("a\x00b@x.example", "control_characters"),
        ("a@x.example, b@y.example", "several_addresses"),
        ("a" * 3000 + "@x.example", "longer_than_examined"),
        ("hans%gmail.example", "percent_route"),
        ("gmail.example!hans", "bang_path"),
        ("hans@partner . example", "blanks_in_domain"),
        ("a@partner\u3002example", "foreign_dot"),
    ],
)
def test_malformed_addresses_are_named_as_such(given: str, problem: str) -> None:
    """Each kind of damage has its token."""
    assert parse_address(given).problem == problem


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a@x.example, b@y.example", ("a@x.example", "b@y.example")),
        ('"Muster, Hans" <h@x.example>; b@y.example', ("h@x.example", "b@y.example")),
        ("Team: a@x.example, B <b@y.example>;, c@z.example", None),
        ("undisclosed-recipients:;", ()),
        ("a@[IPv6:2001:db8::1], b@y.example", ("a@[IPv6:2001:db8::1]", "b@y.example")),
        ("x (a, (nested) \\) comment) <a@x.example>", ("a@x.example",)),
        ('"quoted \\" <no@x.example>" <a@x.example>', ("a@x.example",)),
    ],
)
def test_lists_and_groups_are_split(header: str, expected: tuple[str, ...] | None) -> None:
    """Names, comments and group names vanish; commas in quotes separate nothing."""
    assert split_mailboxes(header) == (
        expected if expected is not None else ("a@x.example", "b@y.example", "c@z.example")
    )


@pytest.mark.parametrize(
    ("local", "domain", "wrong"),
    [
        ("a" * 64, "x.example", 0),
        ("a" * 65, "x.example", 1),
        ("a", "d" * 252, 0),
        ("a", "d" * 256, 2),
        ("ä" * 33, "x.example", 1),  # octets count, not characters
        ("a" * 60, "d" * 193, 0),
        ("a" * 60, "d" * 194, 1),
    ],
)
def test_lengths_are_counted_in_octets(local: str, domain: str, wrong: int) -> None:
    """64, 255 and 256 are the last permitted values (RFC 5321 §4.5.3.1)."""
    assert len(length_problems(local, domain)) == wrong


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("notincamail.ch", Likeness.BARE),
        ("firm.example.notincamail.ch", Likeness.EMBEDDED),
        ("x.incamail.ch.evil.example", Likeness.EMBEDDED),
        ("firm.example.xn--ncamail-qog.ch", Likeness.EMBEDDED),  # Cyrillic і as A-label
        ("firm.example.inсamail.ch", Likeness.EMBEDDED),  # Cyrillic с
        ("firm.example.incamai1.ch", Likeness.EMBEDDED),
        ("firm.example.incmail.ch", Likeness.EMBEDDED),
        ("firm.example.icnamail.ch", Likeness.EMBEDDED),
        ("firm.example.incamail.com", Likeness.EMBEDDED),
        ("firm.example.incamail-ch", Likeness.EMBEDDED),
        ("firm.example.incamailch", Likeness.EMBEDDED),
        ("firm.example.incamail", Likeness.EMBEDDED),
        ("firm.example.inca.mail.ch", Likeness.EMBEDDED),
        ("firm.example.im.post.ch", Likeness.EMBEDDED),
        ("im.post.ch", Likeness.NONE),
        ("firm.example.incamail.ch", Likeness.NONE),
        ("incamail.ch", Likeness.NONE),
        ("firm.example", Likeness.NONE),
        ("mail.ch", Likeness.NONE),
        ("webmail.ch", Likeness.NONE),
    ],
)
def test_lookalikes_are_told_from_the_genuine_suffix(domain: str, expected: Likeness) -> None:
    """Misspelt, disguised and foreign suffixes resemble; genuine and ordinary ones do not."""
    assert likeness(domain, SUFFIX, "im.post.ch") is expected


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=120) | st.text('a@."<>[]:;,()\\ \x00é', max_size=60))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    """Whatever stands in an envelope or header, there is an answer."""
    address = parse_address(text)
    assert address.problem or address.domain
    assert likeness(address.domain, SUFFIX) in Likeness
    assert isinstance(split_mailboxes(text), tuple)
