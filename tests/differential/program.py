"""The openssl program as judge: many leaves in one call, its errors by leaf."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from ssl import DER_cert_to_PEM_cert as to_pem

from differential.chains import Case

BATCH = 250
PURPOSES = {"serverAuth": "sslserver", "clientAuth": "sslclient"}


def write(cases: Sequence[Case], folder: Path) -> None:
    """The leaves one by one, and per batch the anchors and everything else that was sent."""
    for begin in range(0, len(cases), BATCH):
        batch = cases[begin : begin + BATCH]
        for case in batch:
            (folder / f"{case.number}.pem").write_text(to_pem(case.chain[0]))
        rest = "".join(to_pem(der) for case in batch for der in case.chain[1:] or case.chain)
        anchors = "".join(to_pem(der) for case in batch for der in case.anchors)
        (folder / f"rest{begin}.pem").write_text(rest)
        (folder / f"anchors{begin}.pem").write_text(anchors)


def verdicts(
    cases: Sequence[Case], folder: Path, *, purpose: str, level: int, now: dt.datetime
) -> dict[int, str]:
    """Case number -> "" where `openssl verify` accepts it, else its error."""
    found: dict[int, str] = {}
    for begin in range(0, len(cases), BATCH):
        batch = cases[begin : begin + BATCH]
        command = [
            *("openssl", "verify", "-no-CApath", "-no-CAstore"),
            *("-CAfile", f"anchors{begin}.pem", "-untrusted", f"rest{begin}.pem"),
            *("-purpose", PURPOSES[purpose], "-auth_level", str(level)),
            *("-attime", str(int(now.timestamp()))),
        ]
        names = [f"{case.number}.pem" for case in batch]
        done = subprocess.run(
            [*command, *names],
            check=False,  # it fails as soon as one leaf does
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        found |= _read(done.stdout, done.stderr)
        assert {case.number for case in batch} <= set(found), done.stderr[-2000:]
    return found


def _read(out: str, err: str) -> dict[int, str]:
    found = dict.fromkeys((int(n) for n in re.findall(r"^(\d+)\.pem: OK$", out, re.M)), "")
    said = ""
    for line in err.splitlines():
        if line.startswith("error ") and " at " in line:
            said = said or line
        ended = re.match(r"error (\d+)\.pem: verification failed", line)
        if ended:
            found[int(ended[1])], said = said, ""
    return found
