"""A process beside a warm one that makes PDFs: Typst keeps threads, so what makes them never forks.

    child of the warm process                    press (Typst, its fonts and caches warm)
    pdf_of(document) ── one end of a connection ──▶ takes it, sets the document, answers

Only documents go there, as the data of `incamail_lib.sheets.pdf`: no code, no file, no path. The
warm process starts a press when the first document waits and another when one has ended; it ends
with the warm process. Whoever cannot have one sets the document himself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
from contextlib import suppress

from incamail_lib.errors import RunError
from incamail_lib.forked.processes import end_with_parent
from incamail_lib.forked.way import Way
from incamail_lib.i18n import Language, Text, say
from incamail_lib.sheets.model import Document
from incamail_lib.sheets.pdf import data_of, pdf_from

LONGEST_S = 300  # of one document, for which 0.3 s are usual
_WAITS_S = 600.0  # of a child, for a press and for an answer
_PATIENCE_S = 30.0  # of the press, for a child that stopped in the middle of a word
_MOST_ASKED = 4 << 30  # bytes of memory that Typst may ask for
_MOST_KEPT = 800  # MB of memory; Typst forgets by itself at about 450, of usual documents
_TAKEN, _MADE, _FAILED = b"t", b"m", b"f"
_LENGTH = struct.Struct(">Q")
_TRIES = 2

WAY = Way()


def pdf_of(document: Document, language: Language) -> bytes:
    """The document as PDF, by the press where there is one.

    Errors: RunError where the document cannot be set, takes too long, or ends who sets it.
    """
    data = data_of(document, language)
    for _ in range(_TRIES):  # a press may have been killed by somebody else
        try:
            connection = _taken()
        except OSError:
            return _here(data)
        with connection, suppress(OSError, EOFError):
            return _answer(connection, data)
    raise RunError(_not_made("the process that made it ended or took too long"))


def _here(data: bytes) -> bytes:
    try:
        return pdf_from(data)
    except RuntimeError as error:  # Typst's
        raise RunError(_not_made(str(error))) from None


def _not_made(cause: str) -> Text:
    return say(
        "The PDF could not be made ({cause}). The page and the notebook are there.",
        cause=cause[:200],
    )


def _taken() -> socket.socket:
    """A connection that a press has taken. Errors: OSError where there is none."""
    if WAY.socket is None:
        raise ConnectionError
    ours, theirs = socket.socketpair()
    try:
        ours.settimeout(_WAITS_S)
        with theirs:
            socket.send_fds(WAY.socket, [b"p"], [theirs.fileno()], socket.MSG_DONTWAIT)
        if ours.recv(1) != _TAKEN:
            raise ConnectionError
    except OSError:
        ours.close()
        raise
    return ours


def _answer(connection: socket.socket, data: bytes) -> bytes:
    """What the press says. Errors: OSError and EOFError where it died; RunError."""
    _send(connection, data)
    kind, answer = _received(connection, 1), _message(connection)
    if kind == _FAILED:
        raise RunError(_not_made(answer.decode("utf-8", "replace")))
    return answer


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(data)) + data)


def _message(connection: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(_received(connection, _LENGTH.size))
    return _received(connection, length)


def _received(connection: socket.socket, length: int) -> bytes:
    """So many bytes. Errors: EOFError, OSError."""
    data = bytearray()
    while len(data) < length:
        part = connection.recv(min(length - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def main() -> None:
    """The press itself: serve what comes on standard input until nobody can come any more."""
    import resource  # not on Windows, where nothing forks

    end_with_parent(int(sys.argv[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _MOST_ASKED if hard == resource.RLIM_INFINITY else min(_MOST_ASKED, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=os.dup(0)) as ways:
        while _kept_mb() < _MOST_KEPT:
            _, handles, _, _ = socket.recv_fds(ways, 16, 1)
            if not handles:
                break
            with socket.socket(fileno=handles[0]) as connection, suppress(OSError, EOFError):
                _serve(connection)


def _serve(connection: socket.socket) -> None:
    connection.settimeout(_PATIENCE_S)
    connection.sendall(_TAKEN)
    data = _message(connection)
    signal.alarm(LONGEST_S)  # nobody catches it: this process ends, and the warm one sees it
    try:
        kind, answer = _MADE, pdf_from(data)
    except RuntimeError as error:
        kind, answer = _FAILED, str(error).encode("utf-8", "replace")
    finally:
        signal.alarm(0)
    connection.sendall(kind)
    _send(connection, answer)


def _kept_mb() -> int:
    """Memory of this process, at its most."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most >> 10


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
