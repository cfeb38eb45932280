"""What every test may ask for: tools of the machine, and a visible skip where one is missing.

A test that needs a tool says so by a marker: `@pytest.mark.postfix`, `@pytest.mark.exim`,
`@pytest.mark.browser`, `@pytest.mark.tool("openssl", "gnutls-cli")`. With
INCAMAIL_NO_SKIPS=1, as in CI, a session in which anything was skipped ends with an error.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from fuzzing import examples

# Found counterexamples become tests; a slow machine is no fault, nor is a tree that is read-only.
hypothesis.settings.register_profile(
    "house", database=None, deadline=None, max_examples=examples(100)
)
hypothesis.settings.load_profile("house")

PACKAGES = {
    "openssl": "openssl",
    "gnutls-cli": "gnutls-bin",
    "gnutls-serv": "gnutls-bin",
    "pdftotext": "poppler-utils",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SKIPS_FORBIDDEN = "INCAMAIL_NO_SKIPS"
SKIPS_SEEN = pytest.ExitCode.TESTS_FAILED


def missing_tool(name: str) -> str:
    """What to install for a peer tool; "" when it is there."""
    if shutil.which(name):
        return ""
    return f"{name} is missing: apt-get install {PACKAGES.get(name, name)}"


def missing_postfix() -> str:
    """What keeps the tests from starting Postfix; "" when nothing does."""
    from mta.postfix import MASTER, PCRE

    if not MASTER.exists():
        return "Postfix is missing: apt-get install postfix, or run .ci/install"
    if not PCRE.exists():
        return "Postfix's pcre: is missing: apt-get install postfix-pcre, or run .ci/install"
    return "" if os.geteuid() == 0 else "Postfix changes users: run the tests as root"


@cache
def missing_exim() -> str:
    """What keeps the tests from starting Exim; "" when nothing does."""
    from mta.exim import PROGRAM

    if not PROGRAM.exists():
        return f"Exim is missing ({PROGRAM}): run .ci/install"
    command: list[str | Path] = [PROGRAM, "-C", "/dev/null", "-bV"]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    if found.returncode:
        return f"Exim does not start ({found.stderr.strip()[:200]}): run .ci/install"
    return "" if os.geteuid() == 0 else "Exim changes users: run the tests as root"


def missing_browser() -> str:
    """What to install for tests in a browser; "" when one is there."""
    return "" if browser_path() else "no browser: apt-get install chromium"


def browser_path() -> Path | None:
    """The browser of this machine, or None."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return Path(found) if found else None


@cache
def missing_ipv6() -> str:
    """What keeps tests from the loopback address of IPv6; "" when nothing does."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return "this machine has no IPv6 (::1)"
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, visibly and with the remedy, a test whose tool is not on this machine."""
    needs: dict[str, Callable[[], str]] = {
        "postfix": missing_postfix,
        "exim": missing_exim,
        "browser": missing_browser,
        "ipv6": missing_ipv6,
    }
    problems = [missing() for marker, missing in needs.items() if item.get_closest_marker(marker)]
    for marker in item.iter_markers("tool"):
        problems += [missing_tool(name) for name in marker.args]
    said = [problem for problem in problems if problem]
    if said:
        pytest.skip("; ".join(said))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's path, for tests marked `browser`: without one these were skipped before."""
    path = browser_path()
    assert path is not None, missing_browser()
    return path


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return len(reporter.stats.get("skipped", ())) if reporter else 0


def _must_not_skip(config: pytest.Config) -> bool:
    """Only the process that reports counts; a worker of pytest-xdist sees a part."""
    return bool(os.environ.get(SKIPS_FORBIDDEN)) and not hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a session with skips into a failed one where skips are forbidden."""
    finished = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if _must_not_skip(session.config) and finished and _skipped(session.config):
        session.exitstatus = SKIPS_SEEN


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say why the session failed although no test did."""
    skipped = _skipped(config)
    if _must_not_skip(config) and skipped:
        terminalreporter.section("skips are forbidden here", red=True)
        terminalreporter.line(f"{skipped} skipped, and {SKIPS_FORBIDDEN} is set: install the tools")


@pytest.fixture(scope="session", autouse=True)
def own_seal(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Audits are sealed by a key of this run: the user's own is for the user's audits."""
    os.environ["INCAMAIL_SEAL_KEY"] = str(tmp_path_factory.mktemp("seal") / "seal.pem")
