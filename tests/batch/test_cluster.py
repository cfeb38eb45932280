"""A Dask cluster: other machines write the reports, and it makes no difference to anybody.

The command runs in a process of its own, as a user runs it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import programs
import psutil
import pytest
from batch import town
from batch.test_faults import ENDED, batch, command, environment, leftovers, state
from batch.test_rendering_apart import forks, order

from incamail_lib.batch.job import DOSSIER
from incamail_lib.errors import LostError
from incamail_lib.forked.processes import can_fork
from incamail_lib.lab import pki
from incamail_lib.outputs import FACTS, NOTEBOOK, RECORD

pytest.importorskip("distributed", reason="the extra «dask» is not installed")
from incamail_lib.batch import cluster as cluster_side

ROOT = Path(__file__).parents[2]
CLIENTS = 5


@contextmanager
def cluster(
    folder: Path, settings: dict[str, str]
) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler and two workers, each a process of its own; the address and all three. They talk
    TLS where there are settings for it."""
    options: dict[str, Any] = {
        "env": environment(folder / "worker-tmp") | settings,
        "cwd": folder,
        "limit_s": 200,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    file = folder / "scheduler.json"
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", *here]
    protocol = "tls" if settings else "tcp"
    dask += ["--protocol", protocol, "--port", "0", "--scheduler-file", str(file)]
    with ExitStack() as stack:
        scheduler = stack.enter_context(programs.running(dask, **options))
        address = told(file)
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, *here]
        worker += ["--no-nanny", "--nthreads", "1"]
        workers = [stack.enter_context(programs.running(worker, **options)) for _ in range(2)]
        yield address, [scheduler, *workers]


def told(file: Path) -> str:
    """The scheduler's address, when it runs."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if file.exists() and (text := file.read_text()):
            return str(json.loads(text)["address"])
        time.sleep(0.05)
    raise AssertionError("the scheduler did not start")


def certificates(folder: Path) -> dict[str, str]:
    """Dask's settings for TLS, as variables, with a certificate of the lab."""
    lab = pki.build(dt.datetime.now(dt.UTC))
    chain, key = pki.write_pem(lab.leaf(pki.Variant.BOTH, "dask.example"), folder, "dask")
    root = pki.write_trust_store(lab, folder, "root")
    return {
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(root),
        **{
            f"DASK_DISTRIBUTED__COMM__TLS__{who}__{what}": str(file)
            for who in ("SCHEDULER", "WORKER", "CLIENT")
            for what, file in (("CERT", chain), ("KEY", key))
        },
    }


def cells(output: Path) -> dict[str, list[tuple[str, object]]]:
    """Each organisation's notebook: its cells, and whether they were run."""
    return {
        path.parent.parent.name: [
            (cell.source if "injected" not in str(cell.metadata) else "", cell.get("outputs") == [])
            for cell in nbformat.read(path, as_version=4).cells
        ]
        for path in output.glob(f"client-*/*/{NOTEBOOK}")
    }


def during_which(
    killed: subprocess.Popen[str], arguments: list[str], output: Path, settings: dict[str, str]
) -> tuple[int, str]:
    """A run during which a process is killed, once the first report lies there: what it ends with,
    and what it says."""
    with programs.running(
        arguments,
        env=environment(output.parent / "tmp") | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit_s=150,
    ) as running:
        until = time.monotonic() + 100
        while not list(output.glob("client-*/*Z")) and time.monotonic() < until:
            time.sleep(0.01)
        programs.kill(killed)
        _, errors = running.communicate(timeout=150)
        return running.returncode, errors


def test_a_worker_that_is_killed_costs_nobody_his_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS, one of two workers killed in the middle: each organisation exactly once, all as on
    one machine, no path of a worker in what is told. Without a certificate nobody gets in."""
    settings = certificates(tmp_path)
    output = tmp_path / "reports"
    with (
        town.running(tmp_path / "town", CLIENTS, 2) as there,
        cluster(tmp_path, settings) as (address, (_, first, _)),
    ):
        assert address.startswith("tls://")
        monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s")
        refused = batch(tmp_path / "refused", "--scheduler", address, there.dossiers)
        monkeypatch.undo()
        assert (refused.returncode, "cannot be used" in refused.stderr) == (2, True), refused.stderr
        assert there.gateways()[town.host(0)]["connections"] == 0
        alone = batch(tmp_path / "alone", there.dossiers)
        assert alone.returncode in ENDED, alone.stderr
        arguments = command(output, "--scheduler", address, there.dossiers)
        code, errors = during_which(first, arguments, output, settings)
        assert code in ENDED, errors
    assert state(output) == state(tmp_path / "alone")
    assert cells(output) == cells(tmp_path / "alone")
    assert len(cells(output)) == len(list(output.glob("client-*/*Z"))) == CLIENTS
    assert leftovers(output) == []
    assert not any(b"incamail-job-" in p.read_bytes() for p in output.rglob("*") if p.is_file())


def test_a_scheduler_that_dies_leaves_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    """One sentence and no crash of anybody's; what is complete stays, the rest is done later."""
    output = tmp_path / "reports"
    with (
        town.running(tmp_path / "town", CLIENTS, 2) as there,
        cluster(tmp_path, {}) as (address, (scheduler, *_)),
    ):
        arguments = command(output, "--scheduler", address, there.dossiers)
        code, errors = during_which(scheduler, arguments, output, {})
        assert code == 2, errors
        assert "is lost" in errors
        assert "Traceback" not in errors
        assert list(output.glob("**/crash.txt")) == []
        complete = set(output.glob("client-*/*Z"))
        resumed = batch(output, "--resume", there.dossiers)
        assert resumed.returncode in ENDED, resumed.stderr
    assert complete < set(output.glob("client-*/*Z"))
    assert len(list(output.glob("client-*/*Z"))) == CLIENTS
    assert leftovers(output) == []


def test_workers_that_are_gone_are_not_waited_for_all_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute without any ends the run; it is told what to do."""
    monkeypatch.setattr(cluster_side, "_WORKERS_S", 1)
    monkeypatch.setattr(cluster_side, "_LOOK_S", 0.1)

    async def run(address: str, workers: list[subprocess.Popen[str]]) -> None:
        async with cluster_side.Cluster(address) as there:
            for worker in workers:
                programs.kill(worker)
            with pytest.raises(LostError, match="no worker any more"):
                await there.render(order(tmp_path, "a"))

    with cluster(tmp_path, {}) as (address, (_, *workers)):
        asyncio.run(run(address, workers))


@pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
def test_on_a_worker_one_process_writes_one_report_after_the_other(tmp_path: Path) -> None:
    """As on one machine; its order and its files travel, and its folder is gone afterwards."""
    others = psutil.Process().children()

    async def run() -> None:
        seen = []
        for number in range(2):
            asked = order(tmp_path, str(number))
            answer = await cluster_side.worked_off(cluster_side._parcel(asked))
            assert '"verdict"' in answer["done"]
            assert RECORD in answer["files"]
            assert not {FACTS, DOSSIER} & set(answer["files"])
            (server,) = set(psutil.Process().children()) - set(others)
            seen.append({one.pid for one in forks(server)})
        first, second = seen
        assert first
        assert first & second == first
        await cluster_side._renderers.pop(asyncio.get_running_loop()).__aexit__(None, None, None)

    asyncio.run(run())
    assert set(psutil.Process().children()) <= set(others)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nonsense://127.0.0.1:1", "nonsense://127.0.0.1:1 cannot be used"),
        ("127.0.0.1", "takes an address such as tls://scheduler.example:8786, not «127.0.0.1»"),
        ("tls://127.0.0.1:1", "tls://127.0.0.1:1 cannot be used"),
    ],
)
def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, address: str, told: str) -> None:
    """One sentence, before anything is measured, and not a word of Python's."""
    path = tmp_path / "a.yaml"
    path.write_text("organisation: A\ndomains: [a.example]\nplatform: lab\n")
    done = batch(tmp_path / "reports", "--scheduler", address, path)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert list((tmp_path / "reports").glob("*")) == []


@pytest.mark.parametrize("given", ["foo://", "foo:bar", "tcp://a.example:x", "127.0.0.1:8786"])
def test_what_is_no_address_of_a_scheduler_is_refused(tmp_path: Path, given: str) -> None:
    """Before Dask is asked, which would guess."""
    done = batch(tmp_path / "reports", "--scheduler", given, tmp_path)
    assert done.returncode == 2
    assert f"not «{given}»" in " ".join(done.stderr.split())
    assert not (tmp_path / "reports").exists()
