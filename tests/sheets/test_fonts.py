"""What our texts are written with has a glyph in the fonts that go along with a report."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from incamail_lib.i18n import LANGUAGES
from incamail_lib.report.pages import TEMPLATES
from incamail_lib.report.words import SYMBOLS
from incamail_lib.sheets.model import SIGNS as MARKS
from incamail_lib.sheets.style import LOOK
from incamail_lib.sheets.word import in_word
from incamail_lib.tools import catalogs

SIGNS = "Runbook Symbols"
_FACE = re.compile(r"font-family:'([^']+)'[^}]*?font-weight:(\d+)[^}]*?base64,([^)]+)\)")
_LIST = re.compile(r"font-family(?::|=\")([^;}>]+)")


def faces(sheet: str) -> dict[tuple[str, str], frozenset[int]]:
    """Family and weight -> the code points that the embedded font has."""
    found = {}
    for family, weight, data in _FACE.findall(sheet):
        font = TTFont(io.BytesIO(base64.b64decode(data)))
        found[family, weight] = frozenset(font.getBestCmap() or {})
    return found


def used() -> dict[str, str]:
    """Every character of our texts, with one place that it stands in."""
    found: dict[str, str] = {}
    for language in LANGUAGES[1:]:
        for message in catalogs.load(language):
            for forms in (message.id, message.string or ""):
                for form in [forms] if isinstance(forms, str) else forms:
                    found |= dict.fromkeys(form, f"{language}: {form[:40]}")
    for path in TEMPLATES.glob("*.j2"):
        found |= dict.fromkeys(path.read_text(encoding="utf-8"), path.name)
    found |= dict.fromkeys((*SYMBOLS.values(), *MARKS.values()), "symbols")
    return {character: place for character, place in found.items() if character.isprintable()} | {
        "\u202f": "fr: before : ; ? !",
        "\u00a0": "numbers",
    }


def lacking(sheet: str, characters: dict[str, str]) -> list[str]:
    """The characters that neither a font of the sheet nor its font of signs has."""
    known = faces(sheet)
    signs = known.get((SIGNS, "400"), frozenset())
    return [
        f"{family} {weight} lacks U+{ord(character):04X} ({place})"
        for (family, weight), glyphs in known.items()
        if family != SIGNS
        for character, place in characters.items()
        if ord(character) not in glyphs | signs
    ]


def test_every_sign_of_our_texts_is_embedded() -> None:
    """Catalogs, templates and symbols: a reader without other fonts sees no empty box."""
    sheet = (LOOK / "fonts.css").read_text(encoding="utf-8")
    assert lacking(sheet, used()) == []
    assert lacking(sheet, {"☃": "nowhere"}) != []
    without = sheet.replace(f"'{SIGNS}'", "'Other'")
    assert any("U+202F" in complaint for complaint in lacking(without, used()))


@pytest.mark.parametrize(
    "path",
    [
        p
        for folder in (TEMPLATES, LOOK)
        for p in folder.iterdir()
        if p.suffix in (".css", ".j2") and p.name != "fonts.css"
    ],
    ids=lambda path: path.name,
)
def test_who_names_our_fonts_names_the_signs(path: Path) -> None:
    """In a sheet or a drawing the font of signs comes right behind the font of letters."""
    lists = _LIST.findall(path.read_text(encoding="utf-8"))
    ours = [names for names in lists if "Inter" in names or "IBM Plex" in names]
    assert [names for names in ours if SIGNS not in names] == []


def test_word_files_have_no_narrow_blank() -> None:
    """Arial's replacements lack it, and would show a box in front of every French colon."""
    assert in_word("Objet\u202f: accès") == "Objet\u00a0: accès"


def test_paper_and_pages_have_the_same_fonts() -> None:
    """The files that paper is set with hold the letters of those in the sheet."""
    sheet = faces((LOOK / "fonts.css").read_text(encoding="utf-8"))
    files = {}
    for path in (LOOK / "fonts").glob("*.ttf"):
        font = TTFont(path)
        name = font["name"].getDebugName(16) or font["name"].getDebugName(1) or ""
        weight = path.stem.rpartition("-")[2]
        files[name.removesuffix(" SemiBold"), weight] = frozenset(font.getBestCmap() or {})
    assert files == sheet
