"""Which hand-overs a message went through, and which were encrypted, read from any bytes.

Received lines by RFC 5321 §4.4, protocol keywords by RFC 3848 and RFC 6531 §4.3, and what Postfix,
Exim, Sendmail, Exchange and others write beside them. The laws:

1. The keyword behind `with` decides. It is the server's own word, while names, greeting and
   envelope sender in the same line come from strangers.
2. Details in brackets (version, cipher) are added to it. They decide only where the product has no
   keyword for TLS, and only behind `with`.
3. A keyword without TLS means "not encrypted" only of products known to note TLS. Of any other,
   and of a line that contradicts itself, nothing is known.
4. A line with two `from`, `by` or `with` was tampered with, or is no Received line: nothing of it
   is believed.
5. Lengths, depth and number are bounded, every character is read once, and nothing raises.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop, HopNote, MessageHops
from incamail_lib.printable import printable
from incamail_lib.routing.message import split_message, unreadable

MAX_HOPS = 100  # RFC 5321 §6.3: a server may take fewer for a loop
MAX_LINE = 4000
_MAX_DEPTH = 8
_CLAUSES = frozenset({"from", "by", "via", "with", "id", "for"})
_ONCE = ("from", "by", "with")
_PLAIN = frozenset({"SMTP", "ESMTP", "ESMTPA", "LMTP", "LMTPA", "ASMTP"}) | frozenset(
    {"UTF8SMTP", "UTF8SMTPA", "UTF8LMTP", "UTF8LMTPA"}
)
_TLS = frozenset({"SMTPS", "ESMTPS", "ESMTPSA", "LMTPS", "LMTPSA"}) | frozenset(
    {"UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTPS", "UTF8LMTPSA"}
)
_UNKNOWN = Answer.INCONCLUSIVE
_MICROSOFT = "MICROSOFT SMTP SERVER"
# Products that note TLS wherever there is any: their ESMTP means that there was none.
_TELLING = re.compile(r"Postfix\b|Exim \d|OpenSMTPD\b|Haraka\b|\d+\.\d+\.\d+/\d+\.\d+\.\d+")
_VERSION = r"(?P<version>TLS ?v?\d(?:[._]\d)?|SSL ?v?[23])(?:/SSLv3)?"
_DETAILS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Postfix
        rf"using {_VERSION} with cipher (?P<cipher>\S+)(?: \((?P<bits>\d+)/\d+ bits\))?.*",
        # Exchange, Sendmail
        rf"version={_VERSION},? cipher=(?P<cipher>[^\s,]+)(?:[, ]+bits=(?P<bits>\d+))?.*",
        # Exim, OpenSMTPD
        rf"{_VERSION}(?::(?P<cipher>[^\s:]+))?(?::(?P<bits>\d+))?(?::\S*)?",
        r"(?P<cipher>\S+) encrypted",  # qmail
        r"TLS",  # Exchange 2010 to 2016
    )
)
# Exim: (port=25 helo=name), or behind the address; qmail: (HELO name)
_GREETING = re.compile(r"(?:^| )(?:helo|ehlo)[= ](\S+)", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]", re.IGNORECASE)


def read_hops(eml: bytes, label: str) -> MessageHops:
    """Every hand-over of a message, the newest first. Never raises on any bytes."""
    if unreadable(eml) is not None:
        return MessageHops(label=label, is_readable=False)
    fields, _ = split_message(eml)
    lines = [value for name, value in fields if name == "received"]
    return MessageHops(
        label=label,
        hops=tuple(read_hop(line) for line in lines[:MAX_HOPS]),
        is_cut=len(lines) > MAX_HOPS,
    )


def read_hop(value: bytes) -> Hop:
    """One Received line without its name, folded or not."""
    whole = " ".join(value.decode("utf-8", "replace").split())
    clauses = _clauses(whole) if len(whole) <= MAX_LINE else None
    if clauses is None:
        # Not even its parts are known, so nobody's address is kept of it.
        return Hop(encrypted=_UNKNOWN, note=HopNote.MALFORMED)
    source, target, way = (clauses[name] for name in _ONCE)
    protocol, details = _protocol(way), _details(clauses)
    answer, note = _encrypted(protocol, clauses, details)
    return Hop(
        from_names=_names(source),
        from_address=_address(source),
        by=_host(target),
        by_address=_address(target),
        protocol=printable(protocol, 40),
        tls_version=details.version if details else "",
        cipher=printable(details.cipher, 80) if details else "",
        encrypted=answer,
        note=note,
        evidence=_evidence(clauses),
    )


@dataclass
class _Clause:
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # both, in their order


@dataclass(frozen=True)
class _Details:
    version: str
    cipher: str
    is_null: bool
    behind_with: bool


def _clauses(line: str) -> dict[str, _Clause] | None:
    """The parts of a line by their keyword; None for a line that is not to be believed."""
    found = {name: _Clause() for name in _CLAUSES}
    seen: list[str] = []
    current = _Clause()  # what stands before the first keyword
    for is_comment, token in _tokens(line):
        if token is None:
            return None
        if not is_comment and token.lower() in _CLAUSES:
            seen.append(token.lower())
            current = found[token.lower()]
        elif is_comment:
            current.comments.append(token)
            current.shown.append(f"({token})")
        else:
            current.words.append(token)
            current.shown.append(token)
    believed = "by" in seen and all(seen.count(name) <= 1 for name in _ONCE)
    return found if believed else None


def _tokens(line: str) -> Iterator[tuple[bool, str | None]]:
    """Words and comments (RFC 5322 §3.2.2) up to the date; None where a comment never ends."""
    start, at, depth = 0, 0, 0
    while at < len(line):
        character = line[at]
        if character == "\\" and depth:
            at += 1
        elif character == "(":
            if not depth:
                yield from _word(line[start:at])
                start = at + 1
            depth += 1
            if depth > _MAX_DEPTH:
                yield True, None
                return
        elif character == ")" and depth:
            depth -= 1
            if not depth:
                yield True, line[start:at]
                start = at + 1
        elif not depth and character in " ;":
            yield from _word(line[start:at])
            start = at + 1
            if character == ";":
                return
        at += 1
    if depth:
        yield True, None
    else:
        yield from _word(line[start:])


def _word(text: str) -> Iterator[tuple[bool, str]]:
    if text:
        yield False, text


def _protocol(way: _Clause) -> str:
    words = " ".join(way.words).upper()
    if words.startswith(_MICROSOFT):
        return _MICROSOFT
    return words.split(" ")[0].split("/")[0]


def _details(clauses: dict[str, _Clause]) -> _Details | None:
    """Version and cipher: behind `with`, else where Postfix (from) and Sendmail (id) put them."""
    way = clauses["with"]
    slashed = way.words[0].split("/") if way.words else []  # Cisco: ESMTP/TLS/cipher
    if len(slashed) == 3 and slashed[1].upper() == "TLS":
        return _Details("", slashed[2], _is_null(slashed[2], None), behind_with=True)
    for name in ("with", "id", "from"):
        for comment in clauses[name].comments:
            for pattern in _DETAILS:
                match = pattern.fullmatch(comment)
                if match:
                    return _detailed(match, way, behind_with=name == "with")
    return None


def _detailed(match: re.Match[str], way: _Clause, *, behind_with: bool) -> _Details:
    groups = match.groupdict()
    cipher = groups.get("cipher") or _exims_cipher(way)
    digits = re.findall(r"\d", groups.get("version") or "")
    kind = "SSL" if (groups.get("version") or "").upper().startswith("SSL") else "TLS"
    version = f"{kind}v{'.'.join(digits)}" if digits else ""
    is_null = _is_null(cipher, groups.get("bits"))
    return _Details(version.removesuffix(".0"), cipher, is_null, behind_with)


def _exims_cipher(way: _Clause) -> str:
    """Exim writes `with esmtps (TLS1.3) tls CIPHER`."""
    words = [word.lower() for word in way.words]
    return way.words[2] if len(words) > 2 and words[1] == "tls" else ""


def _is_null(cipher: str, bits: str | None) -> bool:
    parts = re.split(r"[-_]", cipher.upper())
    return "NULL" in parts or "NONE" in parts or (bits is not None and int(bits[:6]) == 0)


def _encrypted(
    protocol: str, clauses: dict[str, _Clause], details: _Details | None
) -> tuple[Answer, HopNote]:
    says_tls = protocol in _TLS
    if details is not None and details.is_null and (says_tls or details.behind_with):
        return Answer.NO, HopNote.NO_CIPHER
    if says_tls:
        return Answer.YES, HopNote.KEYWORD
    if protocol not in _PLAIN and protocol != _MICROSOFT:
        return _UNKNOWN, HopNote.SILENT
    return _without_keyword(protocol, clauses, details)


def _without_keyword(
    protocol: str, clauses: dict[str, _Clause], details: _Details | None
) -> tuple[Answer, HopNote]:
    """What a protocol means that does not name TLS: it depends on the product."""
    comments = (*clauses["by"].comments, *clauses["with"].comments)
    tells = any(_TELLING.match(comment) for comment in comments)
    if details is not None:
        told = details.behind_with and not tells
        return (Answer.YES, HopNote.DETAILS) if told else (_UNKNOWN, HopNote.CONTRADICTORY)
    told = tells or protocol == _MICROSOFT
    return (Answer.NO, HopNote.PLAIN) if told else (_UNKNOWN, HopNote.SILENT)


def _names(source: _Clause) -> tuple[str, ...]:
    """The name behind `from`, the one found in the DNS, and the greeting, where they differ."""
    found = [_host(source)]
    for comment in source.comments:
        words = comment.split()
        if words and _BRACKETED.search(comment) and "=" not in words[0]:
            found.append(words[0])  # Postfix and Sendmail: name [address]
        found += _GREETING.findall(comment)
    plain = (name.rstrip(".").lower() for name in found if "[" not in name)
    named = (printable(name, 255) for name in plain if name and name != "unknown")
    return tuple(dict.fromkeys(named))


def _host(clause: _Clause) -> str:
    return printable(clause.words[0].rstrip(".").lower(), 255) if clause.words else ""


def _address(clause: _Clause) -> str:
    """The address in brackets, or the bare one that Exchange writes."""
    for text in (*clause.comments, *clause.words[:1]):
        match = _BRACKETED.search(text)
        for given in (match[1] if match else "", text):
            try:
                return str(ipaddress.ip_address(given))
            except ValueError:
                continue
    return ""


def _evidence(clauses: dict[str, _Clause]) -> str:
    """The line again, without what names people: recipient, envelope sender, login."""
    parts = []
    for name in ("from", "by", "via", "with"):
        shown = [t for t in clauses[name].shown if not re.match(r"\((envelope|Auth)", t, re.I)]
        if shown:
            parts += [name, *shown]
    return printable(" ".join(parts))
