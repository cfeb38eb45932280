"""What the checks of the DNS share: names as people write them, and how silence is told."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.checks._core import Result, unknown
from incamail_lib.checks.words import status_text
from incamail_lib.facts.dns import DnsAnswer
from incamail_lib.i18n import say


def shown(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people write them, without the dot of the root."""
    return tuple(name.rstrip(".") for name in names)


def no_answer(answer: DnsAnswer) -> Result:
    """The DNS gave no usable answer: unknown, never "there is none"."""
    return unknown(
        say(
            "The look-up of {kind} for {name} gave no answer: {status}.",
            kind=answer.type,
            name=answer.name,
            status=status_text(answer.status),
        )
    )
