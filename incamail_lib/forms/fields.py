"""Plain fields of the dossier as a form: one row a field, saved when it is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ipywidgets as widgets

from incamail_lib.dossier import Dossier
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import LABEL, View, column, html, wide
from incamail_lib.i18n import N_, Text
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

Kind = Literal["line", "lines", "date", "choice", "yes_no"]


@dataclass(frozen=True)
class Field:
    """One field: where it stands in the dossier, its label, and what may be entered."""

    path: tuple[str, ...]
    label: str  # English source text
    kind: Kind = "line"
    options: tuple[tuple[str, str], ...] = ()  # value and label of each choice
    read: Callable[[Any], str] | None = None  # how entries of a list are written as lines
    write: Callable[[str], Any] | None = None  # and read back


def value_at(dossier: Dossier, path: Sequence[str]) -> Any:
    """The value that stands at `path`, as plain data; None where nothing does."""
    value: Any = dossier.model_dump(mode="json", by_alias=True)
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


class Fields(View):
    """Some fields of the dossier."""

    key = "fields"

    def __init__(self, desk: Desk, fields: Sequence[Field]) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk, self._fields = desk, tuple(fields)
        self._quiet = False
        self.inputs: dict[tuple[str, ...], widgets.ValueWidget] = {}

    def static(self) -> str:
        """Labels and values as a table."""
        tell = voice(self.language)
        rows = [(tell.gettext(f.label), self._shown(f)) for f in self._fields]
        return render("fields", self.language, rows=rows)

    def _shown(self, field: Field) -> str:
        tell = voice(self.language)
        value = value_at(self._desk.dossier, field.path)
        if value is None or value in ("", []):
            return ""
        if field.kind == "yes_no":
            return tell.gettext(N_("yes") if value else N_("no"))
        if field.kind == "choice":
            return tell.gettext(dict(field.options).get(str(value), str(value)))
        if field.kind == "date":
            return tell.day(dt.date.fromisoformat(str(value)))
        return ", ".join(self._lines(field, value)) if field.kind == "lines" else str(value)

    def _lines(self, field: Field, value: Any) -> list[str]:
        read = field.read or str
        return [read(entry) for entry in value or ()]

    def build(self) -> widgets.Widget:
        """An input for each field, and a line that says whether it was saved."""
        self.status = html()
        for field in self._fields:
            made = self._input(field)
            self.inputs[field.path] = made
            made.observe(self._writer(field), "value")
        self.show()
        self._desk.listen(self.show)
        return column(*self.inputs.values(), self.status)

    def _input(self, field: Field) -> widgets.ValueWidget:
        tell = voice(self.language).gettext
        common: dict[str, Any] = {
            "description": tell(field.label),
            "style": {"description_width": "20rem"},
            "layout": wide(),
        }
        if field.kind == "date":
            return widgets.DatePicker(**common)
        if field.kind == "yes_no":
            return widgets.Checkbox(**{**common, "style": LABEL, "indent": True})
        if field.kind == "choice":
            options = [(tell(label), value) for value, label in field.options]
            return widgets.Dropdown(options=options, **common)
        if field.kind == "lines":
            return widgets.Textarea(rows=3, continuous_update=False, **common)
        return widgets.Text(continuous_update=False, **common)

    def show(self) -> None:
        """Show what the dossier holds now."""
        self._quiet = True
        for field in self._fields:
            self.inputs[field.path].value = self._entered(field)
        self._quiet = False

    def _entered(self, field: Field) -> Any:
        value = value_at(self._desk.dossier, field.path)
        if field.kind == "date":
            return dt.date.fromisoformat(value) if value else None
        if field.kind == "yes_no":
            return bool(value)
        if field.kind == "lines":
            return "\n".join(self._lines(field, value))
        known = [option for option, _ in field.options]
        return "" if value is None else str(value) if not known or value in known else known[0]

    def _writer(self, field: Field) -> Callable[[dict[str, Any]], None]:
        def write(change: dict[str, Any]) -> None:
            if self._quiet:
                return
            self._report(self._desk.put(field.path, _given(field, change["new"])))
            self._desk.tell()

        return write

    def _report(self, problem: Text | None) -> None:
        tell = voice(self.language)
        text = tell.told(problem) if problem else tell.gettext("Saved.")
        self.status.value = render("status", self.language, text=text)


def _given(field: Field, entered: Any) -> Any:
    if isinstance(entered, dt.date):
        return entered.isoformat()
    if field.kind == "lines":
        lines = [line.strip() for line in str(entered).splitlines() if line.strip()]
        return [field.write(line) for line in lines] if field.write else lines
    return entered if entered not in ("", None) else None
