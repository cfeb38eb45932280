"""One TCP connection, bounded in time and bytes; every way it can end has its reason."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from types import TracebackType

from incamail_lib.facts.observation import Reason

CHUNK = 65_536
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES}
)


class Ended(Exception):
    """The connection cannot go on: why, and what was seen of it."""

    def __init__(self, reason: Reason, evidence: str = "") -> None:
        super().__init__(evidence)
        self.reason = reason
        self.evidence = evidence


class Wire:
    """A non-blocking socket with byte counts. Use as a context manager: it always closes."""

    def __init__(self, max_bytes: int) -> None:
        self.sent = 0
        self.received = 0
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
        """Open the connection. Errors: Ended."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(self._socket, (address, port))
        except OSError as error:
            raise Ended(_connect_reason(error), error.strerror or str(error)) from None

    async def send(self, data: bytes) -> None:
        """Send all. Errors: ConnectionError as it comes, since an alert may wait behind it."""
        assert self._socket is not None
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
        self.sent += len(data)

    async def receive(self) -> bytes:
        """What the peer sent next; empty at its end. Errors: Ended, ConnectionError."""
        assert self._socket is not None
        data = await asyncio.get_running_loop().sock_recv(self._socket, CHUNK)
        self.received += len(data)
        if self.received > self._max_bytes:
            raise Ended(Reason.TOO_MUCH_DATA, f"{self.received} bytes")
        return data

    def drain(self) -> bytes:
        """What already lies in the socket: after a reset, the alert that explains it."""
        assert self._socket is not None
        found = bytearray()
        while len(found) < CHUNK:
            try:
                data = self._socket.recv(CHUNK)
            except OSError:
                break
            if not data:
                break
            found += data
        self.received += len(found)
        return bytes(found)

    def abort(self) -> None:
        """Close at once, without lingering."""
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _connect_reason(error: OSError) -> Reason:
    if isinstance(error, ConnectionRefusedError):
        return Reason.REFUSED
    if isinstance(error, (TimeoutError,)) or error.errno == errno.ETIMEDOUT:
        return Reason.TIMEOUT
    if error.errno in _UNREACHABLE:
        return Reason.UNREACHABLE
    return Reason.RESET if isinstance(error, ConnectionError) else Reason.UNREACHABLE
