"""What the argument parser refuses is told in our own words, in the user's language."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from incamail_lib.cli._misuse import language_of, wrong_use
from incamail_lib.cli.app import app, whole
from incamail_lib.i18n import Translator

MORE = "more is given than this command takes."
# How each sentence begins; what follows differs with the parser's version.
CASES = {
    "nonsense": "There is no command «nonsense».",
    "histry": "There is no command «histry». Did you mean history?",
    "dossier nonsense": "There is no command «nonsense».",
    "--nonsense": "There is no option «--nonsense».",
    "route --too x": "There is no option «--too». Did you mean --",
    "lookup -x": "There is no option «-x».",
    "lookup": "domain is missing.",
    "lookup a b": f"There is no place for «b»: {MORE}",
    "lookup a b c": f"There is no place for «b c»: {MORE}",
    "route --to": "The option --to needs a value behind it.",
    "history --json=1": "The option --json takes no value.",
    "probe x --port smtp": "--port: this is no whole number.",
    "probe x --port 0": "--port: it must be ",
    "probe x --port 65536": "--port: it must be ",
    "probe x --timeout soon": "--timeout: this is no number.",
    "judge --whose mine": "--whose: «mine» is none of platform, sending, receiving.",
    "judge --whose it's": "--whose: «it's» is none of platform, sending, receiving.",
}


def kinds(kind: Any) -> Iterator[str]:
    for inner in kind.__subclasses__():
        yield inner.__name__
        yield from kinds(inner)


@pytest.mark.parametrize("line", CASES)
def test_it_is_told_in_our_own_words(line: str) -> None:
    """What is wrong, how the command is used, where more is told: on standard error, with 2."""
    told = CliRunner().invoke(app, line.split(), env={"INCAMAIL_LANG": "en"})
    assert told.exit_code == 2
    assert told.stdout == ""
    wrong, *rest = " ".join(told.stderr.split()).split(" Usage: ")
    assert wrong.lower().startswith(CASES[line].lower())
    for more in rest:  # where the parser says which command it was
        assert more.startswith("incamail")
        assert more.endswith("--help» tells more.")


@pytest.mark.parametrize("line", CASES)
def test_it_is_translated(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence goes through the catalogs, in the language that the line or the machine
    asks for."""
    asked: list[tuple[str, str]] = []

    def noting(self: Translator, message: str) -> str:
        asked.append((self.language, message))
        return message

    monkeypatch.setattr(Translator, "gettext", noting)
    CliRunner().invoke(app, line.split(), env={"INCAMAIL_LANG": "it"})
    assert {language for language, _ in asked} == {"it"}
    assert "{sentence}" not in {message for _, message in asked}  # nothing that is not known


def test_every_kind_is_met_that_the_parser_has() -> None:
    """The tests above look at all of them; a kind of a newer version would be told here."""
    base = typer.BadParameter.__mro__[1]
    met = {"BadParameter", "MissingParameter", "NoSuchOption", "BadOptionUsage"}
    never = {"BadArgumentUsage", "NoArgsIsHelpError"}  # no pairs of values; a help is no error
    assert {*kinds(base)} == met | never


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Missing option '--use'. Choose from:\n\tone,\n\ttwo", "--use is missing: choose one"),
        ("Missing command.", "The command is missing."),
        ("Got unexpected extra argument (b)", "no place for «b»"),
        ("Argument 'pair' takes 2 values.", "pair needs more values."),
        ("Invalid value for '--port': 'a' is not a valid integer range.", "no whole number"),
        ("Invalid value for '--port': 'a' is not a valid int.", "no whole number"),
        ("Invalid value for '--timeout': 'a' is not a valid float range.", "no number"),
        ("Invalid value for '--port': 0 is not in the range 1<=x<=65535.", "between 1 and 65535"),
        ("Invalid value for '--keep': -1 is not in the range x>=0.", "0 or more"),
        ("Something new.", "Something new."),
        ("Invalid value for '--use': it is something new.", "--use: it is something new."),
    ],
)
def test_the_words_of_other_versions_are_known(said: str, told: str) -> None:
    """What the oldest version allowed says, what our commands do not ask for today; and what
    nobody knows is told as it is."""
    english = wrong_use(SimpleNamespace(format_message=lambda: said)).english()
    assert told in english


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("lookup --lang fr", "fr"),
        ("lookup --lang=it a b", "it"),
        ("lookup --lang de --lang fr", "fr"),
        ("lookup --lang rm", "de"),
        ("lookup --lang", "de"),
        ("lookup", "de"),
    ],
)
def test_the_language_is_that_of_the_line_or_the_machine(
    line: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the line was not understood."""
    monkeypatch.setenv("INCAMAIL_LANG", "de")
    assert language_of(line.split()) == language


def test_a_program_that_calls_us_gets_the_refusal_itself() -> None:
    """Who loads the whole program, as the pages about it do, is not ended."""
    with pytest.raises(typer.BadParameter.__mro__[2]):
        whole().main(["nonsense"], standalone_mode=False)
