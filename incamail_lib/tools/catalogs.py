"""Collect every text a client reads into the catalogs, and help to translate them.

python -m incamail_lib.tools.catalogs extract            # write the .pot, update the .po files
python -m incamail_lib.tools.catalogs check              # say what is not current or not translated
python -m incamail_lib.tools.catalogs missing fr         # what is not translated yet, as JSON
python -m incamail_lib.tools.catalogs fill fr file.json  # merge {msgid: msgstr} into the .po
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from incamail_lib.i18n import DOMAIN, LANGUAGES, LOCALE_DIR
from incamail_lib.notebooks import every_model, paragraphs, read_model

PACKAGE = Path(__file__).parents[1]
KEYWORDS: dict[str, Any] = {
    **{name: None for name in ("say", "N_", "gettext", "_", "t", "tell")},
    "say_n": (1, 2),
}
# The fields of the guide's TOML files that a client reads; the rest are names and dates, and
# sources, of which only those of the platform's facts stand in a document.
TEXT_FIELDS = frozenset(
    {
        *("title", "question", "why", "sub_questions", "hint", "objective", "deliverables", "role"),
        *("text", "steps", "example", "told", "wrong", "right", "audience", "message"),
    }
)
# Those of a lesson; the lines of a header or a certificate are the same in any language.
LESSON_FIELDS = frozenset(
    {
        *("title", "aim", "summary", "text", "situation", "question", "hints", "because"),
        *("right", "other"),
    }
)
# One fixed moment: a catalog changes when a text changes, and at no other time.
EPOCH = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
_JINJA = {"newstyle_gettext": "true", "trimmed": "true", "extensions": "jinja2.ext.i18n"}


Key = str | tuple[str, str]
"""A msgid, or singular and plural."""
BETWEEN = " ||| "  # between singular and plural in the JSON for translators


def collected() -> dict[Key, tuple[str, ...]]:
    """Every msgid with the files it stands in, relative to the package."""
    found: dict[Key, set[str]] = {}
    for path, messages in _sources():
        for message in messages:
            found.setdefault(message, set()).add(_place(path))
    in_order = sorted(found.items(), key=lambda entry: _forms(entry[0]))
    return {message: tuple(sorted(files)) for message, files in in_order}


def _forms(message: str | Sequence[str]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


def _sources() -> Iterator[tuple[Path, list[Key]]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, _extracted("python", path)
    for path in sorted(PACKAGE.rglob("*.j2")):
        yield path, _extracted("jinja2.ext:babel_extract", path, _JINJA)
    for path in sorted((PACKAGE / "guide").glob("*.toml")):
        fields = TEXT_FIELDS | ({"source"} if path.name == "platform.toml" else set())
        yield path, list(_texts(tomllib.loads(path.read_text(encoding="utf-8")), fields))
    for path in sorted((PACKAGE / "course" / "lessons").glob("*.toml")):
        yield path, list(_texts(tomllib.loads(path.read_text(encoding="utf-8")), LESSON_FIELDS))
    for path in every_model():
        yield path, list(paragraphs(read_model(path)))


def _place(path: Path) -> str:
    inside = path.is_relative_to(PACKAGE)
    return path.relative_to(PACKAGE if inside else PACKAGE.parent).as_posix()


def _extracted(method: str, path: Path, options: dict[str, str] | None = None) -> list[Key]:
    with path.open("rb") as file:
        source: BinaryIO = file
        found = extract(method, source, keywords=KEYWORDS, options=options or {})
        return [_key(message) for _, message, _, _ in found if message]


def _key(message: str | tuple[str, ...]) -> Key:
    return message if isinstance(message, str) else (message[0], message[1])


def _texts(data: Any, fields: Set[str], wanted: bool = False) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, fields, key in fields)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, fields, wanted and isinstance(value, str))
    elif wanted and isinstance(data, str) and data:
        yield data


def po_path(language: str) -> Path:
    """The catalog of one language."""
    return LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def load(language: str) -> Catalog:
    """The catalog of one language as it is; empty when there is none yet."""
    path = po_path(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _empty(language: str | None) -> Catalog:
    return Catalog(
        locale=language,
        project="incamail-runbook",
        version="",  # that of the program stands in pyproject.toml alone
        copyright_holder="the authors of IncaMail Runbook",
        msgid_bugs_address="",
        creation_date=EPOCH,
        revision_date=EPOCH,
        last_translator="",
        language_team="",
        charset="utf-8",
        fuzzy=False,
    )


def updated(language: str | None) -> Catalog:
    """A catalog with exactly the texts of today, translations kept."""
    fresh = _empty(language)
    known = load(language) if language else None
    for message, files in collected().items():
        old = _found(known, message) if known is not None else None
        string = old.string if old is not None and not old.fuzzy else ""
        entry = fresh.add(message, string, locations=[(file, 0) for file in files])
        # Braces are our placeholders; Babel would guess Python's from a stray sign.
        entry.flags.discard("python-brace-format")
        entry.flags.discard("python-format")
    return fresh


def _found(catalog: Catalog, message: Key) -> Message | None:
    """The entry of exactly this message: Babel looks a plural up by its singular alone."""
    entry = catalog.get(_forms(message)[0])
    return entry if entry is not None and entry.id == message else None


def written(catalog: Catalog) -> bytes:
    """The catalog as a file, the same for the same content."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, sort_output=True, include_lineno=False)
    return buffer.getvalue()


def write_all() -> None:
    """Write the template and bring every catalog up to date."""
    (LOCALE_DIR / f"{DOMAIN}.pot").write_bytes(written(updated(None)))
    for language in LANGUAGES[1:]:
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(updated(language)))


def missing(language: str) -> list[str]:
    """The texts without a translation."""
    return [BETWEEN.join(_forms(m.id)) for m in updated(language) if m.id and not _is_full(m)]


def complaints() -> list[str]:
    """What keeps the catalogs of the checkout from being whole, as sentences."""
    template = LOCALE_DIR / f"{DOMAIN}.pot"
    wrong = []
    if template.read_bytes() != written(updated(None)):
        wrong.append(f"{template.name} is not current: run make catalogs")
    return wrong + [
        f"{language}: {len(texts)} not translated, the first: {texts[0]}"
        for language in LANGUAGES[1:]
        if (texts := missing(language))
    ]


def _is_full(message: Message) -> bool:
    return all(_forms(message.string)) if message.string else False


def fill(language: str, translations: dict[str, str]) -> int:
    """Enter translations; gives how many fitted a text. Unknown texts are left out.

    Singular and plural stand on both sides of " ||| ", in the text as in its translation.
    """
    catalog = updated(language)
    fitting = 0
    for message, string in translations.items():
        key = _key(tuple(message.split(BETWEEN))) if BETWEEN in message else message
        entry = _found(catalog, key)
        if entry is not None and string:
            entry.string = string if isinstance(key, str) else tuple(string.split(BETWEEN))
            fitting += 1
    po_path(language).write_bytes(written(catalog))
    return fitting


def main(arguments: list[str]) -> int:
    """The commands of the module's docstring; the exit code."""
    match arguments:
        case ["extract"]:
            write_all()
        case ["check"]:
            wrong = complaints()
            sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
            return int(bool(wrong))
        case ["missing", language]:
            sys.stdout.write(json.dumps(missing(language), indent=1, ensure_ascii=False) + "\n")
        case ["fill", language, file]:
            translations = json.loads(Path(file).read_text(encoding="utf-8"))
            sys.stdout.write(f"{fill(language, translations)} entered\n")
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
