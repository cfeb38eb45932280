"""The names under the set-up document and the acceptance reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from incamail_lib.i18n import N_, Text
from incamail_lib.runbook.forms.lists import ListForm
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Input, Note, Part, Row

DOCUMENTS: dict[str, str] = {
    "setup": N_("Set-up document"),
    "link": N_("Simple test of the link (guide 8.3)"),
    "identity": N_("Check that it is really IncaMail (guide 8.4)"),
    "outgoing": N_("Outgoing messages"),
    "incoming": N_("Incoming messages"),
}


class Signatures(ListForm):
    """Who signed which document, for whom and when."""

    key = "signatures"
    path = ("signatures",)
    needed = ("name", "organisation", "signed_on")
    more = N_("Another signature")
    nothing = N_("Nobody has signed yet.")
    incomplete = N_("Saved as soon as name, organisation and date are there.")

    def __init__(self, session: Session, cautions: Callable[[], dict[str, int]]) -> None:
        super().__init__(session)
        self._cautions = cautions

    def parts(self) -> Sequence[Part]:
        """The signatures; above them, which of the papers signed or to be signed have gaps."""
        tell, known = self._tell, [*self.entries(), *([self._begun] if self._begun else [])]
        papers = {entry["document"] for entry in known}
        found = [
            Note(
                tell.say_n(
                    "{paper}: {n} entry is missing. Signed like this, it accepts nothing.",
                    "{paper}: {n} entries are missing. Signed like this, it accepts nothing.",
                    count,
                    paper=Text(template=DOCUMENTS[key]),
                ),
                warns=True,
            )
            for key, count in (self._cautions() if papers else {}).items()
            if count and key in papers
        ]
        return [*found, *super().parts()]

    def begun(self) -> dict[str, str]:
        """A signature of today for the organisation, under the first document that bears none."""
        signed = {entry["document"] for entry in self.entries()}
        first = next((key for key in DOCUMENTS if key not in signed), "setup")
        return {
            "document": first,
            "organisation": self._session.dossier.organisation,
            "signed_on": dt.datetime.now(dt.UTC).date().isoformat(),
        }

    def card(self, number: int, entry: dict[str, str], *, is_new: bool) -> Card:
        """The signature as a line that opens."""
        tell = self._tell.gettext
        report = tell(DOCUMENTS.get(entry["document"], entry["document"]))
        day = entry.get("signed_on", "")
        options = tuple((key, tell(text)) for key, text in DOCUMENTS.items())
        people = tuple(dict.fromkeys(c.name for c in self._session.dossier.contacts))
        made: tuple[Part, ...] = (
            Row(
                (
                    Input("document", tell("Document"), "choice", entry["document"], options),
                    Input(
                        "name",
                        tell("Name"),
                        value=entry.get("name", ""),
                        suggestions=people,
                        width="half",
                    ),
                    Input(
                        "organisation",
                        tell("Organisation"),
                        value=entry.get("organisation", ""),
                        width="half",
                    ),
                    Input("signed_on", tell("Date"), "date", day, width="short"),
                )
            ),
        )
        return Card(
            name=str(number),
            title=report,
            parts=made,
            facts=(
                Fact(tell("Name"), self.shown(entry.get("name"))),
                Fact(tell("Organisation"), self.shown(entry.get("organisation"))),
                Fact(tell("Date"), self._day(day)),
            ),
            is_open=is_new,
            is_new=is_new,
        )

    def _day(self, day: str) -> str:
        return str(self._tell.day(dt.date.fromisoformat(day))) if day else ""
