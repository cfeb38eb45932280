"""The message with an HTML attachment is harmless, comes from outside, and goes nowhere else."""

from __future__ import annotations

import email
import email.policy
import re

import pytest
from factories import NOW

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.linktest import TestMessage, compose_html, save

RULES = RuleSet(
    method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
)


def made(sender: str = "tester@outside.example", to: str = "anna@muster.example") -> TestMessage:
    return compose_html(sender, to, rules=RULES, own_domains=("muster.example",), now=NOW)


def test_it_has_one_html_attachment_that_does_nothing() -> None:
    """An .html file as an attachment, without script, form, link or anything that is fetched."""
    read = email.message_from_bytes(made().message.as_bytes(), policy=email.policy.default)
    (part,) = read.iter_attachments()
    assert part.get_content_type() == "text/html"
    assert part.get_content_disposition() == "attachment"
    assert str(part.get_filename()).endswith(".html")
    page = part.get_content()
    assert not re.search(r"<(script|form|a|img|link|iframe|object)\b|https?:|on\w+=", page, re.I)
    body = read.get_body()
    assert body is not None
    assert body.get_content_type() == "text/plain"


def test_it_is_ordinary_mail() -> None:
    """No tag, no suffix, plain ASCII: nothing sends it through IncaMail."""
    test = made()
    assert test.message.as_bytes().isascii()
    assert "<" not in str(test.message["Subject"])
    assert test.recipient == "anna@muster.example"
    assert not any(route.to_incamail for route in test.routing.routes)
    assert (test.sending_type, test.kind) == (None, "html_attachment")


@pytest.mark.parametrize(
    ("sender", "to", "complaint"),
    [
        ("tester@outside.example", "x@elsewhere.example", "an address of the organisation only"),
        ("tester@outside.example", "x@muster.example.incamail.ch", "of the organisation only"),
        ("tester@outside.example", "x@notmuster.example", "an address of the organisation only"),
        ("anna@muster.example", "anna@muster.example", "must come from outside"),
        ("anna@MUSTER.example.", "anna@muster.example", "must come from outside"),
        ("nobody", "anna@muster.example", "not an address"),
        ("a@outside.example\r\nBcc: x@y.example", "anna@muster.example", "one line"),
    ],
)
def test_it_goes_from_outside_to_the_organisation_alone(
    sender: str, to: str, complaint: str
) -> None:
    """Strangers get no test mail, and mail of the organisation's own would prove nothing."""
    with pytest.raises(UsageError, match=complaint):
        made(sender, to)


def test_it_is_kept_under_its_own_kind(tmp_path) -> None:
    """The file is named for what it is."""
    assert save(made(), tmp_path).name.startswith("html-attachment-anna@muster-example-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_words_are_in_the_language_of_those_who_open_it(language: Language) -> None:
    """Subject, text and page; nothing of the English source is left in another language."""
    message = compose_html(
        "tester@outside.example",
        "anna@muster.example",
        rules=RULES,
        own_domains=("muster.example",),
        now=NOW,
        language=language,
    )
    shown = message.message.as_bytes().decode("ascii")
    page = next(message.message.iter_attachments()).get_content()
    assert f'lang="{language}"' in page
    assert ("has arrived" in page) is (language == "en")
    assert ("This message tests" in shown) is (language == "en")
