"""A handshake watched step by step: where the verdict on the client's certificate comes."""

from __future__ import annotations

import datetime as dt

import pytest

from incamail_lib.course.handshake import Step, steps
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import Version

NOW = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
SHOWN = (Step.HELLO, Step.SERVER, Step.CLIENT)


@pytest.mark.parametrize("variant", [Variant.EXOTIC, Variant.SELF_SIGNED, Variant.SERVER])
def test_the_refusal_comes_late_in_the_newer_version(variant: Variant) -> None:
    """In TLS 1.3 the client is done before it is judged; in TLS 1.2 it never is."""
    assert steps(NOW, variant, Version.TLS_1_3) == (*SHOWN, Step.DONE, Step.VERDICT)
    assert steps(NOW, variant, Version.TLS_1_2) == (*SHOWN, Step.VERDICT)


@pytest.mark.parametrize("version", [Version.TLS_1_2, Version.TLS_1_3])
def test_who_is_let_in_sees_no_verdict(version: Version) -> None:
    """The handshake becomes complete, and no alert follows."""
    assert steps(NOW, Variant.BOTH, version) == (*SHOWN, Step.DONE)
