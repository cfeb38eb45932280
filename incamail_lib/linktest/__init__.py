"""The link test of guide 8.3: compose test messages, keep them, send them on explicit consent.

compose (messages, routed before anything else) · server (where and how they are handed over) ·
consent · sending (the dialogue; every outcome a fact) · words (a delivery told to people).
"""

from incamail_lib.linktest.compose import SUBJECTS, TestMessage, compose, compose_all, guard, save
from incamail_lib.linktest.consent import Consent
from incamail_lib.linktest.sending import send
from incamail_lib.linktest.server import Mta, SendLimits, TlsUse
from incamail_lib.linktest.words import delivery_text

__all__ = [
    "SUBJECTS",
    "Consent",
    "Mta",
    "SendLimits",
    "TestMessage",
    "TlsUse",
    "compose",
    "compose_all",
    "delivery_text",
    "guard",
    "save",
    "send",
]
