"""Where the children of a warm process ask it for something: a socket that a fork inherits."""

from __future__ import annotations

import socket


class Way:
    """One such place; there is none before `lead_to` and after `forget`."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None

    def lead_to(self, way: socket.socket) -> int:
        """Let the forks of this process ask behind `way`; the file that they keep open."""
        self.socket = way
        return way.fileno()

    def forget(self) -> None:
        """From now on this process has nobody to ask. The file is closed here, and not behind the
        back of the socket that has it: its number would soon be another file's."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None
