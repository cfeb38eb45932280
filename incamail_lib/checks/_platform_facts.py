"""How much a finding may weigh that rests on a fact about the platform."""

from __future__ import annotations

from typing import Any

from incamail_lib.checks._core import Context
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Level
from incamail_lib.guide import Certainty, PlatformGateway, Sourced


def is_sure(fact: Sourced[Any] | PlatformGateway) -> bool:
    """Whether a fact has a source that states it, in place of an inference or a guess."""
    return fact.certainty in (Certainty.PRIMARY, Certainty.SECONDARY)


def level_by(fact: Sourced[tuple[str, ...]], endpoint: EndpointFacts) -> Level:
    """How much it weighs that a certificate differs from what is known of the platform.

    While that is a guess, a certificate that your own stores trust is a question, no verdict.
    """
    trusted = any(t.trusted.is_yes for t in endpoint.trust)
    return Level.REQUIRED if is_sure(fact) or not trusted else Level.RECOMMENDED


def level_of_host(endpoint: EndpointFacts, context: Context) -> Level:
    """How much it weighs what is amiss at a host of which it may only be guessed that it is the
    platform's."""
    platform = context.facts.platform
    host = endpoint.target.host
    named: list[Sourced[str] | PlatformGateway] = [g for g in platform.gateways if g.host == host]
    named += [platform.smart_host] if platform.smart_host.value == host else []
    guessed = bool(named) and not any(is_sure(fact) for fact in named)
    return Level.RECOMMENDED if guessed else Level.REQUIRED
