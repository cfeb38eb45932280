"""Subjects: tags are read in the decoded view; the raw view is what a header filter sees."""

from __future__ import annotations

import base64

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.facts.routing import SendingType
from incamail_lib.routing.subject import SubjectReading, read_subject


def codes(reading: SubjectReading) -> set[str]:
    return {hazard.code for hazard in reading.hazards}


@pytest.mark.parametrize(
    ("subject", "tags", "kind"),
    [
        ("<im><c> x", ("im", "c"), SendingType.CONFIDENTIAL),
        ("<IM><P>x", ("im", "p"), SendingType.PERSONAL),
        ("<im> <r> x", ("im", "r"), SendingType.REGISTERED),
        ("<r>x", ("r",), SendingType.REGISTERED),
        ("<im>x", ("im",), SendingType.CONFIDENTIAL),
        ("<im><p><r>x", ("im", "p", "r"), SendingType.CONFIDENTIAL),
        ("<im><lft><p>x", ("im", "lft", "p"), SendingType.PERSONAL),
        ("Offer <im><r>", ("im", "r"), SendingType.REGISTERED),
        ("x", (), SendingType.CONFIDENTIAL),
        ("Die <p>-Elemente", (), SendingType.CONFIDENTIAL),
        ("<html> tags", (), SendingType.CONFIDENTIAL),
    ],
)
def test_tags_give_the_sending_type(subject: str, tags: tuple[str, ...], kind: SendingType) -> None:
    """The type is the one tag that names it; none or several mean Confidential."""
    reading = read_subject(subject)
    assert (reading.tags, reading.sending_type) == (tags, kind)
    assert reading.wants_incamail is bool(tags)


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("<c> x", "type_tag_without_im"),
        ("<im> x", "no_sending_type"),
        ("<im><c><r> x", "contradictory_tags"),
        ("<im><im><c> x", "repeated_tag"),
        ("<im><c><lft> x", "unknown_tag"),
        ("Re: <im><c> x", "tag_behind_prefix"),
        ("x <im><c>", "tag_not_at_start"),
        ("=?utf-8?q?=3Cim=3E=3Cc=3E?= x", "encoded_tag"),
        (b"<im><c> D\xe9cision", "eight_bit_subject"),
        ("<im><c> a\x00b", "control_characters"),
        ("<im><c> a\nb", "control_characters"),
        ("=?x-none?q?abc?=", "unknown_charset"),
        ("=?rot13?q?abc?=", "unknown_charset"),
        ("=?unicode_escape?q?=5Cz?=", "unknown_charset"),
        ("=?utf-8?b?YWJjZ?=", "undecodable_subject"),
        ("<im><c>" + "x" * 5000, "subject_too_long"),
    ],
)
def test_what_is_unusual_is_noted(subject: str | bytes, code: str) -> None:
    """Each peculiarity has its code; the plain tagged subject has none."""
    assert code in codes(read_subject(subject))
    assert not codes(read_subject("<im><c> Test"))


@pytest.mark.parametrize(
    "prefix",
    [
        "Re:",
        "RE:",
        "Fwd:",
        "FW:",
        "AW:",
        "WG:",
        "TR:",
        "R:",
        "I:",
        "RIF:",
        "Re[2]:",
        "Re (3) :",
        "AW: Re: WG:",
        "[List] Re:",
        "[EXTERN]",
        "RÉF:",
    ],
)
def test_reply_prefixes_are_recognised(prefix: str) -> None:
    """In all four languages, numbered and stacked; the tag behind them still counts."""
    reading = read_subject(f"{prefix} <im><r> x")
    assert reading.tags == ("im", "r")
    assert "tag_behind_prefix" in codes(reading)
    assert "tag_not_at_start" not in codes(reading)
    assert "tag_not_at_start" in codes(read_subject(f"An answer, {prefix} <im><r> x"))


def _b(text: str, charset: str = "utf-8") -> bytes:
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?=".encode()


@pytest.mark.parametrize(
    "raw",
    [
        _b("<im><c> Décision"),
        _b("<im><c> Décision", "iso-8859-1"),
        _b("<im><c> x", "utf-16"),
        b"=?UTF-8?Q?=3Cim=3E=3Cc=3E_D=C3=A9cision?=",
        b"=?utf-8*fr?Q?=3Cim=3E=3Cc=3E?= x",
        b"=?utf-8?q?=3Ci?= =?utf-8?q?m=3E=3Cc=3E?=",
        b"=?utf-8?q?=3Ci?=\r\n =?utf-8?b?bT48Yz4=?=",
        b"=?utf-8?q?=3Ci?=\r\n\t=?iso-8859-1?q?m=3E=3Cc=3E?=",
        b"=?utf-7?q?+ADw-im+AD4APA-c+AD4-?=",
        b"=?unheard-of?q?=3Cim=3E=3Cc=3E?=",
        b"=?utf-8?b?PGltPjxjPg?= x",  # base64 without its padding
    ],
)
def test_encoded_tags_are_seen_decoded_and_not_raw(raw: bytes) -> None:
    """Both encodings, any charset, split over words and lines: decoded yes, raw no."""
    reading = read_subject(raw)
    assert reading.tags == ("im", "c")
    assert "<im>" not in reading.raw
    assert "encoded_tag" in codes(reading)


def test_a_character_cut_in_two_words_is_whole_again() -> None:
    """Senders cut between the bytes of a character; the words are joined before decoding."""
    assert read_subject(b"=?utf-8?q?=C3?= =?utf-8?q?=A9?= x").decoded == "é x"


def test_folds_stay_in_the_raw_view_and_go_from_the_decoded() -> None:
    """RFC 5322 §2.2.3: only the line end is removed."""
    reading = read_subject(b"<im><c>\r\n Test")
    assert reading.raw == "<im><c>\n Test"
    assert reading.decoded == "<im><c> Test"


def test_a_typed_subject_outside_ascii_is_encoded_wholly_on_the_wire() -> None:
    """What a person types in French is not what a raw filter sees."""
    reading = read_subject("<im><c> Décision")
    assert reading.decoded == "<im><c> Décision"
    assert "<im>" not in reading.raw
    assert "<im>" in read_subject("<im><c> Decision").raw


@pytest.mark.parametrize(
    "subject",
    ["&lt;im&gt;&lt;c&gt; x", "[im] x", "< im > x", "<im x", "im> x", "＜im＞ x", "(im) x"],
)
def test_near_misses_are_noticed(subject: str) -> None:
    """Something that was meant as a tag is told from ordinary words."""
    assert read_subject(subject).is_mistyped
    assert not read_subject("Termin im Januar").is_mistyped
    assert not read_subject("<im><c> x").is_mistyped


@settings(max_examples=examples(300), deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=100)
    | st.lists(
        st.sampled_from(
            ["=?", "utf-8", "utf-7", "?q?", "?b?", "?=", "=3C", "<im>", "\n ", "é", "Re:"]
        )
    ).map("".join)
)
def test_no_subject_makes_the_reader_raise(subject: str | bytes) -> None:
    """Any bytes and any text can be read, and stored as UTF-8."""
    reading = read_subject(subject)
    assert isinstance((reading.raw + reading.decoded).encode(), bytes)


@pytest.mark.parametrize(
    "prefix",
    [
        "Antwort:",
        "Weitergeleitet:",
        "Automatische Antwort:",
        "Réf. :",
        "EXTERN:",
        "[EXTERNAL]",
        "Réponse automatique :",
        "Risposta automatica:",
        "Out of Office:",
        "*** SPAM ***",
        "(extern)",
        "EXTERNE -",
        "Antwort: WG:",
    ],
)
def test_marks_of_other_programs_hide_no_tag(prefix: str) -> None:
    """A type tag behind them counts, as at the start; behind a sentence it is noted only."""
    assert read_subject(f"{prefix} <c> Erbschaft").tags == ("c",)
    behind = read_subject("Das Element <c> im Text")
    assert behind.tags == ()
    assert "type_tag_in_text" in codes(behind)


@pytest.mark.parametrize(
    "subject",
    [
        "<lm> x",
        "<imc> x",
        "<i m> x",
        "<im-c> x",
        "＜im＞ x",
        "<іm><c> x",
        "<сc> <1m>",
        "<ım> x",
        "‹im› x",
        "[im] x",
        "&lt;im&gt; x",
        "<с> x",
        "<im x",
        "im> x",
    ],
)
def test_what_looks_like_a_tag_is_a_slip(subject: str) -> None:
    """Other letters, brackets and blanks: meant as a tag, recognised by no rule."""
    assert read_subject(subject).is_mistyped
    assert not read_subject("<im><c> x").is_mistyped


@pytest.mark.parametrize(
    "subject", ["Bericht (LM)", "<html>", "<important>", "Film", "c) Termin", "1 < 2 > 1"]
)
def test_ordinary_words_are_no_slip(subject: str) -> None:
    """Abbreviations, markup and lists stay what they are."""
    assert not read_subject(subject).is_mistyped
    assert read_subject(subject).tags == ()


@pytest.mark.parametrize("hidden", ["\u200b", "\ufeff", "\u200e", "\u2060"])
def test_a_tag_behind_an_invisible_character_is_a_tag(hidden: str) -> None:
    """It is read, and the oddity noted; without one there is nothing to note."""
    assert read_subject(f"{hidden}<im><c> x").tags == ("im", "c")
    assert "hidden_characters" in codes(read_subject(f"{hidden}<im><c> x"))
    assert "hidden_characters" not in codes(read_subject("<im><c> x"))


def test_encoded_words_with_bare_blanks_are_read_as_mail_programs_read_them() -> None:
    """The tag is seen and the oddity noted; an empty word changes nothing."""
    sloppy = read_subject(b"=?utf-8?q? =3Cim=3E=3Cc=3E_Geh=C3=A4lter Q4?=")
    assert sloppy.tags == ("im", "c")
    assert "sloppy_encoded_word" in codes(sloppy)
    assert read_subject(b"=?utf-8?q??= <im><c> x").tags == ("im", "c")
    assert "sloppy_encoded_word" not in codes(read_subject(b"=?utf-8?q?=3Cim=3E?= x"))
