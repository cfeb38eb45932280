"""The units and lines of the pages about nights: systemd takes them, and the commands exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from incamail_lib.cli.app import whole
from incamail_lib.notebooks import EXAMPLES

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


CRONTAB = re.compile(r"```crontab\n(.*?)```", re.DOTALL)
_SETTING = re.compile(r"([A-Z]+)=(.*)")
_TIMES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute, hour, day, month, day of the week


def crontab() -> tuple[dict[str, str], list[str]]:
    """The settings of the page's table, and its commands in their order."""
    found = CRONTAB.search((DOCS / "history.md").read_text(encoding="utf-8"))
    assert found is not None
    lines = found[1].splitlines()
    settings = {s[1]: s[2] for s in map(_SETTING.fullmatch, lines) if s is not None}
    return settings, [line for line in lines if not _SETTING.fullmatch(line)]


def wrong_in(line: str) -> bool:
    """Whether cron would not take a line: a time that there is not, or a sign for a line break."""
    *times, command = line.split(None, 5)
    inside = (
        field == "*" or (field.isdecimal() and least <= int(field) <= most)
        for field, (least, most) in zip(times, _TIMES, strict=True)
    )
    return not all(inside) or "%" in command


def test_cron_takes_its_lines(tmp_path: Path) -> None:
    """By its own judgement where it is there (Debian's has -n); by ours in any case."""
    _, lines = crontab()
    assert len(lines) == 2
    assert not any(map(wrong_in, lines))
    assert wrong_in("0 25 * * * true")
    assert wrong_in("0 2 * * * date +%F")
    program = shutil.which("crontab")
    if program is None or "-n" not in told_by(program, "--help"):
        return
    (tmp_path / "good").write_text("\n".join(lines) + "\n")
    (tmp_path / "bad").write_text("0 25 * * * true\n")
    assert "bad hour" not in told_by(program, "-n", tmp_path / "good")
    assert "bad hour" in told_by(program, "-n", tmp_path / "bad")


def told_by(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_a_quiet_night_mails_nothing(tmp_path: Path) -> None:
    """The lines as cron runs them: by the shell, with an environment of its own, from the first
    night on, when there is no folder of reports yet. The heartbeat is silent, and speaks when the
    night is long past."""
    settings, (nightly, heartbeat) = crontab()
    programs, home = tmp_path / "bin", tmp_path / "incamail"
    programs.mkdir()
    (home / "dossiers").mkdir(parents=True)
    shutil.copy(EXAMPLES / "muster.yaml", home / "dossiers")
    start = "from incamail_lib.cli.entry import main; main()"
    python = shlex.quote(sys.executable)  # a path may hold a blank
    (programs / "incamail").write_text(f'#!/bin/sh\nexec {python} -c "{start}" "$@"\n')
    (programs / "incamail").chmod(0o755)
    assert "/usr/local/bin" in settings["PATH"].split(":")
    path = settings["PATH"].replace("/usr/local/bin", str(programs))
    env = {"PATH": path, "HOME": str(home), "LOGNAME": "incamail", "SHELL": "/bin/sh"}
    env |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}

    def mailed(line: str) -> str:
        command = line.split(None, 5)[5].replace("/var/lib/incamail", str(home))
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done.stdout + done.stderr

    assert "holds one finished run only" in mailed(nightly)  # the first night has no other
    assert mailed(nightly) == ""
    assert mailed(heartbeat) == ""
    assert "Overview" in (home / "nightly.log").read_text(encoding="utf-8")
    assert (home / "reports" / "portfolio" / "portfolio.html").exists()
    assert "No run has come to its end" in mailed(heartbeat.replace("26h", "0m"))
