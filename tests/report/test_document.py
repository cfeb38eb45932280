"""The page around an executed notebook: self-contained, foldable, honest about failure."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from factories import NOW, facts

from incamail_lib.checks import judge_facts
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report import Report
from incamail_lib.report.document import html_of


def notebook(language: Language = "en") -> Any:
    """A notebook as an execution leaves it, with two chapters and foreign outputs."""
    report = Report(judge_facts(facts(), NOW), language)
    cells = [nbformat.v4.new_markdown_cell("prose for the operator")]
    for chapter in (report.summary, report.certificates):
        data, metadata = chapter._repr_mimebundle_()
        shown = nbformat.v4.new_output("execute_result", data, metadata=metadata)
        cells.append(nbformat.v4.new_code_cell(f"report.{chapter.key} # <b>", outputs=[shown]))
    foreign = nbformat.v4.new_output(
        "display_data", {"text/html": "<script>alert(1)</script>", "text/plain": "<i>plain</i>"}
    )
    printed = nbformat.v4.new_output("stream", name="stdout", text="\x1b[31m<u>red</u>")
    cells.append(nbformat.v4.new_code_cell("print()", outputs=[foreign, printed]))
    hidden = nbformat.v4.new_code_cell("secret = 1", metadata={"tags": ["not-in-report"]})
    return nbformat.v4.new_notebook(cells=[*cells, hidden])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_from_outside(language: Language) -> None:
    """No script, no link to a sheet, no address that is fetched; fonts are inside."""
    page = html_of(notebook(language), language, title="Muster AG")
    assert "<script" not in page
    assert "<link" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    urls = re.findall(r"url\((.{0,12})", page)
    assert urls
    assert all(url.startswith("data:") for url in urls)
    assert f'<html lang="{language}">' in page


def test_only_our_own_outputs_are_html() -> None:
    """An output of another kind is shown as its text, escaped; code too, folded away."""
    page = html_of(notebook(), "en", title="Muster AG")
    assert "&lt;i&gt;plain&lt;/i&gt;" in page
    assert "&lt;u&gt;red&lt;/u&gt;" in page
    assert "\x1b" not in page
    assert "<details" in page
    assert "report.summary # &lt;b&gt;" in page
    assert "secret = 1" not in page


def test_the_contents_lead_to_every_chapter() -> None:
    """The table of contents names each chapter that is there, and its target exists."""
    page = html_of(notebook(), "en", title="Muster AG")
    targets = re.findall(r'<li><a href="#(\w+)">', page)
    assert targets == ["summary", "certificates"]
    assert all(f'id="{target}"' in page for target in targets)


def test_a_run_that_failed_says_so_on_top() -> None:
    """The banner stands before everything else, escaped; a run that ended well has none."""
    page = html_of(notebook(), "en", title="x", problem="<b>kernel died</b>")
    assert page.index("&lt;b&gt;kernel died") < page.index('id="summary"')
    assert 'im-banner"' not in html_of(notebook(), "en", title="x")


def test_a_hostile_title_stays_text() -> None:
    """The organisation's name comes from a file of the client."""
    page = html_of(notebook(), "en", title="</title><script>alert(1)</script>")
    assert "<script" not in page
