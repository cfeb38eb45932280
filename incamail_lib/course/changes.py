"""What an administrator may change in a broken lab: from one scenario to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from incamail_lib.course.exercises import Change
from incamail_lib.facts.routing import RuleSet
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import Arrangement, Twist


def gateway(twist: Twist) -> Change:
    """The client's receiving gateway, set up in another way."""
    return lambda scenario: replace(scenario, gateways=(twist,))


def rules(made: RuleSet) -> Change:
    """Another routing rule."""
    return lambda scenario: replace(scenario, rules=made)


def certificate(variant: Variant, arrangement: Arrangement = Arrangement.WHOLE) -> Change:
    """Another file with the certificate for sending."""
    return sending(sending_certificate=variant, sending_arrangement=arrangement)


def sending(**parts: Any) -> Change:
    """Other parts of what the scenario says about the sending gateway."""
    return lambda scenario: replace(scenario, **parts)


def no_change() -> Change:
    """Something that changes nothing of what is broken."""
    return lambda scenario: scenario
