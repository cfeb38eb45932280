"""MTA-STS: which exchangers a policy names, and whether its record is one (RFC 8461)."""

from __future__ import annotations

import re

from incamail_lib.mailpolicy.text import field_value

_ID = re.compile(r"[A-Za-z0-9]{1,32}")


def has_sound_id(record: str) -> bool:
    """Whether the record carries the id that its ABNF demands (RFC 8461 §3.1)."""
    return bool(_ID.fullmatch(field_value(record, "id")))


def report_addresses(record: str) -> tuple[str, ...]:
    """Where a TLS-RPT record sends reports: mailto: or https: (RFC 8460 §3)."""
    listed = field_value(record, "rua").split(",")
    return tuple(a.strip() for a in listed if re.match(r"(?i)\s*(mailto:[^@\s]+@|https://)\S", a))
