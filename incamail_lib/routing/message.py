"""Whole messages (`.eml`): the headers that routing looks at, read from any bytes.

RFC 5322 §2.2 (header fields), §3.6.3 (To, Cc, Bcc), §3.6.6 (Resent fields). Own and small, since
the raw header matters here, folds and 8-bit characters included, and nothing may raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from incamail_lib.facts.routing import Hazard, MessageRouting, RuleSet
from incamail_lib.routing.address import MAX_GIVEN, split_mailboxes
from incamail_lib.routing.classify import Sample, classify_sample
from incamail_lib.routing.hazards import hazard
from incamail_lib.routing.subject import SubjectReading, read_subject

MAX_HEADER = 256 * 1024  # bytes of header and of body that are looked at; Postfix keeps 100 KiB
MAX_SUBJECTS = 20
_FIELD = re.compile(rb"([!-9;-~]{1,70})[ \t]*:")
_ATTACHED_SUBJECT = re.compile(
    rb"^subject[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)
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
    fields, body = split_message(eml)
    named = _named(fields)
    given = tuple(named if recipients is None else recipients)
    sample = Sample(
        recipients=given,
        subjects=_subjects(fields),
        named=named,
        attached=_attached(body),
        hazards=_header_hazards(fields),
    )
    return classify_sample(sample, rules, own_domains=own_domains, label=label)


def split_message(eml: bytes) -> tuple[tuple[tuple[str, bytes], ...], bytes]:
    """Header fields (lower-case name, raw value with its folds) and the body after them."""
    fields: list[tuple[str, list[bytes]]] = []
    at = 0
    header = eml[:MAX_HEADER]
    while at < len(header):
        end = header.find(b"\n", at) + 1 or len(header)
        content = header[at:end].rstrip(b"\r\n")
        found = _FIELD.match(content)
        if content[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(content)
        elif found:
            fields.append((found[1].decode("ascii").lower(), [content[found.end() :].lstrip()]))
        elif not (at == 0 and content.startswith(b"From ")):  # the separator of an mbox file
            at = end if not content else at
            break
        at = end
    return tuple((name, b"\n".join(lines)) for name, lines in fields), eml[at:]


def _subjects(fields: Iterable[tuple[str, bytes]]) -> tuple[SubjectReading, ...]:
    values = [value for name, value in fields if name == "subject"]
    return tuple(read_subject(value) for value in values[:MAX_SUBJECTS])


def _named(fields: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    names = {name for name, _ in fields}
    wanted = _RESENT if names & set(_RESENT) else _DESTINATION
    found: list[str] = []
    for name, value in fields:
        if name in wanted:
            text = value.decode("utf-8", "replace").replace("\n", " ")
            found.extend(address[: MAX_GIVEN + 1] for address in split_mailboxes(text))
    return tuple(found)


def _attached(body: bytes) -> tuple[SubjectReading, ...]:
    """The subjects of attached messages, found by their form and not by parsing MIME."""
    part = body[:MAX_HEADER]
    start = part.lower().find(b"message/rfc822")
    if start < 0:
        return ()
    found = re.findall(
        rb"(?im)^subject[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", part[start:]
    )
    return tuple(read_subject(value) for value in found[:MAX_SUBJECTS])


def _header_hazards(fields: Iterable[tuple[str, bytes]]) -> tuple[Hazard, ...]:
    names = {name for name, _ in fields}
    notes = []
    if names & {"bcc", "resent-bcc"}:
        notes.append(hazard("bcc_in_message"))
    if names & set(_RESENT):
        notes.append(hazard("resent"))
    return tuple(notes)
