"""Where an organisation stands on its way, told as HTML."""

from __future__ import annotations

from incamail_lib.dossier import Progress
from incamail_lib.dossier.words import term
from incamail_lib.guide import Contents
from incamail_lib.i18n import Language
from incamail_lib.report.pages import render


def progress_html(progress: Progress, guide: Contents, language: Language) -> str:
    """Every phase with its counts, what comes next and who must act; then what is overdue."""
    titles = {phase.key: phase.title for phase in guide.phases}
    return render(
        "progress",
        language,
        progress=progress,
        titles=titles,
        role=term,
    )
