"""Several dossiers in one run: each its folder, its fate, and a line in the overview."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from factories import facts

from incamail_lib import binding
from incamail_lib.audit import save_record
from incamail_lib.batch import portfolio
from incamail_lib.batch.execute import new_folder
from incamail_lib.batch.index import IndexEntry, write_index
from incamail_lib.batch.portfolio import CRASHED, audit_all, dossiers_in
from incamail_lib.checks import judge_facts
from incamail_lib.errors import DossierError, UsageError
from incamail_lib.findings import Verdict
from incamail_lib.i18n import LANGUAGES, Language, say

LAB = "organisation: {name}\nlanguage: {language}\ndomains: [{domain}]\nplatform: lab\n"


def dossier(folder: Path, name: str, extra: str = "", language: str = "en") -> Path:
    """A dossier on the lab."""
    path = folder / f"{name}.yaml"
    text = LAB.format(name=name, language=language, domain=f"{name}.example")
    path.write_text(text + extra, encoding="utf-8")
    return path


def test_two_runs_in_one_second_do_not_share_an_overview(tmp_path: Path) -> None:
    """A folder that is taken gets a number; what lies in it stays."""
    first, second = new_folder(tmp_path / "run-1"), new_folder(tmp_path / "run-1")
    assert [first.name, second.name] == ["run-1", "run-1-2"]


def test_one_that_goes_wrong_stops_no_other(tmp_path: Path, monkeypatch) -> None:
    """Sound, faulty, damaged and crashing dossiers in one run: each is told for what it is."""
    paths = [
        dossier(tmp_path, "sound"),
        dossier(tmp_path, "faulty", "scenario: server_only_client_certificate\n"),
        dossier(tmp_path, "damaged", "nonsense: 1\n"),
        dossier(tmp_path, "crashing"),
    ]
    measure = binding.measure_dossier

    async def measured(given, **options):
        if given.organisation == "crashing":
            raise ZeroDivisionError("a bug")
        return await measure(given, **options)

    monkeypatch.setattr(portfolio, "measure_dossier", measured)
    run = audit_all(paths, output=tmp_path / "reports", with_pdf=False)
    told = {o.dossier.stem: o for o in run.outcomes}
    assert told["sound"].verdict is Verdict.READY
    assert told["faulty"].verdict is Verdict.NOT_READY
    assert {row.finding.code for row in told["faulty"].decisive}
    assert told["damaged"].exit_code == 2
    assert told["damaged"].problem is not None
    assert "nonsense" in told["damaged"].problem.english()
    assert told["crashing"].exit_code == CRASHED == run.exit_code
    assert told["crashing"].folder is not None
    assert "ZeroDivisionError" in (told["crashing"].folder / "crash.txt").read_text()
    overview(run.index, {"sound": "ready", "faulty": "not_ready", "damaged": "", "crashing": ""})


def test_a_bug_while_rendering_stops_no_other_either(tmp_path: Path, monkeypatch) -> None:
    """The report of one client cannot be made: it is listed as crashed, the other has its own."""
    render = portfolio.render_audit

    def rendered(dossier_file, *arguments, **options):
        if dossier_file.stem == "unlucky":
            raise ZeroDivisionError("a bug")
        return render(dossier_file, *arguments, **options)

    monkeypatch.setattr(portfolio, "render_audit", rendered)
    paths = [dossier(tmp_path, "unlucky"), dossier(tmp_path, "lucky")]
    run = audit_all(paths, output=tmp_path / "reports", with_pdf=False)
    told = {o.dossier.stem: o for o in run.outcomes}
    assert told["unlucky"].exit_code == CRASHED == run.exit_code
    assert told["lucky"].verdict is Verdict.READY
    assert list((tmp_path / "reports" / "unlucky").glob("*/crash.txt"))


def test_a_folder_that_cannot_be_written_is_told_for_each(tmp_path: Path) -> None:
    """A file in the place of one organisation's folder: its sentence; the other goes on."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "blocked").write_text("a file", encoding="utf-8")
    paths = [dossier(tmp_path, "blocked"), dossier(tmp_path, "free")]
    run = audit_all(paths, output=tmp_path / "reports", with_pdf=False)
    told = {o.dossier.stem: o for o in run.outcomes}
    assert told["blocked"].problem is not None
    assert "blocked" in told["blocked"].problem.english()
    assert told["free"].verdict is Verdict.READY


def overview(index: Path | None, verdicts: dict[str, str]) -> None:
    """index.html and summary.csv name every organisation; links lead to reports."""
    assert index is not None
    page = index.read_text(encoding="utf-8")
    with (index.parent / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["organisation"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(verdicts)
    for name, verdict in verdicts.items():
        assert name in page
        assert rows[name]["verdict"] == verdict or not verdict
        if verdict:
            assert (index.parent / rows[name]["report"]).exists()
            assert rows[name]["report"] in page
    # Whoever has no verdict stands first, then by weight.
    assert list(rows)[-1] == "sound"
    assert {*list(rows)[:2]} == {"damaged", "crashing"}


def test_a_single_wrong_dossier_is_an_error(tmp_path: Path) -> None:
    """With one dossier there is nobody else to go on with; with two, the other one goes on."""
    wrong = dossier(tmp_path, "damaged", "nonsense: 1\n")
    with pytest.raises(DossierError, match="line 5"):
        audit_all([wrong], output=tmp_path / "reports")


def test_saved_facts_are_reported_without_measuring(tmp_path: Path, monkeypatch) -> None:
    """With facts of an earlier audit nothing is looked up or connected to."""

    async def never(*_args, **_options):
        raise AssertionError("something was measured")

    monkeypatch.setattr(portfolio, "measure_dossier", never)
    saved = save_record(facts(), tmp_path / "facts.json")
    path = tmp_path / "muster.yaml"
    about = facts().declared
    told = LAB.format(name=about.organisation, language="en", domain=about.domains[0])
    path.write_text(told, encoding="utf-8")
    run = audit_all([path], output=tmp_path / "reports", facts=saved, with_pdf=False)
    assert run.outcomes[0].verdict is judge_facts(facts(), facts().measured_at).verdict
    without = audit_all([path], output=tmp_path / "reports", with_pdf=False).outcomes[0]
    assert without.exit_code == CRASHED, "this one had to measure"


def test_facts_of_another_organisation_are_refused(tmp_path: Path) -> None:
    """They would be a verdict about somebody else, under the wrong letterhead."""
    saved = save_record(facts(), tmp_path / "facts.json")
    path = dossier(tmp_path, "stranger")
    told = audit_all([path], output=tmp_path / "reports", facts=saved, with_pdf=False).outcomes[0]
    assert (told.verdict, told.exit_code) == (None, 2)
    assert told.problem is not None
    assert "facts.json" in told.problem.english()
    assert facts().declared.organisation in told.problem.english()


def test_files_folders_and_globs_name_dossiers(tmp_path: Path) -> None:
    """Each dossier once, whatever names it; what names nothing is an error."""
    one, two = dossier(tmp_path, "one"), dossier(tmp_path, "two")
    (tmp_path / "notes.txt").write_text("no dossier")
    assert dossiers_in([str(tmp_path)]) == (one, two)
    assert dossiers_in([str(one), str(tmp_path / "*.yaml")]) == (one, two)
    for nothing in ("none.yaml", str(tmp_path / "*.yml")):
        with pytest.raises(UsageError, match="names no dossier"):
            dossiers_in([nothing])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_overview_is_safe_and_in_the_language_asked_for(
    tmp_path: Path, language: Language
) -> None:
    """Markup and formulas in a name do nothing, neither in the page nor in a spreadsheet."""
    name = "=cmd|' /C calc'!A0<script>"
    entry = IndexEntry(name, None, None, say("connection refused"))
    page = write_index(tmp_path, [entry], language=language).read_text(encoding="utf-8")
    assert "<script" not in page
    assert f'<html lang="{language}">' in page
    table = (tmp_path / "summary.csv").read_text(encoding="utf-8-sig")
    assert "\n=cmd" not in table
    assert "'=cmd" in table
