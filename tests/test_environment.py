"""The environment that `make` sets up is whole or made anew, and what is missing is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import running

SCRIPT = Path(__file__).parents[1] / ".ci" / "environment"
PROJECT = """
[project]
name = "small"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# Builds a wheel with one file; as long as there is a file `slow`, it never ends.
BACKEND = """
import os, time, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    while os.path.exists("slow"):
        open("reached", "w").close()
        time.sleep(0.05)
    info = "small-1.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, "small-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("small.py", "")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "small-1-py3-none-any.whl"
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script: Windows goes without make")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project in a folder with a blank in its name."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pins.txt").write_text("")
    return folder


def made(project: Path, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    """A run of the script to its end."""
    return subprocess.run(
        [SCRIPT, python, ".venv", "pins.txt"],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def is_whole(project: Path) -> bool:
    """Whether the environment has what it is made for."""
    command: list[str | Path] = [project / ".venv/bin/python", "-c", "import pip, small"]
    return subprocess.run(command, check=False, timeout=60, capture_output=True).returncode == 0


def test_an_interrupted_environment_is_made_anew(project: Path) -> None:
    """Killed at any moment, the next run succeeds and nothing of the first is left."""
    (project / "slow").touch()
    with running([SCRIPT, sys.executable, ".venv", "pins.txt"], cwd=project) as process:
        while not (project / "reached").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    (project / ".venv" / "left-over").touch()
    (project / "slow").unlink()
    assert made(project).returncode == 0
    assert is_whole(project)
    assert not (project / ".venv" / "left-over").exists()


def test_an_environment_without_pip_is_made_anew(project: Path) -> None:
    """So Debian leaves it where python3-venv is missing; a whole one is kept."""
    assert made(project).returncode == 0
    (project / ".venv" / "mine").touch()
    assert made(project).returncode == 0
    assert (project / ".venv" / "mine").exists()
    (project / ".venv" / "bin" / "python").unlink()
    assert made(project).returncode == 0
    assert is_whole(project)


def stub(folder: Path, script: str) -> Path:
    """A program that stands for another machine's Python."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('case "$2" in *version_info*) exit 1;; esac; echo Python 3.9.2', "Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt-get install python3-venv"),
    ],
)
def test_what_is_missing_is_named(project: Path, script: str, told: str) -> None:
    """One line that says what to install; nothing is left behind."""
    done = made(project, stub(project, script))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (project / ".venv").exists()


def test_a_folder_that_is_no_environment_is_left_alone(project: Path) -> None:
    """Somebody's files in its place are never removed."""
    (project / ".venv").mkdir()
    (project / ".venv" / "letter.txt").write_text("dear")
    done = made(project)
    assert done.returncode == 1
    assert "is there and no Python environment" in done.stderr
    assert (project / ".venv" / "letter.txt").read_text() == "dear"
