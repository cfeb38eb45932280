"""Short words for declaring scenarios."""

from __future__ import annotations

from incamail_lib.findings import Verdict

READY = Verdict.READY
NOT_READY = Verdict.NOT_READY
INCONCLUSIVE = Verdict.INCONCLUSIVE


def codes(text: str = "") -> frozenset[str]:
    """Check codes separated by spaces."""
    return frozenset(text.split())
