"""Terminal output: plain when piped, no colour with NO_COLOR, errors as one clear sentence."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text as RichText

from incamail_lib.errors import IncaMailError, UsageError
from incamail_lib.i18n import (
    LANGUAGES,
    N_,
    Language,
    Translator,
    environment_language,
    say,
    translator,
)
from incamail_lib.record import Record
from incamail_lib.sheets.cleaning import clean

if TYPE_CHECKING:
    from incamail_lib.audit import Progress as Report

# By verdict; not by its own names, since most commands tell none and need not load them.
COLOURS = {"ready": "green", "not_ready": "red", "inconclusive": "yellow"}
LONGEST = 4000  # characters of one line
_STAGES = {
    "dns": N_("DNS look-ups"),
    "probe": N_("SMTP and TLS probes"),
    "audit": N_("Organisations audited"),
    "overview": N_("Organisations in the overview"),
}


class Styled(RichText):
    """Text for the terminal: what a dossier or a server says can neither colour nor move it."""

    def __init__(self, text: str = "", style: str = "") -> None:
        lines = (str(clean(line, LONGEST)) for line in text.split("\n"))
        super().__init__("\n".join(lines), style=style)


class _Output(Console):
    """A console that ends quietly, as programs do, when its reader has had enough."""

    def on_broken_pipe(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + 13)  # as the shell tells SIGPIPE


def out() -> Console:
    """Standard output, for results."""
    return _Output(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Standard error, for progress and errors."""
    return Console(stderr=True, highlight=False)


def chosen(language: str | None, fallback: Language | None = None) -> Language:
    """The language asked for, else `fallback`, else that of the environment, else English."""
    if language and language not in LANGUAGES:
        raise UsageError(
            say(
                "There is no language «{given}»; choose one of {allowed}.",
                given=language[:20],
                allowed=", ".join(LANGUAGES),
            )
        )
    wanted = language or fallback or environment_language()
    return next(known for known in LANGUAGES if known == wanted)


@contextmanager
def clear_errors(language: str | None) -> Iterator[Translator]:
    """Turn an IncaMailError into its translated sentence and exit code."""
    t = translator(chosen(None))
    try:
        t = translator(chosen(language))
        yield t
    except IncaMailError as error:
        say_error(t.text(error.text))
        raise typer.Exit(error.exit_code) from None


def say_notes(notes: Iterable[str]) -> None:
    """What could not be written and why: each once, beside the results and not among them."""
    for note in dict.fromkeys(notes):
        err().print(Styled(note), soft_wrap=True)


def say_error(message: str) -> None:
    """One line on standard error."""
    err().print(Styled(message, style="red"))


def print_json(value: Record | Sequence[Record] | Any) -> None:
    """A record, or a list of records, as JSON on standard output."""
    plain = not sys.stdout.encoding.lower().startswith("utf")  # then escapes, which are JSON too
    if isinstance(value, Record):
        text = value.model_dump_json(indent=2, ensure_ascii=plain)
    else:
        data = [v.model_dump(mode="json") for v in value] if _are_records(value) else value
        text = json.dumps(data, indent=2, ensure_ascii=plain)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()  # another program may be waiting for it


def _are_records(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(v, Record) for v in value)


def table(headers: Sequence[str], rows: Sequence[Sequence[str | Styled]], title: str = "") -> None:
    """A readable table; cells are plain text, never markup."""
    from rich.table import Table  # late, as below: not every command shows one

    made = Table(title=Styled(title) if title else None, title_justify="left", show_lines=False)
    for header in headers:
        made.add_column(Styled(header), overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Styled) else Styled(cell) for cell in row))
    console = out()
    if not console.is_terminal:
        console.width = 160
    console.print(made)


@contextmanager
def progress_bar(t: Translator) -> Iterator[Report]:
    """Report long work on a terminal; say nothing when piped."""
    console = err()
    if not console.is_terminal:
        yield lambda _stage, _done, _all: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, whole: int) -> None:
            if stage not in tasks:
                words = t(_STAGES.get(stage, stage))
                tasks[stage] = bar.add_task(words, total=whole, rate="")
            bar.update(tasks[stage], completed=done, total=whole)
            speed = bar.tasks[bar.task_ids.index(tasks[stage])].speed
            bar.update(tasks[stage], rate=f"{speed * 60:.0f}/min" if speed else "")

        yield report
