"""PEM as OpenSSL reads it, which Postfix, Exim and most mail servers load their files with.

OpenSSL's reader (crypto/pem/pem_lib.c) is the measure, not RFC 7468: a file that looks sound and
that OpenSSL refuses leaves a gateway without a certificate. Tests hold this reader to the real one.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from incamail_lib.i18n import N_

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_PIECE = 254  # OpenSSL reads longer lines in pieces of this size
_BLANKS = bytes(range(0x21))  # stripped at the end of a line
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_AFTER_HEADER = 64  # characters of a line of base64 behind a blank line
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

GLUED = N_(
    "two PEM blocks are glued together: OpenSSL and Postfix load nothing of the file. Put every "
    "«-----BEGIN» and «-----END» on a line of its own"
)
CUT = N_("a PEM block is cut off: its «-----END» line is missing. Export the file again")
OTHER_END = N_(
    "a PEM block has a damaged «-----END» line, so OpenSSL and Postfix load nothing of the file. "
    "It must read as the «-----BEGIN» line does"
)
BLANK_LINE = N_(
    "a PEM block holds a blank line, so OpenSSL and Postfix load nothing of the file. Remove it"
)
NOT_BASE64 = N_("a PEM block is damaged: it is not base64. Export the file again")
HEADER = N_(
    "a PEM block holds header lines, so OpenSSL and Postfix load nothing of the file. Remove the "
    "lines with a colon"
)
INDENTED = N_(
    "«-----BEGIN» does not stand at the start of its line, or more stands behind it, so OpenSSL "
    "and Postfix find nothing in the file. Remove blanks, quotation marks and the like"
)
CR_ONLY = N_(
    "the lines end in CR alone, so OpenSSL and Postfix find nothing in the file. Convert it: "
    "tr '\\r' '\\n' < FILE > NEW"
)


class BrokenPem(Exception):
    """OpenSSL stops here; the message is evidence for the audit."""


@dataclass(frozen=True)
class Block:
    """One PEM block: its label, its header lines, and what the base64 stands for."""

    label: str
    header: bytes
    data: bytes

    def armoured(self) -> bytes:
        """The block written anew, as every library reads it."""
        label = self.label.encode("ascii", "replace")
        body = binascii.b2a_base64(self.data, newline=False)
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        head = [self.header] if self.header else []
        return b"\n".join((_BEGIN + label + _DASHES, *head, *lines, _END + label + _DASHES, b""))


def blocks(data: bytes) -> Iterator[Block]:
    """The PEM blocks that OpenSSL finds, one by one. Errors: BrokenPem, where it stops."""
    lines = _lines(data)
    is_first = True  # a byte order mark is passed over at the start and behind each block
    for line, _ in lines:
        start = line.removeprefix(BYTE_ORDER_MARK) if is_first else line
        is_first = start.startswith(_BEGIN) and start.endswith(_DASHES)
        if is_first:
            yield _block(start[len(_BEGIN) : -len(_DASHES)], lines)


def why_nothing_was_found(data: bytes) -> str:
    """Why OpenSSL finds no block although «-----BEGIN» is there; "" where it is not."""
    if _BEGIN not in data:
        return ""
    if b"\r" in data and b"\n" not in data:
        return CR_ONLY
    return INDENTED if _END in data else CUT


def _lines(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Lines without their end, and whether a piece ends there that is not the line's end.

    As in C, a line ends at its first zero byte, and an empty one ends the file.
    """
    for line in (line + b"\n" for line in data.split(b"\n")):
        for at in range(0, len(line), _PIECE):
            piece = line[at : at + _PIECE]
            held = piece.partition(b"\0")[0]
            if not held:
                return
            yield held.rstrip(_BLANKS), len(held) == _PIECE and not held.endswith(b"\n")


def _block(label: bytes, lines: Iterator[tuple[bytes, bool]]) -> Block:
    first: list[bytes] = []
    second: list[bytes] | None = None  # lines behind a blank line; what stood before was a header
    headed = short = partial = False
    for line, is_piece in lines:
        was_partial, partial = partial, is_piece
        headed = headed or (second is None and b":" in line)
        if not line:
            if was_partial:
                continue
            if second is not None:
                raise BrokenPem(BLANK_LINE)
            second = []
        elif line.startswith(_END):
            if line != _END + label + _DASHES:
                raise BrokenPem(GLUED if _BEGIN in line else OTHER_END)
            return _decoded(label, first, second, headed)
        elif short:
            raise BrokenPem(BLANK_LINE)
        elif second is None:
            first.append(line)
        else:
            short = len(line) < _AFTER_HEADER
            if len(line) > _AFTER_HEADER:
                raise BrokenPem(BLANK_LINE)
            second.append(line)
    raise BrokenPem(CUT)


def _decoded(label: bytes, first: list[bytes], second: list[bytes] | None, headed: bool) -> Block:
    if second is None and headed:
        raise BrokenPem(HEADER)
    header, body = ([], first) if second is None else (first, second)
    joined = b"".join(body).translate(None, b" \t\r\n").partition(b"-")[0]  # "-" ends base64
    if not joined or len(joined) % 4 or not _BASE64.fullmatch(joined):
        raise BrokenPem(_why_not_base64(joined, second is not None))
    name = label.decode("ascii", "replace")
    head = b"\n".join(header) + b"\n" if header else b""
    return Block(name, head, binascii.a2b_base64(joined))


def _why_not_base64(joined: bytes, blank: bool) -> str:
    if _BEGIN.replace(b" ", b"") in joined:
        return CUT
    return BLANK_LINE if blank else NOT_BASE64
