"""Messages handed in, and what the servers on their way noted of each hand-over (guide 2)."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.audit.messages import read_message
from incamail_lib.dossier.model import Sample
from incamail_lib.errors import IncaMailError
from incamail_lib.facts.transfer import MessageHops
from incamail_lib.i18n import say_n
from incamail_lib.report.hops import hop_rows
from incamail_lib.report.pages import render
from incamail_lib.routing.received import read_hops
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Card, Fact, Html, Input, Part
from incamail_lib.runbook.forms.view import Form


class Hops(Form):
    """The hand-overs of every message that the dossier names as a file, and an input for more."""

    key = "hops"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.file = ""  # entered, not handed in yet

    def parts(self) -> Sequence[Part]:
        """A table for each message; a file that cannot be read is named."""
        messages, problems = [], []
        for sample in self._session.dossier.samples:
            try:
                found = self._read(sample)
            except IncaMailError as error:
                problems.append(self._tell.told(error.text))
            else:
                messages += [(found, hop_rows(found))] if found else []
        tell = self._tell.gettext
        parts = (
            Html(render("hops", self.language, messages=messages, problems=problems)),
            self.mended(Input("file", tell("Message file (.eml)"), value=self.file)),
            Button("add", tell("Hand in")),
        )
        count = say_n("{n} message", "{n} messages", len(messages))
        counted = Fact(tell("Handed in"), self._tell.told(count))
        title = tell("Messages and their hand-overs")
        return [Card("hops", title, parts, facts=(counted,), needs_attention=bool(problems))]

    def _read(self, sample: Sample) -> MessageHops | None:
        if sample.file is None:
            return None
        path = self._session.store.path.parent / sample.file
        return read_hops(read_message(path), sample.label)

    def enter(self, name: str, value: str) -> None:
        """Keep the path until it is handed in."""
        self.refused.pop(name, None)
        self.file = value.strip()

    def press(self, name: str) -> None:
        """Name one more file in the dossier, if it can be read."""
        entered = self.file
        if name != "add" or not entered:
            return
        try:
            read_message(self._session.store.path.parent / entered)
        except IncaMailError as error:
            self.refuse("file", entered, error.text)
            return
        known = self._session.dossier.samples
        plain = [s.model_dump(mode="json", exclude_defaults=True) for s in known]
        label = entered.replace("\\", "/").rpartition("/")[2]
        self.put("file", ("samples",), [*plain, {"label": label, "file": entered}], entered)
        if not self.refused:
            self.file = ""
