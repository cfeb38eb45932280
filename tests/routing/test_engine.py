"""One question to every engine: answered by its own library, by its documentation, or unknown."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet, SubjectView
from incamail_lib.routing import exim
from incamail_lib.routing.address import parse_address
from incamail_lib.routing.engine import Headers, ask_subject, ask_suffix, check_pattern
from incamail_lib.routing.postfix import MAX_LINE
from incamail_lib.routing.reply import Answer, Reply

HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
REGEXP, PCRE = Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE
DECODED, RAW = Engine.EXIM_DECODED, Engine.EXIM_RAW
M, N, R, U = Answer.MATCHES, Answer.MISSES, Answer.NO_RULE, Answer.UNKNOWN


def ask(engine: Engine, pattern: str, subject: bytes = b"<im><c> x", **more: Any) -> Reply:
    """The engine's answer for the header line "Subject: …"."""
    rules = RuleSet(
        method=Method.SUBJECT, next_hop=HOP, engine=engine, subject_pattern=pattern, **more
    )
    text = subject.decode("latin-1")
    return ask_subject(rules, Headers((b"Subject: " + subject,), raw=text, decoded=text))


@pytest.mark.parametrize(
    ("engine", "pattern", "subject", "answer"),
    [
        (REGEXP, "^Subject:.*<im>", b"<IM> x", M),  # case is ignored
        (REGEXP, "/^Subject: <im>/i", b"<IM> x", N),  # the flag toggles that
        (REGEXP, "^<im>", b"<im> x", N),  # the line begins with its name
        (REGEXP, r"\<im\>", b"Termin im Januar", M),  # word boundaries
        (REGEXP, r"\<im\>", b"impression", N),
        (REGEXP, "(?i)<im>", b"<im> x", R),
        (REGEXP, "(?:<im>)", b"<im> x", R),
        (REGEXP, "^Subject: <im>", b" <im> x", N),  # two blanks
        (REGEXP, "^Subject:.*<im>", b"\n <im> x", M),  # "." takes a fold
        (REGEXP, "/^Subject:.*<im>/m", b"\n <im> x", N),
        (REGEXP, "^Subject:.*<im>", b"a\0<im>", N),  # nothing after NUL
        (REGEXP, "^Subject: é", "é".encode(), M),
        (REGEXP, "^Subject: .$", "é".encode(), N),  # octets, as in the C locale
        (REGEXP, "!/x/", b"<im>", U),
        (REGEXP, r"(a)\1", b"<im>", U),
        (REGEXP, "/^Subject: re:/ PREPEND X: y\n/<im>/ FILTER smtp:[h]", b"Re: <im>", N),
        (REGEXP, "/^Subject: re:/ PREPEND X: y\n/<im>/ FILTER smtp:[h]", b"<im>", M),
        (REGEXP, "/(?i)re:/ PREPEND X: y\n/<im>/ FILTER smtp:[h]", b"Re: <im>", M),  # skipped
        (REGEXP, "/re:/ REJECT\n/<im>/ FILTER smtp:[h]", b"Re: <im>", U),
        (REGEXP, "/a/ FILTER smtp:[g]\n/<im>/ FILTER smtp:[h]", b"<im>", U),
        (REGEXP, "/<im>", b"<im>", R),
        (PCRE, "(?i)^subject:.*<im>", b"<im> x", M),
        (PCRE, r"\<im\>", b"Termin im Januar", N),  # there, \< is just <
        (PCRE, r"\<im\>", b"<im>", M),
        (PCRE, "/<im>/A", b"<im>", U),
        (PCRE, "a{,2}b", b"<im>", U),  # versions differ
        (PCRE, "(<im>", b"<im>", R),
        (Engine.POSTFIX_TABLE, "<im>", b"<im>", R),
        (DECODED, "<im>", b"<IM>", N),  # case counts
        (DECODED, "(?i)<im>", b"<IM>", M),
        (DECODED, r"\N^\s*<im>\N", b"<im>", M),
        (DECODED, "^<im>", b"\n  <im>", M),  # blanks at the ends are taken away
        (DECODED, "<im>.*x", b"<im>\n x", N),  # "." does not take a fold
        (DECODED, "<im>", b"=?utf-8?q?=3Cim=3E?=", M),
        (DECODED, "<im>", b"=?utf-8?b?PGltPg?=", N),  # unpadded
        (DECODED, "<im>", b"=?utf-8?q?=3Cim=3E" + b"x" * 60 + b"?=", N),  # over 75 characters
        (DECODED, "<im>", b"=?utf-16?b?PABpAG0APgA=?=", U),
        (DECODED, r"^\[im\]$", b"[im]", U),  # \N is missing: it becomes a class
        (DECODED, "<im>", b"a\0<im>", U),
        (RAW, "^<im>", b"<im>", N),  # the blank after the colon stays
        (RAW, "^ <im>", b"<im>", M),
        (RAW, "<im>", b"=?utf-8?q?=3Cim=3E?=", N),
        (Engine.EXCHANGE_ONLINE, "<im>", b"<IM> x", M),
        (Engine.EXCHANGE_ONLINE, r"\bim\b", b"<im> x", U),
        (Engine.EXCHANGE_ONLINE, "<im>", b"=?utf-8?q?=3Cim=3E?=", U),
        (Engine.EXCHANGE_ONLINE_WORDS, "<im>", b"<im> x", U),
        (Engine.EXCHANGE_ONLINE_WORDS, "incamail", b"an IncaMail for you", M),
        (Engine.EXCHANGE_ONLINE_WORDS, "im", b"impression", N),
        (Engine.EXCHANGE_SERVER, "<im>", b"<im> x", U),
        (Engine.CISCO_ESA, "<im>", b"<im> x", M),
        (Engine.CISCO_ESA, "<im>", b"<IM> x", N),
        (Engine.CISCO_ESA, "<im>", b"x\n <im>", U),
        (Engine.SEPPMAIL, "<im>", b"<im> x", U),
    ],
)
def test_each_engine_answers_as_it_does(
    engine: Engine, pattern: str, subject: bytes, answer: Answer
) -> None:
    """Asked, documented or unknown; without an answer the cause is told."""
    reply = ask(engine, pattern, subject)
    assert reply.answer is answer
    assert (reply.cause is not None) is (answer in (R, U))


@pytest.mark.parametrize(
    ("pattern", "subject", "answer"),
    [
        ("<im>", b"<im><c> x", M),
        ("<im>", b"Termin im Januar", N),
        ("<im>", b"<IM> x", U),
        ("(?i)<im>", b"<im> x", U),
        ("^<im>", b"<im> x", U),
        ("<im>", b"=?utf-8?q?=3Cim=3E?=", U),
    ],
)
def test_an_unnamed_engine_answers_only_where_all_agree(
    pattern: str, subject: bytes, answer: Answer
) -> None:
    """And never as certain: where they differ, each is named."""
    reply = ask(Engine.NOT_KNOWN, pattern, subject)
    assert (reply.answer, reply.asked) == (answer, False)
    if answer is U:
        assert reply.cause is not None
        assert "Postfix" in reply.cause.english()
        assert "Exim" in reply.cause.english()


def test_what_a_rule_compares_narrows_the_engines() -> None:
    """A raw view rules out engines that decode, and the other way round."""
    encoded = b"=?utf-8?q?=3Cim=3E?="
    raw = ask(Engine.NOT_KNOWN, "<im>", encoded, subject_view=SubjectView.RAW)
    assert raw.answer is N
    assert ask(Engine.NOT_KNOWN, "<im>", encoded).answer is U


@pytest.mark.parametrize("engine", [REGEXP, PCRE, DECODED, Engine.EXCHANGE_ONLINE])
@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*(.*)*(.*)*q", "((a?){30}){5}a{30}q"])
def test_no_pattern_is_slow(engine: Engine, pattern: str) -> None:
    """Patterns that hang a backtracking engine for years are answered or given up in time."""
    start = time.process_time()
    assert ask(engine, pattern, b"a" * (MAX_LINE - 20) + b"!").answer in (N, U)
    assert time.process_time() - start < 5


def test_a_header_longer_than_examined_is_unknown() -> None:
    """Not a miss: the tag may stand behind the limit."""
    assert ask(REGEXP, "<im>", b"x" * MAX_LINE + b"<im>").answer is U
    assert ask(REGEXP, "<im>", b"x" * 900 + b"<im>").answer is M


def test_header_checks_see_other_headers_and_attached_ones() -> None:
    """Another header selects; one of an attached part depends on further settings."""
    rules = RuleSet(method=Method.SUBJECT, next_hop=HOP, engine=REGEXP)
    plain = Headers((b"Subject: x",))
    assert ask_subject(rules, plain).answer is N
    assert ask_subject(rules, Headers((b"Subject: x",), others=(b"X-Tag: <im>",))).answer is M
    assert ask_subject(rules, Headers((b"Subject: x",), attached=(b"Subject: <im>",))).answer is U


@pytest.mark.parametrize("pattern", ["(im", "[im", "x" * 1001])
def test_a_pattern_that_no_engine_takes_is_refused(pattern: str) -> None:
    """With the reason; what one engine takes is a finding, and no error."""
    with pytest.raises(UsageError, match="cannot be used"):
        check_pattern(pattern)
    for good in ("(?i)<im>", r"\N^<im>\N", "<im>", "/^Subject: <im>/i"):
        check_pattern(good)


def test_a_refused_pattern_is_told_in_the_words_of_the_server_that_is_named() -> None:
    """The place that PCRE2 names is counted in the expression as it was entered."""
    with pytest.raises(UsageError, match=r"Postfix \(pcre:\).* position 3\b"):
        check_pattern("(im", PCRE)
    with pytest.raises(UsageError, match=r"Postfix \(regexp:\)"):
        check_pattern("(im", REGEXP)
    with pytest.raises(UsageError, match=r"Exim .* position 3\b"):
        check_pattern("(im")


@pytest.mark.parametrize("pattern", ["<im>$", "<im>{1,2}", r"\N<im>\N$"])
def test_what_exim_reads_itself_is_unknown(pattern: str) -> None:
    """A bare "$" or brace never reaches PCRE2: Exim then delivers nothing at all."""
    assert ask(DECODED, pattern, b"x <im>").answer is U
    assert ask(DECODED, r"\N<im>$\N", b"x <im>").answer is M
    assert ask(DECODED, r"\N<im>{1,2}\N", b"x <im>").answer is M
    key = RuleSet(method=Method.DOMAIN, next_hop=HOP, engine=RAW, suffix_key=r"^.*incamail.ch$")
    to = parse_address("a@b.incamail.ch")
    assert ask_suffix(key, to).answer is U
    closed = key.model_copy(update={"suffix_key": r"\N^.*incamail.ch$\N"})
    assert ask_suffix(closed, to).answer is M


def test_encoded_words_are_joined_as_exim_joins_them() -> None:
    """Blanks between two vanish; between a word and text they stay."""
    assert exim.decode(b"=?utf-8?q?=3Ci?=\n =?utf-8?b?bT4=?= x") == b"<im> x"
    assert exim.decode(b"a =?utf-8?q?b?= c") == b"a b c"
    assert exim.decode(b"=?iso-8859-1?q?=E9?=") == "é".encode()


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from(Engine), st.text(max_size=40), st.binary(max_size=60))
def test_no_pattern_and_no_subject_makes_an_engine_raise(
    engine: Engine, pattern: str, subject: bytes
) -> None:
    """There is always an answer, unknown at worst."""
    assert ask(engine, pattern, subject).answer in Answer
