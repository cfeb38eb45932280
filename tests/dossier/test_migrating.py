"""Dossiers of every schema open; the first save writes the one of today and keeps comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from incamail_lib.dossier import open_store, read_dossier
from incamail_lib.dossier.agreed import SCHEMA
from incamail_lib.dossier.history import read_history
from incamail_lib.dossier.migrating import MIGRATIONS, migrated, schema_of
from incamail_lib.errors import DossierError

EVERY = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
EXAMPLES = [path for path in EVERY if "\nschema:" not in path.read_text(encoding="utf-8")]
NEWER = "schema: 4\norganisation: Muster AG\ndomains: [muster.example]\nnews: true\n"


def test_the_table_leads_to_today() -> None:
    """From every older schema there is a step, and the steps end at the schema of today."""
    assert set(MIGRATIONS) == set(range(1, SCHEMA))
    for schema, step in MIGRATIONS.items():
        assert schema_of(step({"schema": str(schema), "organisation": "A"})) == schema + 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_old_dossier_is_left_alone_until_it_is_saved(tmp_path: Path, example: Path) -> None:
    """Opening changes nothing; saving adds the schema behind what stands there."""
    old = example.read_text(encoding="utf-8")
    path = tmp_path / example.name
    path.write_text(old, encoding="utf-8")
    store = open_store(path)
    assert store.dossier.schema_version == 1
    assert path.read_text(encoding="utf-8") == old
    store.put("sender", "test@muster.example", who="Anna")
    new = path.read_text(encoding="utf-8")
    assert new.startswith(old)
    assert "\nschema: 3\n" in new.removeprefix(old.rstrip("\n"))
    assert read_dossier(path).schema_version == SCHEMA
    assert len(read_history(path).changes) == 1


def test_a_migration_is_pure() -> None:
    """The data given stays as it is, and data of today passes unchanged."""
    old = {"organisation": "A"}
    assert migrated(old) == {"organisation": "A", "schema": "3"}
    assert old == {"organisation": "A"}
    assert migrated({"schema": "3"}) == {"schema": "3"}


def test_a_newer_schema_is_refused_with_a_clear_sentence(tmp_path: Path) -> None:
    """The remedy is told first, not the fields that this version does not know."""
    path = tmp_path / "new.yaml"
    path.write_text(NEWER, encoding="utf-8")
    for opened in (read_dossier, open_store):
        with pytest.raises(DossierError) as caught:
            opened(path)
        told = caught.value.text.english()
        assert "line 1, field «schema»: This dossier was written by a newer version" in told
        assert "(schema 4; known here is 3). Update the program." in told


@pytest.mark.parametrize("schema", ["0", "-1", "two", "", "2.0", "9" * 5000])
def test_a_schema_that_is_none_is_refused(tmp_path: Path, schema: str) -> None:
    """Only whole numbers from 1 are schemas; the line is named."""
    path = tmp_path / "odd.yaml"
    path.write_text(NEWER.replace("schema: 4", f"schema: {schema}"), encoding="utf-8")
    with pytest.raises(DossierError, match="odd"):
        read_dossier(path)
