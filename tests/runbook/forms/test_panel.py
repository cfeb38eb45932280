"""The widget of all forms: events come from any thread, and not always in their order."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from incamail_lib.runbook.forms.panel import Panel


def test_one_event_at_a_time_is_dealt_with() -> None:
    """JupyterLab sends the first to the main thread and those after it to one of their own."""
    inside, most = 0, 0
    counting = threading.Lock()

    def told(_: dict[str, Any]) -> None:
        nonlocal inside, most
        with counting:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)
        with counting:
            inside -= 1

    panels = [Panel(told, "lost") for _ in range(2)]

    def hear(number: int) -> None:
        panels[number % 2]._heard(None, {"field": str(number), "number": number}, [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hear, range(1, 13)))
    assert most == 1
    assert {panel.seen for panel in panels} == {11, 12}


def test_what_was_entered_later_stays() -> None:
    """Of one field; another field's event is taken whenever it comes."""
    heard: list[tuple[str, str]] = []
    panel = Panel(lambda m: heard.append((m["field"], m["value"])), "lost")
    for field, value, number in (("a", "new", 9), ("a", "old", 8), ("b", "other", 7)):
        panel._heard(None, {"field": field, "value": value, "number": number}, [])
    assert heard == [("a", "new"), ("b", "other")]
    assert panel.seen == 9
