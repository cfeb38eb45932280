"""What is done to whom only on wish: decided in the plan, before any packet is sent."""

from __future__ import annotations

import pytest

from incamail_lib.audit import plan
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.model import Network
from incamail_lib.facts.smtp import Purpose


def dossier(platform: str, *, wish: bool) -> Dossier:
    network = Network(ehlo_name="probe.example", show_foreign_certificate=wish)
    return Dossier(
        organisation="X",
        domains=("x.example",),
        platform=platform,
        network=network,
    )


@pytest.mark.parametrize(
    ("platform", "wish", "shown"),
    [("incamail", False, False), ("incamail", True, True), ("lab", False, True)],
)
def test_a_strangers_certificate_is_shown_to_incamail_on_wish_only(
    platform: str, wish: bool, shown: bool
) -> None:
    """The lab is nobody's production; the client's own gateways are his to test."""
    planned = plan(dossier(platform, wish=wish))
    assert (Purpose.FOREIGN_CERTIFICATE in planned.platform_purposes) is shown
    assert Purpose.FOREIGN_CERTIFICATE in planned.receiving_purposes
    assert Purpose.SURVEY in planned.platform_purposes
