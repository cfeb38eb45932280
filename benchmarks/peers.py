"""The other tools, each called as its manual says, and what its output claims of mutual TLS.

A claim is what a careful reader takes from the output, one of the words below; SILENT where the
output says nothing of client certificates. Tools are found on PATH; testssl.sh also by the
environment variable TESTSSL; sslyze gets an environment of its own in the user's cache folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from benchmarks.gateways import HOST

SSLYZE = "sslyze==6.3.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "incamail-runbook"
QUICK_S = 60
SLOW_S = 240


class Claim(StrEnum):
    """What a tool says about client certificates at one gateway."""

    NOT_ASKED = "not asked"
    OPTIONAL = "optional"
    REQUIRED = "required"
    AT_MAIL = "required at MAIL"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SILENT = "silent"
    INCONCLUSIVE = "inconclusive"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Visit:
    """One question to one tool: which port, with which certificate, whose files."""

    port: int
    shown: str  # "", "good" or "foreign"
    folder: Path

    @property
    def chain(self) -> str:
        """The client certificate to show."""
        return str(self.folder / f"{self.shown}.pem")

    @property
    def key(self) -> str:
        """Its key."""
        return str(self.folder / f"{self.shown}.key")

    @property
    def root(self) -> str:
        """The authorities to believe."""
        return str(self.folder / "root.pem")

    def with_shown(self, *options: str) -> list[str]:
        """`options` where a certificate is shown, else none."""
        return list(options) if self.shown else []


Tool = Callable[[Visit], Claim]


def _said(command: list[str], *, limit_s: float = QUICK_S, **environment: str) -> str:
    """Everything the command printed; its return code is known to tell nothing."""
    found = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limit_s,
        env=os.environ | environment,
    )
    return found.stdout.decode("utf-8", "replace")


def _claim(visit: Visit, *, refused: bool, asked: bool | None) -> Claim:
    """Refusal and request, in words; `asked` is None where the tool does not tell."""
    if visit.shown:
        return Claim.REFUSED if refused else Claim.ACCEPTED
    if refused:
        return Claim.REQUIRED
    if asked is None:
        return Claim.SILENT
    return Claim.OPTIONAL if asked else Claim.NOT_ASKED


def s_client(visit: Visit) -> Claim:
    """openssl s_client."""
    if not shutil.which("openssl"):
        return Claim.NOT_INSTALLED
    text = _said(
        [
            *("openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{visit.port}"),
            *("-CAfile", visit.root, "-showcerts"),
            # -cert alone sends the leaf without its intermediates.
            *visit.with_shown("-cert", visit.chain, "-cert_chain", visit.chain),
            *visit.with_shown("-key", visit.key),
        ]
    )
    asked = re.search("^(Acceptable client certificate CA|Requested Signature)", text, re.M)
    return _claim(visit, refused="alert number" in text, asked=bool(asked))


def gnutls_cli(visit: Visit) -> Claim:
    """gnutls-cli."""
    if not shutil.which("gnutls-cli"):
        return Claim.NOT_INSTALLED
    text = _said(
        [
            *("gnutls-cli", "--starttls-proto=smtp", f"--x509cafile={visit.root}"),
            f"--verify-hostname={HOST}",
            *visit.with_shown(f"--x509certfile={visit.chain}", f"--x509keyfile={visit.key}"),
            *("-V", "-p", str(visit.port), "127.0.0.1"),
        ]
    )
    asked = "Server has requested a certificate" in text
    return _claim(visit, refused=bool(re.search(r"[Aa]lert \[\d+\]", text)), asked=asked)


def posttls_finger(visit: Visit) -> Claim:
    """posttls-finger, without -c so that the EHLO inside TLS shows."""
    if not shutil.which("posttls-finger"):
        return Claim.NOT_INSTALLED
    (visit.folder / "main.cf").write_text("compatibility_level = 3.6\n")
    text = _said(
        [
            *("posttls-finger", "-l", "secure", "-F", visit.root),
            *visit.with_shown("-k", visit.chain, "-K", visit.key),
            *("-L", "verbose,summary", "-t", "10", "-T", "10"),
            *(f"[127.0.0.1]:{visit.port}", HOST),
        ],
        MAIL_CONFIG=str(visit.folder),
    )
    return _claim(visit, refused="alert number" in text, asked=None)


@cache
def _testssl_path() -> str:
    given = os.environ.get("TESTSSL", "")
    return given or shutil.which("testssl.sh") or shutil.which("testssl") or ""


@cache
def testssl_version() -> str:
    """The version of the testssl.sh that is measured; 3.0 does not judge client certificates."""
    if not _testssl_path():
        return "not installed"
    plain = re.sub(r"\x1b\[[\d;]*m", "", _said([_testssl_path(), "--version"]))
    found = re.search(r"testssl(?:\.sh)?\s.*?(\d+\.\d[\w.]*)", plain)
    return found.group(1) if found else "?"


def testssl(visit: Visit) -> Claim:
    """testssl.sh."""
    if not _testssl_path():
        return Claim.NOT_INSTALLED
    old = testssl_version().startswith("3.0")
    if old and visit.shown:
        return Claim.SILENT  # it has no option to show a certificate
    text = _said(
        [
            *(_testssl_path(), "--color", "0", "--quiet", "--warnings", "batch"),
            *("--nodns=none", "-S"),
            *visit.with_shown("--mtls", str(visit.folder / f"{visit.shown}-both.pem")),
            *("--add-ca", visit.root, "--openssl", "/usr/bin/openssl"),
            *("--starttls", "smtp", f"127.0.0.1:{visit.port}"),
        ],
        limit_s=SLOW_S,
    )
    found = re.search(r"^ *Client Authentication +(\w+)", text, re.M)
    words = {
        "none": Claim.NOT_ASKED,
        "optional": Claim.OPTIONAL,
        "required": Claim.REQUIRED,
    }
    return words.get(found.group(1), Claim.SILENT) if found else Claim.SILENT


@cache
def sslyze_python() -> Path | None:
    """The interpreter of sslyze's environment, made on first use; None if that fails."""
    folder = CACHE / "sslyze"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {SSLYZE} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SSLYZE]
    installed = subprocess.run(pip, check=False, stdout=subprocess.DEVNULL)
    return python if installed.returncode == 0 else None


def sslyze_scan(ports: list[int], mode: str, *credential: str) -> dict[str, object]:
    """What sslyze's library found and what it cost (see sslyze_scan.py)."""
    python = sslyze_python()
    assert python is not None
    script = Path(__file__).with_name("sslyze_scan.py")
    command = [str(python), str(script), ",".join(map(str, ports)), mode, *credential]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SLOW_S)
    told: dict[str, object] = json.loads(found.stdout.splitlines()[-1])
    return told


def sslyze(visit: Visit) -> Claim:
    """sslyze as a library."""
    if sslyze_python() is None:
        return Claim.NOT_INSTALLED
    told = sslyze_scan([visit.port], "connect", *visit.with_shown(visit.chain, visit.key))
    words = {
        "DISABLED": Claim.NOT_ASKED,
        "OPTIONAL": Claim.OPTIONAL,
        "REQUIRED": Claim.REQUIRED,
    }
    said = told["client_auth"]
    assert isinstance(said, list)
    return words.get(said[0], Claim.SILENT)
