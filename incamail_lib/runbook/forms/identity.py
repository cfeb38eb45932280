"""Who really answers in IncaMail's place (guide 8.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from incamail_lib.i18n import N_
from incamail_lib.report.chapters import Report
from incamail_lib.runbook.forms.fields import Field, confirmed, enter_field, entry
from incamail_lib.runbook.forms.shape import Card, Html, Note, Part
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.html import render_blocks

_COMPARED = Field(
    ("identity_checked",),
    N_("Who compared what was seen with what is expected"),
    read=lambda said: str(said["by"]),
    write=confirmed,
    hint=N_("A program measures; that it is IncaMail, a person says. It stands in the report."),
    width="half",
)


class Identity(Form):
    """What the last audit saw of IncaMail's gateways, as a line that opens; who compared it."""

    key = "identity"

    def parts(self) -> Sequence[Part]:
        """The chapter of the report, once something was measured, and the person."""
        if self._session.audit is None:
            return [Note(self._tell.gettext("Measure first: nothing was seen of IncaMail yet."))]
        chapter = Report(self._session.audit, self.language).identity
        shown = render_blocks(chapter.section.blocks, self.language)
        people = tuple(dict.fromkeys(c.name for c in self._session.dossier.contacts))
        who = replace(entry(_COMPARED, self._session), suggestions=people)
        return [Card("identity", chapter.title, (Html(shown),)), self.mended(who)]

    def enter(self, name: str, value: str) -> None:
        """Write the name, with today's date."""
        if name == _COMPARED.name:
            enter_field(self, _COMPARED, value)
