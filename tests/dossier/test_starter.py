"""A new dossier explains itself, is valid at once, and is edited like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from incamail_lib.dossier import open_store
from incamail_lib.dossier.agreed import SCHEMA, Role, State
from incamail_lib.dossier.decisions import decided
from incamail_lib.dossier.fields import field_path, value_at, with_value
from incamail_lib.dossier.reading import parsed
from incamail_lib.dossier.starter import begin, starter
from incamail_lib.dossier.words import term
from incamail_lib.errors import DossierError, UsageError
from incamail_lib.guide import contents, load_platform
from incamail_lib.i18n import LANGUAGES, Language, translator

NAME = "Muster & Söhne: «AG» # 1"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_starter_is_a_valid_dossier(language: Language) -> None:
    """Any name is quoted where it must be; the examples in comments would be valid too."""
    text = starter(organisation=NAME, domains=["a.example", "b.example"], language=language)
    dossier = parsed(text, Path("a.yaml")).dossier
    assert (dossier.organisation, dossier.language) == (NAME, language)
    assert dossier.domains == ("a.example", "b.example")
    assert dossier.schema_version == SCHEMA
    assert dossier.platform == "incamail"
    assert list(dossier.components) == [component.key for component in contents().components]


def test_what_nobody_decided_is_open(tmp_path: Path) -> None:
    """Neither the routing rule nor the way in is decided by beginning; each is once it is set."""
    path = tmp_path / "a.yaml"
    path.write_text(starter(organisation="A", domains=["a.example"], language="en"))
    bare = parsed(path.read_text(), path).dossier
    assert bare.undecided == ("routing.method", "incoming.route")
    assert bare.declared(load_platform()).undecided == bare.undecided
    assert decided(bare, "6.3") == decided(bare, "6.4") == ()
    store = open_store(path)
    store.put("routing.engine", "postfix_table", who="A")
    assert store.dossier.undecided == bare.undecided
    store.put("routing.method", "domain", who="A")
    store.put("incoming.route", "mx", who="A")
    assert not store.dossier.undecided
    assert decided(store.dossier, "6.3")
    assert decided(store.dossier, "6.4")


def test_its_examples_are_valid_when_the_sign_is_taken_away() -> None:
    """Who follows a comment gets a dossier that works."""
    text = starter(organisation="A", domains=["a.example"], language="en")
    for line in text.splitlines():
        begins = ("gateways", "certificates", "mail_clients", "monitoring", "inner_hop", "measures")
        if line.startswith(("#   ", *(f"# {name}:" for name in begins))):
            text = text.replace(line, line[2:])
        elif line.startswith("#  "):
            text = text.replace(line, line[1:])
    text = text.replace("contacts: []", "contacts:").replace("answers: {}", "answers:")
    dossier = parsed(text, Path("a.yaml")).dossier
    assert dossier.gateways.receiving[0].host == "mx1.muster.example"
    assert dossier.certificates.sending is not None
    assert dossier.mail_clients[0].users == 40
    assert dossier.inner_hop is not None
    assert dossier.measures["rules"].done is not None
    assert dossier.contacts[0].name == "Anna Muster"
    assert str(dossier.answers["6.3"].due) == "2027-01-15"


def test_a_lab_scenario_is_named() -> None:
    """An exercise is audited on the lab, not on IncaMail."""
    text = starter(organisation="A", domains=["a.example"], language="en", scenario="sound")
    dossier = parsed(text, Path("a.yaml")).dossier
    assert (dossier.platform, dossier.scenario) == ("lab", "sound")


def test_a_starter_is_filled_in_by_the_program(tmp_path: Path) -> None:
    """Every empty place takes a value, and every comment stays."""
    path = tmp_path / "a.yaml"
    text = starter(organisation="A", domains=["a.example"], language="en")
    path.write_text(text, encoding="utf-8")
    store = open_store(path)
    store.put("go_live", "2027-01-15", who="A")
    store.put("components.firewall.present", True, who="A")
    store.put("contacts.0", {"role": "post", "name": "P"}, who="A")
    store.put("answers.6.3.state", "clear", who="A")
    new = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in new.splitlines() if line.startswith("#")
    ]
    assert "  firewall: {present: true , product: '', operator: ''}\n" in new
    assert "contacts:\n  - role: post\n    name: P\n" in new.replace("contacts: \n", "contacts:\n")


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("organisation", ("organisation",)),
        ("answers.6.3", ("answers", "6.3")),
        ("answers.6.10.state", ("answers", "6.10", "state")),
        ("answers", ("answers",)),
        ("network.ports.mx.a.example", ("network", "ports", "mx.a.example")),
        ("network.timeout_s", ("network", "timeout_s")),
        (("contacts", 0, "name"), ("contacts", "0", "name")),
    ],
)
def test_a_path_is_split_where_its_names_end(
    field: str | tuple[str | int, ...], path: tuple[str, ...]
) -> None:
    """A dot inside a name is no border."""
    assert field_path(field) == path


def test_a_value_is_put_into_a_copy() -> None:
    """The data given stays; groups and lists on the way are made; None removes."""
    data = {"a": {"b": ["x"]}}
    assert with_value(data, ("a", "b", "1"), "y") == {"a": {"b": ["x", "y"]}}
    assert with_value(data, ("c", "0", "d"), "y") == data | {"c": [{"d": "y"}]}
    assert with_value(data, ("a", "b", "0"), None) == {"a": {"b": []}}
    assert data == {"a": {"b": ["x"]}}
    assert value_at(data, ("a", "b", "0")) == "x"
    assert value_at(data, ("a", "b", "7")) is None
    for path in (("a", "b", "2"), ("a", "b", "x"), ("a", "b", "0", "c")):
        with pytest.raises(DossierError, match="has no place for"):
            with_value(data, path, "y")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_stands_beside_its_word(language: Language) -> None:
    """Who fills in a state or a role reads what forms and papers call it."""
    lines = starter(organisation="A", domains=["a.example"], language=language).splitlines()
    text = " ".join(line.removeprefix("# ") for line in lines)
    t = translator(language)
    for code in (*State, *Role):
        told = t.text(term(code))
        assert f"{code.value} ({told})" in text or (told == code.value and told in text)


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """Neither a file, nor a link that leads to nothing: writing would put a file in its place."""
    text = starter(organisation="A", domains=["a.example"], language="en")
    path, link = tmp_path / "a.yaml", tmp_path / "b.yaml"
    assert begin(path, text).organisation == "A"
    link.symlink_to(tmp_path / "nowhere.yaml")
    for taken in (path, link):
        with pytest.raises(UsageError, match="is not overwritten"):
            begin(taken, text)
    assert link.is_symlink()
    assert not (tmp_path / "nowhere.yaml").exists()
