"""Macros in SPF names, expanded for one sender (RFC 7208 §7)."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_MACRO = re.compile(r"%(?:\{([a-z])(\d*)(r?)([.\-+,/_=]*)\}|([%_\-]))", re.IGNORECASE)
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
MAX_NAME = 253


@dataclass(frozen=True)
class Sender:
    """Who sends: the address of the connection, MAIL FROM, and the name in HELO."""

    address: Address
    mail_from: str  # "local@domain"
    helo: str


class UnknownMacroError(Exception):
    """The name depends on a sender, and none was given."""


def expand(spec: str, domain: str, sender: Sender | None, validated: str = "unknown") -> str:
    """The name that a domain-spec stands for; cut on the left where it is too long (§7.3).

    `validated` is the answer to %{p}. Errors: UnknownMacroError where a sender matters and none
    is given.
    """
    name = _MACRO.sub(lambda m: _expanded(m, domain, sender, validated), spec).rstrip(".")
    while len(name) > MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def _expanded(found: re.Match[str], domain: str, sender: Sender | None, validated: str) -> str:
    letter, digits, reverse, delimiters, escape = found.groups()
    if escape:
        return _ESCAPES[escape]
    value = _value(letter.lower(), domain, sender, validated)
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if reverse:
        parts.reverse()
    if digits:
        parts = parts[-int(digits[:4]) :]
    text = ".".join(parts)
    return urllib.parse.quote(text, safe="-._~") if letter.isupper() else text


def _value(letter: str, domain: str, sender: Sender | None, validated: str) -> str:
    if letter == "d":
        return domain
    if sender is None:
        raise UnknownMacroError(letter)
    local, _, origin = sender.mail_from.rpartition("@")
    values = {
        "s": f"{local or 'postmaster'}@{origin}",
        "l": local or "postmaster",
        "o": origin,
        "i": _dotted(sender.address),
        "p": validated,
        "v": "in-addr" if sender.address.version == 4 else "ip6",
        "h": sender.helo,
    }
    return values[letter]


def _dotted(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return ".".join(address.exploded.replace(":", ""))
