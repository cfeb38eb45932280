"""Execute the audit notebook for one dossier and write its report.

papermill leaves a notebook that looks completed behind a dead kernel or a cell that ran out of
time, so a run counts as done only by the record that its last cell wrote.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from incamail_lib.audit import load_audit
from incamail_lib.errors import MaterialError, RunError, UsageError
from incamail_lib.files import not_written, write_whole
from incamail_lib.i18n import Language, Text, say, translator
from incamail_lib.kernels import manager_with, runtime
from incamail_lib.runbook import NOTEBOOKS, localised, parameters_of, read_model

if TYPE_CHECKING:
    import nbformat

RECORD = "audit.json"
NOTEBOOK = "audit.ipynb"
PAGE = "report.html"
AUDIT = NOTEBOOKS / "audit.ipynb"
CELL_TIMEOUT_S = 1800
START_TIMEOUT_S = 120
_MOST = 1000  # folders of one second and one name


@dataclass(frozen=True)
class RunRecord:
    """What one finished run left behind."""

    audit: Path
    files: tuple[Path, ...]  # in the order in which a person wants them
    notes: tuple[Text, ...] = ()  # what could not be written, and why


def slug(name: str) -> str:
    """A folder name for an organisation: ASCII letters, digits and hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    # A name without Latin letters still has a folder that is nobody else's.
    return short or f"organisation-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def case_folder(output: Path, organisation: str, started: dt.datetime) -> Path:
    """A new folder `output/<organisation>/<UTC time>`; a second one of that time gets a number.

    Errors: OutputError.
    """
    return new_folder(output / slug(organisation) / f"{started.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}")


def new_folder(base: Path) -> Path:
    """Make the folder `base`, or where it is taken, one with a number behind its name.

    Errors: OutputError.
    """
    for number in range(1, _MOST):
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise not_written(folder, error) from None
        return folder
    raise not_written(base, FileExistsError())


def render_audit(
    dossier: Path,
    facts: Path,
    folder: Path,
    *,
    organisation: str,
    language: Language,
    with_pdf: bool = True,
    model: Path = AUDIT,
    timeout_s: int = CELL_TIMEOUT_S,
) -> RunRecord:
    """Run the audit notebook on saved facts and write notebook, record, HTML and PDF.

    Errors: RunError when the notebook did not get to its end; a report with a banner that says so
    is left in the folder. OutputError when a file cannot be written.
    """
    given = {
        "dossier": str(dossier.resolve()),
        "language": language,
        "output": str(folder.resolve()),
        "facts": str(facts.resolve()),
    }
    (folder / RECORD).unlink(missing_ok=True)  # only a record of this run counts
    problem = run_notebook(model, folder / NOTEBOOK, given, language, timeout_s=timeout_s)
    if problem is None:
        problem = _record_problem(folder / RECORD)
    if problem is not None:
        _mark_as_failed(folder / NOTEBOOK, translator(language).text(problem))
    tell = translator(language)
    subject = tell("Audit of the mail gateway connection")
    title = f"{organisation} – {subject}"
    told = tell.text(problem) if problem else ""
    page = _write_page(folder, language, title=title, problem=told)
    if problem is not None:
        raise RunError(problem)
    papers, notes = _write_paper(page) if with_pdf else ((), ())
    files = (page, *papers, folder / NOTEBOOK, folder / RECORD, facts)
    return RunRecord(audit=folder / RECORD, files=files, notes=notes)


def run_notebook(
    model: Path,
    output: Path,
    parameters: Mapping[str, str | bool],
    language: Language,
    *,
    timeout_s: int = CELL_TIMEOUT_S,
) -> Text | None:
    """Execute a model notebook in a language; None, or what stopped it.

    Errors: UsageError for a parameter that the notebook does not have: papermill would only log
    it – and runs parameter names as code.
    """
    # Late: papermill and what it brings take half a second, which other commands need not wait.
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from papermill.exceptions import PapermillException

    notebook = read_model(model)
    _refuse_unknown(parameters, parameters_of(notebook), model.name)
    try:
        prose = localised(notebook, language)
        try:
            _execute(prose, output, parameters, timeout_s)
        except DeadKernelError:
            raise
        except RuntimeError:  # it never answered: where it has TCP, somebody may have its port
            _execute(prose, output, parameters, timeout_s)
    except PapermillException as error:
        return _cell_failed(error)
    except (CellControlSignal, DeadKernelError) as error:
        return say("The kernel died or a step took too long ({kind}).", kind=type(error).__name__)
    except RuntimeError as error:  # jupyter_client: the kernel never answered
        return say("The notebook's kernel did not start ({cause}).", cause=str(error)[:200])
    except OSError as error:
        raise not_written(output, error) from None
    return None


def _execute(
    notebook: nbformat.NotebookNode,
    output: Path,
    parameters: Mapping[str, str | bool],
    timeout_s: int,
) -> None:
    from papermill.execute import execute_notebook

    with runtime() as place:
        execute_notebook(
            notebook,
            str(output.resolve()),
            dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            start_timeout=START_TIMEOUT_S,
            execution_timeout=timeout_s,
            store_widget_state=False,  # else reports would need JavaScript from a CDN
            # All is written by then; a graceful end would interrupt the kernel, which complains.
            shutdown_kernel="immediate",
            kernel_manager_class=manager_with(os.environ | place.environment),
            config=place.config(),
        )


def _refuse_unknown(given: Iterable[str], known: frozenset[str], notebook: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise UsageError(
            say(
                "The notebook {name} has no parameter «{given}». It has: {allowed}.",
                name=notebook,
                given=", ".join(unknown)[:200],
                allowed=", ".join(sorted(known)),
            )
        )


def _cell_failed(error: Exception) -> Text:
    kind, value = getattr(error, "ename", ""), str(getattr(error, "evalue", ""))
    return say(
        "A step of the notebook failed ({kind}): {cause}",
        kind=kind or type(error).__name__,
        cause=value[:300],
    )


def _record_problem(record: Path) -> Text | None:
    try:
        load_audit(record)
    except MaterialError:
        return say("The notebook ended without writing its record, so nothing is proven.")
    return None


def _mark_as_failed(path: Path, problem: str) -> None:
    """Correct what papermill leaves behind a dead kernel: steps marked completed that never ran."""
    if not path.exists():
        return
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    run = notebook.metadata.setdefault("papermill", {})
    run["exception"] = True
    for cell in notebook.cells:
        state = cell.metadata.get("papermill")
        if state and cell.cell_type == "code" and cell.get("execution_count") is None:
            state["status"] = "pending"
    note = nbformat.v4.new_markdown_cell(f"**✗ {problem}**", metadata={"tags": ["run-failed"]})
    notebook.cells.insert(0, note)
    write_whole(path, nbformat.writes(notebook).encode())


def _write_page(folder: Path, language: Language, *, title: str, problem: str) -> Path:
    import nbformat

    from incamail_lib.report.document import html_of

    page = folder / PAGE
    if (folder / NOTEBOOK).exists():  # a kernel that never started leaves none
        notebook = nbformat.read(folder / NOTEBOOK, as_version=4)
        write_whole(page, html_of(notebook, language, title=title, problem=problem).encode())
    return page


def _write_paper(page: Path) -> tuple[tuple[Path, ...], tuple[Text, ...]]:
    """report.pdf; or nothing, and the line that says what to install."""
    from incamail_lib.report.document import PaperUnavailable, pdf_of

    try:
        made = pdf_of(page.read_text(encoding="utf-8"))
    except PaperUnavailable as missing:
        return (), (missing.text,)
    return (write_whole(page.with_suffix(".pdf"), made),), ()
