"""The facts of every gateway of the lab are those of the recording: speed changes none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from probe.recording import plans, probe_all, recorded, told

from incamail_lib.lab.plan import GatewayPlan, StarttlsPlan

TRIES = 4


def seen(named: dict[str, GatewayPlan]) -> dict[str, object]:
    return {name: told(found) for name, found in asyncio.run(probe_all(named)).items()}


def test_every_gateway_is_told_as_it_was() -> None:
    """Each connection, each exchange, each verdict; times, bytes and the library's words aside.

    A busy machine may turn a close into a reset or let a limit pass: what differs is played again.
    """
    before, left = recorded(), plans()
    assert before.keys() == left.keys()
    for _ in range(TRIES):
        now = seen(left)
        left = {name: plan for name, plan in left.items() if now[name] != before[name]}
    assert list(left) == []


def test_another_answer_would_be_noticed() -> None:
    """One other reply in one exchange is enough."""
    name = "sound receiving"
    other = replace(plans()[name], starttls=StarttlsPlan(reply="220 2.0.0 go"))
    assert seen({name: other})[name] != recorded()[name]
