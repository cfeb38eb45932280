"""The catalogs are complete: every text a client reads exists in French, German and Italian."""

from __future__ import annotations

import string

import pytest

from incamail_lib import catalogs
from incamail_lib.i18n import DOMAIN, LANGUAGES, LOCALE_DIR, say, translator

TRANSLATED = LANGUAGES[1:]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def complaints(language: str) -> list[str]:
    """What is wrong with one catalog."""
    known = catalogs.load(language)
    wanted = catalogs.collected()
    wrong = [f"not in the catalog: {text}" for text in wanted if known.get(text) is None]
    for message in known:
        if not message.id:
            continue
        if message.id not in wanted:
            wrong.append(f"no longer used: {message.id}")
        if not message.string:
            wrong.append(f"not translated: {message.id}")
        elif placeholders(str(message.id)) != placeholders(str(message.string)):
            wrong.append(f"other placeholders: {message.id}")
        if message.fuzzy:
            wrong.append(f"fuzzy: {message.id}")
    return wrong + [f"obsolete: {text}" for text in known.obsolete]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    """Nothing is missing, fuzzy, obsolete, or lacks a placeholder."""
    assert complaints(language) == []


def test_the_template_is_up_to_date() -> None:
    """`make catalogs` was run after the last change of a text."""
    path = LOCALE_DIR / f"{DOMAIN}.pot"
    assert path.read_bytes() == catalogs.written(catalogs.updated(None))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalog_is_written_the_same_way_each_time(language: str) -> None:
    """A catalog changes only when a text changes."""
    assert catalogs.po_path(language).read_bytes() == catalogs.written(catalogs.updated(language))


def test_texts_from_code_templates_and_guide_are_collected() -> None:
    """One example of each source, so that an extractor that finds nothing is noticed."""
    found = catalogs.collected()
    assert "The gateway offers STARTTLS" in found
    assert any(file.endswith(".j2") for files in found.values() for file in files)
    assert "guide/items.toml" in found["Who uses IncaMail?"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_used(language: str) -> None:
    """A text with a value comes out in the language asked for, the value in place."""
    told = translator(language).text(say("Valid until {date}.", date="2027-01-15"))
    assert "2027-01-15" in told
    assert told != "Valid until 2027-01-15."


def test_an_unknown_text_comes_out_in_english() -> None:
    """A text that no catalog holds is shown rather than lost."""
    assert translator("fr").gettext("no such text") == "no such text"


def test_a_text_inside_a_text_is_translated() -> None:
    """Values may be texts; the whole sentence is in one language."""
    inner = say("connection refused")
    told = translator("de").text(say("No connection: {evidence}", evidence=inner))
    assert "connection refused" not in told
