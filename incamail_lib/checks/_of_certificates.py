"""The checks of certificates alone: whoever judges a file waits for no others to be loaded."""

from __future__ import annotations

from typing import Any

from incamail_lib.checks import (
    certificate_client,
    certificate_issue,
    certificate_sent,
    certificate_server,
)
from incamail_lib.checks._core import REGISTRY, Check

FAMILY = "CERT"
# Where they are declared; a test holds that this is all of them.
_DECLARED_IN = (certificate_client, certificate_issue, certificate_sent, certificate_server)


def certificate_checks() -> tuple[Check[Any], ...]:
    """Those of the family CERT, by code."""
    return REGISTRY.ordered(FAMILY)
