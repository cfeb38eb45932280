"""Dossiers at the terminal: begun, shown, checked and compared; exit codes and plain errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dossier.complete import everything
from typer.testing import CliRunner

from incamail_lib.cli.app import app
from incamail_lib.dossier import Dossier, open_store, read_dossier
from incamail_lib.dossier.history import history_of
from incamail_lib.i18n import LANGUAGES, translator

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = ["--organisation", "Muster AG", "--domain", "muster.example"]
runner = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    """What `incamail dossier …` prints, on few lines; exit code checked, never a traceback."""
    result = runner.invoke(app, ["dossier", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "muster.yaml"
    said("new", str(found), *OPTIONS, "--lang", "en")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_dossier_is_written_in_the_chosen_language(tmp_path: Path, language: str) -> None:
    """Its comments and its reports are in that language, and it is valid at once."""
    path = tmp_path / "folder" / "a.yaml"
    said("new", str(path), *OPTIONS, "--domain", "b.example", "--language", language)
    assert read_dossier(path).language == language
    assert read_dossier(path).domains == ("muster.example", "b.example")
    head = "The dossier of one organisation. Lines that begin with # are comments."
    told = translator(next(known for known in LANGUAGES if known == language)).gettext(head)
    assert f"# {told}" in path.read_text(encoding="utf-8").splitlines()


def test_a_new_dossier_may_be_an_exercise(tmp_path: Path) -> None:
    """A scenario of the lab is entered; the record is printed as JSON."""
    path = tmp_path / "a.yaml"
    told = json.loads(said("new", str(path), *OPTIONS, "--lab", "sound", "--json"))
    assert (told["platform"], told["scenario"]) == ("lab", "sound")
    assert Dossier.model_validate(told) == read_dossier(path)


def test_a_file_is_never_overwritten(file: Path) -> None:
    """What is there stays; the sentence names the file."""
    before = file.read_bytes()
    assert "is not overwritten" in said("new", str(file), *OPTIONS, "--lang", "en", code=2)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--organisation", "A", "--domain", "a..b"], "«a..b» is not a domain name"),
        (["--organisation", "", "--domain", "a.example"], "field «organisation»"),
        ([*OPTIONS, "--language", "rm"], "allowed: en, fr, de, it"),
        ([*OPTIONS, "--lab", "nowhere"], "no scenario «nowhere»"),
    ],
)
def test_a_wrong_option_writes_nothing(tmp_path: Path, options: list[str], told: str) -> None:
    """Exit code 2, one sentence, no file."""
    path = tmp_path / "a.yaml"
    assert told in said("new", str(path), *options, "--lang", "en", code=2)
    assert not path.exists()


def test_show_tells_people_progress_and_what_is_overdue(file: Path) -> None:
    """Contacts, counts by state, the next open step with its owner, and late questions once."""
    text = file.read_text(encoding="utf-8")
    text = text.replace("contacts: []", "contacts: [{role: mail_admin, name: Anna, phone: '12'}]")
    text = text.replace("answers: {}", "answers: {6.3: {state: todo, due: 2020-01-01}}")
    file.write_text(text, encoding="utf-8")
    told = said("show", str(file), "--lang", "en")
    for expected in (
        "Mail administration",
        "Anna",
        "to do: 1",
        "not tested yet: 15",
        "0/17",
        "1 January 2020",
    ):
        assert expected in told
    assert told.count("1 January 2020") == 1
    assert "Overdue" in told
    phases = json.loads(said("show", str(file), "--json"))["phases"]
    assert [phase["phase"] for phase in phases] == ["planning", "preparation", "set_up", "test"]
    assert phases[1]["overdue"][0]["key"] == "6.3"


def test_show_without_people_or_delay_shows_no_such_tables(file: Path) -> None:
    """An empty table would say nothing."""
    told = said("show", str(file), "--lang", "en")
    assert "Overdue" not in told
    assert "Telephone" not in told


def test_check_lists_what_is_missing(file: Path) -> None:
    """1 while anything is missing in any phase, as sentences and as JSON."""
    told = said("check", str(file), "--lang", "en", code=1)
    assert "is a valid dossier" in told
    assert "7.1 Is the set-up document filled in?" in told
    missing = json.loads(said("check", str(file), "--json", code=1))
    assert [len(steps) for steps in missing.values()] == [17, 13, 3, 15, 0]


def test_check_passes_when_nothing_is_missing(tmp_path: Path) -> None:
    """0 only when every phase is done. JSON is YAML: the file is a dossier."""
    path = tmp_path / "full.yaml"
    fields = {"organisation": "A", "domains": ["a.example"], **everything()}
    path.write_text(json.dumps(fields).replace("false", '"false"'), encoding="utf-8")
    assert "Nothing is missing in any phase." in said("check", str(path), "--lang", "en")
    assert set(map(str, json.loads(said("check", str(path), "--json")).values())) == {"[]"}


def test_check_tells_what_contradicts_itself(tmp_path: Path) -> None:
    """1 where an answer in words is not what its setting says, although nothing is missing."""
    path = tmp_path / "twice.yaml"
    fields = {"organisation": "A", "domains": ["a.example"], **everything()}
    fields["routing"] = {"method": "domain"}
    fields["answers"]["6.3"]["answer"] = "by content"
    path.write_text(json.dumps(fields).replace("false", '"false"'), encoding="utf-8")
    told = " ".join(said("check", str(path), "--lang", "en", code=1).split())
    assert "6.3" in told
    assert "by content" in told
    found = json.loads(said("check", str(path), "--json", code=1))["contradictions"]
    assert [one["number"] for one in found] == ["6.3"]


@pytest.mark.parametrize("command", ["show", "check", "diff"])
def test_a_wrong_dossier_is_told(file: Path, command: str) -> None:
    """Exit code 2, file, line and field named."""
    file.write_text("organisation: A\ndomains: [a..b]\n", encoding="utf-8")
    arguments = [str(file)] * (2 if command == "diff" else 1)
    told = said(command, *arguments, "--lang", "en", code=2)
    assert "line 2, field «domains.0»" in told


def test_diff_compares_meaning_not_text(file: Path, tmp_path: Path) -> None:
    """Other order, quotes, schema and folder are no difference; a field that differs is named."""
    text = file.read_text(encoding="utf-8") + "certificates: {sending: {file: own.pem}}\n"
    file.write_text(text, encoding="utf-8")
    other = tmp_path / "other" / "copy.yaml"
    other.parent.mkdir()
    same = text.replace("schema: 2\n", "").replace("[muster.example]", "['MUSTER.example.']")
    other.write_text(same, encoding="utf-8")
    assert "say the same" in said("diff", str(file), str(other), "--lang", "en")
    other.write_text(same.replace("own.pem", "new.pem"), encoding="utf-8")
    found = json.loads(said("diff", str(file), str(other), "--json", code=1))
    assert found == [
        {"field": "certificates.sending.file", "before": "own.pem", "after": "new.pem"}
    ]
    assert "new.pem" in said("diff", str(file), str(other), code=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dossiers_own_language_is_spoken(language: str) -> None:
    """Without --lang an Italian dossier is shown in Italian; --lang decides otherwise."""
    path = str(EXAMPLES / "esempio.yaml")
    chosen = said("check", path, "--lang", language, code=1)
    assert (chosen == said("check", path, code=1)) is (language == "it")


def test_the_history_tells_who_changed_what(tmp_path: Path) -> None:
    """Each change is a row; JSON gives the records; a damaged line is named, not hidden."""
    path = tmp_path / "muster.yaml"
    path.write_text("organisation: Muster AG\ndomains: [muster.example]\n", encoding="utf-8")
    open_store(path).put("language", "fr", who="Anna")
    open_store(path).put("language", "de", who="Bernd")
    with history_of(path).open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    told = said("history", str(path), "--lang", "en")
    assert "Bernd" in told
    assert "left out: 3" in told
    assert [c["after"] for c in json.loads(said("history", str(path), "--json"))] == ["fr", "de"]
