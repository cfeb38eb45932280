"""What arrived, as pure values: when, from, to, subject, by which hand-overs, over TLS or not."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass, field

from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop
from incamail_lib.printable import printable
from incamail_lib.routing.received import read_hops

_MOST = 1000  # messages that are kept
_MOST_BYTES = 100_000_000  # and how long they are together: who sends more, loses the oldest


@dataclass(frozen=True)
class Arrival:
    """One message in a mailbox."""

    at: dt.datetime
    sender: str  # of the envelope
    recipient: str  # whose mailbox it is
    subject: str
    message_id: str
    hops: tuple[Hop, ...]  # the newest first, as its Received lines tell them
    content: bytes = field(repr=False)

    @property
    def encrypted(self) -> bool:
        """Whether every hand-over on its way was encrypted."""
        return bool(self.hops) and all(hop.encrypted is Answer.YES for hop in self.hops)

    @property
    def way(self) -> tuple[str, ...]:
        """The servers it came through, in their order."""
        return tuple(hop.by for hop in reversed(self.hops))


class Mailboxes:
    """Every mailbox behind the servers of one lab."""

    def __init__(self, heard: Callable[[Arrival], None] = lambda _: None) -> None:
        self._arrived: list[Arrival] = []
        self._heard = heard

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """All that arrived, in order."""
        return tuple(self._arrived)

    def of(self, message_id: str) -> tuple[Arrival, ...]:
        """Where one message arrived; () where it has not."""
        return tuple(a for a in self._arrived if a.message_id == message_id)

    def put(self, content: bytes, *, sender: str, recipient: str, at: dt.datetime) -> None:
        """Deliver a message into the mailbox of `recipient`."""
        subject = _header(content, "Subject")
        made = Arrival(
            at=at,
            sender=printable(sender, 320),
            recipient=printable(recipient, 320),
            subject=printable(subject, 1000),
            message_id=message_id_of(content),
            hops=read_hops(content, "").hops,
            content=content,
        )
        self._arrived = [*self._arrived, made][-_MOST:]
        while sum(len(a.content) for a in self._arrived[:-1]) > _MOST_BYTES:
            del self._arrived[0]
        self._heard(made)


def message_id_of(content: bytes) -> str:
    """The Message-ID of a message; "" without one."""
    return printable(_header(content, "Message-ID").strip(), 1000)


def _header(content: bytes, name: str) -> str:
    parsed = email.message_from_bytes(content, policy=email.policy.compat32)
    return str(parsed.get(name, ""))
