"""Who really answers in IncaMail's place (guide 8.4)."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.report.chapters import Report
from incamail_lib.runbook.forms.shape import Card, Html, Note, Part
from incamail_lib.runbook.forms.view import Form
from incamail_lib.sheets.html import render_blocks


class Identity(Form):
    """What the last audit saw of IncaMail's gateways, as a line that opens."""

    key = "identity"

    def parts(self) -> Sequence[Part]:
        """The chapter of the report, once something was measured."""
        if self._session.audit is None:
            return [Note(self._tell.gettext("Measure first: nothing was seen of IncaMail yet."))]
        chapter = Report(self._session.audit, self.language).identity
        shown = render_blocks(chapter.section.blocks, self.language)
        return [Card("identity", chapter.title, (Html(shown),))]
