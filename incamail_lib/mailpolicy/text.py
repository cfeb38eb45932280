"""Text of TXT records: presentation form made plain, and lists of tags read."""

from __future__ import annotations

import re
from collections.abc import Callable

from incamail_lib.facts.dns import DnsAnswer, DnsStatus

CUT = "…"  # what `printable` puts where it cuts
_ESCAPE = re.compile(r"\\(\d{3}|.)")
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')


def joined(record: str) -> str:
    """The pieces of a TXT record in presentation form as one text; escapes stay (RFC 1035 §5.1)."""
    if not record.startswith('"'):
        return record
    if not is_cut(record):
        return "".join(_PIECE.findall(record))
    closed = record.removesuffix(CUT).rstrip("\\") + '"'
    return "".join(_PIECE.findall(closed)) + CUT


def plain(text: str) -> str:
    """The text that a record in presentation form stands for; \\DDD is one octet."""
    return _ESCAPE.sub(lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], text)


def is_cut(text: str) -> bool:
    """Whether the record was longer than what is kept, so that nothing is known of its end."""
    return text.endswith(CUT)


def tags(text: str) -> list[tuple[str, str]]:
    """The pairs of a record such as "v=DMARC1; p=reject", in order; blanks around = and ; are
    allowed (RFC 9989 §4.8). Names are lower-cased; a part without = has no value."""
    parts = [part.partition("=") for part in text.split(";") if part.strip(" \t")]
    return [(name.strip(" \t").lower(), value.strip(" \t")) for name, _, value in parts]


def has_version(text: str, version: str) -> bool:
    """Whether a record begins with v=<version>, letter for letter (RFC 8460 §3, RFC 8461 §3.1)."""
    return text.startswith(f"v={version}") and text[len(version) + 2 :].strip(" \t")[:1] in (
        "",
        ";",
    )


def field_value(text: str, name: str) -> str:
    """The value of the first field `name=` of a TLS-RPT or MTA-STS record, where no blank may
    stand around the sign; "" without one."""
    fields = (part.strip(" \t") for part in text.split(";"))
    return next((f.removeprefix(f"{name}=") for f in fields if f.startswith(f"{name}=")), "")


def is_tagged(text: str) -> bool:
    """Whether a record looks like a list of tags that begins with a version."""
    return bool(re.match(r"(?i)\s*v\s*=", text))


def chosen(answer: DnsAnswer, wanted: Callable[[str], bool]) -> DnsAnswer:
    """The TXT answer with only the records that are `wanted`, their pieces joined."""
    kept = tuple(text for text in map(joined, answer.records) if wanted(text))
    if answer.status is DnsStatus.FOUND and not kept:
        return answer.model_copy(update={"records": (), "status": DnsStatus.NO_DATA})
    return answer.model_copy(update={"records": kept})
