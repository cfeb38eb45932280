"""`incamail measure` on another machine, and what `audit` and `judge` make of its file."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from factories import facts, vantage
from typer.testing import CliRunner

from incamail_lib.audit import load_audit, load_facts, save_record
from incamail_lib.cli.app import app
from incamail_lib.facts.audit import Place
from incamail_lib.lab import nameserver

runner = CliRunner()
JUPYTER = (
    *("IPython", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "jupyterlab"),
    *("nbclient", "nbconvert", "nbformat", "papermill", "voila", "traitlets", "tornado", "zmq"),
    *("typst", "docx", "pandas"),
)
BARRED = f"""
import sys

class Bar:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {JUPYTER!r}:
            raise ModuleNotFoundError("barred", name=name)

sys.meta_path.insert(0, Bar())
from incamail_lib.cli.entry import main
main()
"""


def said(*arguments: str | Path, code: int) -> str:
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def dossier(folder: Path, more: str = "") -> Path:
    path = folder / "muster.yaml"
    path.write_text(f"organisation: Muster AG\ndomains: [muster.example]\n{more}", encoding="utf-8")
    return path


def measured(folder: Path, *words: str, network: str = "", code: int = 3) -> str:
    """measure, where every name leads to an address that must not be contacted."""
    records = [
        ("muster.example", "MX", "10 mx1.muster.example."),
        ("mx1.muster.example", "A", "10.1.2.3"),
    ]

    async def run() -> str:
        async with nameserver.serve(records) as (address, port):
            server = f'nameservers: ["{address}:{port}"], timeout_s: 2'
            path = dossier(folder, f"network: {{{server}{network}}}\n")
            return await asyncio.to_thread(said, "measure", path, *words, code=code)

    return asyncio.run(run())


def test_measure_needs_no_jupyter(tmp_path: Path) -> None:
    """On a gateway with the light packages alone it looks, saves and says what it saw."""
    path = dossier(tmp_path, "platform: lab\n")
    command = [sys.executable, "-c", BARRED, "measure", str(path), "--out", f"{tmp_path}/f.json"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gw1.incamail.com" in done.stdout
    assert load_facts(tmp_path / "f.json").vantage.on_lab
    start = [sys.executable, "-c", BARRED, "start", str(path), "--output", str(tmp_path)]
    other = subprocess.run(start, capture_output=True, check=False, text=True, timeout=120)
    assert other.returncode == 2, "the bar holds: this one needs Jupyter"
    assert "install the whole" in other.stderr


@pytest.mark.parametrize("place", ["gateway", "inside", "elsewhere"])
def test_the_place_is_said_on_the_command_line_or_in_the_dossier(
    tmp_path: Path, place: str
) -> None:
    """Both come to the same; the command line counts before the dossier."""
    out = tmp_path / "facts.json"
    measured(tmp_path, "--vantage", place, "--out", str(out))
    assert load_facts(out).vantage.place == place
    measured(tmp_path, "--out", str(out), network=f", vantage: {place}")
    assert load_facts(out).vantage.place == place
    measured(tmp_path, "--vantage", "gateway", "--out", str(out), network=f", vantage: {place}")
    found = load_facts(out).vantage
    assert found.place is Place.GATEWAY
    assert found.machine


def test_the_clients_key_need_not_leave_its_network(tmp_path: Path) -> None:
    """Outside, a certificate that is not there is left out and told; on the gateway it is asked
    for, and the passphrase with it."""
    out = tmp_path / "facts.json"
    sending = "{file: gateway.pem, key: gateway.key, passphrase_env: NOT_SET_ANYWHERE}"
    more = f", test_injection: false}}\ncertificates: {{sending: {sending}"
    measured(tmp_path, "--vantage", "elsewhere", "--out", str(out), network=more)
    facts = load_facts(out)
    assert facts.credentials == ()
    assert "gateway.pem is not on the machine outside" in facts.limits[0].english()
    told = measured(tmp_path, "--vantage", "gateway", "--out", str(out), network=more, code=2)
    assert "NOT_SET_ANYWHERE" in told


def test_without_a_place_nothing_is_measured(tmp_path: Path) -> None:
    """The one thing that the file is made for must be said."""
    told = measured(tmp_path, "--out", str(tmp_path / "facts.json"), code=2)
    assert "--vantage gateway, inside or elsewhere" in told
    assert not (tmp_path / "facts.json").exists()


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    """On the command line and in the dossier, with what may stand there."""
    assert "elsewhere" in said("measure", dossier(tmp_path), "--vantage", "moon", code=2)
    wrong = dossier(tmp_path, "network: {vantage: moon}\n")
    assert "'gateway'" in said("measure", wrong, "--vantage", "gateway", code=2)


def saved(folder: Path, place: Place, **changes) -> Path:
    one = facts(vantage=vantage(place), receiving_from=None, **changes)
    return save_record(one, folder / f"{place.value}.json")


def test_judge_takes_several_files(tmp_path: Path) -> None:
    """Alone each file leaves one side open, together none is."""
    inner, outer = saved(tmp_path, Place.GATEWAY), saved(tmp_path, Place.ELSEWHERE)

    def open_sides(*files: Path) -> set[str]:
        told = runner.invoke(app, ["judge", *map(str, files), "--at", "2026-11-24", "--json"])
        found = json.loads(told.output)["findings"]
        return {f["code"] for f in found if f["outcome"] == "unknown"} & {"NET07", "NET08"}

    assert open_sides(inner) == {"NET08"}
    assert open_sides(outer) == {"NET07"}
    assert open_sides(inner, outer) == set()
    assert "same place" in said("judge", inner, saved(tmp_path / "b", Place.GATEWAY), code=2)


def test_audit_reports_on_several_files(tmp_path: Path) -> None:
    """The report's first page says from where each side was measured."""
    about = facts().declared
    path = tmp_path / "muster.yaml"
    path.write_text(
        f"organisation: {about.organisation}\ndomains: [{about.domains[0]}]\n", encoding="utf-8"
    )
    files = [saved(tmp_path, Place.GATEWAY), saved(tmp_path, Place.ELSEWHERE)]
    given = [word for file in files for word in ("--facts", str(file))]
    reports = tmp_path / "reports"
    said("audit", path, *given, "--output", reports, "--no-pdf", "--lang", "en", code=3)
    audit = load_audit(next(reports.glob("*/*/audit.json")))
    assert audit.facts.vantage.place is Place.GATEWAY
    assert audit.facts.receiving_vantage.place is Place.ELSEWHERE
    page = next(reports.glob("*/*/report.html")).read_text(encoding="utf-8")
    first = page[page.index("What was audited") : page.index('id="steps"')]
    assert "on the sending gateway" in first
    assert "outside the organisation" in first
    told = said("audit", path, *given, "--vantage", "gateway", "--output", reports, code=2)
    assert "--vantage is for measuring" in told
