"""One night after the other in one folder of reports: what is compared, linked and taken up."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from batch.test_portfolio import LAB, PLAIN
from factories import ready

from incamail_lib.audit import save_record
from incamail_lib.batch.overview import write_portfolio
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.batch.results import CaseOutcome, PortfolioRun
from incamail_lib.batch.resuming import folder_of_run
from incamail_lib.files import held
from incamail_lib.history import HistoryError
from incamail_lib.outputs import HISTORY, NOTEBOOK, PAGE


def night(folder: Path, name: str = "muster.yaml", output: Path | None = None) -> CaseOutcome:
    """One dossier of Muster AG, audited from saved facts."""
    (outcome,) = nights(folder, name, output).outcomes
    assert isinstance(outcome, CaseOutcome)
    return outcome


def nights(folder: Path, name: str = "muster.yaml", output: Path | None = None) -> PortfolioRun:
    facts = save_record(ready(), folder / "facts.json")
    path = folder / name
    path.write_text(LAB.format(name="Muster AG", language="en", domain="muster.example"))
    reports = output or folder / "reports"
    options = replace(PLAIN, facts=[facts], is_batch=True, resume=True, history=reports / HISTORY)
    return audit_all([path], output=reports, options=options)


def compared_with(outcome: CaseOutcome) -> str:
    """The record that the notebook was given to compare with."""
    assert outcome.folder is not None
    notebook = json.loads((outcome.folder / NOTEBOOK).read_text(encoding="utf-8"))
    return str(notebook["metadata"]["papermill"]["parameters"]["previous"])


def test_an_audit_is_compared_with_one_of_the_same_dossier(tmp_path: Path) -> None:
    """An organisation may have several: what differs between them is no change."""
    first, other = night(tmp_path, "one.yaml"), night(tmp_path, "other.yaml")
    assert (first.folder and first.folder.parent) == (other.folder and other.folder.parent)
    assert compared_with(other) == ""
    assert compared_with(night(tmp_path, "one.yaml")) == str(first.record)


def test_an_audit_that_was_changed_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    """It is no evidence, so nothing is compared with it – and that is told."""
    first = night(tmp_path)
    assert first.record is not None
    first.record.write_text(first.record.read_text("utf-8").replace("mx1", "mx9"), "utf-8")
    second = night(tmp_path)
    assert compared_with(second) == ""
    (note,) = (n.english() for n in second.notes if "changed after it was sealed" in n.english())
    assert str(first.folder) in note
    assert night(tmp_path).notes == second.notes[1:]


def test_reports_are_linked_from_whatever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was made by a relative path; the portfolio is made somewhere else, later."""
    (tmp_path / "clients").mkdir()
    monkeypatch.chdir(tmp_path / "clients")
    night(tmp_path / "clients", output=Path("../reports"))
    (tmp_path / "else" / "where").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "else" / "where")
    page, *_ = write_portfolio(Path("../../reports") / HISTORY, Path("portfolio"), with_pdf=False)
    assert f"/{PAGE}" in page.read_text(encoding="utf-8")


def test_a_damaged_history_costs_no_audit(tmp_path: Path) -> None:
    """What to do is told; then the run is taken up, and nothing is done twice."""
    file = tmp_path / "reports" / HISTORY
    night(tmp_path)
    data = bytearray(file.read_bytes())
    data[4096:] = b"A" * (len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(HistoryError, match=r"damaged.* Every audit .* --resume"):
        night(tmp_path)
    file.rename(tmp_path / "aside.sqlite")
    assert night(tmp_path).resumed


def test_a_run_that_ends_while_it_is_waited_for_makes_room(tmp_path: Path) -> None:
    """Nothing is there to be resumed any more: a new run begins."""
    part = tmp_path / "run-20260101T000000Z.part"
    part.mkdir()
    begun = threading.Event()

    def other_run() -> None:
        with held(part):
            begun.set()
            time.sleep(0.3)
            part.rename(part.with_suffix(""))

    other = threading.Thread(target=other_run)
    other.start()
    assert begun.wait(10)
    with ExitStack() as stack:
        folder, _ = folder_of_run(tmp_path, stack, resume=True)
        assert folder.part != part
        assert folder.part.is_dir()
    other.join()
