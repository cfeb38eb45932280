"""Test messages (guide 8.3, and an HTML attachment): compose, keep, send on explicit consent.

compose (messages, routed before anything else) · html_attachment (ordinary mail from outside) ·
incoming (as from IncaMail, for the lab) · server (where and how they are handed over) · consent ·
sending (on consent) · handing (the dialogue; every outcome a fact) · trouble (what stopped it, and
what helps) · words (for people).
"""

from incamail_lib.facts.delivery import TlsUse
from incamail_lib.linktest.compose import SUBJECTS, TestMessage, compose, compose_all, guard, save
from incamail_lib.linktest.consent import Consent
from incamail_lib.linktest.html_attachment import compose_html
from incamail_lib.linktest.incoming import compose_incoming
from incamail_lib.linktest.sending import send
from incamail_lib.linktest.server import Mta, SendLimits
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
    "compose_html",
    "compose_incoming",
    "delivery_text",
    "guard",
    "save",
    "send",
]
