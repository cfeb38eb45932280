"""course: the lessons, how far one is, an exam, and the trainer's table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.cli._console import Styled, chosen, clear_errors, out, print_json, table
from incamail_lib.cli._options import Json, Lang
from incamail_lib.cli.start import Browser, Output, Port, serve
from incamail_lib.files import write_whole
from incamail_lib.i18n import Language, Translator
from incamail_lib.kernels import runtime

app = typer.Typer(help="The course: lessons on a lab of one's own, checked by the library.")
AsApp = Annotated[bool, typer.Option("--app", help="Web pages without code.")]
Learner = Annotated[str, typer.Option(help="Your name; by default whoever is logged in.")]


@app.command()
def start(
    lesson: Annotated[str, typer.Argument(help="Lesson by name or number; none: all.")] = "",
    learner: Learner = "",
    output: Output = Path("reports"),
    as_app: AsApp = False,
    browser: Browser = True,
    port: Port = 0,
    lang: Lang = None,
) -> None:
    """Open the lessons in JupyterLab, on this computer only; Ctrl-C ends it."""
    from incamail_lib.runbook.classroom import OVERVIEW
    from incamail_lib.runbook.course import lesson_named

    with clear_errors(lang) as t:
        first = lesson_named(lesson).notebook if lesson else OVERVIEW
        _open(
            t,
            learner,
            output,
            chosen(lang),
            first=first,
            given={},
            as_app=as_app,
            browser=browser,
            port=port,
        )


@app.command()
def exam(
    seed: Annotated[int, typer.Option(help="Who has the same number gets the same exam.")],
    questions: Annotated[int, typer.Option(help="How many questions.")] = 10,
    label: Annotated[str, typer.Option(help="Its name, such as before or after.")] = "exam",
    learner: Learner = "",
    output: Output = Path("reports"),
    as_app: AsApp = False,
    browser: Browser = True,
    port: Port = 0,
    lang: Lang = None,
) -> None:
    """Open an exam: mostly repairs, marked and explained when it is handed in; a second one tells
    what was learnt since the first."""
    from incamail_lib.course.exam import draw
    from incamail_lib.runbook.classroom import EXAM

    with clear_errors(lang) as t:
        draw(seed, questions)
        _open(
            t,
            learner,
            output,
            chosen(lang),
            first=EXAM,
            given={"seed": str(seed), "questions": str(questions), "label": label},
            as_app=as_app,
            browser=browser,
            port=port,
        )


@app.command()
def teach(
    papers: Annotated[
        Path | None, typer.Option(help="Folder with the papers of the learners.")
    ] = None,
    output: Output = Path("reports"),
    as_app: AsApp = False,
    browser: Browser = True,
    port: Port = 0,
    lang: Lang = None,
) -> None:
    """Open the trainer's page: switch the class's lab, see what the class has learnt."""
    from incamail_lib.runbook.classroom import TRAINER

    with clear_errors(lang) as t:
        _open(
            t,
            "",
            output,
            chosen(lang),
            first=TRAINER,
            given={"papers": str(papers.resolve()) if papers else ""},
            as_app=as_app,
            browser=browser,
            port=port,
        )


@app.command()
def progress(
    learner: Learner = "",
    output: Output = Path("reports"),
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Tell how far a learner is in each lesson: what is right, of how many exercises."""
    from incamail_lib.course.lessons import LESSONS
    from incamail_lib.course.progress import PROGRESS, Progress, open_progress, standing
    from incamail_lib.outputs import course_folder_if_any
    from incamail_lib.runbook.course import user_name

    with clear_errors(lang) as t:
        name = learner.strip() or user_name()
        folder = course_folder_if_any(output, name)
        known, problem = (
            open_progress(folder / PROGRESS, name) if folder else (Progress(learner=name), None)
        )
        if problem:
            sys.stderr.write(t.text(problem) + "\n")
        found = standing(known, LESSONS.values())
        if as_json:
            print_json(
                [
                    {"lesson": s.lesson.key, "right": s.right, "wrong": s.wrong, "all": s.all}
                    for s in found
                ]
            )
            return
        rows = [
            (f"{s.lesson.number} {t(s.lesson.title)}", f"{s.right} / {s.all}", f"{s.percent} %")
            for s in found
        ]
        table([t("Lesson"), t("Right"), t("Done")], rows, title=name)


@app.command()
def grade(
    folder: Annotated[Path, typer.Argument(help="Folder with the papers of the learners.")],
    table_file: Annotated[
        Path | None, typer.Option("--csv", help="File for the table; none: standard output.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Mark every exam in a folder anew, and write a table of them (CSV): what is right, which
    pictures misled, and what was gained since the first exam."""
    from incamail_lib.course.grading import csv_of, graded_rows

    with clear_errors(lang) as t:
        text = csv_of(graded_rows(folder, chosen(lang)))
        if table_file is None:
            sys.stdout.write(text)
            return
        write_whole(table_file, text.encode("utf-8-sig"))
        out().print(Styled(t("The table was written to {file}.").format(file=table_file)))


def _open(
    t: Translator,
    learner: str,
    output: Path,
    language: Language,
    *,
    first: str,
    given: dict[str, str],
    as_app: bool,
    browser: bool,
    port: int,
) -> None:
    # Late: other commands run on machines without Jupyter.
    from incamail_lib.course.progress import PROGRESS
    from incamail_lib.runbook.classroom import set_up
    from incamail_lib.runbook.course import user_name
    from incamail_lib.runbook.workplace import jupyter_server, voila_server

    room = set_up(learner.strip() or user_name(), output, language, first=first, given=given)
    for path in room.kept:
        told = t("You had changed this page; it is kept as {file}, and opens fresh.")
        out().print(Styled(told.format(file=path.name)))
    make = voila_server if as_app else jupyter_server
    with runtime() as own:
        server = make(room.place, own, port=port)
        serve(
            server,
            room.place.folder / PROGRESS,
            t,
            open_browser=browser,
            keep_log=room.place.log,
        )
