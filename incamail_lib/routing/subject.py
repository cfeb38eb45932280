"""Subjects: decoded, their tags read, and shown as a filter on the raw header sees them.

RFC 2047 §2, §4, §6.2 (encoded words), RFC 5322 §2.2.3 (folding). Tags: guide 8.1; the add-in of
today may write <c>, <p> and <r> without <im>. Nothing here raises on any text or bytes.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
import unicodedata
from dataclasses import dataclass
from email.charset import BASE64, Charset
from email.header import Header

from incamail_lib.facts.routing import Hazard, SendingType
from incamail_lib.routing.hazards import hazard
from incamail_lib.routing.lookalike import skeleton

MAX_TEXT = 4000  # characters of a subject that are read; RFC 5322 §2.1.1 allows 998 a line

TYPES: dict[str, SendingType] = {
    "c": SendingType.CONFIDENTIAL,
    "p": SendingType.PERSONAL,
    "r": SendingType.REGISTERED,
}
# RFC 2047 forbids blanks inside; mail programs decode such words all the same, and show the tag
_WORD = re.compile(r"=\?([!-<>@-~]{1,60})\?([bBqQ])\?([^?]{0,2000})\?=", re.ASCII)
_CHARSET = re.compile(
    r"(us-?ascii|ascii|utf|latin|l[1-9]|iso|cp|windows|mac|koi8|kz|gb|hz|big5|euc|shift|sjis|"
    r"ms-kanji|tis|johab|ks_c|ptcp|ibm)[a-z0-9_.:-]*",
    re.ASCII | re.IGNORECASE,
)
# A mark that programs put before a subject: "Re:", "AW[2]:", "Réf. :", "Automatische Antwort:",
# "EXTERN:", "[EXTERNAL]", "*** SPAM ***". Any short words with a colon are taken for one: there
# are too many languages and products to list, and to overlook one would hide a leak.
_PREFIX = re.compile(
    r"\s*(?:[^\W\d_][\w.’'-]{0,24}(?: [\w.’'-]{1,20}){0,3}"
    r"\s{0,3}(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,3}[:：]|\[[^\]<>]{1,40}\]|\([^)<>]{1,40}\)"
    r"|\*{1,5}[^*<>]{1,40}\*{1,5}:?|(?:externa?l?|extern[eo]?)\s{0,2}[-–|])",
    re.IGNORECASE,
)
_TAG = re.compile(r"\s*<([a-z][a-z0-9-]{0,15})>", re.IGNORECASE)
# in letters without marks and twins (lookalike.skeleton): "<lm>", "<i m>", "<imc>", "[im]"
_NEAR = re.compile(
    r"&lt;\s{0,3}im\s{0,3}&gt;|<im\b|\bim>"
    r"|[<‹«]\s{0,3}[il|!]\s{0,2}m[\s:/_-]{0,2}[cpr]?\s{0,3}[>›»]|[\[({]\s{0,3}im\s{0,3}[\])}]"
)
_TYPE_TAG = re.compile(r"<[cpr]>", re.IGNORECASE)
_SECURED = "secured by incamail"


@dataclass(frozen=True)
class SubjectReading:
    """One subject in both views, its tags and what is unusual about it."""

    raw: str = ""  # value of the header, folds as "\n", bytes above 127 as the server keeps them
    line: bytes = b"Subject:"  # the whole header line as it came, folds as LF
    decoded: str = ""
    tags: tuple[str, ...] = ()  # lower case, in order, e.g. ("im", "c")
    is_mistyped: bool = False
    answers_secured: bool = False
    hazards: tuple[Hazard, ...] = ()

    @property
    def wants_incamail(self) -> bool:
        """Whether a documented tag asks for IncaMail."""
        return "im" in self.tags or any(tag in TYPES for tag in self.tags)

    @property
    def sending_type(self) -> SendingType:
        """The sending type asked for; Confidential when none or several are named."""
        asked = {TYPES[tag] for tag in self.tags if tag in TYPES}
        return asked.pop() if len(asked) == 1 else SendingType.CONFIDENTIAL


def read_subject(given: str | bytes, *, line: bytes = b"") -> SubjectReading:
    """Read the value of a Subject header (bytes), or a subject as typed or as on the wire (str).

    `line` is the whole header line, where it is known. A typed subject with characters outside
    ASCII is encoded for the raw view as mail programs may do it: wholly, tag and all.
    """
    size = len(given)
    whole = _raw(given)
    raw = whole[: MAX_TEXT + 1]
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", raw)
    decoded, problems = _decode(unfolded)
    prefix, tags, behind = _tags(visible(decoded))
    notes = [*problems, *_tag_hazards(tags, prefix=prefix, behind=behind)]
    if size > MAX_TEXT:
        notes.append(hazard("subject_too_long", str(size)))
    if isinstance(given, bytes) and not given.isascii():
        notes.append(hazard("eight_bit_subject"))
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\n(?![ \t])", unfolded):
        notes.append(hazard("control_characters"))
    if tags and not _tags(visible(unfolded))[1]:
        notes.append(hazard("encoded_tag", unfolded))
    if tags and visible(decoded) != decoded:
        notes.append(hazard("hidden_characters", decoded))
    if not tags and _TYPE_TAG.search(decoded):
        notes.append(hazard("type_tag_in_text", decoded))
    return SubjectReading(
        raw=raw,
        line=line or b"Subject: " + whole.encode("utf-8", "replace"),
        decoded=decoded,
        tags=tags,
        is_mistyped=not _asks(tags) and _is_mistyped(decoded),
        answers_secured=_SECURED in decoded.lower(),
        hazards=tuple(notes),
    )


def visible(text: str) -> str:
    """The text without characters that nobody sees: zero-width ones, marks of direction, BOM."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _is_mistyped(decoded: str) -> bool:
    """Whether it looks like a tag, or is one in letters that look like Latin ones."""
    plain = skeleton(visible(decoded))
    return _NEAR.search(plain) is not None or _asks(_tags(plain)[1])


def _raw(given: str | bytes) -> str:
    if isinstance(given, bytes):
        return _text(given).replace("\r\n", "\n")
    given = given.encode("utf-8", "replace").decode()
    if given.isascii():
        return given.replace("\r\n", "\n")
    charset = Charset("utf-8")
    charset.header_encoding = BASE64
    one_line = re.sub(r"[\x00-\x1f\x7f]+", " ", given[: MAX_TEXT + 1])
    return Header(one_line, charset, header_name="Subject").encode(linesep="\n")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decode(unfolded: str) -> tuple[str, list[Hazard]]:
    """The decoded subject. Neighbouring encoded words are joined as bytes, as long as their
    charset is the same: senders cut in the middle of a character."""
    pieces: list[str] = []
    problems: list[Hazard] = []
    data, charset, end = b"", "", 0
    for word in _WORD.finditer(unfolded):
        if re.search(r"\s", word[3]):
            problems.append(hazard("sloppy_encoded_word", word[0]))
        between = unfolded[end : word.start()]
        name = word[1].partition("*")[0].lower()  # RFC 2231 §5: charset*language
        joined = bool(charset) and not between.strip()
        if not joined or name != charset:
            pieces.append(_characters(data, charset, problems))
            pieces.append("" if joined else between)
            data = b""
        data, charset, end = data + _octets(word, problems), name, word.end()
    pieces.append(_characters(data, charset, problems))
    return "".join([*pieces, unfolded[end:]]), problems


def _octets(word: re.Match[str], problems: list[Hazard]) -> bytes:
    text = word[3].encode("ascii", "replace")
    if word[2] in "qQ":
        return quopri.decodestring(re.sub(rb"\s", b"_", text), header=True)
    try:
        return _unpadded(b"".join(text.split()).rstrip(b"="))
    except (binascii.Error, ValueError):
        problems.append(hazard("undecodable_subject", word[0]))
        return word[0].encode("ascii", "replace")


def _unpadded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def _characters(data: bytes, charset: str, problems: list[Hazard]) -> str:
    """`data` in `charset`. Only character sets are looked up: Python's codecs also know such
    things as "unicode_escape"."""
    if not data:
        return ""
    try:
        name = codecs.lookup(charset).name if _CHARSET.fullmatch(charset) else ""
        text = data.decode(name, "replace") if name else ""
    except (LookupError, UnicodeError):
        name = ""
    if not name:
        problems.append(hazard("unknown_charset", charset))
        return data.decode("latin-1")
    return text.encode("utf-8", "replace").decode()


def _tags(decoded: str) -> tuple[bool, tuple[str, ...], bool]:
    """Whether a reply prefix stands before them, the tags, and whether other text does."""
    at = 0
    while found := _PREFIX.match(decoded, at):
        at = found.end()
    has_prefix = at > 0
    tags = _run(decoded, at)
    # a known tag further on; <c>, <p> and <r> alone are too common in prose to count there
    inside = re.search(r"<im>", decoded[at:], re.IGNORECASE)
    if not _asks(tags) and inside:
        return has_prefix, _run(decoded, at + inside.start()), True
    return has_prefix, tags if _asks(tags) else (), False


def _run(text: str, at: int) -> tuple[str, ...]:
    tags: list[str] = []
    while found := _TAG.match(text, at):
        tags.append(found[1].lower())
        at = found.end()
    return tuple(tags)


def _asks(tags: tuple[str, ...]) -> bool:
    return any(tag == "im" or tag in TYPES for tag in tags)


def _tag_hazards(tags: tuple[str, ...], *, prefix: bool, behind: bool) -> list[Hazard]:
    if not tags:
        return []
    shown = "".join(f"<{tag}>" for tag in tags)
    kinds = {tag for tag in tags if tag in TYPES}
    unknown = [tag for tag in tags if tag != "im" and tag not in TYPES]
    noted = {
        "type_tag_without_im": bool(kinds) and "im" not in tags,
        "no_sending_type": not kinds,
        "contradictory_tags": len(kinds) > 1,
        "repeated_tag": len(set(tags)) < len(tags),
        "unknown_tag": bool(unknown),
        "tag_behind_prefix": prefix,
        "tag_not_at_start": behind,
    }
    return [hazard(code, shown) for code, applies in noted.items() if applies]
