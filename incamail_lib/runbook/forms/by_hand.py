"""The openssl command of guide 8.4 for this organisation, to be copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from incamail_lib.report.pages import render
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Html, Part
from incamail_lib.runbook.forms.view import Form


class ByHand(Form):
    """One command for each of IncaMail's gateways, made anew when the dossier changes."""

    key = "byhand"

    def __init__(self, session: Session, commands: Callable[[], tuple[str, ...]]) -> None:
        super().__init__(session)
        self._commands = commands

    def parts(self) -> Sequence[Part]:
        """The commands, and whether a certificate is shown by them."""
        shows = self._session.dossier.certificates.sending is not None
        page = render("by_hand", self.language, commands=self._commands(), shows=shows)
        title = self._tell.gettext("To be entered on the sending gateway")
        return [Card("byhand", title, (Html(page),))]
