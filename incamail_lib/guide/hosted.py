"""Who hosts a mail exchanger, by its name."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from incamail_lib.guide.platform import Certainty
from incamail_lib.record import Record


class HostedGateway(Record):
    """A provider and the host names it is known by; `mailbox` means it hosts the mail too."""

    provider: str
    kind: Literal["gateway", "mailbox"]
    suffixes: tuple[str, ...]
    source: str
    certainty: Certainty = Certainty.SECONDARY


@cache
def hosted_gateways() -> tuple[HostedGateway, ...]:
    """All providers known."""
    text = Path(__file__).with_name("hosted_gateways.toml").read_text(encoding="utf-8")
    return tuple(HostedGateway.model_validate(entry) for entry in tomllib.loads(text)["gateway"])


def hosted_by(host: str) -> HostedGateway | None:
    """The provider that a mail exchanger belongs to; None for one's own, or an unknown one."""
    name = host.rstrip(".").lower()
    for provider in hosted_gateways():
        if any(name == s or name.endswith(f".{s}") for s in provider.suffixes):
            return provider
    return None
