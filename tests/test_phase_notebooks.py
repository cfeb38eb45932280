"""Every phase notebook runs headless on the lab, in four languages, and shows plain HTML."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from incamail_lib.batch.execute import run_notebook
from incamail_lib.dossier import read_dossier
from incamail_lib.forms.view import WIDGET
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.runbook import EXAMPLES, NOTEBOOKS

PHASES = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if path.name[0].isdigit())


@pytest.fixture(scope="module")
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client half-way, its evidence measured once for all notebooks of a worker."""
    path = tmp_path_factory.mktemp("dossier") / "client.yaml"
    shutil.copyfile(EXAMPLES / "halbvoll.yaml", path)
    return path


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", PHASES, ids=lambda path: path.stem)
def test_a_phase_runs_without_anybody_there(dossier: Path, model: Path, language: Language) -> None:
    """Nothing waits for a click; answers come from the dossier; no output needs a widget."""
    output = dossier.parent / f"{model.stem}-{language}.ipynb"
    given = {
        "dossier": str(dossier),
        "language": language,
        "output": str(dossier.parent / "reports"),
        "interactive": False,
    }
    assert run_notebook(model, output, given, language, timeout_s=120) is None
    notebook = nbformat.read(output, as_version=4)
    shown = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert all(o.output_type == "execute_result" for o in shown)
    assert not any(WIDGET in o.data for o in shown)
    assert "widgets" not in notebook.metadata
    pages = "".join(o.data.get("text/html", "") for o in shown)
    assert f'lang="{language}"' in pages
    assert "Halbvoll Treuhand AG" in pages


def test_a_notebook_with_a_wrong_dossier_says_one_sentence(tmp_path: Path) -> None:
    """No traceback in the notebook for what a user can cause: the sentence, and how to mend it."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("organisation: Muster AG\ndomain: [muster.example]\n", encoding="utf-8")
    output = tmp_path / "out.ipynb"
    problem = run_notebook(NOTEBOOKS / "10_planning.ipynb", output, {"dossier": str(wrong)}, "en")
    assert problem is not None
    assert "line 2" in problem.english()
    notebook = nbformat.read(output, as_version=4)
    (error,) = [o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert len(error.traceback) == 1
    assert "domain" in error.traceback[0]


def test_the_dossier_is_what_the_next_phase_reads(dossier: Path) -> None:
    """After the notebooks ran, evidence stands in the dossier, and people's words untouched."""
    before = (EXAMPLES / "halbvoll.yaml").read_text(encoding="utf-8")
    text = dossier.read_text(encoding="utf-8")
    assert text.startswith(before.rstrip("\n")[:400])
    assert read_dossier(dossier).answers["4.1"].answer.startswith("Alle Mandatsleitenden")
