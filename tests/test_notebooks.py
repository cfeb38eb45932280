"""The model notebooks keep to the house's anatomy, and their prose exists in four languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from incamail_lib.i18n import LANGUAGES
from incamail_lib.notebooks import (
    every_model,
    localised,
    models,
    paragraphs,
    parameters_of,
    read_model,
)
from incamail_lib.tools import catalogs

MAX_LINES = 8
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.Lambda)


def complaints(notebook: nbformat.NotebookNode) -> list[str]:
    """What breaks the anatomy (architecture: Notebooks)."""
    wrong: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            wrong += [f"{cell.id}: {problem}" for problem in code_problems(cell)]
    kinds = [cell.cell_type for cell in notebook.cells]
    if kinds[0] != "markdown":
        wrong.append("it does not begin with prose")
    if not parameters_of(notebook):
        wrong.append("it has no parameters")
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        asks = before.cell_type == "markdown" and cell.cell_type == "code"
        if asks and "parameters" not in tags(cell) and len(before.source.split()) < 12:
            wrong.append(f"{before.id}: it does not say what to do with what appears")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            wrong += [f"{cell.id}: «{word}»" for word in prose_problems(cell)]
    return wrong


def prose_problems(cell: nbformat.NotebookNode) -> list[str]:
    """Words of the machinery, which a client who is shown pages without code does not know."""
    if "lab-only" in tags(cell):
        return []
    return re.findall(r"You should see|Run →|kernel|[Cc]ells?\b|notebook", cell.source)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def code_problems(cell: nbformat.NotebookNode) -> list[str]:
    source = cell.source
    wrong = []
    if cell.outputs or cell.execution_count is not None:
        wrong.append("it is committed with outputs")
    if len(source.splitlines()) > MAX_LINES:
        wrong.append(f"more than {MAX_LINES} lines")
    if source.lstrip().startswith(("!", "%")):
        wrong.append("a shell command or magic")
    elif "parameters" not in tags(cell):
        tree = compile(source, cell.id, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        nodes = list(ast.walk(tree))
        wrong += [type(n).__name__ for n in nodes if isinstance(n, FORBIDDEN)]
        if not isinstance(tree.body[-1], ast.Expr):
            wrong.append("its last line shows nothing")
    elif len(parameters_of_cell(source)) != len(source.splitlines()):
        wrong.append("a parameter is not of the form: name: type = value  # help")
    return wrong


def parameters_of_cell(source: str) -> frozenset[str]:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    return parameters_of(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize("path", every_model(), ids=lambda path: path.stem)
def test_a_notebook_keeps_to_the_anatomy(path: Path) -> None:
    """Prose, short cells that show something, typed parameters, no outputs, no logic."""
    assert complaints(read_model(path)) == []


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("def f():\n    pass", "FunctionDef"),
        ("try:\n    x\nexcept ValueError:\n    x", "Try"),
        ("!ls", "shell"),
        ("x = 1", "shows nothing"),
        ("\n".join(["x"] * 9), "more than"),
    ],
)
def test_a_planted_fault_is_found(code: str, complaint: str) -> None:
    """The test above can fail, for each rule."""
    notebook = read_model(models()[0])
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    assert any(complaint in sentence for sentence in complaints(notebook))


@pytest.mark.parametrize("path", every_model(), ids=lambda path: path.stem)
def test_a_copy_in_another_language_differs_in_prose_alone(path: Path) -> None:
    """Code, ids, tags and parameters are the same in all languages; every paragraph is told."""
    model = read_model(path)
    code = [(c.id, c.source, tags(c)) for c in model.cells if c.cell_type == "code"]
    for language in LANGUAGES[1:]:
        copy = localised(model, language)
        assert [(c.id, c.source, tags(c)) for c in copy.cells if c.cell_type == "code"] == code
        known = catalogs.load(language)
        translated = [known.get(said) for said in paragraphs(model)]
        expected = [message.string if message else None for message in translated]
        assert all(expected)
        assert list(paragraphs(copy)) == expected
        assert len(set(expected) & set(paragraphs(model))) <= 1, "«Test» is «Test» everywhere"
    assert list(paragraphs(localised(model, "en"))) == list(paragraphs(model))


def spoken(source: str) -> set[str]:
    """What code takes from the library: names it imports, attributes, keywords of its calls."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("incamail_lib"):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Call):
            found |= {f"{ast.unparse(node.func)}({word.arg}=)" for word in node.keywords}
    return found


@pytest.mark.parametrize("path", every_model(), ids=lambda path: path.stem)
def test_planted_prose_is_found(path: Path) -> None:
    """Words of the machinery, and a cell that nobody explains."""
    notebook = read_model(path)
    notebook.cells += [
        nbformat.v4.new_markdown_cell("Restart the kernel"),
        nbformat.v4.new_code_cell("runbook"),
    ]
    found = " ".join(complaints(notebook))
    assert "kernel" in found
    assert "what to do" in found
    notebook.cells[-2].metadata["tags"] = ["lab-only"]
    assert "kernel" not in " ".join(complaints(notebook))


@pytest.mark.parametrize("path", every_model(), ids=lambda path: path.stem)
def test_every_call_of_a_notebook_is_checked_for_its_types(path: Path) -> None:
    """tests/typed_usage.py says each of them again, where mypy reads it."""
    checked = spoken(Path(__file__).with_name("typed_usage.py").read_text(encoding="utf-8"))
    cells = [cell.source for cell in read_model(path).cells if cell.cell_type == "code"]
    said = spoken("\n".join(cells))
    assert said
    assert said - checked == set()
    assert spoken("await runbook.evidnce(harder=True)") - checked == {"runbook.evidnce(harder=)"}
