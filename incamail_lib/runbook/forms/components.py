"""The components of guide section 2 as a form, with what each must meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incamail_lib.dossier.model import Component as Declared
from incamail_lib.guide.contents import Component
from incamail_lib.report.demands import DemandView, demand_views
from incamail_lib.runbook.forms.shape import Card, Fact, Input, Note, Part, Row
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean

# Those whose machines write Received lines.
_NAMED = ("mail_server", "mail_gateway")
_YES_NO = {True: "true", False: "false", None: ""}


class Components(Form):
    """The components of guide section 2: present, product, who runs them, are demands met."""

    key = "components"

    def parts(self) -> Sequence[Part]:
        """A card for each component."""
        declared = self._session.dossier.components
        return [
            self._card(component, declared.get(component.key) or Declared())
            for component in self._session.guide.components
        ]

    def _card(self, component: Component, given: Declared) -> Card:
        tell, session = self._tell.gettext, self._session
        demands = demand_views(component, session.dossier, session.guide, session.audit)
        present = dict(self._yes_no())[_YES_NO[given.present]]
        return Card(
            name=component.key,
            title=tell(component.title),
            parts=(
                Note(tell(component.role)),
                Row(tuple(self._described(component, given))),
                *(part for view in demands for part in self._demand(component, view)),
            ),
            facts=(
                Fact(tell("Present"), present),
                Fact(tell("Product"), clean(given.product)),
                Fact(tell("Run by"), clean(given.operator)),
            ),
            needs_attention=any(view.is_contradicted for view in demands),
        )

    def _described(self, component: Component, given: Declared) -> list[Input]:
        tell, key = self._tell.gettext, component.key
        present = _YES_NO[given.present]
        made = [
            Input(
                f"{key}/present", tell("Present"), "choice", present, self._yes_no(), width="short"
            ),
            Input(f"{key}/product", tell("Product"), value=given.product, width="half"),
            Input(f"{key}/operator", tell("Run by"), value=given.operator, width="half"),
        ]
        if key in _NAMED:
            hosts = " ".join(given.hosts)
            made.append(Input(f"{key}/hosts", tell("Names in Received lines"), value=hosts))
        return [self.mended(one) for one in made]

    def _demand(self, component: Component, view: DemandView) -> list[Part]:
        name = f"{component.key}/requirements/{view.demand.key}"
        seen = "; ".join(str(self._tell.told(text)) for text in view.evidence)
        made = Input(
            name,
            self._tell.gettext(view.demand.text),
            "choice",
            _YES_NO[view.said],
            self._yes_no(),
            hint=seen,
        )
        warning = self._tell.gettext("This is said to be met although something failed.")
        return [self.mended(made), *([Note(warning, warns=True)] if view.is_contradicted else [])]

    def _yes_no(self) -> tuple[tuple[str, str], ...]:
        tell = self._tell.gettext
        return (("", tell("not stated")), ("true", tell("yes")), ("false", tell("no")))

    def enter(self, name: str, value: str) -> None:
        """Write one field of a component; what the form does not know stays as it is."""
        path = tuple(name.split("/"))
        given: Any = value.strip() or None
        if path[1] in ("present", "requirements") and given:
            given = given == "true"
        if path[1] == "hosts":
            given = value.replace(",", " ").split() or None
        self.put(name, ("components", *path), given, value)
