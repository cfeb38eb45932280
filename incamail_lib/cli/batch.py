"""batch: every client of a provider in one run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit import Progress
from incamail_lib.batch.listing import listed
from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.batch.rendering import Renderer
from incamail_lib.batch.results import CaseOutcome, PortfolioRun
from incamail_lib.cli._console import (
    Styled,
    chosen,
    clear_errors,
    err,
    out,
    print_json,
    progress_bar,
    say_notes,
)
from incamail_lib.cli._options import Json, Lang
from incamail_lib.cli.auditing import lines_of
from incamail_lib.cli.measuring import Vantage
from incamail_lib.errors import UsageError, reason
from incamail_lib.files import read_bounded
from incamail_lib.findings import Verdict
from incamail_lib.i18n import Text, Translator, say, say_n
from incamail_lib.outputs import HISTORY
from incamail_lib.probe.traffic import Bounds
from incamail_lib.reach import Spared
from incamail_lib.report.words import labelled, verdict_text, word

_LIST_BYTES = 10_000_000
_EVERY_S = 60.0  # a line of progress where nobody watches
_TRIES = 3  # of a server that is busy


def batch(
    dossiers: Annotated[
        list[str],
        typer.Argument(help="Dossier files, folders, globs, or lists as CSV or Excel."),
    ],
    output: Annotated[
        Path, typer.Option("--out", "--output", help="Folder for the reports.")
    ] = Path("reports"),
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that write reports; default: one a processor."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler whose workers write the reports."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that did not come to its end.")
    ] = False,
    opt_out: Annotated[
        Path | None,
        typer.Option(help="File with domains, hosts and networks that must never be probed."),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="The file of runs; default: history.sqlite in the folder of reports."),
    ] = None,
    vantage: Vantage = None,
    pdf: Annotated[bool, typer.Option(help="Write report.pdf beside report.html.")] = True,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Audit every organisation in one run: many at once, each shared server once."""
    with clear_errors(lang) as t:
        options = Options(
            language=chosen(lang) if lang else None,
            place=vantage,
            with_pdf=pdf,
            workers=workers,
            history=history or output / HISTORY,
            is_batch=True,
            resume=resume,
            spared=_spared(opt_out),
            bounds=Bounds(tries=_TRIES),
            renderer=_on_cluster(scheduler) if scheduler else None,
        )
        if scheduler and not scheduler.startswith("tls://"):
            say_notes([t.text(_in_clear(scheduler))])
        found = listed(dossiers)
        with _progress(t) as report:
            run = audit_all(
                found.paths, output=output, options=options, progress=report, wrong=found.wrong
            )
        _tell(run, t, as_json=as_json)
    raise typer.Exit(run.exit_code)


def _on_cluster(scheduler: str) -> Callable[[int | None], Renderer]:
    scheme, is_one, place = scheduler.partition("://")
    host, _, port = place.rpartition(":")
    if not (is_one and scheme.isalpha() and host and port.isascii() and port.isdecimal()):
        raise UsageError(
            say(
                "--scheduler takes an address such as tls://scheduler.example:8786, not «{given}».",
                given=scheduler,
            )
        )
    from incamail_lib.batch.cluster import Cluster  # late: an extra

    return lambda _lock: Cluster(scheduler)


def _in_clear(scheduler: str) -> Text:
    return say(
        "The way to {address} is not encrypted: whoever is on it can read dossiers and reports.",
        address=scheduler,
    )


def _spared(file: Path | None) -> Spared:
    """Who is on the list. Errors: UsageError: a list that is half understood protects nobody."""
    if file is None:
        return Spared()
    try:
        return Spared.of(read_bounded(file, _LIST_BYTES).decode("utf-8-sig").splitlines())
    except UnicodeDecodeError:
        raise UsageError(say("{file} is not UTF-8 text.", file=str(file))) from None
    except ValueError as error:
        raise UsageError(
            say(
                "{file}, line {line}: not a domain, host, address or network. Nothing was probed.",
                file=str(file),
                line=str(error),
            )
        ) from None
    except OSError as error:
        raise UsageError(
            say(
                "{file} cannot be read ({cause}). Nothing was probed.",
                file=str(file),
                cause=reason(error),
            )
        ) from None


@contextmanager
def _progress(t: Translator) -> Iterator[Progress]:
    """A bar on a terminal; where nobody watches, a line a minute."""
    if err().is_terminal:
        with progress_bar(t) as report:
            yield report
        return
    begun = last = time.monotonic()

    def told(stage: str, done: int, whole: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY_S:
            return
        last = now
        rate = done / (now - begun) * 60
        line = say(
            "{done} of {whole} organisations audited, {rate} a minute, {left} min left.",
            done=done,
            whole=whole,
            rate=f"{rate:.0f}",
            left=f"{(whole - done) / rate:.0f}",
        )
        if stage == "overview":
            line = say("{done} of {whole} organisations in the overview.", done=done, whole=whole)
        err().print(Styled(t.text(line)), soft_wrap=True)

    yield told


def _tell(run: PortfolioRun, t: Translator, *, as_json: bool) -> None:
    """Whoever is not ready by name, the others by number."""
    if as_json:
        print_json([outcome.summary() for outcome in run.outcomes])
        return
    counts: Counter[tuple[Verdict | None, bool]] = Counter()
    resumed = 0
    for outcome in run.outcomes:
        say_notes(t.text(note) for note in outcome.notes)
        counts[outcome.verdict, outcome.accepted_until is not None] += 1
        resumed += outcome.resumed
        if outcome.exit_code:
            out().print(Styled(t.text(labelled(outcome.organisation, _of(outcome)))))
            for line in lines_of(outcome, t):
                out().print(Styled(f"  {line}"))
    for (verdict, accepted), number in counts.items():
        name = say("accepted for a time") if accepted else _word(verdict)
        out().print(Styled(t.text(labelled(name, number))))
    if resumed:
        told = say_n("{n} was complete already.", "{n} were complete already.", resumed)
        out().print(Styled(t.text(told)))
    out().print(Styled(t("Overview: {file}").format(file=run.index)))


def _of(outcome: CaseOutcome) -> Text:
    if outcome.verdict is None:
        return _word(None)
    return verdict_text(outcome.verdict, outcome.accepted_until)


def _word(verdict: Verdict | None) -> Text:
    return word(verdict) if verdict else say("without a verdict")
