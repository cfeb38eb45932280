"""Where what we write lies: an organisation's folder is its own for good."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from incamail_lib.errors import OutputError
from incamail_lib.outputs import (
    OWNER,
    RECORD,
    audit_folders,
    clear_unfinished,
    documents_folder,
    name_of_run,
    new_audit,
    new_run,
    organisation_folder,
    organisation_folder_if_any,
    runbook_folder,
    slug,
    time_name,
    unfinished_runs,
)

MOMENT = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)


def audit_folder(output: Path, organisation: str, moment: dt.datetime) -> Path:
    """A finished folder for one audit."""
    return new_audit(output, organisation, time_name(moment)).finish()


def test_each_audit_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Organisation and UTC time; the same second and name again get a number."""
    first, second = (audit_folder(tmp_path, "Étude Exemple & Associés", MOMENT) for _ in range(2))
    assert first.is_dir()
    assert first == tmp_path / "etude-exemple-associes" / "20261124T123000Z"
    assert second.name == "20261124T123000Z-2"
    runs = {new_run(tmp_path, time_name(MOMENT)).final for _ in range(2)}
    assert len(runs) == 2


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    """Until it is finished nothing has its name, and no other audit takes it; then all is there."""
    new = new_audit(tmp_path, "Muster AG", "20261124T123000Z")
    (new.part / RECORD).touch()
    assert not new.final.exists()
    assert audit_folders(tmp_path, "Muster AG") == []
    other = new_audit(tmp_path, "Muster AG", "20261124T123000Z")
    assert other.final.name == "20261124T123000Z-2"
    assert new.finish() == new.final
    assert audit_folders(tmp_path, "Muster AG") == [new.final]
    other.give_up()
    assert [path.name for path in new.final.parent.iterdir() if path.name != OWNER] == [
        new.final.name
    ]


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """Half-filled folders of that run go, and half-written files of processes that are gone."""
    run = new_run(tmp_path, "20261124T123000Z")
    name = name_of_run(run)
    done, left, of_others = (
        new_audit(tmp_path, who, when)
        for who, when in (("One", name), ("Two", name), ("Two", "20260101T000000Z"))
    )
    done.finish()
    gone, ours = (
        tmp_path / f".incamail-{2**22 + 1}-aa.part",
        left.part.parent / (f".incamail-{os.getpid()}-bb.part"),
    )
    for file in (gone, ours):
        file.touch()
    assert [folder.part for folder in unfinished_runs(tmp_path)] == [run.part]
    clear_unfinished(tmp_path, name)
    assert (done.final.exists(), left.part.exists(), of_others.part.exists()) == (True, False, True)
    assert (gone.exists(), ours.exists()) == (False, True)


@pytest.mark.parametrize("name", ["../../etc", "…", "CON", "a" * 300, "漢字", ".", "lpt1", "NUL"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Any organisation's name becomes one harmless folder name, on Windows too."""
    assert slug(name)
    assert (tmp_path / slug(name)).resolve().parent == tmp_path.resolve()
    assert len(slug(name)) <= 60
    assert slug(name) not in ("con", "lpt1", "nul")


def test_two_organisations_of_one_short_name_stay_apart(tmp_path: Path) -> None:
    """«Kunz & Co» and «Kunz-Co»: each finds its own folder again, whichever asks first."""
    one, other = (organisation_folder(tmp_path, name) for name in ("Kunz & Co", "Kunz-Co"))
    assert one != other
    assert organisation_folder(tmp_path, "Kunz & Co") == one
    assert organisation_folder_if_any(tmp_path, "Kunz-Co") == other
    assert organisation_folder_if_any(tmp_path, "KUNZ CO") is None
    assert documents_folder(tmp_path, "Kunz & Co").parent == one


def test_no_organisation_takes_a_folder_of_ours(tmp_path: Path) -> None:
    """One called «Runbooks» or «Dossiers» is not mixed up with all runbooks or samples."""
    for name in ("Runbooks", "Dossiers", "Sample", "Portfolio", "run-20261124T123000Z"):
        assert organisation_folder(tmp_path, name).name.startswith("organisation-")
    assert runbook_folder(tmp_path, "Muster AG").parent == tmp_path / "runbooks"


def test_a_folder_of_nobody_known_is_left_alone(tmp_path: Path) -> None:
    """Files without an owner, a link, or a file of that name: the organisation takes another."""
    (tmp_path / "muster-ag").mkdir()
    (tmp_path / "muster-ag" / "audit.json").write_text("{}", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "muster-ag-2").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "muster-ag-3").write_text("a file", encoding="utf-8")
    assert organisation_folder(tmp_path, "Muster AG") == tmp_path / "muster-ag-4"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_in_the_place_of_the_name_is_not_waited_for(tmp_path: Path) -> None:
    """A folder whose owner cannot be read belongs to somebody else."""
    (tmp_path / "muster-ag").mkdir()
    os.mkfifo(tmp_path / "muster-ag" / OWNER)
    assert organisation_folder(tmp_path, "Muster AG") == tmp_path / "muster-ag-2"


def test_two_programs_at_once_agree(tmp_path: Path) -> None:
    """Many that claim at the same moment: one folder for each organisation, none for two."""
    names = [f"Kunz{sign}Co" for sign in ("&", "-", "+", " ", "/", "_", "(", ")")] * 6
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda name: organisation_folder(tmp_path, name), names))
    taken = {name: folder for name, folder in zip(names, found, strict=True)}
    assert [taken[name] for name in names] == found
    assert len(set(found)) == len(set(names))


def test_the_newest_audit_stands_first(tmp_path: Path) -> None:
    """Folders without a record are none of an audit; another organisation has none."""
    for hours in (0, 2, 1):
        folder = audit_folder(tmp_path, "Muster AG", MOMENT + dt.timedelta(hours=hours))
        (folder / "audit.json").write_text("{}", encoding="utf-8")
    audit_folder(tmp_path, "Muster AG", MOMENT + dt.timedelta(hours=9))
    names = [folder.name for folder in audit_folders(tmp_path, "Muster AG")]
    assert names == ["20261124T143000Z", "20261124T133000Z", "20261124T123000Z"]
    assert audit_folders(tmp_path, "Andere AG") == []


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder: one sentence with the path, no traceback."""
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="reports"):
        audit_folder(tmp_path / "reports", "Muster AG", MOMENT)
