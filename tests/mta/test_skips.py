"""A missing tool skips visibly on a developer's machine and fails the run in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """\
import pytest

@pytest.mark.tool("{tool}")
def test_with_a_tool():
    pass

def test_without():
    pass
"""


def session(folder: Path, *, tool: str, forbidden: bool, workers: int) -> tuple[int, str]:
    """Exit code and output of a small session under this project's conftest."""
    for file in (CONFTEST, CONFTEST.with_name("fuzzing.py")):
        shutil.copy(file, folder)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -ra\nmarkers =\n    tool: a tool\n")
    (folder / "test_small.py").write_text(TESTS.format(tool=tool))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("INCAMAIL", "PYTEST"))}
    if forbidden:
        environment["INCAMAIL_NO_SKIPS"] = "1"
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "--rootdir", *[str(folder)] * 2]
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [0, 1])
def test_a_skip_fails_the_run_where_skips_are_forbidden(tmp_path: Path, workers: int) -> None:
    """With INCAMAIL_NO_SKIPS the session fails, says why, and still closes with its counts."""
    code, said = session(tmp_path, tool="no-such-tool", forbidden=True, workers=workers)
    assert code == 1
    assert "apt-get install no-such-tool" in said
    assert "INCAMAIL_NO_SKIPS is set" in said
    assert "1 passed, 1 skipped" in said.splitlines()[-1]


def test_a_skip_is_told_and_allowed_elsewhere(tmp_path: Path) -> None:
    """Without it the same session passes, and the skip is told with its remedy."""
    code, said = session(tmp_path, tool="no-such-tool", forbidden=False, workers=0)
    assert code == 0
    assert "apt-get install no-such-tool" in said


def test_a_tool_that_is_there_is_used(tmp_path: Path) -> None:
    """With the tool on the machine nothing is skipped, so nothing fails."""
    code, said = session(tmp_path, tool="sh", forbidden=True, workers=0)
    assert code == 0
    assert "2 passed" in said.splitlines()[-1]
