"""What the pages tell to type can be typed: commands, options and targets of make exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from incamail_lib.cli.app import whole

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PROGRAM = whole()


def code(page: str) -> list[str]:
    """Each line of the shell's code blocks, without comments, and each inline code."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    return [*lines, *(" ".join(one.split()) for one in re.findall(r"`([^`]+)`", prose))]


def options(command: Any) -> set[str]:
    """Every option of a command; --help has each."""
    named = (name for p in command.params for name in (*p.opts, *p.secondary_opts))
    return {name for name in named if name.startswith("-")} | {"--help"}


def every_option(command: Any) -> set[str]:
    """The options of a command and of all commands below it."""
    inner = getattr(command, "commands", {}).values()
    return options(command).union(*(every_option(one) for one in inner))


def problems(line: str) -> list[str]:
    """What in one line of code is no command, option or target; [] too for other programs."""
    if not re.match(r"(\S*/)?(make|incamail|--[a-z]\S*)( |$)", line):
        return []
    words = shlex.split(line)
    first, rest = words[0].rpartition("/")[2], words[1:]
    if first == "make":
        asked = [word for word in rest if "=" not in word and word != "…"]
        return [f"make {word}" for word in asked if word not in TARGETS]
    if first == "incamail":
        return wrong_words(PROGRAM, rest)
    return [] if words[0] in every_option(PROGRAM) else words[:1]


def wrong_words(command: Any, words: list[str]) -> list[str]:
    """The words that this command does not know."""
    if words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] in ("…", "COMMAND"):
            return []
        inner = command.commands.get(words[0])
        return wrong_words(inner, words[1:]) if inner else [words[0]]
    given = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [word for word in given if word not in options(command)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    """Every `incamail …` with its options, every option alone, and every `make …`."""
    lines = code(page.read_text(encoding="utf-8"))
    assert [(line, problem) for line in lines for problem in problems(line)] == []


def test_the_readme_tells_of_every_command() -> None:
    """By name; the page of all commands has the rest."""
    told = " ".join(code((ROOT / "README.md").read_text(encoding="utf-8")))
    assert [name for name in PROGRAM.commands if f"incamail {name}" not in told] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("incamail adit muster.yaml", ["adit"]),
        ("incamail audit muster.yaml --fatcs x.json --no-pdf", ["--fatcs"]),
        ("incamail dossier nwe x.yaml", ["nwe"]),
        ("incamail dossier new x.yaml --domains x", ["--domains"]),
        (".venv/bin/incamail --vresion", ["--vresion"]),
        ("make tset", ["make tset"]),
        ("--josn", ["--josn"]),
        ("incamail lab tarpit --json", []),
        ("make test T=tests/routing", []),
        ("openssl s_client --odd", []),
    ],
)
def test_a_slip_is_found(line: str, wrong: list[str]) -> None:
    """The test above can fail, and leaves other programs alone."""
    assert problems(line) == wrong
