"""Waivers as the command line meets them: beside a dossier, or named to `incamail judge`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from factories import GATEWAY, NOW, endpoint, ready
from typer.testing import CliRunner

from incamail_lib.audit import save_record
from incamail_lib.audit.case import bind
from incamail_lib.batch.listing import listed
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.cli.app import app
from incamail_lib.dossier.waivers import WaiverError
from incamail_lib.findings import ACCEPTED

WAIVER = """waivers:
  - organisation: Muster AG
    check: TLS06
    reason: The archive's scanner is replaced in March, see ticket 4711.
    requested_by: {name: Anna Muster, email: anna.muster@muster.example}
    approved_by: {name: Beat Beispiel, email: beat@provider.example}
    approved_on: 2026-11-20
    expires: 2027-03-31
"""
DOSSIER = "organisation: {name}\ndomains: [muster.example]\n"


def saved(folder: Path) -> Path:
    return save_record(ready(receiving=(endpoint(GATEWAY),)), folder / "facts.json")


def test_judge_tells_what_is_accepted_by_an_exit_code_of_its_own(tmp_path: Path) -> None:
    """Until when, by whom and why; without the file, and after its end, it fails."""
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER, encoding="utf-8")
    runner = CliRunner()
    words = ["judge", str(saved(tmp_path)), "--waivers", str(file), "--lang", "en", "--at"]
    told = runner.invoke(app, [*words, "2026-12-01"])
    assert told.exit_code == ACCEPTED, told.output
    for sentence in ("accepted until 31 March 2027", "Beat Beispiel", "ticket 4711"):
        assert sentence in told.output
    assert "ready" not in told.output.splitlines()[0]
    late = runner.invoke(app, [*words, "2027-04-01"])
    assert (late.exit_code, "counts again" in late.output) == (1, True)
    assert runner.invoke(app, [*words[:2], "--at", "2026-12-01"]).exit_code == 1
    missing = runner.invoke(app, [*words[:3], str(tmp_path / "none.yaml")])
    assert (missing.exit_code, "none.yaml" in "".join(missing.output.split())) == (2, True)


def test_a_case_knows_the_waivers_beside_its_dossier(tmp_path: Path) -> None:
    """Those of its own organisation, for notebooks and batches alike."""
    (tmp_path / "waivers.yaml").write_text(WAIVER, encoding="utf-8")
    path = tmp_path / "muster.yaml"
    path.write_text(DOSSIER.format(name="Muster AG"), encoding="utf-8")
    audit = asyncio.run(bind(path, facts=saved(tmp_path)).audit(now=NOW))
    assert audit.exit_code == ACCEPTED
    path.write_text(DOSSIER.format(name="Somebody Else AG"), encoding="utf-8")
    assert bind(path).waivers == ()


def test_a_malformed_file_stops_the_run_before_anything_is_measured(tmp_path: Path) -> None:
    """Among several dossiers too, where a wrong dossier would stop no other."""
    (tmp_path / "waivers.yaml").write_text(WAIVER.replace("TLS06", "all"), encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(DOSSIER.format(name=name), encoding="utf-8")
    paths = listed([str(tmp_path)]).paths
    assert [path.name for path in paths] == ["one.yaml", "two.yaml"]
    with pytest.raises(WaiverError, match="is no check"):
        audit_all(paths, output=tmp_path / "reports")
    assert list((tmp_path / "reports").iterdir()) == []
