"""Routing: what a rule set does with a message. Pure; no DNS, no SMTP."""

from incamail_lib.routing.classify import classify, validate_rules
from incamail_lib.routing.hazards import HAZARDS, HazardKind
from incamail_lib.routing.message import classify_message
from incamail_lib.routing.samples import standard_samples

__all__ = [
    "HAZARDS",
    "HazardKind",
    "classify",
    "classify_message",
    "standard_samples",
    "validate_rules",
]
