"""A child of the warm process asks it for another one: clean as it was itself, and no child of its.

child that does our work ── name, two files ──▶ warm process ── forks ──▶ child that runs theirs
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress

from incamail_lib.forked.channel import Channel

_LONGEST_S = 60.0  # for the warm process to end what was asked for

_way: socket.socket | None = None


def lead_to(way: socket.socket) -> int:
    """Let children of this process ask it behind `way`; the file that they keep open."""
    global _way  # noqa: PLW0603 – what a fork inherits is what this process has
    _way = way
    return way.fileno()


def forget() -> None:
    """From now on this process has nobody to ask. Its file is closed here, and not behind the back
    of the socket that has it: the number would soon be another file's."""
    global _way  # noqa: PLW0603 – as above
    if _way is not None:
        _way.close()
    _way = None


class Sibling:
    """One child that was asked for: "module:function" with the other end of `channel`."""

    def __init__(self, function: str) -> None:
        """Errors: OSError, also where this is no such child."""
        if _way is None:
            raise ConnectionError
        ours, theirs = socket.socketpair()
        self._witness, told = socket.socketpair()
        self.channel = Channel(ours)
        with theirs, told:
            try:
                handles = [theirs.fileno(), told.fileno()]
                socket.send_fds(_way, [json.dumps(function).encode()], handles)
            except OSError:
                self.channel.close()
                self._witness.close()
                raise

    def end(self) -> float:
        """End it with all that it started, and wait for that; the seconds of processor it took."""
        self.channel.close()
        with self._witness, suppress(OSError):
            self._witness.settimeout(_LONGEST_S)
            last = Channel(self._witness).receive()
            return float(last["cpu_s"]) if last else 0.0
        return 0.0
