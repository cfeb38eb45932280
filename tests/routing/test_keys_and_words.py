"""Keys of routing tables, encoded words and header lines: as each product reads them."""

from __future__ import annotations

from typing import Any

import pytest

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet, SubjectView
from incamail_lib.routing import classify, classify_message, exim
from incamail_lib.routing.address import parse_address
from incamail_lib.routing.engine import Headers, ask_subject, ask_suffix, candidates
from incamail_lib.routing.message import MAX_SUBJECTS, split_message
from incamail_lib.routing.reply import Answer
from incamail_lib.routing.subject import read_subject

HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
M, N, R, U = Answer.MATCHES, Answer.MISSES, Answer.NO_RULE, Answer.UNKNOWN
TABLE, REGEXP, PCRE = Engine.POSTFIX_TABLE, Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE
ONLINE, SERVER = Engine.EXCHANGE_ONLINE, Engine.EXCHANGE_SERVER
WORDS, CISCO, EXIM = Engine.EXCHANGE_ONLINE_WORDS, Engine.CISCO_ESA, Engine.EXIM_RAW
SUFFIXED = "A@x.Example.incamail.ch"


def rules(method: Method = Method.BOTH, **changes: Any) -> RuleSet:
    usual = {"method": method, "next_hop": HOP, "subject_pattern": "(?i)<im>"}
    return RuleSet(**(usual | changes))


@pytest.mark.parametrize(
    ("engine", "key", "address", "answer"),
    [
        (TABLE, ".incamail.ch", SUFFIXED, M),
        (TABLE, " .IncaMail.ch ", SUFFIXED, M),
        (TABLE, "incamail.ch", SUFFIXED, N),
        (TABLE, "incamail.ch", "a@incamail.ch", M),
        (TABLE, ".incamail.ch", "a@incamail.ch", N),
        (TABLE, "*.incamail.ch", SUFFIXED, N),
        (TABLE, "*", SUFFIXED, M),
        (TABLE, "a@x.example.incamail.ch", SUFFIXED, M),
        (TABLE, "b@x.example.incamail.ch", SUFFIXED, N),
        (TABLE, r"/\.incamail\.ch$/", SUFFIXED, M),
        (TABLE, r"/\.incamail\.com$/", SUFFIXED, N),
        (REGEXP, r"/^a@.*\.incamail\.ch$/", SUFFIXED, M),
        (PCRE, r"/(?i)\.incamail\.ch$/", SUFFIXED, M),
        (REGEXP, r"/(?i)\.incamail\.ch$/", SUFFIXED, R),
        (EXIM, "*.incamail.ch", SUFFIXED, M),
        (EXIM, " *.IncaMail.ch ", SUFFIXED, M),
        (EXIM, "*.incamail.ch", "a@incamail.ch", N),
        (EXIM, ".incamail.ch", SUFFIXED, N),
        (EXIM, "incamail.ch", "a@incamail.ch", M),
        (EXIM, "incamail.ch", SUFFIXED, N),
        (EXIM, r"\N^.*\.INCAMAIL\.ch$\N", SUFFIXED, M),
        (EXIM, "*.incamail.ch : *.other.example", SUFFIXED, U),
        (EXIM, "lsearch;/etc/domains", SUFFIXED, U),
        (EXIM, "!*.incamail.ch", SUFFIXED, U),
        (EXIM, "+incamail", SUFFIXED, U),
        (ONLINE, "*.incamail.ch", SUFFIXED, M),
        (WORDS, "*.incamail.ch", SUFFIXED, M),
        (SERVER, "smtp:*.incamail.ch;1", SUFFIXED, M),
        (SERVER, "SMTP:*.IncaMail.ch;5", SUFFIXED, M),
        (SERVER, "*.incamail.ch", "a@incamail.ch", N),
        (SERVER, "incamail.ch", "a@incamail.ch", M),
        (SERVER, "incamail.ch", SUFFIXED, N),
        (SERVER, ".incamail.ch", SUFFIXED, U),
        (CISCO, ".incamail.ch", SUFFIXED, M),
        (CISCO, " .IncaMail.ch ", SUFFIXED, M),
        (CISCO, ".incamail.ch", "a@incamail.ch", N),
        (CISCO, "incamail.ch", "a@incamail.ch", M),
        (CISCO, "*.incamail.ch", SUFFIXED, U),
        (CISCO, "", SUFFIXED, U),
        (Engine.SEPPMAIL, ".incamail.ch", SUFFIXED, U),
        (Engine.NOT_KNOWN, "*.incamail.ch", SUFFIXED, U),
        (Engine.NOT_KNOWN, "other.example", SUFFIXED, N),
    ],
)
def test_a_key_selects_as_its_product_reads_it(
    engine: Engine, key: str, address: str, answer: Answer
) -> None:
    """A dot, a star, an expression or a priority mean what the product says, or are unknown."""
    found = ask_suffix(rules(engine=engine, suffix_key=key), parse_address(address))
    assert found.answer is answer
    assert (found.cause is not None) is (answer in (U, R))


def test_where_servers_differ_each_stands_with_its_own_answer() -> None:
    """Who reads it finds his own server, once, and nobody else's answer beside it."""
    key = rules(engine=Engine.NOT_KNOWN, suffix_key="*.incamail.ch")
    cause = ask_suffix(key, parse_address(SUFFIXED)).cause
    assert cause is not None
    selected, _, rest = cause.english().partition("Not selected by")
    missed, _, rest = rest.partition("refused by")
    assert "Exim" in selected
    assert "Postfix" not in selected
    assert "Postfix" in missed
    assert "Exim" not in missed
    assert rest.startswith(": –")


@pytest.mark.parametrize(
    ("view", "inside", "outside"),
    [
        (SubjectView.RAW, {REGEXP, PCRE, EXIM}, {Engine.EXIM_DECODED}),
        (SubjectView.DECODED, {Engine.EXIM_DECODED}, {REGEXP, PCRE, EXIM}),
        (SubjectView.NOT_SAID, {REGEXP, PCRE, EXIM, Engine.EXIM_DECODED}, set()),
    ],
)
def test_what_a_rule_compares_tells_who_may_apply_it(
    view: SubjectView, inside: set[Engine], outside: set[Engine]
) -> None:
    """Engines that decode for a decoded view, the others for a raw one, all where nobody said."""
    found = set(candidates(view))
    assert inside <= found
    assert not outside & found


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"=?utf-8?q?=3Cim=3E?= x", b"<im> x"),
        (b"a =?utf-8?q?b?= =?utf-8?q?c?= d", b"a bc d"),
        (b" =?utf-8?q?b?=", b" b"),
        (b"\t =?utf-8?q?b?= c", b"\t b c"),
        (b"=?utf-8?q?b?= - =?utf-8?q?c?=", b"b - c"),
        (b"=?utf-8?q?a_b?=", b"a b"),
        (b"=?utf-8?q?a b?=", b"=?utf-8?q?a b?="),
        (b"=?utf-8?q?a=zz?=", b"=?utf-8?q?a=zz?="),
        (b"=?utf-8?b?PGlt Pg==?=", b"<im>"),
        (b"=?utf-8?b?PGltPg?=", b"=?utf-8?b?PGltPg?="),
        (b"=?utf-8?x?a?=", b"=?utf-8?x?a?="),
        (b"=?utf-8?q?a=00b?=", b"a?b"),
        (b"=?iso-8859-1?q?=E9?=", "é".encode()),
        (b"=?utf-8?q?a", b"=?utf-8?q?a"),
        (b"=?utf-8?qq?a?=", b"=?utf-8?qq?a?="),
        (b"=?=?utf-8?q?a?=", b"=?a"),
        (b"plain", b"plain"),
    ],
)
def test_encoded_words_become_what_exim_makes_of_them(raw: bytes, decoded: bytes) -> None:
    """Blanks between two words vanish, others stay; what is no encoded word stays as it came."""
    assert exim.decode(raw) == decoded


def test_lines_without_a_name_are_no_subject() -> None:
    """Another line that came in place of one neither matches nor breaks the question."""
    given = rules(Method.SUBJECT, engine=EXIM)
    assert ask_subject(given, Headers((b"no name", b"Subject: <im>"))).answer is M
    assert ask_subject(given, Headers((b"no name <im>",))).answer is not M


@pytest.mark.parametrize(
    ("eml", "waived"),
    [
        (b"Subject: <im> x\nTLS-Required: No\n", True),
        (b"Subject: <im> x\nTLS-Required:  no \n", True),
        (b"Subject: <im> x\nTLS-Required: yes\n", False),
        (b"Subject: <im> x\nX-Other: No\n", False),
        (b"Subject: <im> x\n", False),
    ],
)
def test_tls_is_waived_by_its_own_header_alone(eml: bytes, waived: bool) -> None:
    """RFC 8689: the name and the value; each alone says nothing."""
    whole = eml + b"To: a@x.example.incamail.ch\n\nx"
    found = classify_message(whole, rules(engine=Engine.EXIM_DECODED))
    assert ("tls_not_required" in {h.code for h in found.hazards}) is waived


def test_another_header_selects_where_header_checks_apply() -> None:
    """Postfix compares every header of a message, not the subject alone."""
    eml = b"Subject: x\nX-Tag: <im>\nTo: a@x.example\n\nx"
    table = rules(Method.SUBJECT, engine=REGEXP, subject_pattern="^X-Tag: <im>")
    assert classify_message(eml, table).subject_matched
    plain = eml.replace(b"X-Tag: <im>", b"X-Tag: none")
    assert not classify_message(plain, table).subject_matched


def test_subjects_are_read_up_to_their_limit() -> None:
    """Twenty; the one after it is not read, and their number is told."""
    many = b"".join(b"Subject: %d\n" % n for n in range(MAX_SUBJECTS - 1))
    last = many + b"Subject: <im> last\nTo: a@x.example\n\n"
    beyond = many + b"Subject: x\nSubject: <im> last\nTo: a@x.example\n\n"
    given = rules(engine=Engine.EXIM_DECODED)
    assert classify_message(last, given).tags == ("im",)
    assert classify_message(beyond, given).tags == ()
    told = {h.code: h.detail for h in classify_message(last, given).hazards}
    assert told["several_subjects"] == "20"


@pytest.mark.parametrize(
    ("eml", "fields", "body"),
    [
        (b"A: 1\nB: 2\n\nbody", (("a", b"1"), ("b", b"2")), b"body"),
        (b"A: 1\r\n fold\r\n\r\nbody", (("a", b"1\n fold"),), b"body"),
        (b"A: 1\n\tfold\n\n", (("a", b"1\n\tfold"),), b""),
        (b"A: 1", (("a", b"1"),), b""),
        (b"A: 1\n", (("a", b"1"),), b""),
        (b"From x\nA: 1\n\nb", (("a", b"1"),), b"b"),
        (b"A: 1\nFrom x\n\nb", (("a", b"1"),), b"From x\n\nb"),
        (b"A: 1\nno header\nB: 2\n", (("a", b"1"),), b"no header\nB: 2\n"),
        (b" fold\nA: 1\n\n", (), b" fold\nA: 1\n\n"),
        (b"", (), b""),
        (b"\nbody", (), b"body"),
    ],
)
def test_header_and_body_are_parted_where_they_part(
    eml: bytes, fields: tuple[tuple[str, bytes], ...], body: bytes
) -> None:
    """At the empty line, or at the first line that is no header; folds belong to their field."""
    assert split_message(eml) == (fields, body)


def test_a_pattern_is_told_as_refused_only_where_it_was() -> None:
    """An open answer has a cause as well, and is no refusal."""
    refused = classify(["a@x.example"], "<im> x", rules(engine=REGEXP, subject_pattern="(?i)<im>"))
    assert "pattern_refused" in {h.code for h in refused.hazards}
    open_ = classify(["a@x.example"], "<im> x", rules(engine=REGEXP, subject_pattern=r"(a)\1"))
    assert "pattern_refused" not in {h.code for h in open_.hazards}


@pytest.mark.parametrize(
    ("subject", "codes"),
    [
        ("<im><c> x", set()),
        ("<c> x", {"type_tag_without_im"}),
        ("<im> x", {"no_sending_type"}),
        ("<im><c><p> x", {"contradictory_tags"}),
        ("<im><im><c> x", {"repeated_tag"}),
        ("<im><c><zz> x", {"unknown_tag"}),
        ("<im><c><hh> x", {"unknown_tag"}),
        ("Re: <im><c> x", {"tag_behind_prefix"}),
        ("x <im><c>", {"tag_not_at_start"}),
        ("x <c>", {"type_tag_in_text"}),
        ("<zz> x", set()),
        ("x", set()),
    ],
)
def test_each_peculiarity_of_tags_is_noted(subject: str, codes: set[str]) -> None:
    """Exactly those that apply."""
    assert {h.code for h in read_subject(subject).hazards} == codes


@pytest.mark.parametrize(
    ("raw", "decoded", "codes"),
    [
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab", set()),
        (b"=?utf-8?q?a?= =?latin-1?q?b?=", "ab", set()),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b", set()),
        (b"x =?utf-8*de?q?a?=", "x a", set()),
        (b"=?utf-8?q?a b?=", "a b", {"sloppy_encoded_word"}),
        (b"=?utf-8?b?YQ?=", "a", set()),
        (b"=?utf-8?b?Y?=", "=?utf-8?b?Y?=", {"undecodable_subject"}),
        (b"=?unicode_escape?q?a?=", "a", {"unknown_charset"}),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é", set()),
        (b"\xc3\xa9", "é", {"eight_bit_subject"}),
        (b"\xe9", "é", {"eight_bit_subject"}),
        (b"a\x07", "a\x07", {"control_characters"}),
        (b"a\nb", "a\nb", {"control_characters"}),
        (b"a\n b", "a b", set()),
        (b"a\r\n\tb", "a\tb", set()),
    ],
)
def test_a_subject_on_the_wire_is_decoded(raw: bytes, decoded: str, codes: set[str]) -> None:
    """As mail programs do it, with what was wrong."""
    found = read_subject(raw)
    assert found.decoded == decoded
    assert {h.code for h in found.hazards} == codes
    assert read_subject(raw, line=b"Subject:X").line == b"Subject:X"


def test_the_word_that_is_at_fault_is_shown() -> None:
    """Whole, as it came."""
    (sloppy,) = read_subject(b"x =?utf-8?q?a b?= y").hazards
    assert sloppy.detail == "=?utf-8?q?a b?="
    (damaged,) = read_subject(b"x =?utf-8?b?Y?= y").hazards
    assert damaged.detail == "=?utf-8?b?Y?="
    (unknown,) = read_subject(b"=?klingon?q?a?=").hazards
    assert unknown.detail == "klingon"


@pytest.mark.parametrize(
    ("engine", "pattern", "raw", "decoded", "view", "answer"),
    [
        (ONLINE, "<im>", "<IM> x", "<IM> x", SubjectView.NOT_SAID, M),
        (ONLINE, "<im>", "x", "x", SubjectView.NOT_SAID, N),
        (ONLINE, r"^\<im\>\s", "<im> x", "<im> x", SubjectView.NOT_SAID, M),
        (ONLINE, "[<]im", "<im>", "<im>", SubjectView.NOT_SAID, U),
        (ONLINE, "<im>{1}", "<im>", "<im>", SubjectView.NOT_SAID, U),
        (ONLINE, "(?i)<im>", "<im>", "<im>", SubjectView.NOT_SAID, U),
        (ONLINE, "<im>", "<im>\n x", "<im> x", SubjectView.NOT_SAID, U),
        (ONLINE, "<im>", "=?utf-8?q?x?=", "x", SubjectView.NOT_SAID, U),
        (ONLINE, "<im>", "<im>\x07", "<im>\x07", SubjectView.NOT_SAID, U),
        (WORDS, "im", "an im here", "an im here", SubjectView.NOT_SAID, M),
        (WORDS, "IM", "im", "im", SubjectView.NOT_SAID, M),
        (WORDS, "im", "Limit", "Limit", SubjectView.NOT_SAID, N),
        (WORDS, "im", "impress", "impress", SubjectView.NOT_SAID, N),
        (WORDS, "im", "<im>", "<im>", SubjectView.NOT_SAID, M),
        (WORDS, "<im>", "<im>", "<im>", SubjectView.NOT_SAID, U),
        (CISCO, "<im>", "<im>", "<im>", SubjectView.NOT_SAID, M),
        (CISCO, "(?i)<im>", "<IM>", "<IM>", SubjectView.NOT_SAID, M),
        (CISCO, "<im>", "=?utf-8?q?x?=", "<im>", SubjectView.NOT_SAID, U),
        (CISCO, "<im>", "=?utf-8?q?x?=", "<im>", SubjectView.DECODED, M),
        (CISCO, "<im>", "=?utf-8?q?x?=", "<im>", SubjectView.RAW, N),
        (CISCO, "<im>", "<im>\n x", "<im> x", SubjectView.RAW, U),
        (CISCO, r"\b<im>", "<im>", "<im>", SubjectView.RAW, U),
        (SERVER, "<im>", "<im>", "<im>", SubjectView.NOT_SAID, U),
        (Engine.SEPPMAIL, "<im>", "<im>", "<im>", SubjectView.NOT_SAID, U),
    ],
)
def test_what_is_documented_of_a_product_is_answered_and_no_more(
    engine: Engine, pattern: str, raw: str, decoded: str, view: SubjectView, answer: Answer
) -> None:
    """Signs, folds and encodings that its documentation does not explain leave it open."""
    given = rules(Method.SUBJECT, engine=engine, subject_pattern=pattern, subject_view=view)
    headers = Headers((b"Subject: " + raw.encode(),), raw=raw, decoded=decoded)
    found = ask_subject(given, headers)
    assert found.answer is answer
    assert not found.asked
    several = Headers((b"Subject: x", b"Subject: y"), raw=raw, decoded=decoded)
    assert ask_subject(given, several).answer is U


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("<im>{1,1000}", M),
        ("<im>{1,1001}", U),
        ("(<im>){1,153}", M),
        ("(<im>){1,154}", U),
        ("((<im>){1,40}){1,2}", M),
        ("((<im>){1,40}){1,3}", U),
        ("(<im>){2}", N),
        ("(<im>){1}", M),
        (r"(<)im\1", U),
    ],
)
def test_what_could_exhaust_the_c_library_is_not_asked_of_it(pattern: str, answer: Answer) -> None:
    """A thousand repetitions written out are the most, of a group 2,000 characters; with a back
    reference it is not trusted at all."""
    given = rules(Method.SUBJECT, engine=REGEXP, subject_pattern=pattern)
    assert ask_subject(given, Headers((b"Subject: <im> x",))).answer is answer
