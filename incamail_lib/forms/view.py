"""One object, two views: a live widget at the desk, static HTML for report, print and diff."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import ipywidgets as widgets

from incamail_lib.i18n import Language
from incamail_lib.report.chapters import fragment
from incamail_lib.report.plain import plain_text
from incamail_lib.report.style import chapter_style

WIDGET = "application/vnd.jupyter.widget-view+json"


class View(ABC):
    """What a cell of a phase notebook shows."""

    key = ""

    def __init__(self, language: Language, *, interactive: bool) -> None:
        self.language: Language = language
        self.interactive = interactive

    @abstractmethod
    def static(self) -> str:
        """The content as HTML, made anew from the dossier each time."""

    def build(self) -> widgets.Widget:
        """The widget; without one of its own, the static content."""
        return html(self.framed())

    @cached_property
    def widget(self) -> widgets.Widget:
        """The one widget of this object."""
        return self.build()

    def framed(self) -> str:
        """The static content with style and language."""
        return chapter_style() + fragment(self.static(), self.key, self.language)

    def __str__(self) -> str:
        return plain_text(self.framed())

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """HTML and text always; the widget beside them where somebody can use it."""
        framed = self.framed()
        data: dict[str, Any] = {"text/html": framed, "text/plain": plain_text(framed)}
        if self.interactive:
            data[WIDGET] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.widget.model_id,
            }
        return data, {"incamail": {"key": self.key}}


def html(content: str = "") -> widgets.HTML:
    """A passive piece of HTML."""
    return widgets.HTML(value=content, layout=widgets.Layout(width="100%"))


def column(*children: widgets.Widget) -> widgets.VBox:
    """Widgets below each other, as wide as the page allows."""
    return widgets.VBox(children, layout=widgets.Layout(width="100%", max_width="60rem"))


def row(*children: widgets.Widget) -> widgets.HBox:
    """Widgets beside each other; they wrap on a narrow screen."""
    return widgets.HBox(
        children, layout=widgets.Layout(width="100%", max_width="60rem", flex_flow="row wrap")
    )


LABEL = {"description_width": "9rem"}


def wide() -> widgets.Layout:
    """As wide as a line is legible. A layout of its own each time: a shared one is hidden for
    all when one is."""
    return widgets.Layout(width="98%", max_width="58rem")


def half() -> widgets.Layout:
    """Two beside each other."""
    return widgets.Layout(width="48%", min_width="20rem")
