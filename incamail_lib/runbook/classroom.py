"""A working folder for one learner: the lessons in the learner's language, and where they open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from incamail_lib.course.keeping import put_aside
from incamail_lib.files import clear_parts, read_bounded, write_whole
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.notebooks import TRAINING, enter, localised, models, parameters_of, read_model
from incamail_lib.outputs import course_folder
from incamail_lib.runbook.workplace import Workplace, entitle

OVERVIEW, EXAM, TRAINER = "00_course.ipynb", "90_exam.ipynb", "91_trainer.ipynb"
_BYTES = 20_000_000


@dataclass(frozen=True)
class Classroom:
    """Where a learner works, and which pages the learner had changed: kept under other names."""

    place: Workplace
    kept: tuple[Path, ...] = ()


def set_up(
    learner: str,
    output: Path,
    language: Language,
    *,
    first: str = OVERVIEW,
    given: Mapping[str, str] | None = None,
) -> Classroom:
    """Write the lessons into the learner's folder. A page that was changed there is kept
    under another name, and a fresh one takes its place.

    `given` are further parameters, for the pages that have them. Errors: OutputError.
    """
    folder = course_folder(output, learner)
    clear_parts(folder)
    values: dict[str, str | bool] = {
        "learner": learner,
        "language": language,
        "output": str(output.resolve()),
        **(given or {}),
    }
    # The trainer's page is for the trainer's own folder.
    pages = [path for path in models(TRAINING) if first == TRAINER or path.name != TRAINER]
    kept = [_write(path, folder, language, values) for path in pages]
    place = Workplace(organisation=learner, folder=folder, language=language, first=first)
    return Classroom(place, tuple(path for path in kept if path is not None))


def _write(
    model: Path, folder: Path, language: Language, values: Mapping[str, str | bool]
) -> Path | None:
    source = read_model(model)
    notebook = localised(source, language)
    enter(notebook, {k: v for k, v in values.items() if k in parameters_of(notebook)})
    entitle(notebook, str(values["learner"]), language)
    copy = folder / model.name
    aside = put_aside(copy, "yours") if copy.exists() and _is_changed(copy, source) else None
    write_whole(copy, nbformat.writes(notebook).encode())
    return aside


def _is_changed(copy: Path, model: nbformat.NotebookNode) -> bool:
    """Whether there is code in a copy that is neither ours nor a parameter, or a text that is ours
    in no language: a learner's own notes."""
    try:
        there = nbformat.reads(read_bounded(copy, _BYTES).decode(), as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return True
    ours = {text for language in LANGUAGES for text in _prose(localised(model, language))}
    return _code(there) != _code(model) or not _prose(there) <= ours


def _prose(notebook: nbformat.NotebookNode) -> set[str]:
    return {cell.source for cell in notebook.cells if cell.cell_type != "code" and cell.source}


def _code(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]
