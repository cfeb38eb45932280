"""history and diff: runs kept night by night, what changed, and whether the last one was made."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.cli._console import Styled, clear_errors, out, print_json, say_error, table
from incamail_lib.cli._options import Json, Lang
from incamail_lib.errors import UsageError
from incamail_lib.history import History, Run
from incamail_lib.history.differing import Between, alerts, difference
from incamail_lib.history.store import finished
from incamail_lib.i18n import NO_DATE, Translator, say
from incamail_lib.outputs import HISTORY
from incamail_lib.printable import for_chat

File = Annotated[Path, typer.Option("--history", help="The file of runs.")]
_DURATION = re.compile(r"(\d{1,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AHEAD = dt.timedelta(minutes=5)  # clocks of two machines may differ by that


def history(
    file: File = Path("reports") / HISTORY,
    expect: Annotated[
        str, typer.Option(help="Alarm (exit code 1) unless a run ended within 26h, 90m or 2d.")
    ] = "",
    keep: Annotated[
        int, typer.Option(help="Drop whole audits but those of the newest N runs.", min=0)
    ] = 0,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """List the runs that are kept, and tell whether the last one was made in time."""
    with clear_errors(lang) as t:
        limit = _duration(expect) if expect else None
        with History.open(file) as kept:
            if keep:
                kept.thin(keep)
            runs = kept.runs()
        if as_json:
            print_json([_plain(run) for run in runs])
        elif not expect:
            _print_runs(runs, t)
        late = limit is not None and _is_late(finished(runs), limit, t)
    raise typer.Exit(1 if late else 0)


def _duration(text: str) -> dt.timedelta:
    found = _DURATION.fullmatch(text)
    if not found:
        raise UsageError(
            say("--expect takes a time such as 26h, 90m or 2d, not «{given}».", given=text)
        )
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


def _is_late(last: dt.datetime | None, limit: dt.timedelta, t: Translator) -> bool:
    """Whether the last run ended too long ago, or at a time that is yet to come."""
    now = dt.datetime.now(dt.UTC)
    if last is not None and now - limit <= last <= now + _AHEAD:
        return False
    if last is None:
        told = say("No run has come to its end yet.")
    elif last > now:
        told = say(
            "The last run ended at {time}, which is yet to come: look at the clocks.",
            time=_told(last),
        )
    else:
        told = say("No run has come to its end since {time}.", time=_told(last))
    say_error(t.text(told))
    return True


def _told(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else NO_DATE


def _plain(run: Run) -> dict[str, object]:
    return {
        "run": run.number,
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat() if run.finished else None,
        "program": run.program,
        "organisations": run.organisations,
    }


def _print_runs(runs: Sequence[Run], t: Translator) -> None:
    headings = [t("Run"), t("Started"), t("Ended"), t("Organisations"), t("Version")]
    rows = [
        (str(r.number), _told(r.started), _told(r.finished), str(r.organisations), r.program)
        for r in runs
    ]
    table(headings, rows)


def diff(
    before: Annotated[int, typer.Argument(min=0, help="The earlier run; 0: the last but one.")] = 0,
    after: Annotated[int, typer.Argument(min=0, help="The later run; 0: the last.")] = 0,
    file: File = Path("reports") / HISTORY,
    only_alerts: Annotated[
        bool,
        typer.Option("--alerts", help="One line for each change for the worse, for mail or chat."),
    ] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Tell what changed from one run to another. Ends with 1 where anything got worse."""
    with clear_errors(lang) as t, History.open(file) as kept:
        earlier, later = kept.run(before or -1), kept.run(after)
        if before and not after and earlier.number == later.number:
            raise UsageError(
                say("Run {number} is the newest; there is none after it.", number=before)
            )
        found = tuple(difference(kept, earlier, later))
        lines = [line for each in found for line in alerts(each)]
        if as_json:
            print_json([each.summary() for each in found])
        elif only_alerts:
            for line in lines:
                out().print(Styled(for_chat(t.text(line))), soft_wrap=True)
        else:
            _print(found, t)
    raise typer.Exit(1 if lines else 0)


def _print(found: Sequence[Between], t: Translator) -> None:
    for each in found:
        out().print(Styled(each.organisation, "bold"))
        for change in each.changes:
            where = f" ({change.subject})" if change.subject else ""
            line = f"  {change.code or NO_DATE}{where} {t.text(change.text)}"
            out().print(Styled(line, "red" if change.alarm else ""), soft_wrap=True)
        if each.note:
            out().print(Styled(f"  {t.text(each.note)}"), soft_wrap=True)
    if not found:
        out().print(Styled(t("Nothing changed.")))
