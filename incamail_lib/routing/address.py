"""Recipient addresses: taken apart, their domain made comparable, the suffix recognised.

RFC 5321 §4.1.2 (syntax), §4.5.3.1 (lengths in octets), RFC 5322 §3.4 (lists, groups, comments),
RFC 5890/5891 (internationalised domains), RFC 6531 (SMTPUTF8). Nothing here raises on any text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import idna

MAX_LOCAL = 64  # octets, RFC 5321 §4.5.3.1.1
MAX_DOMAIN = 255  # §4.5.3.1.2
MAX_PATH = 256  # §4.5.3.1.3, with the two angle brackets
MAX_GIVEN = 2000  # characters of one address that are looked at
# What is malformed and what Postfix 3.7 delivers all the same (tried with the real one)
DELIVERED_BY_SOME = frozenset(
    {"percent_route", "bang_path", "blanks_in_domain", "foreign_dot", "control_characters"}
)
_FOREIGN_DOTS = "\u3002\uff0e\uff61"  # which IDNA 2003 and UTS #46 take for a dot
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_ATOM = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\"]+")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"')


@dataclass(frozen=True)
class Address:
    """One address. `domain` is lower case, in A-labels, without trailing dot."""

    given: str
    local: str = ""
    domain: str = ""
    is_literal: bool = False
    has_trailing_dot: bool = False
    has_route: bool = False
    needs_utf8: bool = False
    problem: str = ""  # why it is malformed; a stable token

    @property
    def is_routable(self) -> bool:
        """Whether a server would route it: many let a malformed local part pass, and then it is
        the domain that decides. To call such an address harmless would hide a leak."""
        return self.problem in ("", "local_part") or self.is_delivered_by_some

    @property
    def is_delivered_by_some(self) -> bool:
        """Whether servers differ: some mend the address and deliver, others refuse it."""
        return self.problem in DELIVERED_BY_SOME

    @property
    def is_quoted(self) -> bool:
        """Whether the local part is a quoted string."""
        return self.local.startswith('"')

    @property
    def text(self) -> str:
        """The address in its normal form."""
        return f"{self.local}@{self.domain}"


def parse_address(given: str) -> Address:
    """The parts of one envelope recipient; `problem` says what is wrong with it, if anything."""
    if len(given) > MAX_GIVEN:
        return Address(given, problem="longer_than_examined")
    found = split_mailboxes(given)
    if len(found) != 1:
        return Address(given, problem="several_addresses" if found else "empty")
    bare = found[0]
    has_route = bare.startswith("@") and ":" in bare
    if has_route:
        bare = bare.partition(":")[2]
    at = _last_at(bare)
    if at < 0:
        return _without_at(given, bare)
    local, written = bare[:at].strip(), bare[at + 1 :].strip()
    domain, problem = _mended(written)
    return Address(
        given,
        local=local,
        domain=domain,
        is_literal=domain.startswith("["),
        has_trailing_dot=written.endswith("."),
        has_route=has_route,
        needs_utf8=not bare.isascii(),
        problem=problem or _local_problem(local),
    )


def _without_at(given: str, bare: str) -> Address:
    """Forms older than the @ sign, which Postfix rewrites (allow_percent_hack, swap_bangpath)."""
    if "!" in bare:
        host, _, local = bare.partition("!")
        problem = "bang_path"
    else:
        local, _, host = bare.rpartition("%")
        problem = "percent_route"
    domain, wrong = _comparable(host.strip())
    if wrong or not local or "." not in domain:
        return Address(given, problem="no_at_sign")
    return Address(given, local=local.strip(), domain=domain, problem=problem)


def _mended(written: str) -> tuple[str, str]:
    """The domain as servers mend it, and what was wrong with it."""
    domain, problem = _comparable(written)
    if problem != "domain" and not any(dot in written for dot in _FOREIGN_DOTS):
        return domain, problem
    joined, token = re.sub(r"\s*\.\s*", ".", written), "blanks_in_domain"
    if any(dot in written for dot in _FOREIGN_DOTS):
        joined, token = re.sub(f"[{_FOREIGN_DOTS}]", ".", joined), "foreign_dot"
    mended, wrong = _comparable(joined)
    return (domain, problem) if wrong or joined == written else (mended, token)


def is_complete(header: str) -> bool:
    """Whether every comment, quoted string and bracket of an address list is closed."""
    splitter = _Splitter()
    splitter.split(header)
    return splitter.is_closed


def split_mailboxes(header: str) -> tuple[str, ...]:
    """The addr-specs of an address list, without names, comments and group names."""
    return tuple(_Splitter().split(header))


class _Splitter:
    """Walks once over an address list (RFC 5322 §3.4, with the obsolete forms of §4.4)."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._text: list[str] = []
        self._angle: list[str] | None = None
        self._depth = 0  # of comments
        self._in: str = ""  # '"' in a quoted string, '<' in angle brackets, '[' in a literal

    def split(self, header: str) -> list[str]:
        escaped = False
        for char in header:
            if escaped or char == "\\":
                self._keep(char)
                escaped = not escaped
            elif self._depth or (char == "(" and self._in in ("", "<")):
                self._depth += {"(": 1, ")": -1}.get(char, 0)
            else:
                self._character(char)
        self._flush()
        return self.found

    @property
    def is_closed(self) -> bool:
        """Whether the last text ended outside comments, quotes and brackets."""
        return not self._depth and not self._in

    def _character(self, char: str) -> None:
        if self._in.endswith('"'):
            self._leave(char, '"')
        elif char == '"':
            self._enter(char)
        elif self._in.endswith("["):
            self._leave(char, "]")
        elif char == "[":
            self._enter(char)
        elif self._in == "<":
            self._in_angle(char)
        else:
            self._outside(char)

    def _enter(self, char: str) -> None:
        self._in += char
        self._keep(char)

    def _leave(self, char: str, closing: str) -> None:
        self._keep(char)
        if char == closing:
            self._in = self._in[:-1]

    def _in_angle(self, char: str) -> None:
        if char == ">":
            self._in = ""
        else:
            self._keep(char)

    def _outside(self, char: str) -> None:
        if char == "<":
            self._in, self._angle = "<", []
        elif char in ",;":
            self._flush()
        elif char == ":":
            self._text = []  # what came before was the name of a group
        else:
            self._keep(char)

    def _keep(self, char: str) -> None:
        if self._depth:
            return
        into = self._text if self._angle is None or not self._in.startswith("<") else self._angle
        into.append(char)

    def _flush(self) -> None:
        whole = "".join(self._text if self._angle is None else self._angle).strip()
        if whole or self._angle is not None:
            self.found.append(whole)
        self._text, self._angle = [], None


def _last_at(bare: str) -> int:
    """The position of the @ that ends the local part: the last one outside quotes."""
    quoted, escaped, at = False, False, -1
    for position, char in enumerate(bare):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "@" and not quoted:
            at = position
    return at


def _local_problem(local: str) -> str:
    if not local:
        return "no_local_part"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in local):
        return "control_characters"
    if local.startswith('"'):
        return "" if _QUOTED.fullmatch(local) else "local_part"
    return "" if _ATOM.fullmatch(local) and ".." not in f".{local}." else "local_part"


def _comparable(written: str) -> tuple[str, str]:
    """The domain in comparable form, and what is wrong with it."""
    if written.startswith("["):
        return written.lower(), "" if written.endswith("]") else "domain"
    domain = written.removesuffix(".")
    if not domain:
        return "", "no_domain"
    labels = [_a_label(label) for label in domain.split(".")]
    legal = all(_LABEL.fullmatch(label) for label in labels)
    return ".".join(labels), "" if legal else "domain"


def _a_label(label: str) -> str:
    lower = unicodedata.normalize("NFC", label.lower())
    if lower.isascii() or len(lower) > 63:
        return lower
    try:
        return idna.encode(lower).decode("ascii")
    except (UnicodeError, IndexError):
        return _lenient_a_label(lower)


def _lenient_a_label(lower: str) -> str:
    """What older software (RFC 3490) makes of a label that RFC 5892 forbids, such as a symbol:
    such names exist in the DNS, so mail to them would leave."""
    try:
        return "xn--" + lower.encode("punycode").decode("ascii")
    except UnicodeError:
        return lower


def u_label(label: str) -> str:
    """The readable form of a label; an illegal A-label stays as it is."""
    if not label.startswith("xn--") or len(label) > 63:
        return label
    try:
        return idna.decode(label)
    except (UnicodeError, IndexError):
        return label


def has_suffix(domain: str, suffix: str) -> bool:
    """Whether a rule that compares the end of the domain with `suffix` matches it.

    Literally so: a suffix declared without its leading dot also matches "notincamail.ch".
    """
    return domain.endswith(suffix) and len(domain) > len(suffix)


def canonical_suffix(suffix: str) -> str:
    """The suffix with exactly one leading dot, in lower case, e.g. ".incamail.ch"."""
    return "." + suffix.strip().strip(".").lower()


def length_problems(local: str, domain: str) -> tuple[str, ...]:
    """Which limits of RFC 5321 §4.5.3.1 an address exceeds, in octets."""
    octets = len(local.encode("utf-8", "replace")), len(domain.encode("utf-8", "replace"))
    problems = []
    if octets[0] > MAX_LOCAL:
        problems.append(f"local part {octets[0]} > {MAX_LOCAL}")
    if octets[1] > MAX_DOMAIN:
        problems.append(f"domain {octets[1]} > {MAX_DOMAIN}")
    if sum(octets) + 3 > MAX_PATH:
        problems.append(f"path {sum(octets) + 3} > {MAX_PATH}")
    return tuple(problems)
