"""Records of every schema open; one of a newer version says that the program must be updated."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from factories import NOW

from incamail_lib.audit import load_audit, load_facts, save_record, with_age
from incamail_lib.audit.migrating import (
    AUDIT,
    AUDIT_SCHEMA,
    FACTS,
    FACTS_SCHEMA,
    Step,
    migrated,
    schema_of,
)
from incamail_lib.checks import judge_facts
from incamail_lib.errors import MaterialError
from incamail_lib.findings import Verdict
from incamail_lib.guide.platform import Certainty

OLDER = sorted(Path(__file__).with_name("older").glob("*.json"))
OLDEST = json.loads(OLDER[0].read_text(encoding="utf-8"))


def written(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("steps", "today"), [(FACTS, FACTS_SCHEMA), (AUDIT, AUDIT_SCHEMA)], ids=["facts", "audit"]
)
def test_the_tables_lead_to_today(steps: dict[int, Step], today: int) -> None:
    """From every older schema there is a step, and the steps end at the schema of today."""
    assert set(steps) == set(range(1, today))
    assert schema_of(migrated({"schema_version": 1}, steps)) == today
    assert migrated({"schema_version": today, "x": 1}, steps) == {"schema_version": today, "x": 1}


def test_of_every_older_schema_there_is_a_file() -> None:
    """Each number that has a step is said by a record as a version of its time wrote it."""
    said = [json.loads(path.read_text(encoding="utf-8")) for path in OLDER]
    assert {record["facts"]["schema_version"] for record in said} >= set(FACTS)
    assert {record["schema_version"] for record in said} >= set(AUDIT)


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_an_older_record_is_read_and_judged_as_one_of_today(path: Path, tmp_path: Path) -> None:
    """In memory: the file stays as it was; saved again, it says the schema of today."""
    before = path.read_bytes()
    audit = load_audit(path)
    facts = load_facts(path)
    assert facts == audit.facts
    assert facts.schema_version == FACTS_SCHEMA
    assert judge_facts(with_age(facts, NOW), NOW).verdict is not Verdict.READY
    assert load_facts(save_record(facts, tmp_path / "facts.json")) == facts
    assert path.read_bytes() == before


def test_what_was_not_recorded_is_not_made_up() -> None:
    """Facts of schema 1 know no tags of the platform: none, from nobody, unconfirmed."""
    platform = load_facts(OLDER[0]).platform
    for fact in (platform.tags, platform.contacts, platform.links):
        assert (fact.value, fact.source, fact.certainty) == ((), "", Certainty.UNCONFIRMED)
    assert platform.suffix.value == ".incamail.ch"


def test_a_migration_is_pure_and_keeps_what_is_there() -> None:
    """The data given stays as it is; a field that an early file has already is not replaced."""
    old = copy.deepcopy(OLDEST["facts"])
    known = {"value": ["<im>"], "source": "x", "certainty": "A", "verified_on": "2026-11-25"}
    old["platform"]["tags"] = known
    given = copy.deepcopy(old)
    assert migrated(old, FACTS)["platform"]["tags"] == known
    assert old == given


def test_without_its_step_the_older_file_would_be_refused(tmp_path: Path) -> None:
    """The number alone does not make facts of today of it."""
    path = written(tmp_path / "facts.json", OLDEST["facts"] | {"schema_version": FACTS_SCHEMA})
    with pytest.raises(MaterialError, match="tags"):
        load_facts(path)


def newer(*keys: str) -> dict[str, Any]:
    """The old audit with the numbers at these places from the future, and news in it."""
    record: dict[str, Any] = copy.deepcopy(OLDEST)
    for key in keys:
        place = record if key == "audit" else record["facts"]
        place |= {"schema_version": 7, "news": True}
    return record


@pytest.mark.parametrize(("key", "known"), [("audit", AUDIT_SCHEMA), ("facts", FACTS_SCHEMA)])
def test_a_newer_record_says_that_the_program_must_be_updated(
    tmp_path: Path, key: str, known: int
) -> None:
    """The remedy is told, not the field that this version does not know."""
    path = written(tmp_path / "audit.json", newer(key))
    with pytest.raises(MaterialError) as caught:
        load_audit(path)
    told = caught.value.text.english()
    assert "audit.json was written by a newer version of this program" in told
    assert f"(record format 7; known here is {known}). Update the program." in told


def test_newer_findings_do_not_keep_known_facts_from_being_judged(tmp_path: Path) -> None:
    """Of an audit, `judge` takes the facts alone; newer facts are refused there as well."""
    assert load_facts(written(tmp_path / "a.json", newer("audit"))).schema_version == FACTS_SCHEMA
    with pytest.raises(MaterialError, match="Update the program"):
        load_facts(written(tmp_path / "b.json", newer("facts")))


@pytest.mark.parametrize("number", [0, -1, True, "1", "2", 1.5, None, 10**12, [], {}])
def test_what_is_no_schema_is_refused(tmp_path: Path, number: object) -> None:
    """Neither taken for an old number nor for one of the future."""
    path = written(tmp_path / "facts.json", OLDEST["facts"] | {"schema_version": number})
    with pytest.raises(MaterialError, match="schema_version"):
        load_facts(path)
