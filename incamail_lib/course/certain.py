"""What an answer rests on, and that it was really seen: a busy computer makes no answer wrong."""

from __future__ import annotations

from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.findings import Finding
from incamail_lib.lab import Scenario


def failing(bench: Bench, scenario: Scenario, *codes: str) -> dict[str, Finding]:
    """What fails in the scenario, by code. Errors: NotMeasured where one of `codes`, which fail in
    it, was not seen to: the lab could not be measured to the end."""
    found = bench.failing(scenario)
    if not set(codes) <= set(found):
        raise NotMeasured
    return found
