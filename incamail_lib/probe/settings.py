"""How a probe behaves: its name, its limits, what it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from incamail_lib.certificate import Credential
from incamail_lib.facts.smtp import Purpose

Backend = Literal["pyopenssl", "ssl"]


@dataclass(frozen=True)
class Limits:
    """Bounds of one connection, and of all connections to one address; seconds and bytes.

    RFC 5321 §4.5.3.2.1 grants the greeting five minutes; servers that delay it on purpose
    (postscreen, anti-spam) rarely take more than 20 s, so 30 s is fair to both sides.
    """

    connect_s: float = 10.0
    greeting_s: float = 30.0
    reply_s: float = 20.0
    handshake_s: float = 20.0
    goodbye_s: float = 2.0  # waiting for the answer to QUIT is a courtesy
    total_s: float = 75.0
    address_s: float = 300.0  # after that no further connection is begun, and none goes on
    max_bytes: int = 262_144

    @classmethod
    def within(cls, longest_s: float) -> Limits:
        """The usual limits, none longer than `longest_s` for one answer."""
        usual = cls()
        return cls(
            connect_s=min(usual.connect_s, longest_s),
            greeting_s=longest_s,
            reply_s=min(usual.reply_s, longest_s),
            handshake_s=min(usual.handshake_s, longest_s),
            goodbye_s=min(usual.goodbye_s, longest_s),
            total_s=longest_s * 2.5,
            address_s=longest_s * 10,
        )

    def at_most(self, left_s: float) -> Limits:
        """These limits for a connection that has only `left_s` seconds left."""
        return self if left_s >= self.total_s else replace(self, total_s=left_s)


@dataclass(frozen=True)
class ProbeSettings:
    """What to ask one endpoint, and how."""

    ehlo_name: str  # "" for the address that the peer sees, as a literal (RFC 5321 §4.1.3)
    limits: Limits = Limits()
    purposes: frozenset[Purpose] = frozenset(Purpose)
    backend: Backend = "pyopenssl"
    foreign: Credential | None = field(default=None, repr=False)
    # The control with another type of key, made only for a server that does not take the first.
    foreign_rsa: Callable[[], Credential] | None = field(default=None, repr=False)
    ask_mail: bool = True  # MAIL FROM:<>, then RSET: the demand for a certificate in SMTP
    ask_postmaster: str = ""  # domain whose postmaster is named in RCPT after MAIL; "" for none
