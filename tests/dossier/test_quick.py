"""What libyaml is taken for: it says the same as the Python parser, or nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import examples

from incamail_lib.dossier import reading
from incamail_lib.dossier.quick import plain_data
from incamail_lib.dossier.reading import read_dossier
from incamail_lib.errors import DossierError
from incamail_lib.notebooks import EXAMPLES

needs_libyaml = pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without libyaml")
FORMS = """\
a: 1
b:
- x
- y: z
  q: 'it''s'
c: {d: [1, ~], e: "f\\n"}
t: |
  one
  two
u: >-
  folded
  text

  more
"""
SEEDS = [FORMS, *(file.read_text("utf-8") for file in sorted(EXAMPLES.glob("*.yaml")))]
# Everything that YAML gives a meaning to, and what parsers stumble over.
PIECES = (
    *("[", "]", "{", "}", ",", ": ", ":", "- ", "-", "? ", "?", "#", " #", "&a ", "*a", "!", "|"),
    *("!!str ", "|2\n", ">", "|-\n", ">+\n", ">#-\n", "'", '"', "%", "@", "`", "\n", "\n\n", " "),
    *("\r\n", "\r", "\t", "  ", "---\n", "---", "...\n", "...", "<<: ", "~", "null", "\\", "\\x41"),
    *("\\u00e9", "\\\n", "\u00a0", "\u202f", "\u2028", "\x85", "\ufeff", "é", "😀", "yes", "12:30"),
    *(
        "=",
        "\x00",
        "\x07",
        "a" * 1030,
        "? a\n: b\n",
        "[a: b]",
        "{a}",
        "{a, b: c}",
        '"a\n  b\\\n c"',
    ),
    *(
        "'a\n\n b'",
        "- - - ",
        "{? x : y}",
        "%YAML 1.1\n---\n",
        "# c\n",
        "x:y",
        "a:[b]",
        "--",
        "a:\n",
    ),
)


def drawn(number: int) -> str:
    """A dossier, or some lines of one, with a few pieces put in or in the place of others."""
    chance = random.Random(number)
    text = chance.choice(SEEDS)
    if chance.random() < 0.5:
        lines = text.split("\n")
        first = chance.randrange(len(lines))
        text = "\n".join(lines[first : first + chance.randrange(1, 12)]) + "\n"
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(PIECES) + text[at + chance.choice((0, 0, 1, 3)) :]
    return text


def by_python(text: str) -> Any:
    """What the Python parser makes of it; None for what it refuses."""
    path = Path("x.yaml")
    try:
        root = reading._compose(text, path)
        reading._refuse_tags(text, path)
        reading._refuse_unsafe(root, path)
    except DossierError:
        return None
    return reading.plain(root)


@needs_libyaml
def test_what_is_taken_says_the_same_to_both_parsers() -> None:
    """Ordinary and hostile texts, drawn; and enough of them are taken to tell."""
    texts = [drawn(number) for number in range(examples(1500))]
    taken = [(text, data) for text in texts if (data := plain_data(text)) is not None]
    assert [text for text, data in taken if by_python(text) != data] == []
    assert len(taken) > len(texts) / 5


@needs_libyaml
@pytest.mark.parametrize("text", SEEDS)
def test_an_ordinary_dossier_is_taken(text: str) -> None:
    """Every sample, and every form that a value may have."""
    assert plain_data(text) == by_python(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: &x [1]\n",
        "a: !!python/object:os.system x\n",
        "a: !x y\n",
        "a: 1\na: 2\n",
        "<<: {a: 1}\n",
        "[a]: 1\n",
        "- a\n",
        "a\n",
        "",
        "a: 1\n---\nb: 2\n",
        "%YAML 1.2\n---\na: 1\n",
        "a:\tb\n",
        "a: [b?]\n",
        "a: >#-\n  b\n",
    ],
)
def test_what_has_to_be_decided_is_left_to_the_other_parser(text: str) -> None:
    """Aliases, tags, keys twice, and the corners where the parsers differ."""
    assert plain_data(text) is None


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? ", "a: {"])
def test_depth_is_bounded(opening: str) -> None:
    """A megabyte of openings costs neither the stack nor time: the text is left at the bound."""
    assert plain_data("a: " + opening * (1_000_000 // len(opening))) is None
    assert plain_data("x: " + "[" * 40 + "]" * 40) in (None, by_python("x: " + "[" * 40 + "]" * 40))


def test_without_libyaml_a_dossier_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the time differs."""
    file = EXAMPLES / "halbvoll.yaml"
    quickly = read_dossier(file)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert plain_data(file.read_text("utf-8")) is None
    assert read_dossier(file) == quickly


@pytest.mark.parametrize("text", ["organisation: X\ndomains: 7\n", "organisation: X\nx: [\n"])
def test_what_is_wrong_is_told_as_by_the_python_parser(tmp_path: Path, text: str) -> None:
    """With its line, whichever parser saw it first."""
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(DossierError) as quickly:
        read_dossier(file)
    with pytest.raises(DossierError) as slowly:
        reading.parsed(text, file)
    assert quickly.value.text == slowly.value.text
    assert "line" in quickly.value.text.template
