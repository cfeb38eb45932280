"""Nothing is lost: killed programs, full disks, two runs at once, dossiers that are no dossiers."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from batch import town
from batch.test_traffic import findings
from programs import running

from incamail_lib.audit import load_audit
from incamail_lib.batch.job import SOURCE
from incamail_lib.forked.processes import can_fork
from incamail_lib.outputs import OWNER, RECORD
from incamail_lib.seal import Keys, Standing, examine

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
ROOT = Path(__file__).parents[2]
INCAMAIL = "import sys; sys.argv[0] = 'incamail'; from incamail_lib.cli.entry import main; main()"
CLIENTS = int(os.environ.get("INCAMAIL_KILL_CLIENTS", "6"))
KILLS = int(os.environ.get("INCAMAIL_KILLS", "2"))
SEED = int(os.environ.get("INCAMAIL_KILL_SEED", "20261126"))
ENDED = (0, 1, 3)  # with a verdict for everybody


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[town.Town]:
    """One town for all tests here."""
    folder = tmp_path_factory.mktemp("faults") / "town"
    with town.running(folder, CLIENTS, 4, limit_s=3600) as there:
        yield there


def command(output: Path, *arguments: object) -> list[str]:
    given = ["batch", "--out", str(output), "--no-pdf", "--lang", "en", *map(str, arguments)]
    return [sys.executable, "-c", INCAMAIL, *given]


def environment(temporary: Path) -> dict[str, str]:
    temporary.mkdir(exist_ok=True)
    return os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}


def batch(output: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A run of its own from beginning to end."""
    return subprocess.run(
        command(output, *arguments),
        check=False,
        capture_output=True,
        text=True,
        env=environment(output.parent / "tmp"),
        timeout=250,
    )


def state(output: Path) -> dict[str, object]:
    """All that is there, without times: each organisation's findings, and names of files."""
    found: dict[str, object] = {}
    for owner in sorted(output.glob(f"*/{OWNER}")):
        audits = [folder for folder in sorted(owner.parent.iterdir()) if folder.is_dir()]
        for folder in audits:
            assert examine(folder, Keys.of_user()).standing is Standing.INTACT, folder
        found[owner.parent.name] = [
            (sorted(file.name for file in folder.iterdir()), findings(load_audit(folder / RECORD)))
            for folder in audits
        ]
    return found


def leftovers(folder: Path) -> list[Path]:
    """What has no business there after the end: halves of files and folders, temporary folders."""
    return [p for p in folder.rglob("*") if p.name.endswith(".part") or "incamail-" in p.name]


@pytest.fixture(scope="module")
def undisturbed(place: town.Town, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    output = tmp_path_factory.mktemp("undisturbed") / "reports"
    done = batch(output, place.dossiers)
    assert done.returncode in ENDED, done.stderr
    assert len(state(output)) == CLIENTS
    assert leftovers(output.parent) == []
    return state(output)


def test_a_run_that_is_killed_is_taken_up_as_if_nothing_had_been(
    place: town.Town, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    """kill -9 at any moment, then --resume: the same result, nothing done twice, nothing left."""
    chance = random.Random(SEED)
    complete_when_killed = []
    for number in range(KILLS):
        output = tmp_path / str(number) / "reports"
        output.parent.mkdir()
        wanted = chance.randrange(CLIENTS)  # as many are complete, and then some time more
        moment = f"{wanted} complete"
        until = time.monotonic() + 60
        with running(
            command(output, place.dossiers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(output.parent / "tmp"),
            limit_s=600,
        ) as first:
            while len(digests(output)) < wanted and time.monotonic() < until:
                time.sleep(0.02)
            with contextlib.suppress(subprocess.TimeoutExpired):
                first.wait(timeout=chance.uniform(0.0, 0.5 if wanted else 5.0))
            first.kill()  # alone: what it started finds out by itself
            first.wait(timeout=10)
            if number % 2:  # what lives on for a moment keeps its temporary folder
                psutil.wait_procs(of_group(first.pid), timeout=30)
            before = digests(output)
            print(f"killed with {len(before)} complete", flush=True)
            complete_when_killed.append(len(before))
            # The last moments are those of a run that has its name already: nothing to take up
            # then, and --resume would begin the next night's.
            if not list(output.glob("run-*Z")):
                done = batch(output, "--resume", place.dossiers)
                assert done.returncode in ENDED, (moment, done.stderr)
                assert "Traceback" not in done.stderr
        after = state(output)
        for name, expected in undisturbed.items():  # so that a difference can be read
            assert after.get(name) == expected, (moment, name, difference(after, name, expected))
        assert after.keys() == undisturbed.keys()
        assert {name: digests(output)[name] for name in before} == before, "done twice"
        left = [p for p in leftovers(output.parent) if number % 2 or p.name.endswith(".part")]
        assert left == [], moment
        (run,) = output.glob("run-*")
        assert len((run / "outcomes.jsonl").read_text().splitlines()) == CLIENTS
    print(f"complete when killed: {complete_when_killed}")


def difference(after: dict[str, object], name: str, expected: object) -> object:
    """What is there and was not expected, and the other way round, so that it can be read."""
    found = after.get(name)
    if not isinstance(found, list) or not isinstance(expected, list) or len(found) != len(expected):
        return found and len(found), "audits"  # type: ignore[arg-type]
    (files, judged), (files_expected, judged_expected) = found[0], expected[0]
    return (
        set(files) ^ set(files_expected),
        [row for row in judged if row not in judged_expected],
        [row for row in judged_expected if row not in judged],
    )


def of_group(number: int) -> list[psutil.Process]:
    """The processes of a group."""
    return [one for one in psutil.process_iter() if group(one) == number]


def group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None


def digests(output: Path) -> dict[str, str]:
    """Each record that is complete, by its folder."""
    return {
        str(record.parent): hashlib.sha256(record.read_bytes()).hexdigest()
        for record in output.glob(f"*/*Z/{RECORD}")
    }


def test_a_dossier_that_was_changed_meanwhile_is_audited_anew(
    place: town.Town, tmp_path: Path
) -> None:
    """--resume goes by the content of a dossier: what was audited before is no answer to it."""
    folder = tmp_path / "dossiers"
    folder.mkdir()
    for name in ("c00000.yaml", "c00001.yaml"):
        text = (place.dossiers / name).read_text().replace("../", f"{place.dossiers.parent}/")
        (folder / name).write_text(text)
    output = tmp_path / "reports"
    assert batch(output, folder).returncode in ENDED
    (run,) = output.glob("run-*")
    run.rename(f"{run}.part")  # as if it had been killed in the last moment
    with (folder / "c00001.yaml").open("a") as file:
        file.write("go_live: 2027-01-04\n")
    again = batch(output, "--resume", folder)
    assert "1 was complete already." in again.stdout, again.stdout + again.stderr
    assert len(list(output.glob("client-0/*Z"))) == 1
    assert len(list(output.glob("client-1/*Z*"))) == 2
    assert len({f.read_text() for f in output.glob(f"client-1/*/{SOURCE}")}) == 2


def test_a_dossier_that_changes_during_the_run_is_audited_as_it_was_read(
    place: town.Town, tmp_path: Path
) -> None:
    """The report is of one content, its digest says of which, and a note says that it changed."""
    folder = tmp_path / "dossiers"
    folder.mkdir()
    path = folder / "c00000.yaml"
    text = (place.dossiers / path.name).read_text().replace("../", f"{place.dossiers.parent}/")
    path.write_text(text)
    output = tmp_path / "reports"

    def change() -> None:
        until = time.monotonic() + 60
        while not list(output.glob("client-0/*.part/facts.json")) and time.monotonic() < until:
            time.sleep(0.01)
        path.write_text(text.replace("Client 0", "Somebody else"))

    writer = threading.Thread(target=change)
    writer.start()
    done = batch(output, path)
    writer.join(timeout=60)
    assert "was changed while the audit ran" in " ".join(done.stderr.split()), done.stderr
    (source,) = output.glob(f"*/*/{SOURCE}")
    assert source.read_text().split()[0] == hashlib.sha256(text.encode()).hexdigest()
    assert source.read_text().split()[1] == path.name
    assert load_audit(source.parent / RECORD).facts.declared.organisation == "Client 0"


def test_two_runs_into_one_folder_do_not_meet(place: town.Town, tmp_path: Path) -> None:
    """At the same time: each its own overview and audits; and one under way is not taken up."""
    output = tmp_path / "reports"
    few = sorted(place.dossiers.iterdir())[:3]
    arguments = command(output, *few)
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    told = environment(tmp_path / "tmp")
    with contextlib.ExitStack() as stack:
        both = [
            stack.enter_context(running(arguments, limit_s=250, env=told, **options))
            for _ in range(2)
        ]
        until = time.monotonic() + 60
        while not list(output.glob("run-*.part")) and time.monotonic() < until:
            time.sleep(0.02)
        for one in both:
            _, errors = one.communicate(timeout=250)
            assert one.returncode in ENDED, errors
    assert len(list(output.glob("run-*"))) == 2
    assert all(len(list(output.glob(f"client-{n}/*Z*"))) == 2 for n in range(3))
    assert leftovers(tmp_path) == []


def test_what_is_no_dossier_stops_no_other(place: town.Town, tmp_path: Path) -> None:
    """A list with thousands of lines, some damaged, one a pipe: told by name, the rest is done."""
    good = sorted(place.dossiers.iterdir())[:2]
    (tmp_path / "damaged.yaml").write_text("organisation: [")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\x00\xff" * 50)
    lines = ["Dossier;Remark", *map(str, good), "damaged.yaml;a", ";nothing named", "pipe.yaml"]
    lines += ["binary.yaml", "gone.yaml", *[""] * 2000]
    listing = tmp_path / "clients.csv"
    listing.write_text("\n".join(lines), encoding="utf-8-sig")
    output = tmp_path / "reports"
    done = batch(output, listing, "--json")
    assert done.returncode == 2, done.stderr
    found = {Path(o["dossier"]).name: o for o in json.loads(done.stdout)}
    assert {found[path.name]["verdict"] for path in good} <= {"ready", "not_ready", "inconclusive"}
    for name, expected in (
        ("damaged.yaml", "damaged.yaml"),
        ("pipe.yaml", "not a regular file"),
        ("binary.yaml", "binary.yaml"),
        ("gone.yaml", "gone.yaml"),
        ("clients.csv", "line 5"),
    ):
        assert expected in found[name]["problem"], found[name]
        assert found[name]["exit_code"] == 2
    assert len(found) == len(good) + 5


def test_a_disk_that_is_full_stops_the_run_and_loses_nothing(
    place: town.Town, tmp_path: Path
) -> None:
    """One sentence and exit code 2; what was complete is so, and --resume does the rest. The same
    disk made read-only: one sentence as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", disk],
        check=False,
        capture_output=True,
        timeout=10,
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        output = disk / "reports"
        done = batch(output, place.dossiers)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "no space left" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        before = digests(output)
        assert before
        subprocess.run(["mount", "-o", "remount,size=60m", disk], check=True, timeout=10)
        done = batch(output, "--resume", place.dossiers)
        assert done.returncode in ENDED, done.stderr
        assert len(state(output)) == CLIENTS
        assert {name: digests(output)[name] for name in before} == before
        assert leftovers(output) == []
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True, timeout=10)
        done = batch(output, place.dossiers)
        assert done.returncode == 2
        assert "must be writable" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    finally:
        subprocess.run(["umount", disk], check=True, timeout=10)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_probed(
    place: town.Town, tmp_path: Path
) -> None:
    """A file in the folder's place: one sentence, exit code 2, not one connection; nobody is told
    to free space for it."""
    (tmp_path / "reports").write_text("a file")
    before = place.gateways()
    done = batch(tmp_path / "reports", place.dossiers)
    assert done.returncode == 2
    told = " ".join(done.stderr.split())
    assert re.fullmatch(r"\S+ could not be written \(.+ is no folder\)\. \w.+\.", told)
    assert "space" not in told
    assert place.gateways() == before


def test_a_clock_that_is_set_back_overwrites_nothing(place: town.Town, tmp_path: Path) -> None:
    """A run whose name there is already gets another one; both are there, whole."""
    output = tmp_path / "reports"
    now = dt.datetime.now(dt.UTC)
    for second in range(90):  # whichever second the run will begin in
        name = f"{now + dt.timedelta(seconds=second):%Y%m%dT%H%M%SZ}"
        (output / f"run-{name}").mkdir(parents=True)
        (output / "client-0" / name).mkdir(parents=True)
    (output / "client-0" / OWNER).write_text("Client 0\n")
    done = batch(output, place.dossiers / "c00000.yaml")
    assert done.returncode in ENDED, done.stderr
    (run,) = (path.parent for path in output.glob("run-*/portfolio.html"))
    assert re.fullmatch(r"run-\d{8}T\d{6}Z-2", run.name)
    (record,) = output.glob(f"client-0/*/{RECORD}")
    assert record.parent.name == run.name.removeprefix("run-")
