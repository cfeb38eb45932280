"""One message that a server of the lab took, and who decides whether it takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One message that the gateway took."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    in_tls: bool
    client: str  # subject of the client certificate, RFC 4514; "" without one
    helo: str = ""  # how the client called itself
    tls_version: str = ""


Taker = Callable[[Message], str]
"""What becomes of a message: "" when it is taken, else the reply that refuses it."""


def keeps(_: Message) -> str:
    """Every message is taken, and lies where it is."""
    return ""
