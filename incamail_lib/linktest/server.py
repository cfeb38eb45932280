"""The client's own server that takes the test message, and how it is spoken to."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from incamail_lib.errors import MaterialError, UsageError, reason
from incamail_lib.facts.delivery import TlsUse
from incamail_lib.i18n import say
from incamail_lib.reach import Reach

PASSWORD_VARIABLE = "INCAMAIL_SMTP_PASSWORD"  # noqa: S105 - where it stands
_NAME = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class SendLimits:
    """Bounds of one hand-over, in seconds. RFC 5321 §4.5.3.2 grants minutes; a person waits."""

    connect_s: float = 10.0
    reply_s: float = 60.0
    total_s: float = 180.0


@dataclass(frozen=True)
class Mta:
    """One server. `password` is asked for only inside TLS and kept nowhere.

    `name` is what the certificate must prove (default: `host`); `roots` a PEM file that is
    believed in place of the system's store; `verify` False only by the operator's own decision.
    Errors: UsageError for what cannot work.
    """

    host: str
    port: int = 25
    starttls: TlsUse = TlsUse.REQUIRED
    user: str = field(default="", repr=False)
    password: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    name: str = ""
    ehlo_name: str = ""  # default: the sender's domain
    roots: Path | None = None
    verify: bool = True
    only_here: bool = False  # a dossier on the lab: nothing leaves this computer

    def __post_init__(self) -> None:
        names = (self.host, self.name or self.host, self.ehlo_name or self.host)
        if not all(_is_host(name) for name in names):
            raise UsageError(
                say("The mail server's name «{host}» is not a host name.", host=self.host[:100])
            )
        if not 1 <= self.port <= 65535:
            raise UsageError(
                say("The mail server's port {port} is not between 1 and 65535.", port=self.port)
            )
        if self.only_here and not _is_here(self.host):
            raise UsageError(
                say(
                    "This dossier is on the lab, which never leaves this computer: give 127.0.0.1 "
                    "or ::1 as mail server, not «{host}».",
                    host=self.host[:100],
                )
            )
        if bool(self.user) != (self.password is not None):
            raise UsageError(
                say("A login at the mail server needs both a user and a password; give both.")
            )
        if self.user and self.starttls is TlsUse.OFF:
            raise UsageError(
                say(
                    "A login in clear would give the password away. Switch STARTTLS on for the "
                    "mail server, or send without a login."
                )
            )

    @property
    def label(self) -> str:
        """How the server is named in facts, e.g. "mail.muster.example:587"."""
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer; chain and name are verified unless the operator decided otherwise.

        Errors: MaterialError for a file of roots that cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.roots)
        except (OSError, ssl.SSLError) as error:
            raise MaterialError(
                say(
                    "The trust store {file} cannot be used ({cause}). Give a PEM file with the "
                    "root certificates of the mail server's authority.",
                    file=str(self.roots),
                    cause=reason(error),
                )
            ) from None
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _is_here(host: str) -> bool:
    """Whether it is an address of this very machine; a name may lead anywhere."""
    try:
        return Reach(only_here=True).allows(host)
    except ValueError:
        return False


def _is_host(name: str) -> bool:
    """Whether it is a host name in A-label form or an IP address."""
    if _NAME.fullmatch(name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
