"""Every phase notebook runs headless on the lab, in four languages, and shows plain HTML."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from incamail_lib.batch.execute import How, run_notebook
from incamail_lib.dossier import read_dossier
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.notebooks import EXAMPLES, NOTEBOOKS
from incamail_lib.runbook.forms.view import WIDGET
from incamail_lib.runbook.onboarding import open_onboarding

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
    given: dict[str, str | bool] = {
        "dossier": str(dossier),
        "language": language,
        "output": str(dossier.parent / "reports"),
        "interactive": False,
    }
    assert run_notebook(model, output, given, language, how=How(timeout_s=120)) is None
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


def test_the_dossier_is_what_the_next_phase_reads(tmp_path: Path) -> None:
    """What a phase measured decides states in the dossier, people's words stay as they were, and
    who opens the dossier after that finds the same audit."""
    path, reports = tmp_path / "client.yaml", tmp_path / "reports"
    shutil.copyfile(EXAMPLES / "halbvoll.yaml", path)
    before = read_dossier(path)
    given: dict[str, str | bool] = {
        "dossier": str(path),
        "language": "de",
        "output": str(reports),
        "interactive": False,
    }
    model = NOTEBOOKS / "20_preparation.ipynb"
    assert run_notebook(model, tmp_path / "out.ipynb", given, "de", how=How(timeout_s=120)) is None
    after = read_dossier(path)
    for number, answer in before.answers.items():
        assert after.answers[number].answer == answer.answer
        assert after.answers[number].note == answer.note
    decided = after.answers.keys() - before.answers.keys()
    assert decided == {"6.1", "6.2"}
    text, old = path.read_text(encoding="utf-8"), (EXAMPLES / "halbvoll.yaml").read_text("utf-8")
    assert all(line in text for line in old.splitlines() if line.startswith("  # "))
    next_phase = open_onboarding(path, output=reports, interactive=False)
    assert next_phase.session.audit is not None
    assert next_phase.session.audit.facts.declared.organisation == "Halbvoll Treuhand AG"
