"""A key, its passphrase and a password as canaries: looked for wherever a run leaves a trace."""

from __future__ import annotations

import base64
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from attacks.started import started
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from probe.served import LAB
from programs import running

from incamail_lib.lab.pki import Variant

COMMAND = Path(sys.executable).with_name("incamail")
PASSPHRASE, PASSWORD = "canary-passphrase-7319", "canary-password-4471"
DOSSIER = """\
organisation: Muster AG
domains: [muster.example]
platform: lab
certificates:
  sending: {file: own/client.p12, passphrase_env: MUSTER_PASSPHRASE}
"""


class Canaries:
    """The secrets of one client, in the forms in which they could get somewhere."""

    def __init__(self, home: Path) -> None:
        leaf = LAB.leaf(Variant.CLIENT, "out.muster.example")
        key = leaf.key
        assert isinstance(key, EllipticCurvePrivateKey)
        encrypted = pkcs12.serialize_key_and_certificates(
            b"own", key, leaf.certificate, None, BestAvailableEncryption(PASSPHRASE.encode())
        )
        (home / "own").mkdir()
        (home / "own" / "client.p12").write_bytes(encrypted)
        number = key.private_numbers().private_value
        raw = number.to_bytes(32, "big")
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.forms = {
            "passphrase": PASSPHRASE.encode(),
            "password": PASSWORD.encode(),
            "raw key": raw,
            "key in hexadecimal": raw.hex().encode(),
            "key as a number": str(number).encode(),
            "key as DER": der,
            "key as PEM": pem.splitlines()[2],
            "key in base64": base64.b64encode(raw)[4:-4],
        }

    def in_bytes(self, data: bytes) -> list[str]:
        return [name for name, form in self.forms.items() if form in data]

    def in_files(self, *folders: Path) -> list[str]:
        """Where one of them stands in a file, the client's own key file aside."""
        found: list[str] = []
        for folder in folders:
            for place, _, names in os.walk(folder):  # what goes meanwhile is no error to it
                for path in (Path(place, name) for name in names if Path(place).name != "own"):
                    with suppress(OSError):
                        if path.is_file() and not path.is_symlink():
                            held = self.in_bytes(path.read_bytes())
                            found += [f"{form} in {path}" for form in held]
        return found


class Watch:
    """Looks at a process and all it starts, again and again: commands, environments, folders."""

    def __init__(self, process: psutil.Process, canaries: Canaries, *folders: Path) -> None:
        self.found: set[str] = set()
        self.rounds = 0
        self._looked_at = (process, canaries, folders)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.1):
            self.look()

    def look(self) -> None:
        process, canaries, folders = self._looked_at
        self.found |= set(canaries.in_files(*folders))
        with suppress(psutil.NoSuchProcess):
            children = process.children(recursive=True)
            for one in (process, *children):
                with suppress(psutil.NoSuchProcess):
                    command = " ".join(one.cmdline()).encode()
                    self.found |= {f"{n} in a command" for n in canaries.in_bytes(command)}
            self.rounds += 1


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home with a dossier, and a temporary folder of their own."""
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    return tmp_path


def environment(home: Path) -> dict[str, Any]:
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "TMPDIR": str(home / "tmp"),
        "MUSTER_PASSPHRASE": PASSPHRASE,
        "INCAMAIL_SMTP_PASSWORD": PASSWORD,
    }


def run(home: Path, canaries: Canaries, *words: str) -> str:
    """What a command said; whatever it left, or showed while it ran, is looked through."""
    command: list[str | Path] = [COMMAND, *words]
    given = os.environ | environment(home)
    with (
        running(command, cwd=home, env=given, stdout=-1, stderr=-2, limit_s=200) as process,
        Watch(psutil.Process(process.pid), canaries, home) as watch,
    ):
        assert process.stdout is not None
        said = process.stdout.read()
        process.wait(timeout=60)
    assert watch.rounds >= 1  # it was looked at while it ran
    assert watch.found == set()
    assert canaries.in_files(home) == []
    assert canaries.in_bytes(said.encode()) == []
    return said


def test_audit_and_documents_show_no_secret(home: Path) -> None:
    """Output, logs, commands, temporary files, home: none of the secrets, during and after."""
    canaries = Canaries(home)
    said = run(home, canaries, "audit", "muster.yaml", "--output", "reports", "--no-pdf")
    assert "Muster AG" in said
    assert list(home.glob("reports/muster-ag/*/audit.json"))
    said = run(home, canaries, "documents", "muster.yaml", "--output", "reports")
    assert "implementation-plan" in said


def test_a_runbook_shows_no_secret(home: Path) -> None:
    """The same while the server and one of its kernels run; its kernels may know the variables."""
    canaries = Canaries(home)
    with (
        started(home / "reports", home / "muster.yaml", **environment(home)) as server,
        Watch(server.process, canaries, home) as watch,
    ):
        server.start_kernel()
        watch.look()  # with its kernel, however slow the machine
    assert watch.found == set()
    assert canaries.in_files(home) == []


def test_a_secret_that_is_shown_would_be_found(home: Path) -> None:
    """The search finds each form, in a file and in a command."""
    canaries = Canaries(home)
    for name, form in canaries.forms.items():
        (home / "leak").write_bytes(b"before " + form + b" after")
        assert f"{name} in {home / 'leak'}" in canaries.in_files(home)
    with running([sys.executable, "-c", "input()", PASSPHRASE], stdin=-1) as process:
        watch = Watch(psutil.Process(process.pid), canaries)
        until = time.monotonic() + 10
        while not watch.found and time.monotonic() < until:  # a new program has no name at first
            watch.look()
            time.sleep(0.01)
        assert "passphrase in a command" in watch.found
        process.kill()
