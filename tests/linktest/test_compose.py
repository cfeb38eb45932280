"""Test messages are those of guide 8.3, in plain ASCII, and never leave unprotected."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest
from factories import NOW

from incamail_lib.dossier.agreed import SENDING_KINDS, MessageKind
from incamail_lib.errors import OutputError, UsageError
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, SendingType
from incamail_lib.i18n import LANGUAGES, translator
from incamail_lib.linktest import SUBJECTS, TestMessage, compose, compose_all, guard, save
from incamail_lib.linktest.compose import HTML_KIND

RULES = RuleSet(
    method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
)
SENDER = "anna@muster.example"
RECIPIENT = "hans.muster@partner.example"
SUFFIXED = "hans.muster@partner.example.incamail.ch"


def composed(
    recipient: str = RECIPIENT,
    kind: SendingType = SendingType.CONFIDENTIAL,
    *,
    sender: str = SENDER,
    rules: RuleSet = RULES,
    body: str = "One line.",
) -> TestMessage:
    return compose(
        sender, recipient, kind, rules=rules, own_domains=("muster.example",), now=NOW, body=body
    )


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (SendingType.CONFIDENTIAL, b"Subject: <im><c> Test-Mail outbound to IncaMail\r\n"),
        (SendingType.PERSONAL, b"Subject: <im><p> Test-Mail outbound to IncaMail\r\n"),
        (SendingType.REGISTERED, b"Subject: <im><r> Test-Mail outbound to IncaMail\r\n"),
    ],
)
def test_the_message_is_the_one_of_the_guide(kind: SendingType, subject: bytes) -> None:
    """Subject in clear on the wire, suffix, date, one line, and an id in the own domain."""
    test = composed(kind=kind)
    wire = test.message.as_bytes()
    assert subject in wire
    assert b"From: anna@muster.example\r\n" in wire
    assert f"To: {SUFFIXED}\r\n".encode() in wire
    assert b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n" in wire
    assert wire.endswith(b"\r\n\r\nOne line.\r\n")
    assert test.message_id.endswith("@muster.example>")
    assert test.routing.routes[0].sending_type is kind


def test_every_kind_of_the_acceptance_tests_can_be_composed() -> None:
    """The dossier's kinds and the sending types are the same words; one kind is ordinary mail."""
    assert {SendingType(kind.value) for kind in SENDING_KINDS} == set(SUBJECTS)
    assert set(MessageKind) == {*SENDING_KINDS, MessageKind(HTML_KIND)}


def test_all_kinds_to_all_recipients() -> None:
    """Three messages to each recipient, each with an id of its own."""
    made = compose_all(SENDER, [RECIPIENT, "b@c.example"], rules=RULES, now=NOW)
    assert [(t.recipient, t.sending_type) for t in made] == [
        (to, kind) for to in (SUFFIXED, "b@c.example.incamail.ch") for kind in SendingType
    ]
    assert len({t.message_id for t in made}) == 6


@pytest.mark.parametrize(
    "given",
    [
        RECIPIENT,
        SUFFIXED,
        "hans.muster@partner.example.INCAMAIL.ch",
        f"{SUFFIXED}.incamail.ch",
        f"Hans Muster <{RECIPIENT}>",
    ],
)
def test_the_suffix_stands_there_exactly_once(given: str) -> None:
    """Whatever was given, plain, suffixed or doubled, one suffix comes out."""
    assert composed(given).recipient == SUFFIXED


def test_long_and_international_names_stay_ascii_and_whole() -> None:
    """A long address is neither folded nor encoded; an umlaut domain becomes its A-label."""
    local, domain = "l" * 60, "d" * 60 + "." + "e" * 60 + ".example"
    wire = composed(f"{local}@{domain}").message.as_bytes()
    assert f"To: {local}@{domain}.incamail.ch\r\n".encode() in wire
    assert composed("a@zürich.example").recipient == "a@xn--zrich-kva.example.incamail.ch"


def test_a_body_in_another_language_travels_in_seven_bits() -> None:
    """An accent in the body is encoded, and read back as it was."""
    wire = composed(body="Ceci vérifie la liaison.").message.as_bytes()
    assert wire.isascii()
    read = email.message_from_bytes(wire, policy=email.policy.default)
    assert read.get_content().splitlines() == ["Ceci vérifie la liaison."]


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\x00b", "a\u2028b", ""])
@pytest.mark.parametrize("field", ["sender", "recipient", "body"])
def test_no_header_can_be_slipped_in(field: str, bad: str) -> None:
    """A line break or control character in any field is refused with a sentence."""
    given = {"sender": SENDER, "recipient": RECIPIENT, "body": "One line."}
    spoilt = {**given, field: bad if field == "body" else f"{bad}@x.example" if bad else ""}
    with pytest.raises(UsageError, match="one line"):
        composed(spoilt["recipient"], sender=spoilt["sender"], body=spoilt["body"])


@pytest.mark.parametrize(
    "bad",
    [
        "nobody",
        '"a"@b.example',
        "a@b.example, c@d.example",
        "a@[192.0.2.1]",
        "@relay.example:a@b.example",
        "<@relay.example:a@b.example>",
        "ä@b.example",
        "a b@c.example",
        "@b",
    ],
)
def test_what_is_no_usable_address_is_refused(bad: str) -> None:
    """Several addresses, literals, non-ASCII local parts and nonsense are told as such."""
    with pytest.raises(UsageError, match="recipient"):
        composed(bad)
    with pytest.raises(UsageError, match="sender"):
        composed(sender=bad)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("a@localhost", "no complete domain"),
        ("a@incamail.ch", "suffix stands there twice"),
        (f"{'l' * 60}@{'d' * 60}.{'e' * 60}.{'f' * 60}.example", "longer than mail servers"),
    ],
)
def test_a_message_that_would_go_astray_is_not_made(bad: str, why: str) -> None:
    """Where IncaMail could not deliver, the reason stands in the error."""
    with pytest.raises(UsageError, match=why):
        composed(bad)


def test_a_message_that_would_leak_is_not_let_through() -> None:
    """The guide's own example lacks the suffix: under a suffix rule it leaves in clear."""
    test = composed()
    assert guard(test.message, SUFFIXED, rules=RULES).routes[0].to_incamail
    with pytest.raises(UsageError, match="leaves in clear") as caught:
        guard(test.message, RECIPIENT, rules=RULES)
    told = {translator(language).text(caught.value.text) for language in LANGUAGES}
    assert all(RECIPIENT in text for text in told)


def test_what_the_operator_should_know_is_told() -> None:
    """Without a rule TLS is not forced; with one there is nothing to say."""
    none = RULES.model_copy(update={"method": Method.NONE})
    assert composed().warnings == ()
    warned = composed(rules=none).warnings
    assert len(warned) == 1
    assert "not forced" in warned[0].english()


def test_the_message_is_kept_as_a_file(tmp_path: Path) -> None:
    """The .eml is the message byte for byte; three kinds and two attempts do not collide."""
    made = [*compose_all(SENDER, [RECIPIENT], rules=RULES, now=NOW), composed(), composed()]
    paths = {save(test, tmp_path / "messages") for test in made}
    assert len(paths) == len(made)
    assert {path.read_bytes() for path in paths} == {t.message.as_bytes() for t in made}
    assert all(path.suffix == ".eml" for path in paths)


def test_a_hostile_address_stays_inside_the_folder(tmp_path: Path) -> None:
    """Slashes and dots of an address never reach the file's name."""
    path = save(composed("/etc/./x@partner.example"), tmp_path)
    assert path.parent == tmp_path
    assert "partner-example" in path.name


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is told with its name."""
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError, match="taken"):
        save(composed(), tmp_path / "taken")
