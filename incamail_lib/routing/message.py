"""Whole messages (`.eml`): the headers that routing looks at, read from any bytes.

RFC 5322 §2.2 (header fields), §3.6.3 (To, Cc, Bcc), §3.6.6 (Resent fields). Own and small, since
the raw header matters here, folds and 8-bit characters included, and nothing may raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from incamail_lib.facts.routing import Hazard, MessageRouting, RuleSet
from incamail_lib.i18n import N_, Text, say
from incamail_lib.routing.address import MAX_GIVEN, is_complete, split_mailboxes
from incamail_lib.routing.classify import Sample, classify_sample
from incamail_lib.routing.hazards import explained, hazard
from incamail_lib.routing.subject import SubjectReading, read_subject

MAX_HEADER = 256 * 1024  # bytes of header and of body that are looked at; Postfix keeps 100 KiB
MAX_SUBJECTS = 20
_FIELD = re.compile(rb"([!-9;-~]{1,70})[ \t]*:")
_HEADER_LINE = re.compile(
    rb"^([!-9;-~]{1,70})[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.MULTILINE
)
_PARTS = re.compile(rb"^--|message/", re.IGNORECASE | re.MULTILINE)
_MAX_LINES = 2000  # of headers in the body
_RESENT = ("resent-to", "resent-cc", "resent-bcc")
_DESTINATION = ("to", "cc", "bcc")


def classify_message(
    eml: bytes,
    rules: RuleSet,
    *,
    recipients: Iterable[str] | None = None,
    own_domains: Sequence[str] = (),
    label: str = "",
) -> MessageRouting:
    """The routes of a whole message. Without `recipients` the envelope is made of the header:
    Resent-To, -Cc and -Bcc if there are any, else To, Cc and Bcc, as `sendmail -t` does.

    Never raises on any bytes; UsageError only for rules that `validate_rules` refuses.
    """
    lines, body = split_lines(eml)
    cause = unreadable(eml) or _torn_header(eml, body)
    fields = tuple((name, value) for name, value, _ in lines)
    named = _named(fields)
    given = tuple(named if recipients is None else recipients)
    attached = _attached(body, is_message=_is_message(fields))
    sample = Sample(
        recipients=given,
        subjects=_subjects(lines),
        named=named,
        attached=_attached_subjects(attached),
        hazards=(
            *_problems(cause, eml, fields, whole=recipients is None),
            *_header_hazards(fields),
        ),
        others=tuple(line for name, _, line in lines if name != "subject"),
        attached_lines=attached,
    )
    return classify_sample(sample, rules, own_domains=own_domains, label=label)


# The first bytes of files that are no messages, and why
_FOREIGN = (
    ((b"\xd0\xcf\x11\xe0",), N_("it is an Outlook file (.msg); save the message as .eml")),
    ((b"\xff\xfe", b"\xfe\xff"), N_("it is saved as UTF-16; save the message as plain text")),
    (
        (b"\xef\xbb\xbf",),
        N_("it begins with a byte order mark, which hides its first header"),
    ),
    (
        (b"\r", b"\n", b" ", b"\t"),
        N_("it begins with an empty line or a blank, so that its headers are no headers"),
    ),
)


def unreadable(eml: bytes) -> Text | None:
    """Why these bytes are not a message as a mail server gets it; None when they may be one."""
    for beginnings, cause in _FOREIGN:
        if eml.startswith(beginnings):
            return Text(template=cause)
    if b"\0" in eml[:40]:
        return say("it is not plain text")
    if b"\r" in eml and b"\n" not in eml:
        return say("its lines end with CR alone")
    first = eml.partition(b"\n")[0]
    if not first.startswith(b"From ") and not _FIELD.match(first):
        return say("it does not begin with a header")
    return None


def _torn_header(eml: bytes, body: bytes) -> Text | None:
    """Why the header may not end where it seems to: Exim reads on behind a line that Postfix takes
    for the first of the body."""
    head = eml[: len(eml) - len(body)]
    if not body or not head or len(eml) > MAX_HEADER or head.endswith((b"\n\n", b"\n\r\n")):
        return None
    return say("a line in its header is no header, and servers differ in where the header ends")


def _problems(
    cause: Text | None, eml: bytes, fields: Sequence[tuple[str, bytes]], *, whole: bool
) -> tuple[Hazard, ...]:
    """What keeps the message from being read; `whole`: the envelope rests on its header."""
    notes = []
    if cause is not None:
        notes.append(explained("unreadable_message", cause))
    if len(eml) > MAX_HEADER and not re.search(rb"\n\r?\n", eml[:MAX_HEADER]):
        notes.append(hazard("header_too_long", str(MAX_HEADER)))
    if whole and any(
        name in (*_DESTINATION, *_RESENT) and _is_torn(value) for name, value in fields
    ):
        notes.append(hazard("unreadable_recipients"))
    return tuple(notes)


def _is_torn(value: bytes) -> bool:
    """Whether a list of addresses ends inside a comment, quotes or brackets: `:(` in a name."""
    text = value.decode("utf-8", "replace").replace("\n", " ")
    return not is_complete(text) or text.count("@") > sum(
        found.count("@") for found in split_mailboxes(text)
    ) + len(re.findall(r'"[^"]*@[^"]*"|\([^)]*@[^)]*\)', text))


def split_message(eml: bytes) -> tuple[tuple[tuple[str, bytes], ...], bytes]:
    """Header fields (lower-case name, raw value with its folds) and the body after them."""
    lines, body = split_lines(eml)
    return tuple((name, value) for name, value, _ in lines), body


def split_lines(eml: bytes) -> tuple[tuple[tuple[str, bytes, bytes], ...], bytes]:
    """Header fields as lower-case name, value with its folds, and the line as it came; the body."""
    fields: list[tuple[str, int, list[bytes]]] = []
    at = 0
    header = eml[:MAX_HEADER]
    while at < len(header):
        end = header.find(b"\n", at) + 1 or len(header)
        content = header[at:end].rstrip(b"\r\n")
        found = _FIELD.match(content)
        if content[:1] in (b" ", b"\t") and fields:
            fields[-1][2].append(content)
        elif found:
            fields.append((found[1].decode("ascii").lower(), found.end(), [content]))
        elif not (at == 0 and content.startswith(b"From ")):  # the separator of an mbox file
            at = end if not content else at
            break
        at = end
    lines = [(name, start, b"\n".join(pieces)) for name, start, pieces in fields]
    return tuple((name, line[start:].lstrip(b" \t"), line) for name, start, line in lines), eml[at:]


def _subjects(lines: Iterable[tuple[str, bytes, bytes]]) -> tuple[SubjectReading, ...]:
    values = [(value, line) for name, value, line in lines if name == "subject"]
    return tuple(read_subject(value, line=line) for value, line in values[:MAX_SUBJECTS])


def _named(fields: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    names = {name for name, _ in fields}
    wanted = _RESENT if names & set(_RESENT) else _DESTINATION
    found: list[str] = []
    for name, value in fields:
        if name in wanted:
            text = value.decode("utf-8", "replace").replace("\n", " ")
            found.extend(address[: MAX_GIVEN + 1] for address in split_mailboxes(text))
    return tuple(found)


def _is_message(fields: Iterable[tuple[str, bytes]]) -> bool:
    """Whether the body itself is another message."""
    return any(name == "content-type" and b"message/" in value.lower() for name, value in fields)


def _attached(body: bytes, *, is_message: bool) -> tuple[bytes, ...]:
    """The lines that may be headers of MIME parts or attached messages, found by their form and
    not by parsing MIME: too many rather than too few."""
    part = body[:MAX_HEADER]
    start = _PARTS.search(part)
    if not start and not is_message:
        return ()
    at = start.start() if start and not is_message else 0
    found = list(_HEADER_LINE.finditer(part, at))[:_MAX_LINES]
    return tuple(line[0].replace(b"\r\n", b"\n") for line in found)


def _attached_subjects(lines: Iterable[bytes]) -> tuple[SubjectReading, ...]:
    split = (line.partition(b":") for line in lines)
    values = [value.lstrip() for name, _, value in split if name.strip().lower() == b"subject"]
    return tuple(read_subject(value) for value in values[:MAX_SUBJECTS])


def _header_hazards(fields: Iterable[tuple[str, bytes]]) -> tuple[Hazard, ...]:
    fields = tuple(fields)
    names = {name for name, _ in fields}
    notes = []
    if names & {"bcc", "resent-bcc"}:
        notes.append(hazard("bcc_in_message"))
    if any(name == "tls-required" and value.strip().lower() == b"no" for name, value in fields):
        notes.append(hazard("tls_not_required"))
    if names & set(_RESENT):
        notes.append(hazard("resent"))
    return tuple(notes)
