"""audit, judge and demo: the main job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit import merged_facts, with_age
from incamail_lib.audit.what_if import Whose
from incamail_lib.batch.listing import Listed, listed
from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.batch.results import CaseOutcome, PortfolioRun
from incamail_lib.checks import judge_facts, until_text
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
from incamail_lib.cli._options import At, Json, Lang, moment_of
from incamail_lib.cli._passphrases import asked_before
from incamail_lib.cli.measuring import Vantage
from incamail_lib.cli.what_if import each_supposed, of_run, records_in, supposition_of, tell
from incamail_lib.dossier.waivers import read_waivers, waiver_notes, waivers_of
from incamail_lib.errors import RunError, UsageError
from incamail_lib.findings import Audit, Level, Outcome, Verdict, Waiver
from incamail_lib.i18n import Text, Translator, say, say_n, translator
from incamail_lib.notebooks import EXAMPLES
from incamail_lib.report.words import labelled, verdict_text, word

DEMO = {
    "muster.yaml": Verdict.READY,
    "exemple.yaml": Verdict.NOT_READY,
    "esempio.yaml": Verdict.INCONCLUSIVE,
}


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
    history: Annotated[
        Path | None, typer.Option(help="Keep what became of each in this file of runs.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Audit one or many organisations and write each its report."""
    with clear_errors(lang) as t:
        found = listed(dossiers)
        if facts and len(found.paths) > 1:
            raise UsageError(say("--facts belongs to one dossier; name exactly one."))
        if facts and vantage:
            raise UsageError(
                say("--vantage is for measuring; saved facts say themselves where they are from.")
            )
        options = Options(facts=facts or (), place=vantage, with_pdf=pdf, history=history)
        run = run_of(found, output, t, options=options, lang=lang)
        _tell(run, t, as_json=as_json)
    raise typer.Exit(run.exit_code)


def run_of(
    found: Listed, output: Path, t: Translator, *, options: Options, lang: str | None = None
) -> PortfolioRun:
    """The run over what was found, with passphrases asked for before and a bar of progress."""
    known = None if options.facts else asked_before(found.paths, t)  # a progress bar would hide it
    language = chosen(lang) if lang else None
    asked = replace(options, language=language, passphrases=known)
    with progress_bar(t) as report:
        return audit_all(
            found.paths, output=output, options=asked, progress=report, wrong=found.wrong
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
            verdict = verdict_text(outcome.verdict, outcome.accepted_until)
            told = labelled(outcome.organisation, verdict)
        else:
            style, told = "bold magenta", labelled(outcome.organisation, say("without a verdict"))
        console.print(Styled(t.text(told), style))
        for line in lines_of(outcome, t):
            console.print(Styled(f"  {line}"))
    if run.index:
        out().print(Styled(t("Overview: {file}").format(file=run.index)))


def lines_of(outcome: CaseOutcome, t: Translator) -> Iterator[str]:
    """What is said below the name and verdict of an organisation."""
    if outcome.problem:
        yield t.text(outcome.problem)
    for row in outcome.decisive:
        check = Text(template=row.finding.title)
        if row.subjects:
            check = say("{name} ({detail})", name=check, detail=", ".join(row.subjects))
        found = labelled(check, row.finding.seen)
        yield f"{row.finding.code} {t.text(found)}"
    if outcome.until:
        yield t.text(until_text(outcome.until))
    if outcome.files:
        first, *others = outcome.files
        names = ", ".join(file.name for file in others)
        yield t("Report: {file} (beside it: {names})").format(file=first, names=names)


def judge(
    facts: Annotated[
        list[Path] | None,
        typer.Argument(
            help="facts.json or audit.json of an earlier audit; several are merged. With a "
            "supposition: of any organisations, or folders with audits."
        ),
    ] = None,
    at: At = None,
    waivers: Annotated[
        Path | None, typer.Option(help="File of accepted failures, such as waivers.yaml.")
    ] = None,
    platform: Annotated[
        Path | None, typer.Option(help="Suppose these facts about IncaMail (a TOML file).")
    ] = None,
    replace_cert: Annotated[
        Path | None, typer.Option(help="Suppose this certificate, with its chain.")
    ] = None,
    whose: Annotated[
        Whose | None,
        typer.Option(
            help="Whose --replace-cert is: IncaMail's, which is the default, or the organisation's."
        ),
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(help="Suppose this trust store: certifi, system, a file or folder."),
    ] = None,
    distrust: Annotated[
        list[str] | None,
        typer.Option(help="Suppose that no store has this root: a file, or its SHA-256."),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="Suppose it for a run in this file of runs.")
    ] = None,
    run: Annotated[int, typer.Option(help="Which run; 0: the last.", min=0)] = 0,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Judge saved facts again, without a network; or list who would break if something changed.

    With a supposition (--platform, --replace-cert, --store, --distrust) each organisation is
    judged as it is and as it would be. What the facts cannot answer is unknown.
    """
    with clear_errors(lang) as t:
        moment = moment_of(at)
        if whose and not replace_cert:
            raise UsageError(say("--whose says whose certificate --replace-cert is; name one."))
        if run and not history:
            raise UsageError(say("--run is the number of a run in the file that --history names."))
        supposed = supposition_of(
            platform,
            replace_cert,
            whose or Whose.PLATFORM,
            stores=store or (),
            distrusted=distrust or (),
        )
        if history and not supposed:
            raise UsageError(say("--history goes with a supposition, such as --platform."))
        if not history and not facts:
            raise UsageError(say("Name facts or audits, or a run by --history."))
        if supposed:
            each = (
                of_run(history, run, supposed, moment)
                if history
                else each_supposed(records_in(facts or ()), supposed, moment)
            )
            raise typer.Exit(tell(tuple(each), t, as_json=as_json))
        saved = with_age(merged_facts(facts or ()), moment)
        known = _waivers(waivers, saved.declared.organisation, moment)
        result = judge_facts(saved, moment, known)
    say_notes(t.text(note) for note in waiver_notes(result, known))
    if as_json:
        print_json(result)
    else:
        print_findings(result, translator(chosen(lang, saved.declared.language)) if not lang else t)
    raise typer.Exit(result.exit_code)


def _waivers(file: Path | None, organisation: str, moment: dt.datetime) -> tuple[Waiver, ...]:
    if file is None:
        return ()
    if not file.exists():
        raise UsageError(say("There is no file {file} with waivers.", file=str(file)))
    return waivers_of(organisation, read_waivers(file, moment.date()))


def print_findings(result: Audit, t: Translator) -> None:
    """Verdict and the findings that matter, worst first."""
    facts = result.facts
    verdict = verdict_text(result.verdict, result.accepted_until)
    head = labelled(facts.declared.organisation, verdict)
    out().print(Styled(t.text(head), f"bold {COLOURS[result.verdict]}"))
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
    out().print(Styled(t.text(say_n("{n} check passed.", "{n} checks passed.", passed))))
    out().print(Styled(t.text(until_text(result.until))))
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
        samples = Listed(tuple(EXAMPLES / name for name in DEMO))
        run = run_of(samples, output, t, options=Options(), lang=lang)
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
