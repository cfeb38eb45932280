"""An SMTP client that waits only so long and reads only so much: smtplib with bounds."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from contextlib import suppress

from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Reply
from incamail_lib.linktest.server import SendLimits
from incamail_lib.probe.dialogue import Malformed, ReplyReader

RECEIVE_BYTES = 8192
GOODBYE_S = 2.0


class Client(smtplib.SMTP):
    """smtplib builds the commands and reads the extensions; replies come through ReplyReader.

    smtplib itself would read a reply without end, and start its time limit anew at every byte.
    """

    def __init__(self, ehlo_name: str, limits: SendLimits) -> None:
        super().__init__(local_hostname=ehlo_name)
        self._limits = limits
        self._end = time.monotonic() + limits.total_s
        self._replies = ReplyReader()
        self.last: Reply | None = None

    def open(self, host: str, port: int) -> None:
        """Connect. Errors: OSError, UnicodeError for a name that no resolver takes."""
        self.sock = socket.create_connection((host, port), self._left(self._limits.connect_s))

    def ask(self, command: str) -> Reply:
        """Send one command and wait for its reply."""
        self._patience()
        self.putcmd(command)
        return self.reply()

    def reply(self) -> Reply:
        """The next reply. Errors: Malformed, OSError, SMTPServerDisconnected."""
        while (found := self._replies.next()) is None:
            self._patience()
            received = self._connection.recv(RECEIVE_BYTES)
            if not received:
                raise smtplib.SMTPServerDisconnected("connection closed")
            self._replies.feed(received)
        self.last = found
        return found

    def getreply(self) -> tuple[int, bytes]:
        """The next reply as smtplib wants it, for its own reading of EHLO."""
        found = self.reply()
        return found.code, "\n".join(found.lines).encode("latin-1", "replace")

    def start_tls(self, context: ssl.SSLContext, name: str) -> str:
        """Do the handshake after a 220 to STARTTLS; gives the TLS version. EHLO must follow: what
        was offered in clear no longer counts (RFC 3207 §4.2).

        Errors: Malformed for plaintext behind the 220 (CVE-2011-0411), ssl.SSLError, OSError.
        """
        self._patience()
        smuggled = self._replies.drain()
        if smuggled:
            raise Malformed(Reason.PROTOCOL_ERROR, "plaintext behind the reply to STARTTLS")
        upgraded = context.wrap_socket(self._connection, server_hostname=name)
        self.sock = upgraded
        return upgraded.version() or ""

    def hand_over(self, content: bytes) -> None:
        """Send the message and the lone dot; lines that begin with a dot get another one."""
        self._patience()
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        self._connection.sendall(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n")

    def abandon(self) -> None:
        """End it from another thread: whatever waits here fails at once, nothing more is sent."""
        self._end = 0.0
        if self.sock is not None:
            with suppress(OSError):
                # Not the TLS socket's own method: that would let what follows go on in clear.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def goodbye(self) -> None:
        """Say QUIT; what comes back no longer matters."""
        self._end = min(self._end, time.monotonic() + GOODBYE_S)
        with suppress(OSError, smtplib.SMTPException, Malformed):
            self.ask("QUIT")

    @property
    def _connection(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self.sock

    def _patience(self) -> None:
        """Let the next operation wait no longer than is left."""
        self._connection.settimeout(self._left(self._limits.reply_s))

    def _left(self, longest_s: float) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole hand-over is used up")
        return min(longest_s, left)
