"""The names under the acceptance reports."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ipywidgets as widgets

from incamail_lib.dossier.progress import Signature
from incamail_lib.forms.lists import ListView
from incamail_lib.forms.view import column, row
from incamail_lib.i18n import N_
from incamail_lib.report.pages import render

DOCUMENTS: dict[str, str] = {
    "link": N_("Simple test of the link (guide 8.3)"),
    "identity": N_("Check that it is really IncaMail (guide 8.4)"),
    "outgoing": N_("Outgoing messages"),
    "incoming": N_("Incoming messages"),
}


class Signatures(ListView):
    """Who signed which acceptance report, for whom and when."""

    key = "signatures"

    def static(self) -> str:
        """A table of names and dates."""
        found = self._desk.dossier.signatures
        rows = [(self._tell.gettext(DOCUMENTS.get(s.document, s.document)), s) for s in found]
        return render("signatures", self.language, rows=rows)

    def build(self) -> widgets.Widget:
        """A row for each signature, and a button for one more."""
        self.rows: list[dict[str, Any]] = []
        self._box = column()
        for signature in self._desk.dossier.signatures:
            self._add(signature)
        self.more = widgets.Button(
            description=self._tell.gettext("Another signature"),
            layout=widgets.Layout(width="fit-content"),
        )
        self.more.on_click(lambda _: self._add(None))
        return column(self._box, self.more, self.status)

    def _add(self, signature: Signature | None) -> None:
        tell = self._tell.gettext
        options = [(tell(text), key) for key, text in DOCUMENTS.items()]
        known = signature.document if signature and signature.document in DOCUMENTS else "link"
        day = widgets.DatePicker(
            value=signature.signed_on if signature else dt.datetime.now(dt.UTC).date(),
            tooltip=tell("Date"),
            layout=widgets.Layout(width="9rem"),
        )
        fields = {
            "document": self._choice(options, known, tell("Report")),
            "name": self._line(signature.name if signature else "", tell("Name")),
            "organisation": self._line(
                signature.organisation if signature else "", tell("Organisation")
            ),
            "signed_on": day,
        }
        day.observe(lambda _: self._save(), "value")
        self.rows.append(fields)
        self._box.children = (*self._box.children, row(*fields.values()))

    def _save(self) -> None:
        """Write every row that is complete; one that is begun waits."""
        entered = [{name: field.value for name, field in r.items()} for r in self.rows]
        whole = [e for e in entered if all(e.values())]
        plain = [e | {"signed_on": e["signed_on"].isoformat()} for e in whole]
        self._report(self._desk.put(("signatures",), plain))
        self._desk.tell()
