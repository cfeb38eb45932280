"""How many drawn inputs a test tries: few each time, many with `make fuzz`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("INCAMAIL_FUZZ", "1"))


def examples(usual: int) -> int:
    """The usual number, or that many times more."""
    return usual * TIMES
