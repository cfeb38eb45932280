"""The class's lab, to be switched by a click."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.errors import IncaMailError
from incamail_lib.i18n import Language, Text, say
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.switching import switch
from incamail_lib.runbook.forms.shape import Button, Html, Input, Note, Part
from incamail_lib.runbook.forms.view import Described
from incamail_lib.sheets.html import render_blocks
from incamail_lib.sheets.model import Paragraph


class SwitchForm(Described):
    """Which situation the lab in another terminal plays, and a button for the next."""

    key = "switch"

    def __init__(self, language: Language, *, interactive: bool) -> None:
        super().__init__(language, interactive=interactive)
        self.chosen = "sound"
        self._told: Text | None = None
        self._failed = False

    def parts(self) -> Sequence[Part]:
        """The situations, what is seen in the chosen one, and what became of the last switch."""
        tell = self._tell.gettext
        choices = tuple((s.name, f"{s.name} – {tell(s.title)}") for s in SCENARIOS.values())
        told = self._tell.told(self._told) if self._told else ""
        return [
            Input("scenario", tell("Situation"), "choice", self.chosen, choices),
            Html(render_blocks((Paragraph(self._seen()),), self.language)),
            Button("switch", tell("Switch the lab"), is_main=True),
            *([Note(str(told), warns=self._failed)] if told else []),
        ]

    def enter(self, name: str, value: str) -> None:
        """Choose a situation; the lab is switched by the button."""
        if name == "scenario" and value in SCENARIOS:
            self.chosen = value

    def press(self, name: str) -> None:
        """Switch the lab to the chosen situation."""
        if name == "switch":
            self.switch(self.chosen)

    def switch(self, name: str) -> SwitchForm:
        """The form with the lab switched to that situation, or with the sentence why it is not."""
        try:
            self.chosen, self._failed = switch(name), False
            self._told = say("The lab now plays {name}.", name=self.chosen)
        except IncaMailError as error:
            self._told, self._failed = error.text, True
        self.show()
        return self

    def _seen(self) -> Text:
        fails = sorted(SCENARIOS[self.chosen].fails)
        if not fails:
            return say("No check fails here.")
        return say("Checks that fail here: {codes}.", codes=", ".join(fails))
