"""Sentences that count take the form that their number and the language ask for."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from incamail_lib.i18n import Text, say_n, translator
from incamail_lib.tools import catalogs


@pytest.mark.parametrize(("n", "told"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_english_counts(n: int, told: str) -> None:
    """One is one; none and several are several."""
    assert say_n("{n} day", "{n} days", n).english() == told


def test_a_counting_text_survives_a_saved_audit() -> None:
    """Both forms and the number are kept, so that it can be told in another language later."""
    text = say_n("{n} day of {host}", "{n} days of {host}", 1, host="mx1")
    read = Text.model_validate_json(text.model_dump_json())
    assert read == text
    assert translator("en").text(read) == "1 day of mx1"


def test_both_forms_are_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plural goes to the translator as one entry and comes back as two forms; French takes
    the singular for none as well."""
    source = tmp_path / "a.py"
    source.write_text('say_n("{n} day", "{n} days", 3)\n', encoding="utf-8")
    locale = tmp_path / "locale"
    locale.mkdir()
    monkeypatch.setattr(catalogs, "PACKAGE", tmp_path)
    monkeypatch.setattr(catalogs, "LOCALE_DIR", locale)
    monkeypatch.setattr(catalogs, "every_model", list)
    catalogs.write_all()
    assert catalogs.missing("fr") == ["{n} day ||| {n} days"]
    assert catalogs.fill("fr", {"{n} day ||| {n} days": "{n} jour ||| {n} jours"}) == 1
    assert catalogs.missing("fr") == []
    half = json.loads('{"{n} day ||| {n} days": "{n} jour ||| "}')
    catalogs.fill("fr", half)
    assert catalogs.missing("fr") == ["{n} day ||| {n} days"]


# A number that names, and does not count.
_NAMED = frozenset({"Certificate {n}", "Hint {n}"})
_COUNTING = re.compile(r"\{(count|n|days|more)\}")


def uncounted(messages: Iterable[catalogs.Key]) -> list[str]:
    """The sentences that hold a number and have one form only."""
    texts = (message for message in messages if isinstance(message, str))
    return [text for text in texts if text not in _NAMED and _COUNTING.search(text)]


def test_every_sentence_that_counts_has_two_forms() -> None:
    """No "1 certificates" and no "(s)" is left to the reader."""
    assert uncounted(catalogs.collected()) == []
    assert uncounted(["{count} files.", ("{n} file.", "{n} files.")]) == ["{count} files."]
    assert not [text for text in catalogs.collected() if "(s)" in str(text)]


_TELLING = frozenset({"t", "tell", "told", "text", "gettext", "say"})
_JOINTS = (": ", "; ", ". ")


def pieced(source: str) -> list[str]:
    """f-strings that put a translated piece beside an English colon, semicolon or full stop."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and any(map(_is_told, ast.walk(node))):
            fixed = [p.value for p in node.values if isinstance(p, ast.Constant)]
            if any(joint in str(part) for part in fixed for joint in _JOINTS):
                found.append(ast.unparse(node))
    return found


def _is_told(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _TELLING


@pytest.mark.parametrize("room", ["checks", "cli", "forms", "report", "batch", "audit", "dossier"])
def test_no_sentence_is_pieced_together(room: str) -> None:
    """French has a blank before its colon: what joins two pieces stands in a template."""
    root = catalogs.PACKAGE / room
    files = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    assert {path.name: found for path, text in files.items() if (found := pieced(text))} == {}
    pages = [path for path in root.rglob("*.j2") if re.search(r"\}\}[:;] ?\{\{", path.read_text())]
    assert pages == []
    assert pieced("f'{name}: {t(state)}'")
    assert not pieced("f'{host}:{port}'")
