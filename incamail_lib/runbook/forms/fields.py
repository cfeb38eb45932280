"""Fields of the dossier as inputs: what stands there, and what is written when one is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from incamail_lib.i18n import N_, Text, say
from incamail_lib.routing.address import parse_address
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Input, Kind, Part, Row, Width
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.language import formatter

FieldKind = Literal["line", "email", "number", "text", "lines", "date", "choice", "yes_no"]
_KINDS: dict[FieldKind, Kind] = {"lines": "text", "yes_no": "tick"}


@dataclass(frozen=True)
class Field:
    """One field: where it stands in the dossier, its label, and what may be entered."""

    path: tuple[str, ...]
    label: str  # English source text
    kind: FieldKind = "line"
    options: tuple[tuple[str, str], ...] = ()  # value and label of each choice
    read: Callable[[Any], str] | None = None  # how a value, or each entry of a list, is shown
    write: Callable[[str], Any] | None = None  # and read back
    hint: str = ""
    width: Width = "full"

    @property
    def name(self) -> str:
        """What its input is called."""
        return "/".join(self.path)


def confirmed(name: str) -> dict[str, Any]:
    """Who says so, as of today."""
    return {"by": name, "on": dt.datetime.now(dt.UTC).date().isoformat()}


class Fields(Form):
    """Some fields of the dossier; with a `title` one line that opens, which shows the first two."""

    key = "fields"

    def __init__(self, session: Session, fields: Sequence[Field], title: str = "") -> None:
        super().__init__(session)
        self._fields = {field.name: field for field in fields}
        self._title = title

    def parts(self) -> Sequence[Part]:
        """An input for each field."""
        found = [self.mended(entry(field, self._session)) for field in self._fields.values()]
        row = Row(tuple(found))
        if not self._title:
            return [row]
        facts = tuple(Fact(one.label, clean(one.value)) for one in found[:2])
        # The lab plays what is not named.
        lacks = self._session.dossier.platform != "lab" and not all(one.text for one in facts)
        title = self._tell.gettext(self._title)
        return [Card("all", title, (row,), facts=facts, is_open=lacks)]

    def enter(self, name: str, value: str) -> None:
        """Write the field."""
        enter_field(self, self._fields[name], value)


def entry(field: Field, session: Session) -> Input:
    """The input of a field, with what the dossier holds."""
    tell = formatter(session.language).gettext
    return Input(
        name=field.name,
        label=tell(field.label),
        kind=_KINDS.get(field.kind) or field.kind,  # type: ignore[arg-type]
        value=_shown(field, session.value_at(field.path)),
        options=tuple((value, tell(label)) for value, label in field.options),
        hint=tell(field.hint) if field.hint else "",
        width=field.width,
    )


def _shown(field: Field, value: Any) -> str:
    if field.kind == "lines":
        read = field.read or str
        return "\n".join(read(entry) for entry in value or ())
    if field.kind == "yes_no":
        return "true" if value else ""
    known = [option for option, _ in field.options]
    if value is not None and field.read:
        return field.read(value)
    text = "" if value is None else str(value)
    return text if not known or text in known else known[0]


def enter_field(form: Form, field: Field, entered: str) -> None:
    """Write what was entered; what is wrong with it is said at the input."""
    problem = not_an_address(entered) if field.kind == "email" else None
    if problem:
        form.refuse(field.name, entered, problem)
    else:
        form.put(field.name, field.path, _given(field, entered), entered)


def _given(field: Field, entered: str) -> Any:
    if field.kind == "lines":
        lines = [line.strip() for line in entered.splitlines() if line.strip()]
        return [field.write(line) for line in lines] if field.write else lines
    if field.kind == "yes_no":
        return entered == "true"
    given = entered if field.kind == "text" else entered.strip()
    return field.write(given) if given and field.write else given or None


def not_an_address(entered: str) -> Text | None:
    """What is wrong with an e-mail address; nothing where none was entered."""
    found = parse_address(entered.strip())
    if not entered.strip() or (not found.problem and found.given.count("@") == 1):
        return None
    return say(
        "«{given}» is no e-mail address: write it as name@domain, e.g. {example}.",
        given=entered.strip(),
        example=N_("anna@muster.example"),
    )
