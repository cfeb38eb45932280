"""Recording SMTP sinks on loopback, and handing them many raw messages through a mail server."""

from __future__ import annotations

import smtplib
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PACE_S = 0.05


@dataclass
class Sink:
    """What one next hop received: (envelope sender, recipient)."""

    port: int = 0
    taken: set[tuple[str, str]] = field(default_factory=set)
    contents: list[bytes] = field(default_factory=list)  # as they came, dots still doubled


class _Session(socketserver.StreamRequestHandler):
    """Takes every message; SMTP as little as Postfix and Exim need."""

    def handle(self) -> None:
        sender = ""
        recipients: list[str] = []
        self._say("220 sink.example")
        for line in self.rfile:
            text = line.decode("utf-8", "surrogateescape").strip()
            verb = text[:4].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "MAIL":
                sender, recipients = _path(text), []
            elif verb == "RCPT":
                recipients.append(_path(text))
            elif verb == "DATA":
                self._say("354 go")
                self.server.sink.contents.append(self._swallow())  # type: ignore[attr-defined]
                self.server.sink.taken.update((sender, to) for to in recipients)  # type: ignore[attr-defined]
            self._say("250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8" if verb == "EHLO" else "250 ok")

    def _swallow(self) -> bytes:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    sink: Sink


def _path(command: str) -> str:
    return command.partition("<")[2].rpartition(">")[0].lower()


@contextmanager
def sinks(number: int) -> Iterator[tuple[Sink, ...]]:
    """So many sinks, listening until the block ends."""
    servers = []
    try:
        for _ in range(number):
            server = _Server(("127.0.0.1", 0), _Session)
            server.sink = Sink(port=server.server_address[1])
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            servers.append(server)
        yield tuple(server.sink for server in servers)
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@dataclass(frozen=True)
class Mail:
    """One message as it goes over the wire."""

    sender: str  # unlike every other one: it tells the messages apart
    recipients: tuple[str, ...]
    content: bytes


def hand_over(port: int, mails: Iterable[Mail]) -> set[tuple[str, str]]:
    """Submit the messages in one session; gives the (sender, recipient) pairs that were taken."""
    taken: set[tuple[str, str]] = set()
    with _client(port) as client:
        client.command_encoding = "utf-8"
        client.ehlo("client.example")
        for mail in mails:
            taken |= _submit(client, mail)
    return taken


def _client(port: int) -> smtplib.SMTP:
    """A session; a service beside the first of a server may come up a moment later than that."""
    deadline = time.monotonic() + 20.0
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=60)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PACE_S)


def _submit(client: smtplib.SMTP, mail: Mail) -> set[tuple[str, str]]:
    utf8 = "" if all(to.isascii() for to in mail.recipients) else " SMTPUTF8"
    client.docmd(f"MAIL FROM:<{mail.sender}>{utf8}")
    taken = {to for to in mail.recipients if client.docmd(f"RCPT TO:<{to}>")[0] == 250}
    done = taken and client.data(mail.content)[0] == 250
    if not done:
        client.docmd("RSET")
    return {(mail.sender, to) for to in taken} if done else set()


def await_quiet(watched: tuple[Sink, ...], expected: int, *, timeout_s: float = 180.0) -> None:
    """Wait until the sinks have `expected` deliveries between them; fails when they do not come."""
    deadline = time.monotonic() + timeout_s
    while (got := sum(len(sink.taken) for sink in watched)) < expected:
        if time.monotonic() > deadline:
            raise AssertionError(f"{got} of {expected} deliveries came")
        time.sleep(PACE_S)
