"""Names and addresses from the command line: each as it goes on the wire, or a clear sentence."""

from __future__ import annotations

import ipaddress
import re

from pydantic import TypeAdapter

from incamail_lib.dossier.model import DomainName, name_server
from incamail_lib.errors import UsageError
from incamail_lib.i18n import NO_DATE, say

_DOMAIN: TypeAdapter[str] = TypeAdapter(DomainName)
_MACHINE = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65535
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]\Z")


def literal_of(text: str) -> str:
    """An IPv4 or IPv6 address as typed, with or without brackets. Errors: UsageError."""
    try:
        return str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
    except ValueError:
        raise UsageError(
            say("--address takes an address such as 192.0.2.1, not «{given}».", given=text)
        ) from None


def name_server_of(text: str) -> tuple[str, int]:
    """A name server as typed, as address and port. Errors: UsageError."""
    try:
        return name_server(text)
    except ValueError:
        raise UsageError(
            say(
                "--nameserver takes an address such as 192.0.2.53 or 192.0.2.53:5300, not "
                "«{given}».",
                given=text,
            )
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


def host_and_port(given: str, port: int) -> tuple[str, int]:
    """ "mx1.muster.example:2525" as the lab prints it, or without a port, which then is `port`.

    An address may stand for the name; one of IPv6 has its port behind brackets, and comes back
    without them. Errors: UsageError.
    """
    text = given.strip()
    if _address(text):
        return _address(text), port
    host, colon, number = text.rpartition(":")
    if not colon:
        return _machine(text), port
    if not (_PORT.fullmatch(number) and 1 <= int(number) <= _LAST_PORT):
        raise UsageError(
            say(
                "The mail server's port {port} is not between 1 and 65535.",
                port=number[:40] or NO_DATE,
            )
        )
    is_literal = host.startswith("[") or ":" not in host
    return (is_literal and _address(host)) or _machine(host), int(number)


def _address(text: str) -> str:
    """An address, in brackets or not; "" for what is none."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


def _machine(name: str) -> str:
    """A name that a machine of the own network may have, or a domain. Errors: UsageError."""
    return name if _MACHINE.fullmatch(name) else domain_of(name)
