"""What children of a warm process do in `test_sibling`."""

from __future__ import annotations

import os
import time

from incamail_lib.forked.channel import Channel
from incamail_lib.forked.sibling import Sibling


def nothing() -> None:
    """Preload it."""


def asks(channel: Channel) -> None:
    """Ask for siblings, one for each name that comes; tell what they say, and what they took."""
    while (asked := channel.receive()) is not None:
        one = Sibling(asked["function"])
        said = one.channel.receive()
        channel.send({"said": said, "cpu_s": one.end(), "children": _children()})


def works(channel: Channel) -> None:
    """Spend some time, leave a program behind in a session of its own, and never end."""
    left = os.fork()
    if not left:
        os.setsid()
        time.sleep(600)
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    channel.send({"pid": os.getpid(), "left": left})
    time.sleep(600)


def dies(_channel: Channel) -> None:
    """End badly."""
    os._exit(3)


def asks_on(channel: Channel) -> None:
    """A child that a child asked for has nobody to ask."""
    try:
        Sibling("forked.asking:dies")
    except OSError as error:
        channel.send({"refused": type(error).__name__})


def _children() -> int:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:
        return len(listed.read().split())
