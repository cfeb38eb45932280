"""A command loads what it needs and no more: that is why it begins at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from incamail_lib.cli.app import _COMMANDS, whole

_RUN = """
import atexit, json, sys
atexit.register(lambda: print("\\n" + json.dumps(sorted(sys.modules)), file=sys.__stderr__))
from incamail_lib.cli.entry import main
sys.argv = ["incamail", *sys.argv[1:]]
main()
"""
# What takes longest to load, by what it is for.
NOTEBOOKS = {"nbformat", "nbclient", "nbconvert", "papermill", "IPython", "incamail_lib.batch"}
NETWORK = {"httpx", "dns", "incamail_lib.probe", "incamail_lib.lookup", "incamail_lib.lab"}
DOSSIERS = {"yaml", "incamail_lib.dossier"}
REPORTS = {"jinja2", "weasyprint", "incamail_lib.report.chapters", "incamail_lib.documents"}
READING = {"cryptography", "incamail_lib.certificate"}
JUDGING = {"incamail_lib.checks._judging"}
EVERYTHING = NOTEBOOKS | NETWORK | DOSSIERS | REPORTS | READING | JUDGING


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """The modules that one command has loaded when it ends."""
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == code, ended.stderr
    return set(json.loads(ended.stderr.splitlines()[-1]))


def test_the_help_loads_no_command() -> None:
    """Names and summaries are enough for it: not even the terminal's library comes."""
    found = loaded("--help")
    assert not found & (EVERYTHING | {"rich"})
    assert {m for m in found if m.startswith("incamail_lib.cli.")} == {
        "incamail_lib.cli.app",
        "incamail_lib.cli.entry",
    }


def test_a_question_of_routing_loads_nothing_else() -> None:
    """No dossier is named, none is read; nothing is measured, judged or rendered."""
    assert not loaded("route", "--to", "a@b.example.incamail.ch") & EVERYTHING


def test_a_file_is_inspected_without_network_and_dossiers(tmp_path: Path) -> None:
    """It is read and judged: what measures, or reads and writes dossiers, stays away."""
    file = tmp_path / "nothing.pem"
    file.write_text("nothing")
    found = loaded("inspect", str(file), code=1)
    assert not found & (EVERYTHING - READING)
    assert not found & {"service_identity", "incamail_lib.mailpolicy", "incamail_lib.routing"}
    end = "-----END CERTIFICATE-----"
    file.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end)
    assert "service_identity" in loaded("inspect", str(file), "--host", "mx.example", code=1)


def test_what_a_command_needs_is_seen() -> None:
    """The tests above can fail: another command does load what they look for."""
    assert {"dns", "httpx", "incamail_lib.probe"} <= loaded("lookup", "--help")


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_summary_says_what_the_command_says_of_itself(name: str) -> None:
    """The help of all is the first paragraph of the help of each."""
    first = whole().commands[name].help.split("\n\n")[0]
    assert " ".join(first.split()) == _COMMANDS[name][1]
