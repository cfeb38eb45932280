"""Addresses at their limits, their marks, and what they mean for the route."""

from __future__ import annotations

from typing import Any

import pytest

from incamail_lib.facts.routing import (
    Engine,
    Method,
    NextHop,
    NextHopKind,
    Route,
    RuleSet,
    SendingType,
    Severity,
)
from incamail_lib.routing import classify
from incamail_lib.routing.address import (
    MAX_GIVEN,
    Address,
    canonical_suffix,
    has_suffix,
    is_complete,
    length_problems,
    parse_address,
    split_mailboxes,
    u_label,
)
from incamail_lib.routing.hazards import HAZARDS, hazard, printable
from incamail_lib.routing.lookalike import Likeness, likeness, skeleton

SMART_HOST = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
NOTHING: dict[str, Any] = {
    **{"is_literal": False, "has_trailing_dot": False, "has_route": False, "needs_utf8": False},
    **{"problem": "", "is_routable": True, "is_delivered_by_some": False, "is_quoted": False},
}


@pytest.mark.parametrize(
    ("given", "local", "domain", "marks"),
    [
        ("a@x.example", "a", "x.example", {}),
        ("a@x.example.", "a", "x.example", {"has_trailing_dot": True}),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]", {"is_literal": True}),
        ("<@r.example:a@x.example>", "a", "x.example", {"has_route": True}),
        ("é@x.example", "é", "x.example", {"needs_utf8": True}),
        ("a@é.example", "a", "xn--9ca.example", {"needs_utf8": True}),
        ('"a b"@x.example', '"a b"', "x.example", {"is_quoted": True}),
        ("a b@x.example", "a b", "x.example", {"problem": "local_part"}),
        ('"a"b@x.example', '"a"b', "x.example", {"problem": "local_part", "is_quoted": True}),
        (".a@x.example", ".a", "x.example", {"problem": "local_part"}),
        ("a.@x.example", "a.", "x.example", {"problem": "local_part"}),
        ('a"@"b@x.example', 'a"@"b', "x.example", {"problem": "local_part"}),
        ("a@b@x.example", "a@b", "x.example", {"problem": "local_part"}),
        (r"a\@b@x.example", r"a\@b", "x.example", {"problem": "local_part"}),
        ("a@-x.example", "a", "-x.example", {"problem": "domain", "is_routable": False}),
        (
            *("a@x . example", "a", "x.example"),
            {"problem": "blanks_in_domain", "is_delivered_by_some": True},
        ),
        (
            *("a@x\u3002example", "a", "x.example"),
            {"problem": "foreign_dot", "is_delivered_by_some": True, "needs_utf8": True},
        ),
        (
            *(" hans %x.example", "hans", "x.example"),
            {"problem": "percent_route", "is_delivered_by_some": True},
        ),
        (
            *("x.example! hans ", "hans", "x.example"),
            {"problem": "bang_path", "is_delivered_by_some": True},
        ),
        ("hans%nodot", "", "", {"problem": "no_at_sign", "is_routable": False}),
        ("%x.example", "", "", {"problem": "no_at_sign", "is_routable": False}),
        ("x.example!", "", "", {"problem": "no_at_sign", "is_routable": False}),
        ("hans%-x.example", "", "", {"problem": "no_at_sign", "is_routable": False}),
        ("<@r.example:hans>", "", "", {"problem": "no_at_sign", "is_routable": False}),
        ("@x.example", "", "x.example", {"problem": "no_local_part", "is_routable": False}),
        ("a@", "a", "", {"problem": "no_domain", "is_routable": False}),
    ],
)
def test_every_mark_of_an_address_is_seen(
    given: str, local: str, domain: str, marks: dict[str, Any]
) -> None:
    """Its parts, what is peculiar, and whether servers would route it; everything else not."""
    address = parse_address(given)
    assert (address.given, address.local, address.domain) == (given, local, domain)
    assert {name: getattr(address, name) for name in NOTHING} == NOTHING | marks


def test_an_address_is_examined_up_to_its_limit() -> None:
    """The last that is read, and the first that is not."""
    longest = "a" * (MAX_GIVEN - len("@x.example")) + "@x.example"
    assert parse_address(longest).problem == ""
    assert parse_address("a" + longest).problem == "longer_than_examined"
    assert parse_address("a" + longest) == Address("a" + longest, problem="longer_than_examined")


def test_the_normal_form_joins_both_parts() -> None:
    """As it is compared and shown."""
    assert parse_address("Hans <h@X.Example.>").text == "h@x.example"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("<a@x.example> <b@y.example>", ("b@y.example",)),
        ('<"a>b"@x.example>, c@z.example', ('"a>b"@x.example', "c@z.example")),
        ('<a@[1.2.3.4]> , "x" b@y.example', ("a@[1.2.3.4]", '"x" b@y.example')),
        ("<a(comment, with comma)@x.example>", ("a@x.example",)),
        ("a@[x,y], b@y.example", ("a@[x,y]", "b@y.example")),
        ('"a,b"@x.example', ('"a,b"@x.example',)),
        ("<a@[x>y]>, b@z.example", ("a@[x>y]", "b@z.example")),
        (r"a\,b@x.example, c@z.example", (r"a\,b@x.example", "c@z.example")),
        (r'"a\"," <b@y.example>', ("b@y.example",)),
        ("Name <>", ("",)),
        ("Hans <a@x.example> GmbH, b@y.example", ("a@x.example", "b@y.example")),
        (" , ;", ()),
        ("G: ;", ()),
        ("a@x.example;b@y.example", ("a@x.example", "b@y.example")),
        ("(a@x.example) b@y.example", ("b@y.example",)),
        (")a@x.example", (")a@x.example",)),
    ],
)
def test_address_lists_are_walked_as_they_nest(header: str, expected: tuple[str, ...]) -> None:
    """Brackets, quotes and comments inside each other; what stands in angles is the address."""
    assert split_mailboxes(header) == expected


@pytest.mark.parametrize(
    ("header", "whole"),
    [
        ("a@x.example", True),
        ("a (b", False),
        ("a (b (c) d", False),
        ("a (b (c))", True),
        ('"a', False),
        ('"a"', True),
        ("<a", False),
        ("<a>", True),
        ("[a", False),
        ("<[a", False),
        ("<[a]", False),
        ('<"a>', False),
        (r'"a\"', False),
    ],
)
def test_an_open_bracket_is_noticed(header: str, whole: bool) -> None:
    """A list that ends inside one was torn."""
    assert is_complete(header) is whole


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("xn--mller-kva", "müller"),
        ("muster", "muster"),
        ("xn--", "xn--"),
        ("xn--" + "a" * 60, "xn--" + "a" * 60),
        ("MÜLLER", "MÜLLER"),
    ],
)
def test_a_label_is_shown_as_people_read_it(label: str, shown: str) -> None:
    """An illegal one stays as it is."""
    assert u_label(label) == shown


def test_a_label_of_63_characters_is_still_read() -> None:
    """The longest that the DNS allows, and not one more."""
    longest = "xn--" + "ä".encode("punycode").decode()
    assert u_label(longest) == "ä"
    whole = parse_address("a@" + "ä" + "b" * 55 + ".example").domain.split(".")[0]
    assert len(whole) == 63
    assert u_label(whole) == "ä" + "b" * 55
    assert u_label(whole + "b") == whole + "b"


@pytest.mark.parametrize(
    ("domain", "suffix", "expected"),
    [
        ("x.incamail.ch", ".incamail.ch", True),
        (".incamail.ch", ".incamail.ch", False),
        ("incamail.ch", ".incamail.ch", False),
        ("notincamail.ch", "incamail.ch", True),
        ("incamail.ch", "incamail.ch", False),
    ],
)
def test_a_suffix_has_something_before_it(domain: str, suffix: str, expected: bool) -> None:
    """Literally compared at the end, with at least one character in front."""
    assert has_suffix(domain, suffix) is expected


@pytest.mark.parametrize("suffix", ["incamail.ch", ".incamail.ch", " .IncaMail.ch. "])
def test_the_suffix_has_one_leading_dot(suffix: str) -> None:
    """However it was typed."""
    assert canonical_suffix(suffix) == ".incamail.ch"


def test_each_limit_is_named_with_its_numbers() -> None:
    """Which part is too long, and by how much."""
    assert length_problems("a" * 65, "x") == ("local part 65 > 64",)
    assert length_problems("a", "d" * 254) == ("path 258 > 256",)
    assert length_problems("a", "d" * 256) == ("domain 256 > 255", "path 260 > 256")
    assert length_problems("a", "é" * 128) == ("domain 256 > 255", "path 260 > 256")


@pytest.mark.parametrize(
    ("domain", "suffix", "next_hop", "expected"),
    [
        ("ab.ch", ".ab", "", Likeness.NONE),
        ("firm.xab", ".ab", "", Likeness.NONE),
        ("firm.xabc", ".abc", "", Likeness.EMBEDDED),
        ("xabc", ".abc", "", Likeness.BARE),
        ("firm.relay.example", ".incamail.ch", "relay.example", Likeness.EMBEDDED),
        ("firm.relay.example", ".incamail.ch", "", Likeness.NONE),
        ("relay.example", ".incamail.ch", "relay.example", Likeness.NONE),
        ("incamail-ch.example", ".incamail.ch", "", Likeness.NONE),
        ("inca-mail.ch", ".incamail.ch", "", Likeness.BARE),
        ("incamai.ch", ".incamail.ch", "", Likeness.BARE),
        ("incamaill.ch", ".incamail.ch", "", Likeness.BARE),
        ("incamali.ch", ".incamail.ch", "", Likeness.BARE),
        ("incanail.ch", ".incamail.ch", "", Likeness.BARE),
        ("incanai.ch", ".incamail.ch", "", Likeness.NONE),
        ("imcanail.ch", ".incamail.ch", "", Likeness.NONE),
        ("post.ch", ".im.post.ch", "", Likeness.NONE),
        ("pust.ch", ".post.ch", "", Likeness.NONE),
        ("seccure.example", ".secure.example", "", Likeness.BARE),
    ],
)
def test_a_lookalike_is_one_slip_away(
    domain: str, suffix: str, next_hop: str, expected: Likeness
) -> None:
    """One letter more, less, exchanged or swapped; two are another name, and so are short ones."""
    assert likeness(domain, suffix, next_hop) is expected


def test_letters_that_look_alike_are_one() -> None:
    """Marks go, twins of other alphabets become Latin."""
    assert skeleton("InсаМäiL") == skeleton("incamail") == "incamail"
    assert skeleton("p0st") == "post"
    assert skeleton("abc") != skeleton("abd")


def test_evidence_of_strangers_is_printable_and_bounded() -> None:
    """Control and bidi characters become escapes; a long text ends in an ellipsis."""
    assert hazard("lookalike_suffix", "a\u202eb\x1b").detail == r"a\u202eb\x1b"
    assert printable("a" * 9, 10) == "a" * 9
    assert printable("a" * 10, 10) == "a" * 10
    assert printable("a" * 11, 10) == "a" * 9 + "…"
    assert printable("\ud800") == r"\ud800"


def test_a_hazard_has_its_own_weight_unless_it_is_given() -> None:
    """By its kind, or as the place knows better."""
    for code, kind in HAZARDS.items():
        assert hazard(code).severity is kind.severity
        assert hazard(code, severity=Severity.UNKNOWN).severity is Severity.UNKNOWN


def rules(method: Method = Method.DOMAIN, **changes: Any) -> RuleSet:
    usual = {"method": method, "next_hop": SMART_HOST, "subject_pattern": "(?i)<im>"}
    return RuleSet(**(usual | changes))


def one(recipient: str, subject: str = "Test", **changes: Any) -> Route:
    """The route of one recipient; own domain muster.example."""
    given = rules(**changes)
    (route,) = classify([recipient], subject, given, own_domains=["Muster.example"]).routes
    return route


def noted(route: Route) -> dict[str, Severity]:
    return {h.code: h.severity for h in route.hazards}


@pytest.mark.parametrize(
    ("recipient", "subject", "changes", "expected"),
    [
        ("a@x.example", "Test", {}, {}),
        ("a@muster.example", "Test", {}, {}),
        ("a@muster.example", "<im> x", {}, {"stays_internal": Severity.WARNING}),
        ("a%x.example@muster.example", "<im> x", {}, {"tag_without_suffix": Severity.LEAK}),
        ("x.example!a@muster.example", "<im> x", {}, {"tag_without_suffix": Severity.LEAK}),
        (
            *('"a%x.example"@muster.example', "<im> x", {}),
            {"stays_internal": Severity.WARNING, "quoted_local_part": Severity.WARNING},
        ),
        ("a%nodot@muster.example", "<im> x", {}, {"stays_internal": Severity.WARNING}),
        ("a@notincamail.ch", "Test", {}, {"lookalike_suffix": Severity.WARNING}),
        (
            *("a@notincamail.ch", "<im> x", {}),
            {"lookalike_suffix": Severity.LEAK, "tag_without_suffix": Severity.LEAK},
        ),
        (
            *(
                "a@notincamail.ch",
                "<im> x",
                {"method": Method.SUBJECT, "engine": Engine.EXIM_DECODED},
            ),
            {"lookalike_suffix": Severity.MISROUTED},
        ),
        (
            *("a@-x.incamail.ch", "Test", {}),
            {"malformed_address": Severity.MISROUTED},
        ),
        (
            *("a.incamail.ch@-x.example", "Test", {}),
            {
                "malformed_address": Severity.MISROUTED,
                "suffix_in_local_part": Severity.WARNING,
            },
        ),
        ("a.incamail.ch@x.example", "Test", {}, {"suffix_in_local_part": Severity.LEAK}),
        ("a@x.example", "im: x", {}, {}),
    ],
)
def test_each_recipient_has_the_hazards_of_its_way(
    recipient: str, subject: str, changes: dict[str, Any], expected: dict[str, Severity]
) -> None:
    """What could go wrong on this way and with this wish, with its weight, and nothing else."""
    found = noted(one(recipient, subject, **changes))
    found.pop("suffix_without_tag", None)
    assert found == expected


def test_the_sending_type_goes_along_only_to_incamail() -> None:
    """In clear there is none."""
    assert one("a@x.example.incamail.ch", "<im><p> x").sending_type is SendingType.PERSONAL
    assert one("a@x.example", "<im><p> x").sending_type is None
