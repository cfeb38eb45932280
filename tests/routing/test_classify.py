"""Routes: per recipient by suffix, for the whole message by subject; every leak is named."""

from __future__ import annotations

from typing import Any

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.errors import IncaMailError
from incamail_lib.facts.routing import (
    Engine,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    Route,
    RuleSet,
    SendingType,
    Severity,
    SubjectView,
)
from incamail_lib.routing import HAZARDS, classify, validate_rules

SMART_HOST = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
OWN = ("muster.example",)
SUFFIXED = "a@partner.example.incamail.ch"
PLAIN = "a@partner.example"
TAGGED = "<im><c> Test"


def rules(method: Method = Method.DOMAIN, **changes: Any) -> RuleSet:
    return RuleSet(**({"method": method, "next_hop": SMART_HOST} | changes))


def one(recipient: str, subject: str | bytes = TAGGED, given_rules: RuleSet | None = None) -> Route:
    message = classify([recipient], subject, given_rules or rules(), own_domains=OWN)
    return message.routes[0]


def codes(found: Route | MessageRouting) -> set[str]:
    return {hazard.code for hazard in found.hazards}


@pytest.mark.parametrize(
    ("recipient", "delivered_to", "noted"),
    [
        (SUFFIXED, PLAIN, set()),
        ("a@partner.example.INCAMAIL.Ch", PLAIN, set()),
        ("a@PARTNER.example.incamail.ch", PLAIN, set()),
        ("a@partner.example.incamail.ch.", PLAIN, {"trailing_dot"}),
        ("a+b@partner.example.incamail.ch", "a+b@partner.example", set()),
        ("a@müller.example.incamail.ch", "a@xn--mller-kva.example", {"needs_smtputf8"}),
        ("a@xn--mller-kva.example.incamail.ch", "a@xn--mller-kva.example", set()),
        ("é@partner.example.incamail.ch", "é@partner.example", {"needs_smtputf8"}),
        ('"a b"@partner.example.incamail.ch', '"a b"@partner.example', {"quoted_local_part"}),
        ("<@r.example:a@partner.example.incamail.ch>", PLAIN, {"source_route"}),
        (SUFFIXED + ".incamail.ch", SUFFIXED, {"doubled_suffix"}),
        ("a@incamail.ch.incamail.ch", "a@incamail.ch", {"doubled_suffix"}),
        ("a@partner.incamail.ch", "a@partner", {"incomplete_domain"}),
        ("a@muster.example.incamail.ch", "a@muster.example", {"own_domain_suffixed"}),
    ],
)
def test_suffixed_recipients_go_to_incamail(
    recipient: str, delivered_to: str, noted: set[str]
) -> None:
    """In every spelling; IncaMail delivers to the address without the suffix."""
    route = one(recipient)
    assert (route.to_incamail, route.rule, route.next_hop) == (True, "suffix", SMART_HOST)
    assert (route.delivered_to, codes(route)) == (delivered_to, noted)
    assert not route.leaks


@pytest.mark.parametrize(
    "recipient",
    [
        "a@incamail.ch",
        "a@notincamail.ch",
        "a@partner.example.incamail.ch.evil.example",
        "a@partner.example.\u0456ncamail.ch",
        "a@partner.example\uff0eincamail\uff0ech",
        '"a@partner.example.incamail.ch"@evil.example',
        "a@[192.0.2.1].incamail.ch",
        "a@.incamail.ch",
        "",
    ],
)
def test_what_is_not_the_suffix_is_not_routed(recipient: str) -> None:
    """Neither IncaMail's own domain, nor a look-alike, nor damage."""
    route = one(recipient)
    assert not route.to_incamail
    assert (route.delivered_to, route.next_hop, route.sending_type) == ("", None, None)
    assert codes(route)


@pytest.mark.parametrize(
    ("recipient", "code", "severity"),
    [
        ("a@notincamail.ch", "lookalike_suffix", Severity.WARNING),
        ("a@partner.example.notincamail.ch", "lookalike_suffix", Severity.LEAK),
        ("a@x.incamail.ch.evil.example", "lookalike_suffix", Severity.LEAK),
        ("a@partner.example.\u0456ncamail.ch", "lookalike_suffix", Severity.LEAK),
        ("a%partner.example.incamail.ch@evil.example", "suffix_in_local_part", Severity.LEAK),
        ("a@partner..example", "malformed_address", Severity.MISROUTED),
    ],
)
def test_near_misses_are_named_without_any_tag(
    recipient: str, code: str, severity: Severity
) -> None:
    """An untagged message to such an address is weighed by how certain the mistake is."""
    assert (code, severity) in {(h.code, h.severity) for h in one(recipient, "Test").hazards}


def test_ordinary_mail_has_no_hazard() -> None:
    """External, internal and IncaMail's own staff, without any wish for protection."""
    for recipient in (
        PLAIN,
        "b@muster.example",
        "session@incamail.ch",
        '"q"@x.example',
        "é@x.example",
    ):
        for method in Method:
            route = one(recipient, "Offer", rules(method))
            assert (route.to_incamail, route.hazards) == (False, ())


@pytest.mark.parametrize(("length", "too_long"), [(241, False), (242, False), (243, True)])
def test_length_counts_with_the_suffix(length: int, too_long: bool) -> None:
    """254 octets of address are left of the path of 256; the suffix takes 12 of them."""
    address = f"aaa@{'d' * 50}.{'e' * 60}.{'f' * 60}.".ljust(length - 4, "g") + ".com"
    assert len(address) == length
    assert ("too_long" in codes(one(address + ".incamail.ch"))) is too_long
    assert ("too_long" in codes(one(address))) is too_long  # tagged: as it would be once suffixed
    assert "too_long" not in codes(one(address, "Test"))


@pytest.mark.parametrize(
    ("subject", "kind", "code"),
    [
        ("<im><p> x", SendingType.PERSONAL, None),
        ("<r> x", SendingType.REGISTERED, None),
        ("x", SendingType.CONFIDENTIAL, "suffix_without_tag"),
        ("<im><c><r> x", SendingType.CONFIDENTIAL, None),
        ("[im] x", SendingType.CONFIDENTIAL, "mistyped_tag"),
    ],
)
def test_the_sending_type_comes_from_the_tag(
    subject: str, kind: SendingType, code: str | None
) -> None:
    """Suffix without tag is Confidential by default, and said so."""
    route = one(SUFFIXED, subject)
    assert route.sending_type is kind
    assert code is None or code in codes(route)
    assert not route.leaks


def test_a_tag_without_suffix_leaks_under_a_domain_rule() -> None:
    """It leaves in clear; the same message with the suffix does not."""
    route = one(PLAIN)
    assert not route.to_incamail
    assert route.leaks
    assert "tag_without_suffix" in codes(route)
    assert not one(SUFFIXED).leaks


@pytest.mark.parametrize("subject", ["<c> x", "Re: <im><c> x", "<im> x", "x <im>"])
def test_every_form_of_the_tag_leaks_without_suffix(subject: str) -> None:
    """However the wish is expressed; without any wish nothing leaks."""
    assert one(PLAIN, subject).leaks
    assert not one(PLAIN, "Re: x").leaks


def test_a_rule_that_refuses_tags_without_suffix_stops_the_leak() -> None:
    """The author gets the message back; colleagues and suffixed recipients are not affected."""
    strict = rules(refuses_tag_without_suffix=True)
    message = classify([PLAIN, SUFFIXED, "b@muster.example"], TAGGED, strict, own_domains=OWN)
    assert [route.refused for route in message.routes] == [True, False, False]
    assert not message.leaks
    assert codes(message.routes[0]) == {"refused"}
    assert one(PLAIN, "<c> x", strict).leaks  # its pattern knows <im> only


@pytest.mark.parametrize(
    "recipient", ["a..b@partner.example", "a b@partner.example", "a@☃.example"]
)
def test_sloppy_addresses_still_leak(recipient: str) -> None:
    """Servers pass on what the standard forbids; only an impossible domain keeps mail inside."""
    assert one(recipient).leaks
    assert one(f"{recipient}.incamail.ch").to_incamail
    assert not one("a@partner..example").leaks


def test_a_mistyped_tag_leaks_without_suffix() -> None:
    """The sender meant protection; ordinary words in brackets do not."""
    assert "mistyped_tag" in codes(one(PLAIN, "&lt;im&gt;&lt;c&gt; x"))
    assert not one(PLAIN, "[info] x").leaks


def test_mixed_recipients_are_routed_one_by_one_under_a_domain_rule() -> None:
    """The suffixed one goes to IncaMail, the other gets the same content in clear."""
    message = classify(
        [SUFFIXED, "b@other.example", "c@muster.example"], "Test", rules(), own_domains=OWN
    )
    assert [route.to_incamail for route in message.routes] == [True, False, False]
    assert codes(message.routes[1]) == {"mixed_in_clear"}
    assert message.routes[1].leaks
    assert not message.routes[2].hazards  # inside the organisation


def test_a_subject_rule_drags_all_recipients_along() -> None:
    """Even colleagues; without a tag nobody is dragged."""
    subject_rule = rules(Method.SUBJECT)
    to = [SUFFIXED, "b@other.example", "c@muster.example"]
    message = classify(to, TAGGED, subject_rule, own_domains=OWN)
    assert [route.to_incamail for route in message.routes] == [True, True, True]
    assert [("dragged_along" in codes(route)) for route in message.routes] == [False, True, True]
    untagged = classify(to, "Test", subject_rule, own_domains=OWN)
    assert [route.to_incamail for route in untagged.routes] == [True, False, False]


def test_a_hand_typed_tag_is_enough_under_a_subject_rule() -> None:
    """Guide 8.1 (b ii): all recipients, none suffixed; the address stays as it is."""
    route = one(PLAIN, TAGGED, rules(Method.SUBJECT))
    assert (route.rule, route.delivered_to, route.hazards) == ("subject", PLAIN, ())


@pytest.mark.parametrize(
    ("subject", "pattern", "engine", "matched"),
    [
        (b"=?utf-8?b?PGltPjxjPg==?= x", "<im>", Engine.EXIM_DECODED, True),
        (b"=?utf-8?b?PGltPjxjPg==?= x", "<im>", Engine.POSTFIX_REGEXP, False),
        (b"=?utf-8?q?=3Ci?=\r\n =?utf-8?q?m=3E=3Cc=3E?=", "<im>", Engine.POSTFIX_REGEXP, False),
        (b"<im><c>\r\n x", "^<im><c> x", Engine.EXIM_DECODED, False),
        (b"<im><c>\r\n x", "^<im><c> x", Engine.POSTFIX_REGEXP, False),
        (b"<im><c>\r\n x", "^Subject:.*<im>", Engine.POSTFIX_REGEXP, True),
        (b"x\r\n <im><c>", "^Subject:.*<im>", Engine.POSTFIX_REGEXP, True),
        ("Re: <im><c> x", "^<im>", Engine.EXIM_DECODED, False),
        ("AW: <im><c> x", "<im>", Engine.EXIM_DECODED, True),
        ("<c> x", "<im>", Engine.EXIM_DECODED, False),
        ("<c> x", "<(im|c|p|r)>", Engine.EXIM_DECODED, True),
    ],
)
def test_a_subject_rule_sees_what_its_engine_sees(
    subject: str | bytes, pattern: str, engine: Engine, matched: bool
) -> None:
    """What it does not match leaves in clear, and is a leak. Exim keeps a fold as a line end."""
    given_rules = rules(Method.SUBJECT, subject_pattern=pattern, engine=engine)
    route = one(PLAIN, subject, given_rules)
    assert route.to_incamail is matched
    assert ("subject_rule_missed" in codes(route)) is not matched
    assert route.leaks is not matched


def test_both_rules_catch_what_one_misses() -> None:
    """Suffix without tag, and tag without suffix; what neither sees still leaks."""
    both = rules(Method.BOTH, engine=Engine.POSTFIX_REGEXP, suffix_key=".incamail.ch")
    assert one(SUFFIXED, "x", both).rule == "suffix"
    assert one(PLAIN, TAGGED, both).rule == "subject"
    assert one(SUFFIXED, "<im><c> é", both).rule == "suffix"
    assert one(PLAIN, "<im><c> é", both).leaks


@pytest.mark.parametrize("method", [Method.NONE, Method.SUBJECT])
def test_without_a_matching_rule_the_suffix_is_found_by_mx(method: Method) -> None:
    """Guide 8.1 (a): it arrives, but TLS is not forced; with a rule that is settled."""
    route = one(SUFFIXED, "x", rules(method))
    assert (route.to_incamail, route.rule) == (True, "mx")
    assert route.next_hop == NextHop(kind=NextHopKind.MX)
    assert "tls_not_forced" in codes(route)
    assert "tls_not_forced" not in codes(one(SUFFIXED, "x", rules()))


@pytest.mark.parametrize(
    ("hop", "fixed"),
    [
        (NextHop(kind=NextHopKind.STATIC, value="194.41.147.13"), True),
        (NextHop(kind=NextHopKind.SMART_HOST, value="[194.41.147.13]"), True),
        (NextHop(kind=NextHopKind.SMART_HOST, value="[IPv6:2001:db8::1]"), True),
        (NextHop(kind=NextHopKind.SMART_HOST, value="[im.post.ch]"), False),
        (NextHop(kind=NextHopKind.MX), False),
    ],
)
def test_a_fixed_next_hop_is_noted(hop: NextHop, fixed: bool) -> None:
    """However it was declared; names and MX look-up are not."""
    route = one(SUFFIXED, TAGGED, rules(next_hop=hop))
    assert route.next_hop == hop
    assert ("static_next_hop" in codes(route)) is fixed


def test_a_subject_rule_by_mx_without_host_leads_past_incamail() -> None:
    """The MX looked up is the recipient's own; with a host it is IncaMail's."""
    bare = rules(Method.SUBJECT, next_hop=NextHop(kind=NextHopKind.MX))
    named = rules(Method.SUBJECT, next_hop=NextHop(kind=NextHopKind.MX, value="im.post.ch"))
    assert codes(one(PLAIN, TAGGED, bare)) == {"subject_rule_without_host"}
    assert one(PLAIN, TAGGED, bare).leaks
    assert one(PLAIN, TAGGED, named).to_incamail
    assert one(SUFFIXED, TAGGED, bare).to_incamail


def test_a_wide_pattern_selects_ordinary_mail() -> None:
    """«im» is in many words; «<im>» is not."""
    wide = rules(Method.SUBJECT, subject_pattern="im")
    assert "selected_without_wish" in codes(one(PLAIN, "Termin im Mai", wide))
    assert not one(PLAIN, "Termin im Mai", rules(Method.SUBJECT)).hazards


def test_a_suffix_without_its_dot_catches_lookalikes() -> None:
    """A rule is judged as declared, not as meant."""
    loose = rules(suffix="incamail.ch")
    route = one("a@partner.example.notincamail.ch", "x", loose)
    assert route.to_incamail
    assert "lookalike_suffix" in codes(route)
    assert one(SUFFIXED, "x", loose).delivered_to == PLAIN
    assert not one("a@partner.example.notincamail.ch", "x").to_incamail


def test_a_tag_to_a_colleague_stays_inside() -> None:
    """No leak, but no effect either."""
    assert codes(one("b@muster.example")) == {"stays_internal"}


def test_an_answer_to_a_secured_message_is_noted() -> None:
    """The quoted content leaves in clear; through IncaMail it does not."""
    subject = "Re: Befund (Secured by IncaMail)"
    assert codes(one(PLAIN, subject)) == {"reply_to_secured"}
    assert "reply_to_secured" not in codes(one(SUFFIXED, subject))


def test_no_recipients_is_said() -> None:
    """An empty envelope is no sound envelope."""
    assert "no_recipients" in codes(classify([], "x", rules()))
    assert not codes(classify([PLAIN], "x", rules()))


@pytest.mark.parametrize("wrong", [{"subject_pattern": "(im"}, {"suffix": "."}, {"suffix": ""}])
def test_unusable_rules_are_refused_with_a_text(wrong: dict[str, Any]) -> None:
    """The message can be shown to the person who wrote them; good rules come back unchanged."""
    with pytest.raises(IncaMailError) as refusal:
        validate_rules(rules(**wrong))
    assert refusal.value.text.english()
    assert validate_rules(rules()) == rules()


def test_every_hazard_explains_itself() -> None:
    """Each is a full sentence that travels with the facts."""
    assert all(kind.explanation.endswith(".") for kind in HAZARDS.values())
    hazard = one(PLAIN).hazards[0]
    assert hazard.text is not None
    assert hazard.text.template == HAZARDS[hazard.code].explanation


@settings(max_examples=examples(200), deadline=None)
@given(
    recipients=st.lists(st.text(max_size=40) | st.sampled_from([SUFFIXED, PLAIN]), max_size=4),
    subject=st.text(max_size=60) | st.binary(max_size=60),
    method=st.sampled_from(Method),
    view=st.sampled_from(SubjectView),
    engine=st.sampled_from(Engine),
)
def test_nothing_makes_it_raise(
    recipients: list[str], subject: str | bytes, method: Method, view: SubjectView, engine: Engine
) -> None:
    """One route per recipient, whatever is given, and the result can be saved and read again."""
    message = classify(recipients, subject, rules(method, subject_view=view, engine=engine))
    assert len(message.routes) == len(recipients)
    assert MessageRouting.model_validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize(
    "recipient",
    [
        "hans%gmail.example", "gmail.example!hans", "hans@partner . example",
        "a@partner\u3002example", "a\x01b@partner.example", "a%gmail.example@muster.example",
    ],
)  # fmt: skip
def test_malformed_addresses_that_servers_deliver_leak_when_tagged(recipient: str) -> None:
    """Postfix mends and sends them; with the suffix in them servers differ, so it is unknown."""
    assert one(recipient).leaks
    assert not one(recipient, "x").leaks


def test_a_malformed_address_with_the_suffix_is_unknown() -> None:
    """Some servers mend it and find the suffix, others do not; a sound one is known."""
    unsure = one("hans%gmail.example.incamail.ch")
    assert (unsure.to_incamail, unsure.is_known) == (False, False)
    assert one(SUFFIXED).is_known


def test_a_default_relay_takes_what_no_rule_takes() -> None:
    """Declared, it is a leak; without one the MX leads to IncaMail."""
    relayed = rules(Method.NONE, default_relay="relay.example")
    assert "taken_by_default_relay" in codes(one(SUFFIXED, TAGGED, relayed))
    assert one(SUFFIXED, TAGGED, relayed).leaks
    assert one(SUFFIXED, TAGGED, rules(Method.NONE, default_relay="")).rule == "mx"
    keyed: dict[str, Any] = {"engine": Engine.POSTFIX_TABLE, "suffix_key": ".incamail.ch"}
    assert one(SUFFIXED, TAGGED, rules(default_relay="relay.example", **keyed)).rule == "suffix"


@pytest.mark.parametrize(
    "said", [{"engine": Engine.POSTFIX_TABLE}, {"default_relay": "relay.example"}]
)
def test_a_key_that_is_not_said_proves_no_way_through_postfix(said: dict[str, Any]) -> None:
    """The guide's *.incamail.ch selects nothing there, and a default relay takes the message."""
    assert not one(SUFFIXED, TAGGED, rules(**said)).is_known
    keyed = said | {"engine": Engine.POSTFIX_TABLE, "suffix_key": ".incamail.ch"}
    assert one(SUFFIXED, TAGGED, rules(**keyed)).rule == "suffix"
    assert one(SUFFIXED, TAGGED, rules(engine=Engine.EXIM_DECODED)).rule == "suffix"


def test_a_key_that_cannot_be_tried_is_not_told_as_no_rule() -> None:
    """Not even that the MX decides is known; a key that selects nothing leaves it to the MX."""
    sealed = rules(engine=Engine.SEPPMAIL, suffix_key=".incamail.ch")
    assert one(SUFFIXED, TAGGED, sealed).unknown is not None
    assert "tls_not_forced" not in codes(one(SUFFIXED, TAGGED, sealed))
    starred = rules(engine=Engine.POSTFIX_TABLE, suffix_key="*.incamail.ch")
    assert one(SUFFIXED, TAGGED, starred).rule == "mx"


def test_more_recipients_than_examined_are_not_judged() -> None:
    """A thousand are looked at; with one more nothing is claimed of the whole."""
    many = [f"a{n}@partner.example.incamail.ch" for n in range(1001)]
    assert not classify(many, TAGGED, rules()).is_known
    assert classify(many[:1000], TAGGED, rules()).is_known
