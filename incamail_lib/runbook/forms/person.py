"""Who is at work: chosen once among the contacts, for all notebooks of the session."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import say
from incamail_lib.runbook.forms.shape import Input, Note, Part
from incamail_lib.runbook.forms.view import Form


class AtWork(Form):
    """Under whose name tests are noted and agreed to."""

    key = "person"

    def parts(self) -> Sequence[Part]:
        """The people of the dossier to choose from."""
        person = self._session.person
        names = [contact.name for contact in self._session.dossier.contacts]
        known = dict.fromkeys([*names, *([person] if person else [])])
        label = self._tell.gettext("At work")
        options = (("", "–"), *((name, name) for name in known))
        nobody = [] if person else [Note(str(self._tell.told(say("Nobody is chosen yet."))))]
        return [*nobody, Input("person", label, "choice", person, options, width="half")]

    def enter(self, name: str, value: str) -> None:
        """Keep the name for all notebooks."""
        if value == self._session.person:
            return
        try:
            self._session.choose(value)
        except IncaMailError as error:
            self.refuse(name, value, error.text)
