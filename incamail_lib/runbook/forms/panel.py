"""The one widget of the runbook: HTML of ours that tells what is entered and pressed in it.

What is typed comes as a message and is never a widget's value: such values are kept and sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from incamail_lib.sheets.style import notebook_style

_HERE = Path(__file__).parent
# JupyterLab sends events to a thread of their own as soon as the kernel has made one, and to the
# main thread until then: two that follow each other closely can arrive at once, or turned round.
_ONE_AT_A_TIME = threading.RLock()


class Panel(anywidget.AnyWidget):
    """A form in the browser; `told` is called with each event of it."""

    _esm = (_HERE / "panel.js").read_text(encoding="utf-8")
    _css = notebook_style() + (_HERE / "panel.css").read_text(encoding="utf-8")
    content = traitlets.Unicode().tag(sync=True)
    lost = traitlets.Unicode().tag(sync=True)  # what is said when nothing answers
    seen = traitlets.Int().tag(sync=True)  # the last event that was dealt with

    def __init__(self, told: Callable[[dict[str, Any]], None], lost: str) -> None:
        super().__init__(lost=lost)
        self._told = told
        self._newest: dict[str, int] = {}  # by field: the last event that was dealt with
        self.on_msg(self._heard)

    def _heard(self, _: object, message: dict[str, Any], __: object) -> None:
        number, field = int(message.get("number", 0)), str(message.get("field", ""))
        with _ONE_AT_A_TIME, self.hold_sync():
            if field and number < self._newest.get(field, 0):
                return
            self._newest[field] = number
            try:
                self._told(message)
            finally:
                self.seen = max(self.seen, number)

    def hand_over(self, name: str, data: bytes) -> None:
        """Give a file to whoever sits before the browser."""
        self.send({"file": name}, buffers=[data])
