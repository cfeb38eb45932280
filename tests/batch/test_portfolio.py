"""Several dossiers in one run: each its folder, its fate, and a line in the overview."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from cli.test_waived import WAIVER
from factories import GATEWAY, endpoint, facts, ready

from incamail_lib.audit import case, save_record
from incamail_lib.batch import one as one_dossier
from incamail_lib.batch.listing import listed
from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.batch.results import CRASHED, CaseOutcome
from incamail_lib.checks import judge_facts
from incamail_lib.dossier.waivers import WAIVERS
from incamail_lib.errors import DossierError, UsageError
from incamail_lib.findings import ACCEPTED, Verdict
from incamail_lib.forked.processes import FORBIDDEN
from incamail_lib.history import History
from incamail_lib.outputs import HISTORY, NOTEBOOK, PAGE
from incamail_lib.seal import Keys, Standing, examine

PLAIN = Options(with_pdf=False)
LAB = "organisation: {name}\nlanguage: {language}\ndomains: [{domain}]\nplatform: lab\n"


def dossier(folder: Path, name: str, extra: str = "", language: str = "en") -> Path:
    """A dossier on the lab."""
    path = folder / f"{name}.yaml"
    text = LAB.format(name=name, language=language, domain=f"{name}.example")
    path.write_text(text + extra, encoding="utf-8")
    return path


def test_one_that_goes_wrong_stops_no_other(tmp_path: Path, monkeypatch) -> None:
    """Sound, faulty, damaged and crashing dossiers in one run: each is told for what it is."""
    paths = [
        dossier(tmp_path, "sound"),
        dossier(tmp_path, "faulty", "scenario: server_only_client_certificate\n"),
        dossier(tmp_path, "damaged", "nonsense: 1\n"),
        dossier(tmp_path, "crashing"),
    ]
    measure = case.measure_dossier

    async def measured(given, **options):
        if given.organisation == "crashing":
            raise ZeroDivisionError("a bug")
        return await measure(given, **options)

    monkeypatch.setattr(one_dossier, "measure_dossier", measured)
    heard: list[tuple[str, int, int]] = []
    run = audit_all(
        paths,
        output=tmp_path / "reports",
        options=PLAIN,
        progress=lambda *stage: heard.append(stage),
    )
    counted = range(1, len(paths) + 1)
    assert heard == [(s, n, len(paths)) for s in ("audit", "overview") for n in counted]
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


def test_a_folder_that_cannot_be_written_is_told_for_each(tmp_path: Path) -> None:
    """A file in the place of one organisation's folder: its sentence; the other goes on."""
    (tmp_path / "reports").mkdir()
    for name in ("blocked", *(f"blocked-{number}" for number in range(2, 1000))):
        (tmp_path / "reports" / name).touch()
    paths = [dossier(tmp_path, "blocked"), dossier(tmp_path, "free")]
    run = audit_all(paths, output=tmp_path / "reports", options=PLAIN)
    told = {o.dossier.stem: o for o in run.outcomes}
    assert told["blocked"].problem is not None
    assert "blocked" in told["blocked"].problem.english()
    assert told["free"].verdict is Verdict.READY


def test_without_forks_kernels_do_the_same(tmp_path: Path, monkeypatch) -> None:
    """Where processes cannot be forked, or must not be, kernels run the notebooks."""
    monkeypatch.setenv(FORBIDDEN, "1")
    paths = [dossier(tmp_path, "sound"), dossier(tmp_path, "other", language="fr")]
    run = audit_all(paths, output=tmp_path / "reports", options=PLAIN)
    assert [outcome.verdict for outcome in run.outcomes] == [Verdict.READY] * 2
    assert run.exit_code == 0
    for outcome in run.outcomes:
        assert outcome.folder is not None
        assert examine(outcome.folder, Keys.of_user()).standing is Standing.INTACT
        text = (outcome.folder / "audit.ipynb").read_text(encoding="utf-8")
        assert ".part" not in text


def overview(index: Path | None, verdicts: dict[str, str]) -> None:
    """The page and its table name every organisation; links lead to reports."""
    assert index is not None
    page = index.read_text(encoding="utf-8")
    with (index.parent / "organisations.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["organisation"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(verdicts)
    for name, verdict in verdicts.items():
        assert name in page
        assert rows[name]["verdict"] == verdict or not verdict
        if verdict:
            report = Path(rows[name]["report"]) / "report.html"
            assert report.exists()
            assert os.path.relpath(report, index.parent) in page
    # Whoever has no verdict stands first, then by weight.
    places = [page.index(f">{name}<") for name in ("crashing", "damaged", "faulty", "sound")]
    assert places == sorted(places)


def test_a_single_wrong_dossier_is_an_error(tmp_path: Path) -> None:
    """With one dossier there is nobody else to go on with; with two, the other one goes on."""
    wrong = dossier(tmp_path, "damaged", "nonsense: 1\n")
    with pytest.raises(DossierError, match="line 5"):
        audit_all([wrong], output=tmp_path / "reports")


def test_saved_facts_are_reported_without_measuring(tmp_path: Path, monkeypatch) -> None:
    """With facts of an earlier audit nothing is looked up or connected to."""

    async def never(*_args, **_options):
        raise AssertionError("something was measured")

    monkeypatch.setattr(one_dossier, "measure_dossier", never)
    saved = save_record(facts(), tmp_path / "facts.json")
    path = tmp_path / "muster.yaml"
    about = facts().declared
    told = LAB.format(name=about.organisation, language="en", domain=about.domains[0])
    path.write_text(told, encoding="utf-8")
    run = audit_all([path], output=tmp_path / "reports", options=replace(PLAIN, facts=[saved]))
    assert run.outcomes[0].verdict is judge_facts(facts(), facts().measured_at).verdict
    without = audit_all([path], output=tmp_path / "reports", options=PLAIN).outcomes[0]
    assert without.exit_code == CRASHED, "this one had to measure"


def test_facts_of_another_organisation_are_refused(tmp_path: Path) -> None:
    """They would be a verdict about somebody else, under the wrong letterhead."""
    saved = save_record(facts(), tmp_path / "facts.json")
    path = dossier(tmp_path, "stranger")
    with_facts = replace(PLAIN, facts=[saved])
    told = audit_all([path], output=tmp_path / "reports", options=with_facts).outcomes[0]
    assert (told.verdict, told.exit_code) == (None, 2)
    assert told.problem is not None
    assert "facts.json" in told.problem.english()
    assert facts().declared.organisation in told.problem.english()


def test_files_folders_and_globs_name_dossiers(tmp_path: Path) -> None:
    """Each dossier once, whatever names it; what names nothing is an error."""
    one, two = dossier(tmp_path, "one"), dossier(tmp_path, "two")
    (tmp_path / "notes.txt").write_text("no dossier")
    assert listed([str(tmp_path)]).paths == (one, two)
    assert listed([str(one), str(tmp_path / "*.yaml")]).paths == (one, two)
    for nothing in ("none.yaml", str(tmp_path / "*.yml")):
        with pytest.raises(UsageError, match="names no dossier"):
            listed([nothing])


def test_a_night_is_compared_accepted_and_kept_once(tmp_path: Path) -> None:
    """The second night knows the first one's record and the waivers beside the dossier, and says
    so in report, portfolio and exit code; resumed, it is the same run and nothing is done twice,
    unless a waiver changed meanwhile."""
    saved = save_record(ready(receiving=(endpoint(GATEWAY),)), tmp_path / "facts.json")
    path = tmp_path / "muster.yaml"
    path.write_text(LAB.format(name="Muster AG", language="en", domain="muster.example"))
    output, history = tmp_path / "reports", tmp_path / "reports" / HISTORY
    night = replace(PLAIN, facts=[saved], is_batch=True, resume=True, history=history)
    first = audit_all([path], output=output, options=night)
    assert first.exit_code == 1
    (tmp_path / WAIVERS).write_text(WAIVER, encoding="utf-8")
    second = audit_all([path], output=output, options=night)
    (told,) = second.outcomes
    assert (second.exit_code, told.accepted_until) == (ACCEPTED, dt.date(2027, 3, 31))
    assert told.folder is not None
    given = json.loads((told.folder / NOTEBOOK).read_text(encoding="utf-8"))["metadata"]
    assert given["papermill"]["parameters"]["previous"] == str(first.outcomes[0].record)
    names = {"audit.ipynb", "audit.json", "dossier.sha256", "facts.json", PAGE, "seal.json"}
    assert {file.name for file in told.folder.iterdir()} == names
    assert second.index is not None
    assert "accepted until 31 March 2027" in (told.folder / PAGE).read_text(encoding="utf-8")
    for word in ("Since run 1", "accepted", "31 March 2027"):
        assert word in second.index.read_text(encoding="utf-8")

    def again() -> CaseOutcome:
        assert second.folder is not None
        second.folder.rename(second.folder.with_name(f"{second.folder.name}.part"))
        (outcome,) = audit_all([path], output=output, options=night).outcomes
        with History.open(history) as kept:
            assert [run.organisations for run in kept.runs()] == [1, 1]
        assert isinstance(outcome, CaseOutcome)
        return outcome

    resumed = again()
    assert (resumed.resumed, resumed.exit_code, resumed.until) == (True, ACCEPTED, told.until)
    assert resumed.files == told.files
    (tmp_path / WAIVERS).unlink()
    anew = again()
    assert (anew.resumed, anew.exit_code) == (False, 1)
