"""docs/CONTRIBUTING.md says what is: files, names, layers, words in four languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_layers import LAYERS

from incamail_lib.tools import catalogs

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "CONTRIBUTING.md").read_text(encoding="utf-8")
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
CODE = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    """The text below one heading of the second rank."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without the heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] not in ("File", "Layer", "Word")]


def paths(text: str) -> set[str]:
    """Every code that is a path of the checkout."""
    roots = r"(?:incamail_lib|tests|docs|notebooks|examples|\.ci|pyproject\.toml|CHANGELOG\.md)"
    return {code for code in CODE.findall(text) if re.match(rf"{roots}(/|$)", code)}


def gone(text: str) -> set[str]:
    """The paths that lead nowhere."""
    return {path for path in paths(text) if not (ROOT / path).exists()}


def test_every_file_that_is_named_exists() -> None:
    """Also the pages that it links to; one that is not there is found."""
    assert gone(PAGE) == set()
    assert len(paths(PAGE)) > 30
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (DOCS / link).exists()] == []
    assert gone("`incamail_lib/checks/none.py`") == {"incamail_lib/checks/none.py"}


@pytest.mark.parametrize("row", rows(section("To add …")), ids=lambda row: row[0])
def test_a_file_says_what_stands_beside_it(row: list[str]) -> None:
    """Each name in code of the second column stands in the file of the first."""
    file, what = row
    text = (ROOT / CODE.findall(file)[0]).read_text(encoding="utf-8")
    names = [name for name in CODE.findall(what) if not paths(f"`{name}`") and "make " not in name]
    assert [name for name in names if name not in text] == []


def test_the_layers_are_those_that_are_tested() -> None:
    """Room by room, each in its layer."""
    told = {room: int(layer) for layer, names, _ in rows(section("The layers"))
            for room in CODE.findall(names)}  # fmt: skip
    assert told == LAYERS


def spoken(language: str) -> str:
    """All translations of one language, in lower case."""
    strings = (message.string for message in catalogs.load(language))
    return "\n".join(s if isinstance(s, str) else "\n".join(s or ()) for s in strings).lower()


@pytest.mark.parametrize(("column", "language"), [(2, "de"), (3, "fr"), (4, "it")])
def test_the_words_are_those_of_the_catalogs(column: int, language: str) -> None:
    """What the glossary says in a language, a client reads somewhere."""
    said = spoken(language)
    told = [row[column] for row in rows(section("The words"))]
    assert [word for word in told if word != "–" and word.lower() not in said] == []
    assert "Ausgangspostfach" not in said


def test_each_word_stands_once_and_in_order() -> None:
    """A word that is a class is one."""
    words = [row[0].strip("`") for row in rows(section("The words"))]
    assert words == sorted(words, key=str.lower)
    assert len(set(words)) == len(words)
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "incamail_lib").rglob("*.py"))
    classes = {code for row in rows(section("The words")) for code in CODE.findall(row[0])}
    assert [name for name in classes if f"class {name}" not in sources] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_whole(page: Path) -> None:
    """Context, decision, what was tried, consequences; its number is that of its file."""
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert text.startswith(f"# {int(page.name[:4])} – ")
    for part in ("**Context.**", "**Decision.**", "**Tried", "**Consequences.**"):
        assert part in text
    assert gone(text) == set()


def test_decisions_are_numbered_without_a_gap() -> None:
    """A number is never used twice."""
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
