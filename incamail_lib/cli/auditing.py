"""audit, judge and demo: the main job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit import merged_facts, with_age
from incamail_lib.batch.portfolio import (
    CaseOutcome,
    PortfolioRun,
    audit_all,
    dossiers_in,
)
from incamail_lib.checks import judge_facts
from incamail_lib.cli._console import (
    COLOURS,
    Styled,
    chosen,
    clear_errors,
    out,
    print_json,
    progress_bar,
    say_notes,
    table,
)
from incamail_lib.cli._passphrases import asked_before
from incamail_lib.errors import RunError, UsageError
from incamail_lib.facts.audit import Place
from incamail_lib.findings import Audit, Level, Outcome, Verdict
from incamail_lib.i18n import N_, Translator, say, translator
from incamail_lib.report.words import word
from incamail_lib.runbook import EXAMPLES

Lang = Annotated[
    str | None, typer.Option("--lang", help="Language of the output: en, fr, de or it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Vantage = Annotated[
    Place | None,
    typer.Option(
        help="Where this machine stands: gateway (the sending gateway itself), inside (behind the "
        "same firewall) or elsewhere. Default: as the dossier says."
    ),
]

DEMO = {
    "muster.yaml": Verdict.READY,
    "exemple.yaml": Verdict.NOT_READY,
    "esempio.yaml": Verdict.INCONCLUSIVE,
}
_CRASHED = N_("without a verdict")


def audit(
    dossiers: Annotated[
        list[str], typer.Argument(help="Dossier files, folders with dossiers, or globs.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("reports"),
    facts: Annotated[
        list[Path] | None,
        typer.Option(
            help="Report on these saved facts, measure nothing; repeatable for several places."
        ),
    ] = None,
    vantage: Vantage = None,
    pdf: Annotated[bool, typer.Option(help="Write report.pdf beside report.html.")] = True,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Audit one or many organisations and write each its report."""
    with clear_errors(lang) as t:
        paths = dossiers_in(dossiers)
        if facts and len(paths) > 1:
            raise UsageError(say("--facts belongs to one dossier; name exactly one."))
        if facts and vantage:
            raise UsageError(
                say("--vantage is for measuring; saved facts say themselves where they are from.")
            )
        run = _run(paths, output, t, facts=facts or (), place=vantage, with_pdf=pdf, lang=lang)
        _tell(run, t, as_json=as_json)
    raise typer.Exit(run.exit_code)


def _run(
    paths: Sequence[Path],
    output: Path,
    t: Translator,
    *,
    facts: Sequence[Path] = (),
    place: Place | None = None,
    with_pdf: bool = True,
    lang: str | None = None,
) -> PortfolioRun:
    known = None if facts else asked_before(paths, t)  # a progress bar would hide it
    with progress_bar(t) as report:
        return audit_all(
            paths,
            output=output,
            language=chosen(lang) if lang else None,
            facts=facts,
            place=place,
            with_pdf=with_pdf,
            progress=report,
            passphrases=known,
        )


def _tell(run: PortfolioRun, t: Translator, *, as_json: bool) -> None:
    say_notes(t.text(note) for outcome in run.outcomes for note in outcome.notes)
    if as_json:
        print_json([o.summary() for o in run.outcomes])
        return
    for outcome in run.outcomes:
        console = out()
        if outcome.verdict:
            style = f"bold {COLOURS[outcome.verdict]}"
            verdict = t.text(word(outcome.verdict))
            console.print(Styled(f"{outcome.organisation}: {verdict}", style))
        else:
            console.print(Styled(f"{outcome.organisation}: {t(_CRASHED)}", "bold magenta"))
        for line in _lines(outcome, t):
            console.print(Styled(f"  {line}"))
    if run.index:
        out().print(Styled(t("Overview: {file}").format(file=run.index)))


def _lines(outcome: CaseOutcome, t: Translator) -> Iterator[str]:
    if outcome.problem:
        yield t.text(outcome.problem)
    for row in outcome.decisive:
        where = f" ({', '.join(row.subjects)})" if row.subjects else ""
        check = f"{row.finding.code} {t(row.finding.title)}"
        yield f"{check}{where}: {t.text(row.finding.seen)}"
    if outcome.files:
        first, *others = outcome.files
        names = ", ".join(file.name for file in others)
        yield t("Report: {file} (beside it: {names})").format(file=first, names=names)


def judge(
    facts: Annotated[
        list[Path],
        typer.Argument(help="facts.json or audit.json of an earlier audit; several are merged."),
    ],
    at: Annotated[
        str | None, typer.Option(help="Judge as of this date (2027-01-15); default: now.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Judge saved facts again, without a network."""
    with clear_errors(lang) as t:
        moment = moment_of(at)
        saved = with_age(merged_facts(facts), moment)
        result = judge_facts(saved, moment)
    if as_json:
        print_json(result)
    else:
        print_findings(result, translator(chosen(lang, saved.declared.language)) if not lang else t)
    raise typer.Exit(result.verdict.exit_code)


def moment_of(text: str | None) -> dt.datetime:
    """The moment that --at names, in UTC where it names no zone; else now. Errors: UsageError."""
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):  # a zone may lead beyond the years 1 to 9999
        raise UsageError(
            say("--at: «{given}» is not a date such as 2027-01-15.", given=text)
        ) from None


def print_findings(result: Audit, t: Translator) -> None:
    """Verdict and the findings that matter, worst first."""
    facts = result.facts
    head = f"{facts.declared.organisation}: {t.text(word(result.verdict))}"
    out().print(Styled(head, f"bold {COLOURS[result.verdict]}"))
    order = (Outcome.FAILED, Outcome.UNKNOWN)
    shown = [
        f
        for outcome in order
        for level in Level
        for f in result.findings
        if f.outcome is outcome and f.level is level and not f.blocked_by
    ]
    rows = [(f.code, t.text(word(f.outcome)), f.subject, t(f.title), t.text(f.seen)) for f in shown]
    table([t("Code"), t("Outcome"), t("Examined"), t("Check"), t("Seen")], rows)
    passed = sum(f.outcome is Outcome.PASSED for f in result.findings)
    out().print(Styled(t("{count} checks passed.").format(count=passed)))
    for note in facts.limits:
        out().print(Styled(t.text(note)))


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("reports"),
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Audit three organisations on the embedded lab; nothing leaves this computer."""
    with clear_errors(lang) as t:
        if not as_json:
            _announce(t)
        run = _run([EXAMPLES / name for name in DEMO], output, t, lang=lang)
        _tell(run, t, as_json=as_json)
        if [outcome.verdict for outcome in run.outcomes] != list(DEMO.values()):
            raise RunError(say("The demo did not come to the three verdicts that it is to show."))


def _announce(t: Translator) -> None:
    out().print(
        Styled(
            t(
                "Three organisations are audited on the embedded lab: one whose connection is "
                "in order, one whose certificate IncaMail refuses, and one whose gateway stays "
                "silent. Nothing leaves this computer."
            )
        )
    )
