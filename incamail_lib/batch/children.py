"""Where the process of a notebook comes from: a warm process of ours, or the one we come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from incamail_lib.forked.channel import Channel
from incamail_lib.forked.sibling import Sibling
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


class Beside:
    """Children of the warm process that this one is a child of, and what they spent."""

    def __init__(self) -> None:
        self.cpu_s = 0.0

    @contextmanager
    def opened(self) -> Iterator[Channel]:
        """One more child."""
        sibling = Sibling(_SERVE)
        try:
            yield sibling.channel
        finally:
            self.cpu_s += sibling.end()
