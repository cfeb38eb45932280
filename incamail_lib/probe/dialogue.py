"""SMTP without I/O: bytes to replies, and the STARTTLS dialogue as a table of stages.

Nothing here knows a socket or a clock. What a peer does wrong is a `Malformed`, never a crash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from incamail_lib.facts.ehlo import offers
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Reply, Stage, Starttls
from incamail_lib.printable import printable

MAX_LINE = 4096  # bytes; RFC 5321 §4.5.3.1.5 allows 512, real servers exceed that
MAX_LINES = 200  # per reply
SHOWN = 300  # characters kept of one line
LOOKED_AT = 1000  # characters of a reply in which words are looked for
_CODES = frozenset(str(code) for code in range(200, 600))
_LINE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)\Z", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= |\Z)")
_MASKED_KEYWORD = re.compile(r"X{4,}[A-Z]?\Z")
_RATE = re.compile(r"too many|\brate|throttl|exceed|slow down|concurren", re.IGNORECASE)
_GREY = re.compile(r"gr[ea]y|try (again|later)|come back|4\.7\.1", re.IGNORECASE)
# Addresses, hosts and links: a name in them says nothing of the matter.
_NAMES = re.compile(r"\S*(?:@|://|www\.)\S*|\b(?:[\w-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
_CERTIFICATE = r"(?:certificat\w*|zertifikat\w*|x\.?509)"
_CERT = rf"(?:{_CERTIFICATE}|cert(?![-\w]))"  # alone, "CERT" is a team that one complains to
_WHOSE = r"(?:client|peer|your|sender|valid|trusted|verified|tls|ssl|x\.?509)[- ]?"
_WANTED = (
    r"(?:requir\w*|need\w*|missing|mandatory|expected|must|demand\w*|refused|reject\w*|denied"
    r"|invalid|expired|revoked|untrusted|unverified|unknown|erforderlich|requis\w*|richiest\w*"
    r"|not (?:be )?\w+|cannot|could not|failed|failure)"
)
# A certificate is the matter where one is said to be missing, wanted or no good.
_WANTING = r"(?:no|without|missing|provide|present|show|supply|kein\w*)"
_DEMAND = re.compile(
    rf"\b{_WANTING}\b[^.;]{{0,30}}\b{_CERTIFICATE}"
    rf"|\b{_WANTING}\s+(?:an?\s+)?(?:{_WHOSE})*{_CERT}"
    rf"|\b{_CERTIFICATE}[^.;]{{0,40}}\b{_WANTED}\b"
    rf"|\b{_WANTED}\b[^.;]{{0,30}}\b{_WHOSE}{_CERT}"
    rf"|\b{_WHOSE}{_CERT}[^.;]{{0,30}}\b{_WANTED}\b",
    re.IGNORECASE,
)
# What a server says of a certificate of its own is no demand for ours.
_THEIRS = re.compile(rf"\b(?:server|our|backend|upstream)(?:'s)?[- ]{_CERTIFICATE}", re.IGNORECASE)
_PASSING = re.compile(r"tempor|later|again|unavailable|not available|our side|local", re.IGNORECASE)


@dataclass(frozen=True)
class DialogueStep:
    """One stage of the dialogue: the command that opens it, and the code that completes it."""

    stage: Stage
    command: str  # "{name}" is the EHLO name; empty where the server speaks first
    completes: int


# MAIL is answered with RSET by the driver. A recipient follows only where the operator asked for
# it, and is the postmaster, whom every domain has (RFC 5321 §4.5.1); a message never follows.
STEPS: dict[Stage, DialogueStep] = {
    step.stage: step
    for step in (
        DialogueStep(Stage.GREETING, "", 220),
        DialogueStep(Stage.EHLO, "EHLO {name}", 250),
        DialogueStep(Stage.STARTTLS, "STARTTLS", 220),
        DialogueStep(Stage.EHLO_IN_TLS, "EHLO {name}", 250),
        DialogueStep(Stage.MAIL, "MAIL FROM:<>", 250),
        DialogueStep(Stage.RCPT, "RCPT TO:<postmaster@{domain}>", 250),
        DialogueStep(Stage.QUIT, "QUIT", 221),
    )
}


class Malformed(Exception):
    """The peer sent something that is no SMTP reply; `reason` is too much data or not SMTP."""

    def __init__(self, reason: Reason, evidence: str) -> None:
        super().__init__(evidence)
        self.reason = reason
        self.evidence = evidence


class ReplyReader:
    """Turns bytes, in pieces of any size, into replies (RFC 5321 §4.2)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._code = 0

    @property
    def leftover(self) -> bytes:
        """Bytes that belong to no complete reply yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer += data

    def drain(self) -> bytes:
        """Give away and forget every byte not yet read, e.g. plaintext behind a 220 to STARTTLS."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def next(self) -> Reply | None:
        """The next complete reply, or None until more bytes come.

        Errors: Malformed for a line that is no reply, too long, or one of too many.
        """
        if not self._buffer:
            return None
        if not self._lines and (whole := self._whole()) is not None:
            return whole
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            if self._take(line):
                return self._finished()
        if len(self._buffer) > MAX_LINE + 1:  # the last may be the CR of a line that is in order
            raise Malformed(Reason.TOO_MUCH_DATA, _shown(bytes(self._buffer)))
        return None

    def _whole(self) -> Reply | None:
        """The usual case at once: all that lies here is one plain reply. None for anything else,
        which is then read line by line."""
        data = self._buffer
        if len(data) > MAX_LINE or not data.endswith(b"\r\n"):
            return None
        reply = _plain_reply(bytes(data))
        if reply is not None:
            data.clear()
        return reply

    def _take(self, line: bytes) -> bool:
        """Whether this line ends the reply."""
        if len(line) > MAX_LINE:
            raise Malformed(Reason.TOO_MUCH_DATA, _shown(line))
        match = _LINE.match(line)
        if match is None:
            raise Malformed(Reason.PROTOCOL_ERROR, _shown(line))
        code, separator, text = int(match[1]), match[2], match[3]
        if not separator and text:
            raise Malformed(Reason.PROTOCOL_ERROR, _shown(line))
        if self._lines and code != self._code:
            raise Malformed(Reason.PROTOCOL_ERROR, _shown(line))
        if len(self._lines) >= MAX_LINES:
            raise Malformed(Reason.TOO_MUCH_DATA, _shown(line))
        self._code = code
        self._lines.append(_shown(text))
        return separator != b"-"

    def _finished(self) -> Reply:
        lines, self._lines = tuple(self._lines), []
        return _reply(self._code, lines)


def _reply(code: int, lines: tuple[str, ...]) -> Reply:
    enhanced = _ENHANCED.match(lines[0])
    return Reply(code=code, enhanced=enhanced[0] if enhanced else "", lines=lines)


@lru_cache(maxsize=256)  # a server says the same on each of its connections
def _plain_reply(data: bytes) -> Reply | None:
    if not data.isascii():
        return None
    *more, last = data[:-2].decode("ascii").split("\r\n")
    code = last[:3]
    if code not in _CODES or last[3:4] not in ("", " ") or len(more) >= MAX_LINES:
        return None
    begun = f"{code}-"
    if not all([line.startswith(begun) for line in more]):
        return None
    lines = (*[line[4:] for line in more], last[4:])
    if not "".join(lines).isprintable() or max(map(len, lines)) > SHOWN:
        return None
    return _reply(int(code), lines)


def _shown(data: bytes) -> str:
    text = data[: SHOWN * 4].decode("utf-8", "replace")
    # Nearly every line is plain; looking at each character is for the others.
    return text if len(text) <= SHOWN and text.isprintable() else printable(text, SHOWN)


def capabilities_of(reply: Reply) -> tuple[str, ...]:
    """The keywords of an EHLO reply, without the line that greets."""
    return reply.lines[1:]


def starttls_offer(greeting: Reply | None, capabilities: tuple[str, ...]) -> Starttls:
    """What a complete EHLO reply says about STARTTLS, before the command is tried.

    A keyword of X's, or a greeting of asterisks without STARTTLS, is the mark of a firewall that
    edits SMTP (Cisco ESMTP inspection).
    """
    if offers(capabilities, "STARTTLS"):
        return Starttls.ACCEPTED
    if any(_MASKED_KEYWORD.match(line) for line in capabilities) or _is_masked(greeting):
        return Starttls.MASKED
    return Starttls.NOT_OFFERED


def _is_masked(greeting: Reply | None) -> bool:
    text = "".join(greeting.lines) if greeting else ""
    return text.count("*") >= 4 and text.count("*") * 2 > len(text.replace(" ", ""))


def why_refused(reply: Reply) -> Reason:
    """What a reply other than the hoped-for one says about the service, never about TLS."""
    if reply.code >= 500:
        return Reason.REJECTED
    if _RATE.search(reply.text):
        return Reason.RATE_LIMITED
    if reply.code in (450, 451) and _GREY.search(reply.text):
        return Reason.GREYLISTED
    return Reason.UNAVAILABLE


def demands_certificate(reply: Reply, *, asked: bool, offers_auth: bool = False) -> bool:
    """Whether a refusal is for want of a (better) client certificate.

    `asked` tells that the server asked for one in TLS, `offers_auth` that it offers AUTH. The
    word alone is nothing: it stands in addresses and links too. A temporary refusal (4xx) counts
    where the server asked and says plainly that the certificate is missing or no good, as Postfix
    does with 421; words about its own passing trouble never do. 530 without such words asks for
    a certificate only where nothing else could authenticate.
    """
    text = reply.text[:LOOKED_AT]
    if reply.code < 400 or _PASSING.search(text):
        return False
    plain = bool(_DEMAND.search(_THEIRS.sub(" ", _NAMES.sub(" ", text))))
    if reply.code < 500:
        return plain and asked
    if reply.code == 530 and asked and not offers_auth:
        return plain or "STARTTLS" not in text.upper()
    return plain
