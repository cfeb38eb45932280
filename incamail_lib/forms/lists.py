"""Lists of the dossier as forms: contacts, components, acceptance tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from incamail_lib.dossier.progress import (
    AcceptanceTest,
    Audience,
    Contact,
    Direction,
    Kind,
    Role,
    TestResult,
)
from incamail_lib.dossier.words import message_text, role_text, state_text
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.view import View, column, html, row
from incamail_lib.i18n import Text
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

_CELL = {"width": "11rem"}


class ListView(View):
    """A form whose rows are written to the dossier together."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk = desk
        self._tell = voice(desk.language)
        self.status = html()

    def _line(self, value: str, label: str) -> widgets.Text:
        made = widgets.Text(
            value=value, placeholder=label, continuous_update=False, layout=widgets.Layout(**_CELL)
        )
        made.tooltip = label
        made.observe(lambda _: self._save(), "value")
        return made

    def _choice(
        self, options: Sequence[tuple[str, str]], value: str, label: str
    ) -> widgets.Dropdown:
        made = widgets.Dropdown(
            options=options, value=value, layout=widgets.Layout(**_CELL), tooltip=label
        )
        made.observe(lambda _: self._save(), "value")
        return made

    def _save(self) -> None:
        raise NotImplementedError

    def _report(self, problem: Text | None) -> None:
        text = self._tell.told(problem) if problem else self._tell.gettext("Saved.")
        self.status.value = render("status", self.language, text=text)


class Contacts(ListView):
    """Who is responsible for what, on both sides."""

    key = "contacts"

    def static(self) -> str:
        """A table of roles and people."""
        rows = [(self._tell.told(role_text(c.role)), c) for c in self._desk.dossier.contacts]
        return render("contacts", self.language, rows=rows)

    def build(self) -> widgets.Widget:
        """A row a person, and a button for one more."""
        self.rows: list[tuple[widgets.Widget, ...]] = []
        self._box = column()
        for contact in self._desk.dossier.contacts or (Contact(role=Role.PROJECT_LEAD, name="–"),):
            self._add(contact)
        self.more = widgets.Button(description=self._tell.gettext("Another person"))
        self.more.on_click(lambda _: self._add(Contact(role=Role.MAIL_ADMIN, name="–")))
        return column(self._box, self.more, self.status)

    def _add(self, contact: Contact) -> None:
        tell = self._tell.gettext
        roles = [(self._tell.told(role_text(role)), role.value) for role in Role]
        name = "" if contact.name == "–" else contact.name
        fields = (
            self._choice(roles, contact.role.value, tell("Role")),
            self._line(name, tell("Name")),
            self._line(contact.email, tell("E-mail")),
            self._line(contact.phone, tell("Telephone")),
        )
        self.rows.append(fields)
        self._box.children = (*self._box.children, row(*fields))

    def _save(self) -> None:
        names = ("role", "name", "email", "phone")
        entered = [
            {n: f.value.strip() for n, f in zip(names, fields, strict=True)} for fields in self.rows
        ]
        self._report(self._desk.put(("contacts",), [c for c in entered if c["name"]]))


class Components(ListView):
    """The components of guide section 2: present, product, who runs them."""

    key = "components"

    def static(self) -> str:
        """A table with each component's role and demands."""
        declared = self._desk.dossier.components
        rows = [(c, declared.get(c.key)) for c in self._desk.guide.components]
        return render("component_list", self.language, rows=rows)

    def build(self) -> widgets.Widget:
        """Three inputs for each component, its role above them."""
        tell = self._tell.gettext
        self.inputs: dict[str, dict[str, widgets.ValueWidget]] = {}
        boxes = []
        options = [(tell("not stated"), ""), (tell("yes"), "true"), (tell("no"), "false")]
        for component in self._desk.guide.components:
            given = self._desk.dossier.components.get(component.key)
            present = "" if given is None or given.present is None else str(given.present).lower()
            made: dict[str, widgets.ValueWidget] = {
                "present": self._choice(options, present, tell("Present")),
                "product": self._line(given.product if given else "", tell("Product")),
                "operator": self._line(given.operator if given else "", tell("Run by")),
            }
            self.inputs[component.key] = made
            head = render("component", self.language, c=component)
            boxes += [html(head), row(*made.values())]
        return column(*boxes, self.status)

    def _save(self) -> None:
        entered = {
            key: {name: field.value for name, field in fields.items() if field.value != ""}
            for key, fields in self.inputs.items()
        }
        for fields in entered.values():
            if "present" in fields:
                fields["present"] = fields["present"] == "true"
        self._report(self._desk.put(("components",), {k: v for k, v in entered.items() if v}))


class Acceptance(ListView):
    """The acceptance tests: each sending type, both directions, internal and external."""

    key = "acceptance"

    def __init__(self, desk: Desk, directions: tuple[Direction, ...] = tuple(Direction)) -> None:
        super().__init__(desk)
        self._directions = directions

    def tests(self) -> tuple[AcceptanceTest, ...]:
        """Every test of the matrix, with what the dossier knows of it."""
        known = {test.key: test for test in self._desk.dossier.acceptance}
        keys = ((d, k, a) for d in self._directions for k in Kind for a in Audience)
        return tuple(
            known.get((d, k, a)) or AcceptanceTest(direction=d, kind=k, audience=a)
            for d, k, a in keys
        )

    def _label(self, test: AcceptanceTest) -> str:
        return self._tell.told(message_text(*test.key))

    def static(self) -> str:
        """A table of tests and results."""
        rows = [(self._label(t), t, self._tell.told(state_text(t.result))) for t in self.tests()]
        return render("acceptance", self.language, rows=rows)

    def build(self) -> widgets.Widget:
        """Result, what the receiver saw, and a remark for each test."""
        tell = self._tell.gettext
        results = [(self._tell.told(state_text(r)), r.value) for r in TestResult]
        self.inputs: dict[Any, dict[str, widgets.ValueWidget]] = {}
        boxes = []
        for test in self.tests():
            made: dict[str, widgets.ValueWidget] = {
                "result": self._choice(results, test.result.value, tell("Result")),
                "received": self._line(test.received, tell("What the receiver saw")),
                "remark": self._line(test.remark, tell("Remark")),
            }
            self.inputs[test.key] = made
            label = widgets.Label(self._label(test), layout=widgets.Layout(width="17rem"))
            boxes.append(row(label, *made.values()))
        return column(*boxes, self.status)

    def _save(self) -> None:
        others = [t for t in self._desk.dossier.acceptance if t.key not in self.inputs]
        changed = [self._entered(test) for test in self.tests()]
        kept = [t for t in (*others, *changed) if t.result is not TestResult.OPEN or t.remark]
        plain = [t.model_dump(mode="json", exclude_defaults=True) for t in kept]
        self._report(self._desk.put(("acceptance",), plain))

    def _entered(self, test: AcceptanceTest) -> AcceptanceTest:
        fields = self.inputs[test.key]
        result = TestResult(fields["result"].value)
        new = result is not test.result and result is not TestResult.OPEN
        return test.model_copy(
            update={
                "result": result,
                "received": fields["received"].value,
                "remark": fields["remark"].value,
                "tested_at": dt.datetime.now(dt.UTC).replace(microsecond=0)
                if new
                else test.tested_at,
                "tested_by": self._desk.who if new else test.tested_by,
            }
        )
