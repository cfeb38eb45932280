"""The overview of a run over several organisations: index.html and summary.csv."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from incamail_lib.audit import load_audit
from incamail_lib.files import write_whole
from incamail_lib.findings import Audit, Finding, Level, Outcome, Verdict
from incamail_lib.i18n import Language, Text
from incamail_lib.report.cleaning import spreadsheet_cell
from incamail_lib.report.language import voice
from incamail_lib.report.order import decisive
from incamail_lib.report.pages import render
from incamail_lib.report.style import page_style

# What needs a person first stands first: no verdict at all, then the verdicts by weight.
_ORDER: tuple[Verdict | None, ...] = (
    None,
    Verdict.NOT_READY,
    Verdict.INCONCLUSIVE,
    Verdict.READY,
)


@dataclass(frozen=True)
class IndexEntry:
    """One organisation of the run; without `audit` there is a problem instead of a verdict."""

    organisation: str
    folder: Path | None
    audit: Path | None
    problem: Text | None = None


@dataclass(frozen=True)
class _Line:
    """One line of the overview."""

    organisation: str
    verdict: Verdict | None
    link: str  # relative to the overview; "" without a report
    deciding: tuple[Finding, ...] = ()
    advised: int = 0  # recommended checks that failed
    unknown: int = 0
    passed: int = 0
    domains: tuple[str, ...] = ()
    measured: str = ""
    problem: Text | None = None


def write_index(folder: Path, entries: Sequence[IndexEntry], *, language: Language) -> Path:
    """Write index.html and summary.csv into `folder`; the path of index.html.

    Errors: OutputError.
    """
    lines = sorted(
        (_line(entry, folder) for entry in entries),
        key=lambda line: (_ORDER.index(line.verdict), line.organisation.lower()),
    )
    write_whole(folder / "summary.csv", _csv(lines, language).encode("utf-8-sig"))
    counts = [(verdict, sum(line.verdict is verdict for line in lines)) for verdict in _ORDER]
    html = render("overview", language, lines=lines, counts=counts, style=page_style())
    return write_whole(folder / "index.html", html.encode())


def _line(entry: IndexEntry, folder: Path) -> _Line:
    if entry.audit is None:
        return _Line(
            entry.organisation, None, _link(entry, folder), (), 0, 0, 0, (), "", entry.problem
        )
    audit = load_audit(entry.audit)
    return _Line(
        organisation=entry.organisation,
        verdict=audit.verdict,
        link=_link(entry, folder),
        deciding=_deciding(audit),
        advised=_count(audit, Outcome.FAILED, Level.RECOMMENDED),
        unknown=_count(audit, Outcome.UNKNOWN, Level.REQUIRED),
        passed=sum(f.outcome is Outcome.PASSED for f in audit.findings),
        domains=audit.facts.declared.domains,
        measured=audit.facts.measured_at.isoformat(timespec="seconds"),
        problem=entry.problem,
    )


def _deciding(audit: Audit) -> tuple[Finding, ...]:
    """Each check once that keeps the organisation from being ready."""
    rows = () if audit.verdict is Verdict.READY else decisive(audit)
    return tuple({row.finding.code: row.finding for row in rows}.values())


def _count(audit: Audit, outcome: Outcome, level: Level) -> int:
    return sum(f.outcome is outcome and f.level is level for f in audit.findings)


def _link(entry: IndexEntry, folder: Path) -> str:
    if entry.folder is None:
        return ""
    page = entry.folder / "report.html"
    return os.path.relpath(page, folder).replace(os.sep, "/") if page.exists() else ""


def _csv(lines: Sequence[_Line], language: Language) -> str:
    import pandas  # late: it takes most of a second

    tell = voice(language)
    table = pandas.DataFrame(
        [
            {
                "organisation": spreadsheet_cell(line.organisation),
                "verdict": line.verdict.value if line.verdict else "no_verdict",
                "deciding": " ".join(f.code for f in line.deciding),
                "failed_recommended": line.advised,
                "unknown_required": line.unknown,
                "passed": line.passed,
                "domains": spreadsheet_cell(" ".join(line.domains)),
                "measured_at": line.measured,
                "report": line.link,
                "problem": spreadsheet_cell(tell.told(line.problem)) if line.problem else "",
            }
            for line in lines
        ]
    )
    return str(table.to_csv(index=False))
