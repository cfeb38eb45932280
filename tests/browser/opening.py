"""A browser that says what it asks of the outside, and a runbook served as a person starts it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Locator, Page
from programs import running

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
COMMAND = Path(sys.executable).with_name("incamail")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
)
RUN = {"fr": "Exécution", "de": "Ausführen", "it": "Run"}  # the Italian pack lacks this menu
RUN_ALL = {
    "fr": "Exécuter toutes les cellules",
    "de": "Alle Zellen ausführen",
    "it": "Esegui Tutte le Celle",
}


@contextmanager
def served(dossier: Path, output: Path, *options: str) -> Iterator[str]:
    """`incamail start` on a dossier; the address it tells."""
    with opened(("start", str(dossier), *options), output) as url:
        yield url


@contextmanager
def opened(arguments: Sequence[str], output: Path) -> Iterator[str]:
    """A command that serves notebooks; the address it tells. Ended as by Ctrl-C."""
    command = [str(COMMAND), *arguments, "--output", str(output), "--no-browser"]
    log = output.with_suffix(".log")
    with (
        log.open("wb") as errors,
        running(command, limit_s=600, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://127\.0\.0\.1\S+", line):
                    yield found.group(0)
                    break
            else:
                raise AssertionError(log.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


@dataclass
class Session:
    """One notebook in JupyterLab, as its user sees it."""

    page: Page
    language: str
    outside: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Go to a notebook and wait until it is there."""
        self.page.goto(url + "&reset")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=90_000)
        self._await_kernel(url)

    def _await_kernel(self, url: str) -> None:
        """Until the notebook's kernel rests: JupyterLab asks for a kernel when a run comes first,
        and what it shows of a kernel before there is one looks the same as rest."""
        root, token = _root_and_token(url)
        name = url.split("/lab/tree/")[1].split("?", maxsplit=1)[0]
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            sessions = _asked(f"{root}/api/sessions", token)
            found = [s["kernel"]["execution_state"] for s in sessions if s["path"] == name]
            if found == ["idle"]:
                break
            self.page.wait_for_timeout(200)
        self.page.wait_for_selector(IDLE, timeout=90_000)

    def run_all(self) -> None:
        """Run → Run All Cells, in the language of the interface, and wait for the last cell."""
        self.page.evaluate(MARK)
        self.page.locator(".lm-MenuBar-itemLabel", has_text=RUN[self.language]).click()
        exact = re.compile(f"^{RUN_ALL[self.language]}$")
        self.page.locator(".lm-Menu-itemLabel", has_text=exact).click()
        self.page.wait_for_function(DONE, timeout=90_000)

    def restart_kernels(self, url: str) -> None:
        """What a crash or a reboot does: every kernel begins anew."""
        root, token = url.split("/lab/", maxsplit=1)[0], url.rpartition("token=")[2]
        for kernel in _asked(f"{root}/api/kernels", token):
            _asked(f"{root}/api/kernels/{kernel['id']}/restart", token, method="POST")

    def show(self, text: str) -> Locator:
        """Scroll to a text in the notebook."""
        found = self.page.locator(".jp-Notebook").get_by_text(text).filter(visible=True).first
        found.scroll_into_view_if_needed(timeout=30_000)
        return found

    def card(self, number: str) -> Locator:
        """The card of a question, opened."""
        found = self.page.locator("details.im-card", has=self.page.get_by_text(number, exact=True))
        card = found.filter(visible=True).first
        if card.get_attribute("open") is None:
            card.locator("summary").first.click()
        return card

    def picture(self, name: str) -> None:
        """Keep what is to be seen now."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
# What the last cell shows is new; sources are folded, and their numbers with them.
MARK = """() => document.querySelectorAll(".jp-OutputArea-child").forEach((e) => {
  e.dataset.before = "";
})"""
DONE = """() => {
  const cells = [...document.querySelectorAll(".jp-CodeCell")];
  return cells.length > 3 && cells.at(-1).querySelector(".jp-OutputArea-child:not([data-before])");
}"""


def _root_and_token(url: str) -> tuple[str, str]:
    return url.split("/lab/", maxsplit=1)[0], url.rpartition("token=")[2]


def _asked(url: str, token: str, method: str = "GET") -> Any:
    headers = {"Authorization": f"token {token}"}
    request = urllib.request.Request(url, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read())


def session(browser: Browser, language: str) -> Session:
    """A new window of 1280 px."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60_000)
    made = Session(page, language)
    page.on("request", lambda r: made.outside.append(r.url) if _is_outside(r.url) else None)
    return made


def complaints(page: Page, within: str) -> list[str]:
    """What axe-core says against a part of the page, whatever its impact; every card opened."""
    page.evaluate(
        "document.querySelectorAll('.im-form details').forEach((d) => { d.open = true; })"
    )
    page.evaluate(AXE)
    found = page.evaluate(
        "(within) => axe.run(within, {resultTypes: ['violations']})", within or "html"
    )
    return [
        f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]
    ]


def _is_outside(url: str) -> bool:
    return url.startswith("http") and not url.startswith("http://127.0.0.1")
