"""Lists of the dossier as forms: a card for each entry, and a button for one more."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from incamail_lib.dossier.agreed import Role
from incamail_lib.dossier.words import term
from incamail_lib.i18n import N_, say
from incamail_lib.runbook.forms.fields import not_an_address
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Card, Fact, Input, Note, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean


class ListForm(Form):
    """Entries of one list; one that is begun waits until it has what it needs."""

    path: ClassVar[tuple[str, ...]]
    needed: ClassVar[tuple[str, ...]]
    more: ClassVar[str]
    nothing: ClassVar[str]
    incomplete: ClassVar[str]  # what a new entry lacks

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._begun: dict[str, str] | None = None

    @abstractmethod
    def card(self, number: int, entry: dict[str, str], *, is_new: bool) -> Card:
        """An entry as a line that opens; its inputs bear the names of the fields."""

    @abstractmethod
    def begun(self) -> dict[str, str]:
        """A new entry, before anybody has entered anything."""

    def shown(self, value: str | None) -> str:
        """A value fit for the line of a card."""
        return clean(value or "")

    def entries(self) -> list[dict[str, str]]:
        """What the dossier holds."""
        return [dict(entry) for entry in self._session.value_at(self.path) or ()]

    def parts(self) -> Sequence[Part]:
        """A card for each entry, and the one that is begun."""
        known = self.entries()
        tell = self._tell.gettext
        found: list[Part] = [] if known or self._begun else [Note(tell(self.nothing))]
        for number, entry in enumerate(known):
            made = self._named(self.card(number, entry, is_new=False), number)
            gone = Button(f"{number}/remove", tell("Remove"))
            found.append(replace(made, parts=(*made.parts, gone)))
        if self._begun is not None:
            made = self._named(self.card(len(known), self._begun, is_new=True), len(known))
            found.append(replace(made, parts=(*made.parts, Note(tell(self.incomplete)))))
        return [*found, Button("more", tell(self.more), is_off=self._begun is not None)]

    def _named(self, card: Card, number: int) -> Card:
        """The card with the number of its entry before the name of each input."""
        return replace(card, parts=tuple(self._numbered(card.parts, number)))

    def _numbered(self, parts: Iterable[Part], number: int) -> Iterable[Part]:
        for part in parts:
            if isinstance(part, Row):
                yield Row(tuple(self._numbered(part.parts, number)))
            elif isinstance(part, Input):
                yield self.mended(replace(part, name=f"{number}/{part.name}"))
            else:
                yield part

    def enter(self, name: str, value: str) -> None:
        """Write a field of an entry; a new one is written when it has what it needs."""
        number, _, field = name.partition("/")
        problem = not_an_address(value) if field == "email" else None
        if problem:
            self.refuse(name, value, problem)
        elif int(number) < len(self.entries()):
            self._change(name, int(number), field, value.strip())
        elif self._begun is not None:
            self.refused.pop(name, None)
            self._begun[field] = value.strip()
            self._complete()

    def _change(self, name: str, number: int, field: str, value: str) -> None:
        if field in self.needed and not value:
            self.refuse(name, value, say("This must stand here; to delete the entry, remove it."))
        else:
            self.put(name, (*self.path, str(number), field), value or None, value)

    def _complete(self) -> None:
        entry, number = self._begun or {}, len(self.entries())
        if all(entry.get(field) for field in self.needed):
            whole = {field: value for field, value in entry.items() if value}
            self._begun = None
            self.put(f"{number}/{self.needed[0]}", (*self.path, str(number)), whole, "")
            if f"{number}/{self.needed[0]}" in self.refused:
                self._begun = entry

    def press(self, name: str) -> None:
        """Begin an entry, or remove one."""
        number, _, action = name.partition("/")
        if name == "more":
            self._begun = self.begun()
        elif action == "remove" and number.isdecimal() and int(number) < len(self.entries()):
            self.refused.clear()
            rest: list[Any] = self.entries()
            del rest[int(number)]
            self.put(name, self.path, rest, "")


class Contacts(ListForm):
    """Who is responsible for what, on both sides."""

    key = "contacts"
    path = ("contacts",)
    needed = ("name",)
    more = N_("Another person")
    nothing = N_("The dossier names nobody yet.")
    incomplete = N_("Saved as soon as there is a name.")

    def begun(self) -> dict[str, str]:
        """The project lead first, then whoever runs the mail."""
        role = Role.MAIL_ADMIN if self.entries() else Role.PROJECT_LEAD
        return {"role": role.value}

    def card(self, number: int, entry: dict[str, str], *, is_new: bool) -> Card:
        """The person as a line that opens."""
        tell = self._tell.gettext
        roles = tuple((role.value, str(self._tell.told(term(role)))) for role in Role)
        name, email, phone = (entry.get(key) or "" for key in ("name", "email", "phone"))
        fields: tuple[Part, ...] = (
            Input("role", tell("Role"), "choice", entry["role"], roles, width="half"),
            Input("name", tell("Name"), value=name, width="half"),
            Input("email", tell("E-mail"), "email", email, width="half"),
            Input("phone", tell("Telephone"), value=phone, width="half"),
        )
        return Card(
            name=str(number),
            title=self.shown(name) or tell("Another person"),
            parts=(Row(fields),),
            facts=(
                Fact(tell("Role"), dict(roles)[entry["role"]]),
                Fact(tell("E-mail"), self.shown(email)),
                Fact(tell("Telephone"), self.shown(phone)),
            ),
            is_open=is_new,
            is_new=is_new,
        )
