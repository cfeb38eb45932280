"""The file of runs on a disk that is full or read-only: one sentence, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from factories import NOW
from history.test_runs_kept import said

from incamail_lib.history import Digest, History, HistoryError

DAY = dt.timedelta(days=1)
KEPT = [(1, 3, True)]


def keep(history: History, many: int, name: str) -> None:
    """A run of that many organisations, if there is room for them."""
    run = history.begin(NOW)
    for n in range(many):
        history.add(run, Digest(organisation=f"{name}-{n}", dossier="x.yaml", exit_code=0))
    history.finish(run, NOW + DAY)


def one_run(file: Path) -> Path:
    with History.open(file, create=True) as history:
        keep(history, 3, "kept")
    return file


def state(file: Path) -> list[tuple[int, int, bool]]:
    """Number, organisations and whether it ended, of each run; the database is sound."""
    with History.open(file) as history:
        assert history._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [(run.number, run.organisations, run.finished is not None) for run in history.runs()]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 400 kB, which only root can make."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if subprocess.run(words, check=False, capture_output=True, timeout=10).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=10)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True, timeout=10)


def test_a_quota_that_is_used_up_is_told(tmp_path: Path) -> None:
    """The database may not grow any more: the run before is whole, this one does not count."""
    file = one_run(tmp_path / "history.sqlite")
    with History.open(file) as history:
        pages = history._connection.execute("PRAGMA page_count").fetchone()[0]
        history._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(HistoryError, match=r"no room left for .*is whole"):
            keep(history, 1000, "much")
    assert state(file)[1:] == KEPT
    assert not state(file)[0][2]


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """What was kept can be read on the full disk, and the next run is kept when there is room."""
    with small_disk(tmp_path / "disk") as disk:
        file = one_run(disk / "history.sqlite")
        with History.open(file) as history, pytest.raises(HistoryError, match="no room left"):
            keep(history, 10_000, "much")
        assert state(file)[1:] == KEPT
        remount(disk, "size=10m")
        with History.open(file) as history:
            keep(history, 3, "again")
        assert [state(file)[0], *state(file)[2:]] == [(3, 3, True), *KEPT]
        assert os.listdir(disk) == [file.name]
        remount(disk, "ro")
        before = file.read_bytes()
        for words in (("history",), ("diff",), ("judge", "--store", "certifi")):
            told = said(*words, "--history", file, code=2)
            assert "its folder must be writable" in told
        assert file.read_bytes() == before


OF_ANOTHER = """
import datetime as dt, os, sys
from pathlib import Path
from incamail_lib.history import History, HistoryError
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write everywhere
try:
    with History.open(Path(sys.argv[1]), create=True) as history:
        history.begin(dt.datetime.now(dt.UTC))
except HistoryError as error:
    print(error)
"""


def test_a_file_that_may_not_be_written_is_told() -> None:
    """File and folder are another's, who let everybody read them."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        file = one_run(folder / "history.sqlite")
        file.chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", OF_ANOTHER, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        folder.chmod(0o755)
        assert "must be writable" in done.stdout
        assert state(file) == KEPT
