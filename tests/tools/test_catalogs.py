"""The catalogs are complete: every text a client reads exists in French, German and Italian."""

from __future__ import annotations

import string
from collections.abc import Sequence

import pytest

from incamail_lib.i18n import DOMAIN, LANGUAGES, LOCALE_DIR, say, translator
from incamail_lib.tools import catalogs

TRANSLATED = LANGUAGES[1:]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def forms(text: str | Sequence[str] | None) -> list[str]:
    """A text, or its singular and its plural; of what is not translated, one that is empty."""
    text = text or ""
    return [text] if isinstance(text, str) else list(text)


def filled_alike(source: str | Sequence[str], told: str | Sequence[str] | None) -> bool:
    """Whether every form has the placeholders of its source; a singular may say "one"."""
    wanted = [placeholders(form) for form in forms(source)]
    found = [placeholders(form) for form in forms(told)]
    return len(found) == len(wanted) and all(
        have == need or (len(wanted) > 1 and have ^ need == {"n"})
        for have, need in zip(found, wanted, strict=True)
    )


def complaints(language: str) -> list[str]:
    """What is wrong with one catalog."""
    known = catalogs.load(language)
    wanted = catalogs.collected()
    wrong = [f"not in the catalog: {text}" for text in wanted if known.get(forms(text)[0]) is None]
    singulars = [forms(text)[0] for text in wanted]
    wrong += [f"two plurals, or none and one: {t}" for t in singulars if singulars.count(t) > 1]
    for message in known:
        if not message.id:
            continue
        if message.id not in wanted:
            wrong.append(f"no longer used: {message.id}")
        if not all(forms(message.string)):
            wrong.append(f"not translated: {message.id}")
        elif not filled_alike(message.id, message.string):
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
    told = translator(language).text(say("Valid for {host}.", host="mx1.muster.example"))
    assert "mx1.muster.example" in told
    assert told != "Valid for mx1.muster.example."


def test_an_unknown_text_comes_out_in_english() -> None:
    """A text that no catalog holds is shown rather than lost."""
    assert translator("fr").gettext("no such text") == "no such text"


def test_a_text_inside_a_text_is_translated() -> None:
    """Values may be texts; the whole sentence is in one language."""
    inner = say("connection refused")
    told = translator("de").text(say("No connection: {evidence}", evidence=inner))
    assert "connection refused" not in told
