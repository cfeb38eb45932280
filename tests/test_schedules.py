"""The units and lines of the pages about nights: systemd takes them, and the commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from incamail_lib.cli.app import whole

DOCS = Path(__file__).parents[1] / "docs"
UNITS = sorted((DOCS / "systemd").iterdir())
COMMAND = re.compile(
    r"(?<![\w-])incamail ((?:history|audit|batch|portfolio|diff|judge) [^\n|;>&']*)"
)


def commands() -> list[str]:
    """Every command line of ours that a reader would copy."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in (DOCS / "history.md", DOCS / "batch.md", *UNITS)
    ]
    return [line for text in texts for line in COMMAND.findall(text)]


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_that_is_told_exists(line: str) -> None:
    """With every option that stands there."""
    name, *words = shlex.split(line.replace("`", " "))
    known = {o for p in whole().commands[name].params for o in p.opts}
    given = {word for word in words if word.startswith("--")}
    assert given <= known


def test_there_are_commands_to_look_at() -> None:
    """The test above does not run on nothing."""
    assert len(commands()) >= 12


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By its own judgement where it is there; each names what it starts in any case."""
    texts = {unit.name: unit.read_text(encoding="utf-8") for unit in UNITS}
    for name, text in texts.items():
        if name.endswith(".timer"):
            assert "OnCalendar=" in text
            assert name.replace(".timer", ".service") in texts
        else:
            assert re.search(r"^ExecStart=-?/", text, re.M)
    for name, text in texts.items():
        # What is installed on no machine of ours stands in for what a reader installs.
        (tmp_path / name).write_text(re.sub(r"/usr/local/bin/[\w-]+", "/bin/true", text))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return
    files = [str(tmp_path / name) for name in texts if "@" not in name]
    done = subprocess.run(
        [analyze, "verify", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    broken = tmp_path / "incamail-heartbeat.timer"
    broken.write_text(broken.read_text().replace("06:00", "never"))
    bad = subprocess.run(
        [analyze, "verify", str(broken)], capture_output=True, timeout=60, check=False
    )
    assert bad.returncode != 0 or bad.stderr
