"""Whole messages: headers read from any bytes, the envelope made as `sendmail -t` makes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.facts.routing import (
    Engine,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    RuleSet,
    SendingType,
)
from incamail_lib.routing import classify_message
from incamail_lib.routing.message import split_message

EXAMPLES = Path(__file__).parents[2] / "examples" / "messages"
HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
DOMAIN = RuleSet(method=Method.DOMAIN, next_hop=HOP)
RAW = RuleSet(method=Method.SUBJECT, next_hop=HOP, engine=Engine.POSTFIX_REGEXP)
SUFFIXED = "a@partner.example.incamail.ch"


def read(
    *lines: str | bytes, rules: RuleSet = DOMAIN, to: tuple[str, ...] | None = None
) -> MessageRouting:
    eml = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return classify_message(eml, rules, recipients=to, own_domains=("muster.example",))


def codes(message: MessageRouting) -> set[str]:
    return {h.code for h in message.hazards} | {h.code for r in message.routes for h in r.hazards}


def recipients(message: MessageRouting) -> list[str]:
    return [route.recipient for route in message.routes]


def test_to_cc_and_bcc_make_the_envelope() -> None:
    """Groups and folds included; the body is no header."""
    message = read(
        "To: Team: a@x.example,", " B <b@x.example>;", "CC: c@x.example", "Bcc: d@x.example",
        "Subject: x", "", "To: e@x.example",
    )  # fmt: skip
    assert recipients(message) == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    assert "bcc_in_message" in codes(message)
    assert "bcc_in_message" not in codes(read("To: a@x.example", "Subject: x"))


def test_resent_fields_take_precedence() -> None:
    """A resent message goes to the new recipients only."""
    message = read("To: a@x.example", "Resent-To: b@x.example", "Subject: x")
    assert recipients(message) == ["b@x.example"]
    assert "resent" in codes(message)
    assert recipients(read("To: a@x.example", "Subject: x")) == ["a@x.example"]


def test_a_given_envelope_counts_more_than_the_header() -> None:
    """RFC 5321: the header is content."""
    assert recipients(read("To: a@x.example", "Subject: x", to=("b@y.example",))) == ["b@y.example"]


def test_a_suffix_lost_between_header_and_envelope_is_a_leak() -> None:
    """An alias map or rewriting rule has taken it away; where both agree nothing is lost."""
    lost = read(f"To: {SUFFIXED}", "Subject: x", to=("a@partner.example",))
    assert "suffix_lost" in codes(lost)
    assert lost.leaks
    assert "suffix_lost" not in codes(read(f"To: {SUFFIXED}", "Subject: x", to=(SUFFIXED,)))


def test_of_several_subjects_the_tagged_one_counts_for_the_wish() -> None:
    """Postfix tests each header line, Exim joins them: ^ only sees the first; one is sound."""
    lines = ("To: a@x.example", "Subject: x", "Subject: <im><c> y")
    assert "several_subjects" in codes(read(*lines))
    assert read(*lines).leaks
    assert read(*lines, rules=RAW).routes[0].to_incamail
    joined = RAW.model_copy(update={"engine": Engine.EXIM_DECODED})
    assert read(*lines, rules=joined).routes[0].to_incamail
    anchored = joined.model_copy(update={"subject_pattern": "^<im>"})
    assert read(*lines, rules=anchored).leaks
    assert "several_subjects" not in codes(read(*lines[:2]))


def test_a_missing_subject_is_said() -> None:
    """Without a subject there is no tag: Confidential by default."""
    message = read(f"To: {SUFFIXED}", "", "body")
    assert codes(message) == {"no_subject", "suffix_without_tag"}
    assert message.routes[0].sending_type is SendingType.CONFIDENTIAL
    assert "no_subject" not in codes(read(f"To: {SUFFIXED}", "Subject:"))


def test_unencoded_8_bit_and_nul_are_survived_and_noted() -> None:
    """The tag before them still counts."""
    message = read("To: a@x.example", b"Subject: <im><c> D\xe9c\x00")
    assert message.tags == ("im", "c")
    assert {"eight_bit_subject", "control_characters"} <= codes(message)


def test_the_subject_of_an_attached_message_is_noted_where_a_rule_would_see_it() -> None:
    """Postfix applies header checks to attached headers too; without a match nothing is said."""
    lines = ("To: a@x.example", "Subject: Fwd", "", "Content-Type: message/rfc822", "")
    assert "attached_subject" in codes(read(*lines, "Subject: <im><c> x", rules=RAW))
    assert "attached_subject" not in codes(read(*lines, "Subject: x", rules=RAW))
    assert "attached_subject" not in codes(read(*lines, "Subject: <im><c> x"))


@pytest.mark.parametrize(
    ("eml", "names"),
    [
        (b"From me Mon\nTo: a@x\nSubject : y\n\nbody: z", ["to", "subject"]),
        (b"To: a@x\nnot a header\nSubject: y", ["to"]),
        (b"\nTo: a@x", []),
        (b" continued\nTo: a@x", []),
        (b"", []),
    ],
)
def test_the_header_ends_where_it_ends(eml: bytes, names: list[str]) -> None:
    """At the empty line, or at the first line that is none of a header."""
    assert [name for name, _ in split_message(eml)[0]] == names


@pytest.mark.parametrize(
    ("name", "to_incamail", "leaks"),
    [
        ("de_confidential", [True], False),
        ("de_html_add_in", [True], False),
        ("fr_personal_encoded", [True], False),
        ("it_reply_without_suffix", [False], True),
        ("en_registered_mixed", [True, False, False], True),
        ("en_ordinary", [False], False),
    ],
)
def test_the_examples_show_what_they_are_named_for(
    name: str, to_incamail: list[bool], leaks: bool
) -> None:
    """Under the suffix rule; sound and leaking ones in four languages."""
    eml = (EXAMPLES / f"{name}.eml").read_bytes()
    message = classify_message(eml, DOMAIN, own_domains=("muster.example",), label=name)
    assert ([r.to_incamail for r in message.routes], message.leaks) == (to_incamail, leaks)
    assert message.label == name


def test_the_encoded_example_is_missed_by_a_raw_filter() -> None:
    """It reaches IncaMail by MX only; the unencoded one by the rule."""
    encoded = classify_message((EXAMPLES / "fr_personal_encoded.eml").read_bytes(), RAW)
    assert (encoded.routes[0].rule, encoded.tags) == ("mx", ("im", "p"))
    plain = classify_message((EXAMPLES / "de_confidential.eml").read_bytes(), RAW)
    assert plain.routes[0].rule == "subject"


@pytest.mark.parametrize(
    "eml",
    [
        b"Subject: " + b" " * 300_000,
        b"Subject: a" + b"\n " * 150_000,
        b"To: " + b'"(<\\' * 60_000,
        b"To: " + b"a@x.example," * 20_000,
        b"Subject: " + b"=?utf-8?q?" * 30_000,
        b"Subject: x\n" * 30_000,
        b"\nmessage/rfc822\n" + b"subject:\n " * 30_000,
    ],
    ids=lambda eml: repr(eml[:20]),
)
def test_huge_messages_are_bounded(eml: bytes) -> None:
    """A hostile message costs seconds at most and never memory without end."""
    start = time.process_time()
    message = classify_message(eml, RAW)
    assert time.process_time() - start < 5
    assert len(message.model_dump_json()) < 2_000_000


_LINE = st.sampled_from(
    [b"Subject:", b"To:", b"Bcc:", b"Resent-To:", b" ", b"\t", b"<im><c>", b"=?utf-8?b?", b"?=",
     b"\n", b"\r\n", b"\x00", b"\xff", b"a@x.incamail.ch", b",", b":", b";", b"<",
     b'"', b"message/rfc822"]
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(
    eml=st.binary(max_size=300) | st.lists(_LINE, max_size=40).map(b"".join),
    rules=st.sampled_from([DOMAIN, RAW]),
)
def test_no_bytes_make_it_raise(eml: bytes, rules: RuleSet) -> None:
    """Whatever a file contains, the answer can be saved and read again."""
    message = classify_message(eml, rules)
    assert MessageRouting.model_validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize(
    ("eml", "words"),
    [
        (b"\xef\xbb\xbfTo: a@x.example\r\nSubject: <im> x\r\n\r\n", "byte order mark"),
        ("To: a@x.example\r\nSubject: <im> x\r\n\r\n".encode("utf-16"), "UTF-16"),
        (b"To: a@x.example\rSubject: <im> x\r\r", "CR alone"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, ".msg"),
        (b"\r\nTo: a@x.example\r\nSubject: <im> x\r\n\r\n", "empty line"),
        (b"Hello\r\nTo: a@x.example\r\n\r\n", "does not begin with a header"),
        (b"To: A :( <a@x.example>, b@x.example\r\nSubject: x\r\n\r\n", "not closed"),
        (b"To: a@x.example\r\nX: " + b"x" * 300_000 + b"\r\nSubject: <im>\r\n\r\n", "longer than"),
        (b"To: a@x.example\r\nno header\r\nSubject: <im>\r\n\r\n", "servers differ"),
        (b"Subject: x\r\n\r\n", "No recipients"),
    ],
)
def test_a_file_that_cannot_be_read_is_unknown_and_says_why(eml: bytes, words: str) -> None:
    """Never "no recipients, fine"; the same message in order is known."""
    found = classify_message(eml, DOMAIN)
    assert not found.is_known
    texts = [hazard.text.english() for hazard in found.hazards if hazard.text]
    assert any(words in text for text in texts), texts
    assert classify_message(b"To: a@x.example\r\nSubject: x\r\n\r\n", DOMAIN).is_known


def test_a_smile_and_a_comment_in_a_name_are_no_damage() -> None:
    """What is quoted or closed does not swallow recipients."""
    found = read('To: "A :(" <a@x.example>, B (team) <b@x.example>', "Subject: x")
    assert recipients(found) == ["a@x.example", "b@x.example"]
    assert found.is_known


def test_waived_tls_is_a_leak_on_the_way_to_incamail() -> None:
    """RFC 8689: the header lets the server give up encryption; ordinary mail does not care."""
    assert "tls_not_required" in codes(read(f"To: {SUFFIXED}", "Subject: x", "TLS-Required: no"))
    assert "tls_not_required" not in codes(
        read("To: a@x.example", "Subject: x", "TLS-Required: no")
    )
    assert "tls_not_required" not in codes(read(f"To: {SUFFIXED}", "Subject: x"))
