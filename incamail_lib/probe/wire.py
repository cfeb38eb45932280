"""One TCP connection, bounded in bytes; every way it can end has its reason."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from types import TracebackType

from incamail_lib.facts.observation import Reason

CHUNK = 65_536
_UNREACHABLE = frozenset(
    {
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN),
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM),
    }
)


class Ended(Exception):
    """The connection cannot go on: why, and what was seen of it."""

    def __init__(self, reason: Reason, evidence: str = "") -> None:
        super().__init__(evidence)
        self.reason = reason
        self.evidence = evidence


class Wire:
    """A non-blocking socket with byte counts. Use as a context manager: it always closes.

    A connection that breaks while something is sent does not raise: what the peer said before,
    a TLS alert or a 421, still lies in the socket and is the answer. So one reads on, and the
    end of the bytes comes as an empty piece; `gone` then says how the connection ended.
    """

    def __init__(self, max_bytes: int) -> None:
        self.sent = 0
        self.received = 0
        self.gone = Reason.CLOSED
        self._max_bytes = max_bytes
        self._socket: socket.socket | None = None

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    async def connect(self, address: str, port: int) -> None:
        """Open the connection to an IPv4 or IPv6 literal. Errors: Ended."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(self._socket, (address, port))
        except OSError as error:
            raise Ended(_reason_of(error), _words(error)) from None

    @property
    def own_literal(self) -> str:
        """Our address as the peer sees it on this socket, as an SMTP literal (RFC 5321 §4.1.3)."""
        assert self._socket is not None
        address = str(self._socket.getsockname()[0]).partition("%")[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    async def send(self, data: bytes) -> None:
        """Send all of it, or as much as the peer still takes."""
        assert self._socket is not None
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
            self.sent += len(data)
        except OSError as error:
            self.gone = _reason_of(error)

    async def receive(self) -> bytes:
        """What the peer sent next; empty at its end. Errors: Ended when it is too much."""
        assert self._socket is not None
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, CHUNK)
        except OSError as error:
            self.gone = _reason_of(error)
            data = self._drained()
        self.received += len(data)
        if self.received > self._max_bytes:
            raise Ended(Reason.TOO_MUCH_DATA, f"{self.received} bytes")
        return data

    def _drained(self) -> bytes:
        """What already lies in the socket: behind a reset, the alert that explains it."""
        assert self._socket is not None
        try:
            return self._socket.recv(CHUNK)
        except OSError:
            return b""


def _words(error: OSError) -> str:
    """The system's own words; asyncio puts a call of Python in their place."""
    return os.strerror(error.errno) if error.errno else str(error)


def _reason_of(error: OSError) -> Reason:
    if isinstance(error, ConnectionRefusedError):
        return Reason.REFUSED
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT
    if error.errno in _UNREACHABLE:
        return Reason.UNREACHABLE
    return Reason.RESET if isinstance(error, ConnectionError) else Reason.UNREACHABLE
