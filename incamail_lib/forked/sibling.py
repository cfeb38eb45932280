"""A child of the warm process asks it for another one: clean as it was itself, and no child of its.

child that does our work ── name, two files ──▶ warm process ── forks ──▶ child that runs theirs
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress

from incamail_lib.forked.channel import Channel
from incamail_lib.forked.way import Way

_LONGEST_S = 60.0  # for the warm process to end what was asked for

WAY = Way()


class Sibling:
    """One child that was asked for: "module:function" with the other end of `channel`."""

    def __init__(self, function: str) -> None:
        """Errors: OSError, also where this is no such child."""
        if WAY.socket is None:
            raise ConnectionError
        ours, theirs = socket.socketpair()
        self._witness, told = socket.socketpair()
        self.channel = Channel(ours)
        with theirs, told:
            try:
                handles = [theirs.fileno(), told.fileno()]
                socket.send_fds(WAY.socket, [json.dumps(function).encode()], handles)
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
