"""Names and addresses from the command line: each as it goes on the wire, or a clear sentence."""

from __future__ import annotations

import ipaddress
import re

from pydantic import TypeAdapter

from incamail_lib.dossier.model import DomainName
from incamail_lib.errors import UsageError
from incamail_lib.i18n import say

_DOMAIN: TypeAdapter[str] = TypeAdapter(DomainName)
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]\Z")


def literal_of(text: str) -> str:
    """An IPv4 or IPv6 address as typed, with or without brackets. Errors: UsageError."""
    try:
        return str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
    except ValueError:
        raise UsageError(
            say("--address takes an address such as 192.0.2.1, not «{given}».", given=text)
        ) from None


def greeting_name(text: str) -> str:
    """The name for EHLO: a domain, or an address in brackets (RFC 5321 §4.1.1.1)."""
    literal = _LITERAL.match(text.strip())
    if literal is None:
        return domain_of(text)
    try:
        address = ipaddress.ip_address(literal[1])
    except ValueError:
        return domain_of(text)
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def domain_of(text: str) -> str:
    """A domain in A-label form. Errors: UsageError."""
    try:
        return _DOMAIN.validate_python(text)
    except ValueError:
        raise UsageError(
            say("«{given}» is no full domain name such as mail.muster.example.", given=text)
        ) from None
