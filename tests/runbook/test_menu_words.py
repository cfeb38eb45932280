"""The menu that the pages name is the one that JupyterLab shows in that language."""

from __future__ import annotations

import importlib.resources
import json
import re

import pytest

from incamail_lib.i18n import Language, translator
from incamail_lib.notebooks import NOTEBOOKS, paragraphs, read_model
from incamail_lib.runbook.workplace import LOCALES

NAMED = re.compile(r"\*\*(.+?) → (.+?)\*\*")


def shown(language: Language) -> tuple[str, str]:
    """How JupyterLab calls the menu and its entry; what its package lacks stays English."""
    if language == "en":
        return "Run", "Run All Cells"
    locale = LOCALES[language]
    package = importlib.resources.files(f"jupyterlab_language_pack_{locale}")
    text = (package / "locale" / locale / "LC_MESSAGES" / "jupyterlab.json").read_text("utf-8")
    words = json.loads(text)
    menu, entry = (words.get(key) for key in ("menu\x04Run", "Run All Cells"))
    return (menu or ["Run"])[0], (entry or ["Run All Cells"])[0]


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", ["10_planning", "audit", "portfolio"])
def test_the_menu_is_named_as_it_is_shown(language: Language, name: str) -> None:
    """Where a language pack leaves the menu in English, the page says so too."""
    tell = translator(language)
    texts = [tell(text) for text in paragraphs(read_model(NOTEBOOKS / f"{name}.ipynb"))]
    found = {pair for text in texts for pair in NAMED.findall(text)}
    assert found == {shown(language)}
