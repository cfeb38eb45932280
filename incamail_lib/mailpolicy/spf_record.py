"""One SPF record as its terms (RFC 7208 §4.6.1, §5, §6, §7.1, §12)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MACRO = r"%(?:\{[slodiphcrtv]\d*r?[.\-+,/_=]*\}|[%_\-])"
_MACRO_STRING = re.compile(rf"(?:[!-$&-~]|{_MACRO})*", re.IGNORECASE)
_MACRO_AT_END = re.compile(rf"{_MACRO}\Z", re.IGNORECASE)
_EXPLAINING = re.compile(r"%\{[crt]", re.IGNORECASE)  # letters for explanations only (§7.2)
_NO_PARTS = re.compile(r"%\{[a-z]0+(?!\d)", re.IGNORECASE)
_TOP_LABEL = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9\-_.]*)=(.*)", re.IGNORECASE)
_DUAL_CIDR = re.compile(r"(?:/(0|[1-9]\d{0,2}))?(?://(0|[1-9]\d{0,2}))?")
_TAKING_NAME = frozenset({"include", "exists"})  # a name is demanded
_TAKING_CIDR = frozenset({"a", "mx"})
COUNTED = frozenset({"include", "a", "mx", "ptr", "exists"})
"""Mechanisms that cost a look-up (RFC 7208 §4.6.4); so does the modifier redirect."""


class SpfSyntaxError(ValueError):
    """A term that RFC 7208 does not allow; the argument is the term as it stands."""


@dataclass(frozen=True)
class Mechanism:
    """One directive: what it matches, and what then results (+, -, ~ or ?)."""

    term: str  # as it stands in the record
    qualifier: str
    name: str
    domain: str = ""  # domain-spec, not expanded; "" for the current domain
    network: Network | None = None  # of ip4 and ip6
    v4_bits: int = 32
    v6_bits: int = 128


@dataclass(frozen=True)
class SpfRecord:
    """The terms of one record, in order."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""  # domain-spec; "" without one


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 §4.5): v=spf1, then a space or the end."""
    return text[:6].lower() == "v=spf1" and text[6:7] in ("", " ")


def parse(text: str) -> SpfRecord:
    """The terms of a record that `is_spf`. Errors: SpfSyntaxError naming the term."""
    mechanisms: list[Mechanism] = []
    once: dict[str, str] = {}
    for term in text[6:].split(" "):
        modifier = _MODIFIER.fullmatch(term)
        if modifier:
            _add_modifier(once, term, modifier[1].lower(), modifier[2])
        elif term:
            mechanisms.append(_mechanism(term))
    return SpfRecord(tuple(mechanisms), once.get("redirect", ""))


def _add_modifier(once: dict[str, str], term: str, name: str, value: str) -> None:
    """Unknown modifiers are allowed and ignored (§6); redirect and exp may stand once."""
    if name in ("redirect", "exp"):
        if name in once or not _is_domain_spec(value):
            raise SpfSyntaxError(term)
        once[name] = value
    elif not _MACRO_STRING.fullmatch(value):
        raise SpfSyntaxError(term)


def _mechanism(term: str) -> Mechanism:
    qualifier, rest = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
    found = re.match(r"[a-zA-Z0-9]+", rest)
    name = found[0].lower() if found else ""
    argument = rest[len(name) :]
    if name == "all" and not argument:
        return Mechanism(term, qualifier, name)
    if name in ("ip4", "ip6"):
        return Mechanism(term, qualifier, name, network=_network(term, name, argument))
    if name not in COUNTED:
        raise SpfSyntaxError(term)
    v4_bits, v6_bits = 32, 128
    if name in _TAKING_CIDR:
        argument, v4_bits, v6_bits = _without_cidr(term, argument)
    if not argument and name not in _TAKING_NAME:
        return Mechanism(term, qualifier, name, v4_bits=v4_bits, v6_bits=v6_bits)
    if not argument.startswith(":") or not _is_domain_spec(argument[1:]):
        raise SpfSyntaxError(term)
    return Mechanism(term, qualifier, name, argument[1:], v4_bits=v4_bits, v6_bits=v6_bits)


def _network(term: str, name: str, argument: str) -> Network:
    """ip4:192.0.2.0/24; host bits behind the mask are allowed and ignored (§5.6)."""
    address, slash, bits = argument[1:].partition("/")
    most = 32 if name == "ip4" else 128
    sound = not slash or (re.fullmatch(r"0|[1-9]\d{0,2}", bits) and int(bits) <= most)
    if not argument.startswith(":") or not sound:
        raise SpfSyntaxError(term)
    try:
        if name == "ip4":
            return ipaddress.IPv4Network((address, int(bits or 32)), strict=False)
        if "%" in address:
            raise ValueError
        return ipaddress.IPv6Network((address, int(bits or 128)), strict=False)
    except ValueError:
        raise SpfSyntaxError(term) from None


def _without_cidr(term: str, argument: str) -> tuple[str, int, int]:
    """The argument without its dual-cidr-length, and both lengths."""
    start = len(argument)
    slashes = [i for i, c in enumerate(argument) if c == "/" and not _in_macro(argument, i)]
    for i in reversed(slashes):
        if not _DUAL_CIDR.fullmatch(argument[i:]):
            break
        start = i
    lengths = _DUAL_CIDR.fullmatch(argument[start:])
    v4_bits, v6_bits = (lengths[1], lengths[2]) if lengths else (None, None)
    if int(v4_bits or 0) > 32 or int(v6_bits or 0) > 128:
        raise SpfSyntaxError(term)
    rest = argument[:start]
    if rest.endswith("/"):
        raise SpfSyntaxError(term)
    return rest, int(v4_bits or 32), int(v6_bits or 128)


def _in_macro(text: str, at: int) -> bool:
    return text.rfind("%{", 0, at) > text.rfind("}", 0, at)


def _is_domain_spec(text: str) -> bool:
    """macro-string ended by a macro or by a dot and a top label (§7.1)."""
    if not text or not _MACRO_STRING.fullmatch(text):
        return False
    if _EXPLAINING.search(text) or _NO_PARTS.search(text):
        return False
    if _MACRO_AT_END.search(text):
        return True
    _, dot, top = text.removesuffix(".").rpartition(".")
    return bool(dot) and bool(_TOP_LABEL.fullmatch(top))
