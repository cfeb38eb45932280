"""Exim: what `${if match{$h_subject:}{…}}` and `$rh_subject:` see, and items of a domain list.

Specification 11.5 ($header_, $rheader_), 11.7 (match), 10 (domain lists). PCRE2 compares, and
case counts. Decoding is Exim's own (rfc2047.c): stricter than RFC 2047, so that a tag which a mail
program shows may not be there for Exim. Held against the real program by tests/mta.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterable, Sequence

import pcre2

from incamail_lib.i18n import say
from incamail_lib.routing.perl import pcre_matches
from incamail_lib.routing.reply import CannotAsk

MAX_WORD = 73  # octets before the closing "?=" of an encoded word (check_rfc2047_length)
_SUBJECT = re.compile(rb"subject:", re.IGNORECASE)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BLANKS = b" \t\n\v\f\r"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_VERBATIM = re.compile(r"\\N(.*?)(?:\\N|$)", re.DOTALL)
# iconv knows more names; what is not listed is not answered
_CHARSETS = re.compile(
    rb"(us-ascii|utf-?8|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|cp850|koi8-[ru])", re.I
)


def matches_subject(pattern: str, lines: Sequence[bytes], *, decoded: bool) -> bool:
    """Whether the condition holds for a message with these Subject lines.

    Errors: NoRule, CannotAsk.
    """
    if any(b"\0" in line for line in lines):
        raise CannotAsk(say("the subject contains a NUL character"))
    seen = decoded_subject(lines) if decoded else raw_subject(lines)
    verbatim, expanded = pattern.encode("utf-8", "replace"), expanded_pattern(pattern)
    if "\\N" in pattern:
        _needs_no_look_up(pattern)
        return pcre_matches(expanded, seen)
    found = pcre_matches(verbatim, seen)
    _needs_no_look_up(pattern)
    if verbatim != expanded and pcre_matches(expanded, seen) is not found:
        raise _unprotected()
    return found


def _needs_no_look_up(pattern: str) -> None:
    """Exim takes "$" for a variable, and a brace for one of its own: mostly it then fails, and the
    message waits. Errors: CannotAsk where one is neither between \\N and \\N nor escaped."""
    if re.search(r"[${}]", re.sub(r"\\.", "", _VERBATIM.sub("", pattern), flags=re.DOTALL)):
        raise _unprotected()


def _unprotected() -> CannotAsk:
    return CannotAsk(
        say(
            "it must stand between \\N and \\N, or Exim itself reads its backslashes, dollar signs "
            "and braces"
        )
    )


def expanded_pattern(pattern: str) -> bytes:
    """The expression after Exim's string expansion (specification 11.1); what it would look up
    in a variable is left as it is."""
    pieces: list[str] = []
    at = 0
    for protected in _VERBATIM.finditer(pattern):
        pieces += [_unescaped(pattern[at : protected.start()]), protected[1]]
        at = protected.end()
    pieces.append(_unescaped(pattern[at:]))
    return "".join(pieces).encode("utf-8", "replace")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text, flags=re.DOTALL)


def _contents(lines: Iterable[bytes]) -> list[bytes]:
    """What stands behind "Subject:"; a blank before the colon makes it another header."""
    found = ((line, _SUBJECT.match(line)) for line in lines)
    return [line[name.end() :] for line, name in found if name]


def raw_subject(lines: Iterable[bytes]) -> bytes:
    """$rh_subject: with its leading blank; several are joined."""
    return b"\n".join(_contents(lines))


def decoded_subject(lines: Iterable[bytes]) -> bytes:
    """$h_subject: without blanks at the ends, its encoded words decoded, in UTF-8."""
    stripped = (content.strip(_BLANKS) for content in _contents(lines))
    return decode(b"\n".join(content for content in stripped if content))


def decode(text: bytes) -> bytes:
    """Encoded words as Exim decodes them. Errors: CannotAsk for a character set that decides."""
    pieces: list[bytes] = []
    at, follows = 0, False
    while word := _next_word(text, at):
        start, end, content = word
        between = text[at:start]
        pieces += [b"" if follows and not between.strip(_BLANKS) else between, content]
        at, follows = end, True
    return b"".join([*pieces, text[at:]])


def _next_word(text: bytes, at: int) -> tuple[int, int, bytes] | None:
    """The next encoded word that Exim can decode: its place, its end, its content."""
    while True:
        start = text.find(b"=?", at)
        first = text.find(b"?", start + 2)
        second = text.find(b"?", first + 1)
        end = text.find(b"?=", second + 1)
        if min(start, first, second, end) < 0:
            return None
        if end - start <= MAX_WORD and second - first == 2:
            data = _octets(text[first + 1 : second].upper(), text[second + 1 : end])
            if data is not None:
                return start, end + 2, _in_utf8(data, text[start + 2 : first])
        at = start + 2


def _octets(encoding: bytes, data: bytes) -> bytes | None:
    if encoding == b"B":
        bare = b"".join(data.split())
        return base64.b64decode(bare) if _BASE64.fullmatch(bare) else None
    if encoding != b"Q" or re.search(rb"[ \t]|=(?![0-9A-Fa-f]{2})", data):
        return None
    return re.sub(rb"=(..)", lambda m: bytes.fromhex(m[1].decode()), data.replace(b"_", b" "))


def _in_utf8(data: bytes, charset: bytes) -> bytes:
    data = data.replace(b"\0", b"?")
    if not _CHARSETS.fullmatch(charset):
        raise CannotAsk(say("the character set «{name}»", name=charset.decode("ascii", "replace")))
    try:
        name = codecs.lookup(charset.decode("ascii")).name
        return data if name == "utf-8" else data.decode(name).encode("utf-8")
    except (LookupError, UnicodeError):
        return data  # what iconv cannot convert stays as it is


def suffix_key_selects(key: str, domain: str) -> bool:
    """Whether an item of `domains =` selects a domain (specification 10.8): "*" at the start
    stands for anything, "^" begins an expression. Errors: NoRule, CannotAsk."""
    expanded = expanded_pattern(key.strip())
    if expanded.startswith(b"^"):
        _needs_no_look_up(key)
    if expanded.startswith(b"^"):
        return pcre_matches(expanded, domain.encode("utf-8", "replace"), int(pcre2.IGNORECASE))
    folded = key.strip().lower()
    if any(sign in folded for sign in ":;!+$\\"):
        raise CannotAsk(say("it is more than one plain item of a domain list"))
    if folded.startswith("*"):
        return domain.endswith(folded[1:])
    return domain == folded
