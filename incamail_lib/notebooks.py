"""The model notebooks: where they lie, which parameters they take, their prose in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from incamail_lib.errors import UsageError
from incamail_lib.i18n import Language, say, translator

if TYPE_CHECKING:
    import nbformat


def _ours(name: str) -> Path:
    """A folder of the project: within the installed library, or beside it in a checkout."""
    installed = Path(__file__).parent / "share" / name
    return installed if installed.is_dir() else Path(__file__).parents[1] / name


NOTEBOOKS = _ours("notebooks")
EXAMPLES = _ours("examples")
PORTFOLIO = "portfolio.ipynb"
TRAINING = "training"  # the folder of the course
_PARAMETER = re.compile(r"(?P<name>[a-z_]+)(?P<type>: \w+) = [^=]+?(?P<help>  # .+)")
_BLANK_LINES = re.compile(r"\n\s*\n")


def models(folder: str = "") -> tuple[Path, ...]:
    """Every model notebook of the runbook, or of a folder beside it, in order of its name."""
    return tuple(sorted((NOTEBOOKS / folder).glob("*.ipynb")))


def every_model() -> tuple[Path, ...]:
    """The model notebooks of the runbook and of the course."""
    return (*models(), *models(TRAINING))


def models_of_a_client() -> tuple[Path, ...]:
    """The model notebooks that are about one organisation; all but that of the whole portfolio."""
    return tuple(path for path in models() if path.name != PORTFOLIO)


def read_model(path: Path) -> nbformat.NotebookNode:
    """A model notebook. Errors: UsageError where the file is missing or damaged."""
    import nbformat  # late: it takes a fifth of a second

    try:
        notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise UsageError(
            say(
                "The notebook {file} cannot be read ({cause}). Restore it from the project: it "
                "belongs beside the library, in the folder «notebooks».",
                file=str(path),
                cause=type(error).__name__,
            )
        ) from None
    return notebook


def parameters_of(notebook: nbformat.NotebookNode) -> frozenset[str]:
    """The names that the cell tagged `parameters` declares, one a line."""
    lines = (line for cell in _parameter_cells(notebook) for line in cell.source.splitlines())
    return frozenset(m["name"] for line in lines if (m := _PARAMETER.fullmatch(line)))


def enter(notebook: nbformat.NotebookNode, values: Mapping[str, str | bool]) -> None:
    """Put `values` in place of the parameters of these names; `parameters_of` knows the same."""
    for cell in _parameter_cells(notebook):
        cell.source = "\n".join(_entered(line, values) for line in cell.source.splitlines())


def _parameter_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])][:1]


def _entered(line: str, values: Mapping[str, str | bool]) -> str:
    found = _PARAMETER.fullmatch(line)
    if not found or found["name"] not in values:
        return line
    # As Python writes it: JSON has other rules for what is beyond 16 bits.
    return f"{found['name']}{found['type']} = {values[found['name']]!a}{found['help']}"


def paragraphs(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """The prose of the Markdown cells, a paragraph at a time: the texts of the catalogs."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from (part for part in _BLANK_LINES.split(cell.source) if part.strip())


def localised(notebook: nbformat.NotebookNode, language: Language) -> nbformat.NotebookNode:
    """A copy with its prose in `language`; code, ids and metadata stay as they are."""
    import nbformat

    tell = translator(language)
    copy: nbformat.NotebookNode = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            parts = _BLANK_LINES.split(cell.source)
            cell.source = "\n\n".join(tell.gettext(part) for part in parts)
    return copy


def headings(name: str, language: Language) -> tuple[str, ...]:
    """The headings below the title of the model notebook of that name. Errors: UsageError."""
    texts = paragraphs(localised(read_model(NOTEBOOKS / name), language))
    return tuple(text.removeprefix("## ") for text in texts if text.startswith("## "))
