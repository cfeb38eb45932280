"""An executed notebook as one self-contained page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import nbformat
from jinja2 import Environment
from nbconvert.exporters.templateexporter import TemplateExporter

from incamail_lib.i18n import Language
from incamail_lib.report.pages import TEMPLATES
from incamail_lib.sheets.cleaning import clean
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.policy import policy
from incamail_lib.sheets.style import page_style, unstyled

MARK = "incamail"  # key in the metadata of our own outputs; only these are taken as HTML


@dataclass(frozen=True)
class _Page:
    """What the template needs beside the notebook."""

    language: Language
    version: str
    title: str
    style: str
    problem: str
    contents: tuple[tuple[str, str], ...]  # anchor and title of each chapter
    contents_after: str  # id of the cell that shows the first chapter


class _PageExporter(TemplateExporter):
    """nbconvert with this project's template and texts; no widgets, no MathJax, no CDN."""

    file_extension = ".html"
    output_mimetype = "text/html"
    display_data_priority = ("text/html", "text/plain")
    optimistic_validation = True  # once, after all its steps, not after each

    def __init__(self, language: Language) -> None:
        self._language = language
        super().__init__(  # type: ignore[no-untyped-call]
            template_name="incamail", extra_template_basedirs=[str(TEMPLATES / "nbconvert")]
        )

    def _create_environment(self) -> Environment:
        made: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        made.globals["_"] = formatter(self._language).gettext
        made.filters.update(unstyled=unstyled, policy=policy)
        return made


@cache
def _exporter(language: Language) -> _PageExporter:
    return _PageExporter(language)


def html_of(
    notebook: nbformat.NotebookNode, language: Language, *, title: str, problem: str = ""
) -> str:
    """The executed notebook as one HTML file that needs nothing from outside.

    Only outputs of our own kind are shown as HTML, everything else as text. `problem` puts a
    banner on top that says why the run did not end.
    """
    chapters = [
        (cell.id, output.metadata[MARK])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("metadata", {}).get(MARK, {}).get("title")
    ]
    page = _Page(
        language=language,
        version=version("incamail-runbook"),
        title=clean(title, 160),
        style=page_style(),
        problem=clean(problem, 600) if problem else "",
        contents=tuple((chapter["key"], chapter["title"]) for _, chapter in chapters),
        contents_after=chapters[0][0] if chapters else "",
    )
    body, _ = _exporter(language).from_notebook_node(notebook, {"page": page})
    return str(body)
