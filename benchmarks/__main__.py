"""Run every benchmark and write the figures into README.md: `python -m benchmarks`.

python -m benchmarks [NAME ...]     only these; the figures of the others stay
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import peers

README = Path(__file__).with_name("README.md")
NAMES = ("cost", "truth_table", "batch", "classroom")
TOOLS = {
    "openssl": ["openssl", "version"],
    "gnutls-cli": ["gnutls-cli", "--version"],
    "Postfix": ["postconf", "-d", "-h", "mail_version"],
}


def run(name: str) -> str:
    """What one benchmark printed; it is shown while it runs."""
    lines = []
    command = [sys.executable, "-u", "-m", f"benchmarks.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"benchmarks.{name} ended with {process.returncode}")
    return "".join(lines).strip()


def machine() -> str:
    """On what the figures were measured."""
    model = re.search(r"model name\s*: (.*)", _text(Path("/proc/cpuinfo")))
    told = [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        model.group(1) if model else platform.processor(),
        f"Python {platform.python_version()}",
        f"pyOpenSSL {version('pyOpenSSL')}, cryptography {version('cryptography')}",
        peers.SSLYZE,
        f"testssl.sh {peers.testssl_version()}",
        *(f"{name} {_first(command)}" for name, command in TOOLS.items()),
    ]
    return " · ".join(told)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _first(command: list[str]) -> str:
    try:
        found = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "not installed"
    number = re.search(r"\d+\.\d[\w.]*", found.stdout)
    return number.group(0) if number else "?"


def write(name: str, figures: str) -> None:
    """Put the figures between the marks of their benchmark in README.md."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = README.read_text()
    before, _, rest = text.partition(start)
    after = rest.partition(end)[2]
    body = f"{start}\n\n*{machine()}*\n\n{figures}\n\n{end}"
    README.write_text(f"{before}{body}{after}")


def main() -> None:
    """Run what was named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], default=[])
    for name in parser.parse_args().names or NAMES:
        write(name, run(name))


if __name__ == "__main__":
    main()
