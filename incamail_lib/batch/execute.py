"""Execute the audit notebook for one dossier and write its report.

A run counts as done only by the record that its last cell wrote: papermill leaves a notebook that
looks completed behind a dead process or a cell that ran out of time.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incamail_lib.audit import load_audit
from incamail_lib.batch.children import Opened, from_warm
from incamail_lib.dossier import read_dossier
from incamail_lib.errors import MaterialError, RunError, UsageError
from incamail_lib.files import write_whole
from incamail_lib.findings import Audit
from incamail_lib.forked.processes import can_fork
from incamail_lib.i18n import Language, Text, say, translator
from incamail_lib.kernels import manager_with, runtime
from incamail_lib.notebooks import NOTEBOOKS, localised, parameters_of, read_model
from incamail_lib.outputs import NOTEBOOK, PAGE, PAPER, RECORD

if TYPE_CHECKING:
    import nbformat

    from incamail_lib.kernels import Runtime

AUDIT = NOTEBOOKS / NOTEBOOK
CELL_TIMEOUT_S = 1800
START_TIMEOUT_S = 120
_KERNEL = "python3"
_NO_RECORD = say("The notebook ended without writing its record, so nothing is proven.")


@dataclass(frozen=True)
class RunRecord:
    """What one finished run left behind."""

    audit: Path
    loaded: Audit
    files: tuple[Path, ...]  # in the order in which a person wants them


def render_audit(  # noqa: PLR0913 – what one report is made of, each named
    dossier: Path,
    facts: Path,
    folder: Path,
    *,
    organisation: str,
    language: Language,
    previous: Path | None = None,
    with_pdf: bool = True,
    shown: Mapping[str, str] | None = None,
    how: How | None = None,
) -> RunRecord:
    """Run the audit notebook on saved facts and write notebook, record, HTML and PDF.

    `previous` is the record of the audit before, to compare with; `shown` are paths as they are
    while the work goes on, and as they are to be told.
    Errors: RunError when the notebook did not get to its end; a report with a banner that says so
    is left in the folder. OutputError when a file cannot be written.
    """
    how = how or How()
    given = {
        "dossier": str(dossier.resolve()),
        "language": language,
        "output": str(folder.resolve()),
        "facts": str(facts.resolve()),
        "previous": str(previous.resolve()) if previous else "",
    }
    how = replace(how, shown=shown or {})
    (folder / RECORD).unlink(missing_ok=True)  # only a record of this run counts
    problem = run_notebook(how.model, folder / NOTEBOOK, given, language, how=how)
    loaded = None
    if problem is None:
        loaded, problem = _record(folder / RECORD)
    if problem is not None:
        _mark_as_failed(folder / NOTEBOOK, translator(language).text(problem))
    page = _write_page(folder, language, organisation=organisation, problem=problem)
    if problem is not None or loaded is None:
        raise RunError(problem or _NO_RECORD)
    pdf = (_write_pdf(folder, loaded, dossier, previous, language),) if with_pdf else ()
    files = (page, *pdf, folder / NOTEBOOK, folder / RECORD, facts)
    return RunRecord(audit=folder / RECORD, loaded=loaded, files=files)


@dataclass(frozen=True)
class How:
    """How a notebook is run."""

    model: Path = AUDIT
    timeout_s: int = CELL_TIMEOUT_S  # of one cell
    opened: Opened | None = None  # where its process comes from; None: the shared warm process
    shown: Mapping[str, str] = field(default_factory=dict)


def run_notebook(
    model: Path,
    output: Path,
    parameters: Mapping[str, str | bool],
    language: Language,
    *,
    how: How | None = None,
) -> Text | None:
    """Execute a model notebook in a language; None, or what stopped it.

    Errors: UsageError for a parameter that the notebook does not have: papermill would only log
    it – and runs parameter names as code. OutputError.
    """
    # Late: papermill and what it brings take half a second, which other commands need not wait.
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from papermill.exceptions import PapermillException

    notebook = read_model(model)
    _refuse_unknown(parameters, parameters_of(notebook), model.name)
    prose = localised(notebook, language)
    how = how or How()
    try:
        try:
            _execute(prose, output, parameters, how)
        except DeadKernelError:
            raise
        except RuntimeError:  # it never answered: where it has TCP, somebody may have its port
            _execute(prose, output, parameters, how)
    except PapermillException as error:
        return _cell_failed(error)
    except (CellControlSignal, DeadKernelError) as error:
        return say("The kernel died or a step took too long ({kind}).", kind=type(error).__name__)
    except RuntimeError as error:  # jupyter_client: the kernel never answered
        return say("The notebook's kernel did not start ({cause}).", cause=str(error)[:200])
    return None


def _execute(
    notebook: nbformat.NotebookNode, output: Path, parameters: Mapping[str, Any], how: How
) -> None:
    """Run a notebook; whatever came of it is in the file `output` afterwards."""
    from papermill.execute import prepare_notebook_metadata, raise_for_execution_errors
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    running = load_notebook_node(notebook)
    if parameters:
        running = parameterize_notebook(
            running, dict(parameters), kernel_name=_KERNEL, language="python"
        )
    running = prepare_notebook_metadata(running, how.model.name, output.name)
    with runtime() as place:
        try:
            _in_process(running, place, how)
        finally:
            _save(running, output, how.shown)
        failed = place.folder / NOTEBOOK
        try:
            raise_for_execution_errors(running, str(failed))
        finally:
            if failed.exists():  # with papermill's marks where it failed
                write_whole(output, _as_shown(failed.read_text(encoding="utf-8"), how.shown))


def _in_process(notebook: nbformat.NotebookNode, place: Runtime, how: How) -> None:
    """In a fork where there are forks, else in a kernel."""
    from papermill.engines import NBClientEngine

    if can_fork():
        from incamail_lib.forked.client import Engine

        engine: Any = Engine
        own: dict[str, Any] = {
            "opened": how.opened or from_warm,
            "environment": place.environment(),
            "folder": place.folder,
        }
    else:
        engine = NBClientEngine
        own = {
            # All is written by then; a graceful end would interrupt the kernel, which complains.
            "shutdown_kernel": "immediate",
            "kernel_manager_class": manager_with(place.environment(), place.folder),
            "config": place.config(),
        }
    engine.execute_notebook(
        notebook,
        _KERNEL,
        progress_bar=False,
        start_timeout=START_TIMEOUT_S,
        execution_timeout=how.timeout_s,
        store_widget_state=False,  # else reports would need JavaScript from a CDN
        **own,
    )


def _save(notebook: nbformat.NotebookNode, output: Path, shown: Mapping[str, str]) -> None:
    import nbformat

    write_whole(output, _as_shown(nbformat.writes(notebook), shown))


def _as_shown(text: str, shown: Mapping[str, str]) -> bytes:
    """A notebook's text with the paths that count when the work is done."""
    for here, there in sorted(shown.items(), key=lambda pair: -len(pair[0])):
        for written in (str, html.escape):
            text = text.replace(_in_json(written(here)), _in_json(written(there)))
    return text.encode("utf-8", "surrogatepass")


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


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


def _record(record: Path) -> tuple[Audit | None, Text | None]:
    """What the notebook's last cell wrote, or that it did not."""
    try:
        return load_audit(record), None
    except MaterialError:
        return None, _NO_RECORD


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


def _write_page(
    folder: Path, language: Language, *, organisation: str, problem: Text | None
) -> Path:
    import nbformat

    from incamail_lib.report.document import html_of

    tell = translator(language)
    subject = tell("Audit of the mail gateway connection")  # Python 3.11 finds none in an f-string
    title = f"{organisation} – {subject}"
    told = tell.text(problem) if problem else ""
    page = folder / PAGE
    if (folder / NOTEBOOK).exists():  # a kernel that never started leaves none
        notebook = nbformat.read(folder / NOTEBOOK, as_version=4)
        write_whole(page, html_of(notebook, language, title=title, problem=told).encode())
    return page


def _write_pdf(
    folder: Path, audit: Audit, dossier: Path, previous: Path | None, language: Language
) -> Path:
    """report.pdf, from the record alone: it says what the page says."""
    # Late; and where there is no press Typst keeps threads here: this process forks no more.
    from incamail_lib.forked.press import pdf_of
    from incamail_lib.report import Report

    before = load_audit(previous) if previous else None
    report = Report(audit, language, dossier=read_dossier(dossier), before=before)
    return write_whole(folder / PAPER, pdf_of(report.document(), language))
