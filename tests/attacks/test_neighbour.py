"""A neighbour on the machine: what another user may read, and where another user may knock."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from attacks.started import started
from factories import facts
from probe.served import LAB, NOW, plan

from incamail_lib.audit.saving import save_record
from incamail_lib.batch.execute import run_notebook
from incamail_lib.crash import write_crash
from incamail_lib.files import write_whole
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import serve
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import Account, TlsPlan
from incamail_lib.runbook.onboarding import open_onboarding

NOBODY = 65534
WAYS = pytest.mark.parametrize("way", [(), ("--app",)], ids=["lab", "app"])
SECRETS: dict[str, Any] = {
    "MUSTER_PASSPHRASE": "canary-passphrase",
    "SOMEBODYS_TOKEN": "canary-token",
}
DOSSIER = """\
organisation: Muster AG
domains: [muster.example]
platform: lab
certificates:
  sending: {file: client.p12, passphrase_env: MUSTER_PASSPHRASE}
"""


def dossier(folder: Path) -> Path:
    path = folder / "muster.yaml"
    path.write_text(DOSSIER, encoding="utf-8")
    return path


def as_nobody(code: str, *arguments: str) -> str:
    """What another user of this machine is told by a few lines of Python."""
    if not hasattr(os, "setuid") or os.geteuid() != 0:
        pytest.skip("a second user is needed: run the tests as root")
    # The interpreter may lie where only root can go: it becomes somebody else once it runs.
    change = f"import glob, os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    command = [sys.executable, "-I", "-S", "-c", change + code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd="/")
    return done.stdout


PROCESS_LIST = """
for name in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        print(open(name, "rb").read().replace(b"\\0", b" ").decode(errors="replace"))
    except OSError:
        pass
"""


@WAYS
def test_another_user_learns_nothing_and_reaches_no_kernel(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    """Process list, files, ports and sockets: no token, nowhere to knock but the server's port."""
    with started(tmp_path / "out", dossier(tmp_path), *way, **SECRETS) as run:
        run.start_kernel()
        listed = as_nobody(PROCESS_LIST)
        assert "incamail" in listed  # the list is one
        assert run.token not in listed
        for secret in SECRETS.values():  # whole: a command line may name a test of another canary
            assert secret not in listed
        kernels = run.kernels()
        assert kernels
        open_ports = [
            connection.laddr.port
            for connections in run.of_everybody(lambda p: p.net_connections("tcp"))
            for connection in connections
            if connection.status == "LISTEN"
        ]
        assert open_ports == [int(run.root.rpartition(":")[2])]
        for kernel in kernels:
            place = Path(kernel.cmdline()[-1]).parent
            assert place.stat().st_mode & 0o077 == 0
            assert kernel.environ()["JUPYTER_WIDGETS_ECHO"] == "0"


@WAYS
def test_kernels_hold_what_the_dossier_names_and_no_other_secret(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    """A notebook that measures needs the passphrase; nobody needs the rest of the environment."""
    with started(tmp_path / "out", dossier(tmp_path), *way, **SECRETS) as run:
        run.start_kernel()
        for held in run.of_everybody(lambda p: p.environ())[1:]:
            assert held["MUSTER_PASSPHRASE"] == "canary-passphrase"
            assert "SOMEBODYS_TOKEN" not in held
            assert run.token not in held.values()


@WAYS
def test_a_page_of_another_name_is_refused(tmp_path: Path, way: tuple[str, ...]) -> None:
    """A site whose name is turned to 127.0.0.1 (DNS rebinding) gets nothing, token or not."""
    with started(tmp_path / "out", *way) as run:
        path = run.url.removeprefix(run.root).partition("?")[0]
        assert run.status(path, Host="evil.example") == 403
        assert run.status("/", Host="evil.example:80") == 403
        assert run.status(path.replace("00_welcome", "nothing"), Host="localhost") != 403


def notebook_of(folder: Path, code: str) -> Path:
    cell = nbformat.v4.new_code_cell(code, id="only")
    path = folder / "model.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def test_a_kernel_on_saved_facts_holds_no_secret_and_no_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no passphrase; it listens nowhere; its widgets echo nothing."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told = tmp_path / "told.json"
    code = (
        "import json, os, pathlib, psutil\n"
        "seen = psutil.Process().net_connections('tcp')\n"
        "ports = [c.laddr.port for c in seen if c.status == 'LISTEN']\n"
        f"pathlib.Path({str(told)!r}).write_text(json.dumps([dict(os.environ), ports]))"
    )
    assert run_notebook(notebook_of(tmp_path, code), tmp_path / "out.ipynb", {}, "en") is None
    held, ports = json.loads(told.read_text(encoding="utf-8"))
    assert not set(SECRETS) & set(held)
    assert held["JUPYTER_WIDGETS_ECHO"] == "0"
    assert ports == []


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o027, 0o640), (0o022, 0o644)])
def test_files_are_as_private_as_the_user_wants(tmp_path: Path, umask: int, mode: int) -> None:
    """The umask decides over facts, audits and reports; over the record of a crash, nobody."""
    before = os.umask(umask)
    try:
        record = save_record(facts(), tmp_path / "facts.json")
        assert run_notebook(notebook_of(tmp_path, "1"), tmp_path / "o.ipynb", {}, "en") is None
        crash = write_crash(ValueError(), tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(record.stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "o.ipynb").stat().st_mode) == mode
    assert crash
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600


def test_a_file_made_private_stays_private(tmp_path: Path) -> None:
    """Whoever closed a report to others finds it closed after the next run."""
    page = write_whole(tmp_path / "report.html", b"one")
    page.chmod(0o600)
    write_whole(page, b"two")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_the_mail_servers_password_is_no_widgets_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes from the environment to the server: no widget, dossier or file ever holds it."""
    secret = "canary-password"
    monkeypatch.setenv("INCAMAIL_SMTP_PASSWORD", secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.write_trust_store(LAB, tmp_path)))
    place = tmp_path / "muster.yaml"
    place.write_text("organisation: Muster AG\ndomains: [muster.example]\n", encoding="utf-8")

    async def run() -> tuple[int, str]:
        ours = plan(account=Account("anna", secret))
        tls = TlsPlan(LAB.leaf(Variant.BOTH, "localhost"))
        async with serve(replace(ours, tls=tls), now=NOW) as gateway:
            runbook = open_onboarding(place, output=tmp_path / "out")
            runbook.session.choose("Anna Muster")
            test = runbook.link_test
            assert test.widget
            test.enter("to", "hans@recipient.test")
            fields = runbook.fields("sender")
            assert fields.widget
            for name, value in (
                ("host", "localhost"),
                ("port", str(gateway.port)),
                ("user", "anna"),
            ):
                fields.enter(f"submission/{name}", value)
            button = next(b for b in sorted(test.buttons()) if b.startswith("send/"))
            test.press(button)
            assert test.task is not None
            await test.task
            shown = [test.widget.get_state(), fields.widget.get_state()]
            return len(gateway.messages), f"{shown} {test.said}"

    count, shown = asyncio.run(run())
    assert count == 1, shown[-600:]
    assert secret not in shown
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
