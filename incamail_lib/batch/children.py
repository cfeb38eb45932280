"""Where the process of a notebook comes from: the warm process, or a fork of this very one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from incamail_lib.forked.channel import Channel
from incamail_lib.forked.processes import end, fork, kill_strays
from incamail_lib.forked.warm import shared

PRELOAD = "incamail_lib.batch.warming:warm"
_SERVE = "incamail_lib.forked.kernel:serve"
Opened = Callable[[], AbstractContextManager[Channel]]
"""A context of a connection; when it is left, the process ends with all that it started."""


@contextmanager
def from_warm() -> Iterator[Channel]:
    """A child of the warm process that all notebooks of this process share."""
    channel = shared(PRELOAD).call(_SERVE)
    try:
        yield channel
    finally:
        channel.close()


@contextmanager
def directly() -> Iterator[Channel]:
    """A child of this very process, which has but one thread."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            child = fork(lambda: _serve(theirs), keep=(theirs.fileno(),))
        try:
            yield Channel(ours)
        finally:
            end(child)
            kill_strays(())


def _serve(connection: socket.socket) -> None:
    from incamail_lib.forked.kernel import serve  # late: ipykernel

    serve(Channel(connection))
