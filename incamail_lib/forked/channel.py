"""Values as lines of JSON over a socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

Message = dict[str, Any]
_CHUNK = 1 << 16


class Channel:
    """One end of a stream socket. Sending is whole even from several threads."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._came = bytearray()
        self._waiting: list[Message] = []
        self._one_at_a_time = threading.Lock()

    def send(self, message: Message, *, default: Any = None) -> None:
        """Send one value; `default` tells JSON what it does not know. Errors: OSError."""
        line = json.dumps(message, default=default, ensure_ascii=False, allow_nan=True)
        # A lone surrogate is legal in a string of Python's and comes through as it is.
        data = line.encode("utf-8", "surrogatepass") + b"\n"
        with self._one_at_a_time:
            self.socket.sendall(data)

    def receive(self) -> Message | None:
        """The next value; None when the other end is closed. Errors: OSError."""
        while True:
            self._waiting += self.take()
            if self._waiting:
                return self._waiting.pop(0)
            data = self.socket.recv(_CHUNK)
            if not data:
                return None
            self.feed(data)

    def feed(self, data: bytes) -> None:
        """Add what was received elsewhere."""
        self._came += data

    def take(self) -> Iterator[Message]:
        """The values that are complete and not yet received.

        Half a line, as a killed child leaves it, is none.
        """
        earlier, self._waiting = self._waiting, []
        yield from earlier
        *lines, rest = self._came.split(b"\n")
        self._came = rest
        for line in lines:
            with suppress(ValueError):
                yield json.loads(line.decode("utf-8", "surrogatepass"))

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
