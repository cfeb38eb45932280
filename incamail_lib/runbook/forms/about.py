"""Whom a notebook is about: first in each of them."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.audit.case import Case
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Html, Part
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.cleaning import clean


class About(Form):
    """The organisation, its domains and the platform, in a line that opens."""

    key = "case"

    def __init__(self, session: Session, case: Case) -> None:
        super().__init__(session)
        self._case = case

    def parts(self) -> Sequence[Part]:
        """One card; on the lab its line says so."""
        dossier, tell = self._session.dossier, self._tell.gettext
        on_lab = dossier.platform == "lab"
        facts = (
            Fact(tell("Mail domains"), clean(", ".join(dossier.domains))),
            Fact(tell("Platform"), tell("embedded lab") if on_lab else "IncaMail"),
        )
        page = Html(self._case.told())
        return [Card("case", dossier.organisation, (page,), facts=facts)]
