"""audit, judge and demo: the main job."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text as Styled

from incamail_lib.audit import load_facts
from incamail_lib.batch.portfolio import CaseOutcome, audit_all, dossiers_in
from incamail_lib.checks import judge_facts
from incamail_lib.cli._console import (
    COLOURS,
    VERDICTS,
    chosen,
    clear_errors,
    out,
    print_json,
    progress_bar,
    table,
)
from incamail_lib.errors import UsageError
from incamail_lib.findings import Audit, Level, Outcome
from incamail_lib.i18n import N_, Translator, say, translator

Lang = Annotated[
    str | None, typer.Option("--lang", help="Language of the output: en, fr, de or it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

DEMO = ("muster.yaml", "exemple.yaml", "esempio.yaml")
_CRASHED = N_("without a verdict")
_OUTCOMES = {
    Outcome.PASSED: N_("passed"),
    Outcome.FAILED: N_("failed"),
    Outcome.UNKNOWN: N_("unknown"),
    Outcome.NOT_APPLICABLE: N_("not applicable"),
}


def audit(
    dossiers: Annotated[
        list[str], typer.Argument(help="Dossier files, folders with dossiers, or globs.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("reports"),
    facts: Annotated[
        Path | None, typer.Option(help="Report on these saved facts; measure nothing.")
    ] = None,
    pdf: Annotated[bool, typer.Option(help="Write report.pdf beside report.html.")] = True,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Audit one or many organisations and write each its report."""
    with clear_errors(lang) as t:
        paths = dossiers_in(dossiers)
        if facts and len(paths) > 1:
            raise UsageError(say("--facts belongs to one dossier; name exactly one."))
        with progress_bar(t) as report:
            run = audit_all(
                paths,
                output=output,
                language=chosen(lang) if lang else None,
                facts=facts,
                with_pdf=pdf,
                progress=report,
            )
    if as_json:
        print_json([o.summary() for o in run.outcomes])
    else:
        _tell(run.outcomes, t)
        if run.index:
            out().print(Styled(t("Overview: {file}").format(file=run.index)))
    raise typer.Exit(run.exit_code)


def _tell(outcomes: tuple[CaseOutcome, ...], t: Translator) -> None:
    for outcome in outcomes:
        console = out()
        if outcome.verdict:
            style = f"bold {COLOURS[outcome.verdict]}"
            console.print(Styled(f"{outcome.organisation}: {t(VERDICTS[outcome.verdict])}", style))
        else:
            console.print(Styled(f"{outcome.organisation}: {t(_CRASHED)}", "bold magenta"))
        if outcome.problem:
            console.print(Styled(f"  {t.text(outcome.problem)}"))
        for row in outcome.decisive:
            where = f" ({', '.join(row.subjects)})" if row.subjects else ""
            check = f"{row.finding.code} {t(row.finding.title)}"
            console.print(Styled(f"  {check}{where}: {t.text(row.finding.seen)}"))
        for note in outcome.notes:
            console.print(Styled(f"  {t.text(note)}"))
        for file in outcome.files:
            console.print(Styled(f"  {file}"))


def judge(
    facts: Annotated[Path, typer.Argument(help="facts.json or audit.json of an earlier audit.")],
    at: Annotated[
        str | None, typer.Option(help="Judge as of this date (2027-01-15); default: now.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Judge saved facts again, without a network."""
    with clear_errors(lang) as t:
        saved = load_facts(facts)
        result = judge_facts(saved, _moment(at))
    if as_json:
        print_json(result)
    else:
        print_findings(result, translator(chosen(lang, saved.declared.language)) if not lang else t)
    raise typer.Exit(result.verdict.exit_code)


def _moment(text: str | None) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            say("--at: «{given}» is not a date such as 2027-01-15.", given=text)
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def print_findings(result: Audit, t: Translator) -> None:
    """Verdict and the findings that matter, worst first."""
    facts = result.facts
    head = f"{facts.declared.organisation}: {t(VERDICTS[result.verdict])}"
    out().print(Styled(head, f"bold {COLOURS[result.verdict]}"))
    order = (Outcome.FAILED, Outcome.UNKNOWN)
    shown = [
        f
        for outcome in order
        for level in Level
        for f in result.findings
        if f.outcome is outcome and f.level is level and not f.blocked_by
    ]
    rows = [(f.code, t(_OUTCOMES[f.outcome]), f.subject, t(f.title), t.text(f.seen)) for f in shown]
    table([t("Code"), t("Outcome"), t("Examined"), t("Check"), t("Seen")], rows)
    passed = sum(f.outcome is Outcome.PASSED for f in result.findings)
    out().print(Styled(t("{count} checks passed.").format(count=passed)))


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("reports"),
    lang: Lang = None,
) -> None:
    """Audit three organisations on the embedded lab; nothing leaves this computer."""
    examples = Path(__file__).parents[2] / "examples"
    names = [str(examples / name) for name in DEMO]
    audit(names, output=output, lang=lang)
