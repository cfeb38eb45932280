"""A run is done by its record alone: dead kernels, time-outs and early ends are no success."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import nbformat
import pytest
from factories import facts, unreached
from pypdf import PdfReader

from incamail_lib.audit import load_audit, save_record
from incamail_lib.audit.case import bind
from incamail_lib.batch.execute import AUDIT, How, RunRecord, render_audit
from incamail_lib.batch.execute import run_notebook as run
from incamail_lib.checks import judge_facts
from incamail_lib.errors import RunError, UsageError
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage

DOSSIER = "organisation: Muster AG\ndomains: [muster.example]\n"
MOMENT = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)


def rendered(folder: Path, *, model: Path = AUDIT, timeout_s: int = 120) -> RunRecord:
    """The audit notebook, or a spoilt one, on literal facts."""
    dossier = folder / "muster.yaml"
    dossier.write_text(DOSSIER, encoding="utf-8")
    saved = save_record(facts(), folder / "facts.json")
    return render_audit(
        dossier,
        saved,
        folder,
        organisation="Muster AG",
        language="fr",
        with_pdf=False,
        how=How(model=model, timeout_s=timeout_s),
    )


def spoilt(folder: Path, code: str, *, before: str = "routing") -> Path:
    """The audit notebook with one more cell."""
    notebook = nbformat.read(AUDIT, as_version=4)
    at = next(n for n, cell in enumerate(notebook.cells) if cell.id == before)
    notebook.cells.insert(at, nbformat.v4.new_code_cell(code))
    path = folder / "spoilt.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_run_leaves_notebook_record_and_report(tmp_path: Path) -> None:
    """The executed notebook is in the client's language, with static outputs, no widget state."""
    record = rendered(tmp_path)
    assert load_audit(record.audit).facts.declared.organisation == "Muster AG"
    assert [file.name for file in record.files] == [
        "report.html",
        "audit.ipynb",
        "audit.json",
        "facts.json",
    ]
    notebook = nbformat.read(tmp_path / "audit.ipynb", as_version=4)
    assert "widgets" not in notebook.metadata
    prose = "".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert "organisation est-elle" in prose
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'lang="fr"' in page
    assert 'im-banner"' not in page


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "noyau"),
        ("import time; time.sleep(60)", "noyau"),
        ("raise SystemExit(0)", ""),
        ("1 / 0", "ZeroDivisionError"),
    ],
    ids=["killed", "time_out", "left_early", "error"],
)
def test_a_run_that_did_not_end_is_no_success(tmp_path: Path, code: str, told: str) -> None:
    """Whatever stops the kernel: an error, no record, a banner, no cell claimed as completed."""
    with pytest.raises(RunError) as caught:
        rendered(tmp_path, model=spoilt(tmp_path, code), timeout_s=8 if "sleep" in code else 120)
    assert caught.value.exit_code == 4
    assert not (tmp_path / "audit.json").exists()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'im-banner"' in page
    assert told in page
    notebook = nbformat.read(tmp_path / "audit.ipynb", as_version=4)
    assert notebook.metadata.papermill.exception is True
    assert "✗" in notebook.cells[0].source
    last = next(cell for cell in notebook.cells if cell.get("id") == "record")
    assert last.metadata.papermill.status == "pending"


def test_a_record_of_an_earlier_run_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    """A record that lies in the folder already does not make a failed run look done."""
    save_record(facts(), tmp_path / "audit.json")
    with pytest.raises(RunError):
        rendered(tmp_path, model=spoilt(tmp_path, "raise SystemExit(0)"))


@pytest.mark.parametrize("name", ["x = 1; print('INJECTED'); y", "organisation", "Dossier", ""])
def test_unknown_parameters_are_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    """papermill would run the name as code, or only log it."""
    with pytest.raises(UsageError, match="has no parameter"):
        run(AUDIT, tmp_path / "out.ipynb", {name: "1"}, "en")
    assert not (tmp_path / "out.ipynb").exists()


def test_a_missing_notebook_is_told(tmp_path: Path) -> None:
    """The library without its notebooks folder says where they belong."""
    with pytest.raises(UsageError, match="notebooks"):
        run(tmp_path / "none.ipynb", tmp_path / "out.ipynb", {}, "en")
    (tmp_path / "bad.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.ipynb"):
        run(tmp_path / "bad.ipynb", tmp_path / "out.ipynb", {}, "en")


def test_the_executed_notebook_holds_no_secret(tmp_path: Path, monkeypatch) -> None:
    """Neither parameters nor outputs show what the environment holds."""
    monkeypatch.setenv("GATEWAY_PASSPHRASE", "correct horse battery")
    rendered(tmp_path)
    for file in tmp_path.iterdir():
        assert b"correct horse" not in file.read_bytes()
    parameters = json.loads((tmp_path / "audit.ipynb").read_text())["metadata"]["papermill"]
    assert set(parameters["parameters"]) == {"dossier", "language", "output", "facts", "previous"}


def test_page_and_paper_tell_what_changed_since_the_audit_before(tmp_path: Path) -> None:
    """The record of the audit before goes into the notebook, and onto paper."""
    silent = facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),))
    before = save_record(judge_facts(silent, MOMENT), tmp_path / "before" / "audit.json")
    dossier = tmp_path / "muster.yaml"
    dossier.write_text(DOSSIER, encoding="utf-8")
    record = render_audit(
        dossier,
        save_record(facts(), tmp_path / "facts.json"),
        tmp_path,
        organisation="Muster AG",
        language="en",
        previous=before,
    )
    assert "report.pdf" in [file.name for file in record.files]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    paper = PdfReader(tmp_path / "report.pdf").pages[0].extract_text()
    assert "Since the audit of 24 November 2026" in page
    assert "Since the audit of 24 November 2026" in paper
    assert "better" in paper


def test_an_audit_of_somebody_else_is_no_audit_before(tmp_path: Path) -> None:
    """One sentence says whose it is."""
    dossier = tmp_path / "other.yaml"
    dossier.write_text(DOSSIER.replace("Muster AG", "Other AG"), encoding="utf-8")
    theirs = save_record(judge_facts(facts(), MOMENT), tmp_path / "audit.json")
    case = bind(dossier, previous=theirs)
    with pytest.raises(UsageError, match="is an audit of «Muster AG»"):
        _ = case.before
    assert bind(dossier).before is None
