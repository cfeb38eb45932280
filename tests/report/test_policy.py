"""Every page that we write begins with what it permits: its own style, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

import pytest
from documents.dossiers import audit, empty, full, hostile, made
from report.test_document import notebook

from incamail_lib.course.bench import Bench
from incamail_lib.course.exam import Paper, grade
from incamail_lib.course.showing import result
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report.document import html_of
from incamail_lib.report.pages import TEMPLATES
from incamail_lib.sheets.html import render_html

HEAD = re.compile(
    r'<head>\s*<meta charset="utf-8">\s*'
    r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    r"style-src 'sha256-([A-Za-z0-9+/=]{44})'; font-src data:; base-uri 'none'; "
    r"form-action 'none'\">"
)
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
ACTS = re.compile(r"<script|\son[a-z]+\s*=|\sstyle\s*=|javascript:", re.IGNORECASE)


def written(language: Language) -> Iterator[str]:
    """One page of each kind that is written for people to open."""
    yield html_of(notebook(language), language, title="Muster AG")
    yield html_of(notebook(language), language, title="Muster AG", problem="it ended early")
    for dossier in (full(), empty(), hostile()):
        for document in made(dossier, audit()).values():
            yield render_html(document, language)
    exam = grade(Paper(learner="<b>Anna", seed=7, questions=6), Bench())
    yield render_html(result(exam, Bench()), language)


def faults(page: str) -> list[str]:
    """What of a page its policy does not cover or would not let work."""
    found = HEAD.search(page)
    if not found:
        return ["no policy before everything else"]
    styles = STYLE.findall(page)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in styles]
    unruled = set(re.findall(r'<col class="(im-w\d+)"', page)) - set(
        re.findall(r"\.(im-w\d+)\{", "".join(styles))
    )
    tags = "".join(re.findall(r"<[a-zA-Z][^>]*>", page))
    return [
        *(f"a style that is not permitted: {s[:60]}" for s in styles if digests != [found[1]]),
        *(f"a column without its width: {name}" for name in unruled),
        *(f"what the policy stops: {acts}" for acts in ACTS.findall(tags)),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_permits_its_own_style_and_nothing_else(language: Language) -> None:
    """Reports and documents: the policy first, and all of the page keeps to it."""
    pages = list(written(language))
    assert len(pages) > 20
    assert [faults(page) for page in pages if faults(page)] == []


def test_a_page_outside_its_policy_would_be_noticed() -> None:
    """Another style, a style attribute, a handler, a width without a rule, no policy or late."""
    page = html_of(notebook(), "en", title="Muster AG")
    assert not faults(page)
    for planted in (
        "<style>p{color:red}</style>",
        '<p style="color:red">',
        "<p onclick='x()'>",
        "<script>",
        '<col class="im-w100">',
    ):
        assert faults(page.replace("</main>", planted + "</main>")), planted
    assert faults(page.replace("<style>", "<style> "))
    assert faults(page.replace('<meta charset="utf-8">', '<meta charset="utf-8"><title>x</title>'))
    assert faults(HEAD.sub("<head>", page))


def test_every_template_of_a_page_has_the_policy() -> None:
    """A new page cannot be written without it: it stands in each template that has a head."""
    heads = [path for path in TEMPLATES.rglob("*.j2") if "<head>" in path.read_text("utf-8")]
    assert {path.parent.name + "/" + path.name for path in heads} == {"incamail/index.html.j2"}
    for path in heads:
        assert re.search(
            r'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" '
            r'content="{{ [a-z.]*style\|policy(?:\|safe)? }}">\n',
            path.read_text("utf-8"),
        ), path
