"""Should escaping ever fail: what a stranger's markup does in a page of ours, in a real browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS
from documents.dossiers import audit, full, made
from factories import NOW
from playwright.sync_api import Browser, Page, sync_playwright
from report.test_document import notebook

from incamail_lib.history import Digest
from incamail_lib.i18n import say
from incamail_lib.portfolio import portfolio_of
from incamail_lib.portfolio.page import page_of
from incamail_lib.report.document import html_of
from incamail_lib.sheets.html import render_html

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Each tells `window.ran` its name, or asks the stranger's server for its name.
PLANTED = """
<script>window.ran = [...(window.ran || []), "script"]</script>
<script src="{server}/script"></script>
<img src="x:" onerror="window.ran = [...(window.ran || []), 'onerror']">
<svg onload="window.ran = [...(window.ran || []), 'onload']"></svg>
<details open ontoggle="window.ran = [...(window.ran || []), 'ontoggle']"></details>
<a id="planted" href="javascript:window.ran = [...(window.ran || []), 'link'], void 0">here</a>
<img src="{server}/img"><img srcset="{server}/srcset"><video src="{server}/video"></video>
<audio autoplay src="{server}/audio"></audio><input type="image" src="{server}/input">
<iframe src="{server}/frame"></iframe><object data="{server}/object"></object>
<embed src="{server}/embed"><link rel="stylesheet" href="{server}/sheet">
<style>@import "{server}/import"; body {{ background: url({server}/background) }}</style>
<p style="background: url({server}/attribute)">x</p>
<style>@font-face {{ font-family: far; src: url({server}/font) }} i {{ font-family: far }}</style>
<i>x</i><svg><image href="{server}/svg" width="9" height="9"></image></svg>
<form id="form" action="{server}/form"><button id="send">x</button></form>
"""
RAN = {"script", "onerror", "onload", "ontoggle", "link"}
ASKED = {
    *("script", "img", "srcset", "video", "audio", "input", "frame", "object", "embed", "sheet"),
    *("import", "background", "attribute", "font", "svg", "form"),
}


def a_report(_: Path) -> str:
    return html_of(notebook(), "en", title="Muster AG")


def a_document(_: Path) -> str:
    return render_html(made(full(), audit())["network_matrix"], "en")


def a_portfolio(_: Path) -> str:
    problem = say("nothing was measured")
    entry = Digest(organisation="Muster AG", dossier="m.yaml", exit_code=2, problem=problem)
    return page_of(portfolio_of([entry], started=NOW).document, "en")


PAGES = (a_report, a_document, a_portfolio)
KINDS = pytest.mark.parametrize("kind", PAGES, ids=[kind.__name__ for kind in PAGES])


@dataclass
class Stranger:
    """A server of the stranger's, and what it was asked for."""

    asked: set[str] = field(default_factory=set)
    address: str = ""


@contextmanager
def listening() -> Iterator[Stranger]:
    """The stranger's server on loopback."""
    stranger = Stranger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stranger.asked.add(self.path.strip("/").partition("?")[0])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stranger.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield stranger
        finally:
            server.shutdown()
            thread.join(timeout=30)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """The browser of this machine."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield found
        found.close()


@dataclass
class Seen:
    """What a page did when a person opened it and clicked what the stranger planted."""

    ran: set[str]
    asked: set[str]
    refused: list[str]  # what the browser says it stopped


def opened(browser: Browser, html: str, folder: Path) -> tuple[Page, list[str]]:
    """The page as a file, and what the browser says of it."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    return page, said


def attacked(browser: Browser, html: str, folder: Path) -> Seen:
    """The page with everything planted into it, opened and clicked."""
    with listening() as stranger:
        planted = PLANTED.format(server=stranger.address)
        assert html.count("</main>") == 1
        page, said = opened(browser, html.replace("</main>", planted + "</main>"), folder)
        page.locator("#planted").click()
        page.wait_for_timeout(300)
        ran = set(page.evaluate("window.ran || []"))
        # Not by a click of the test's: it would wait for the page that the form leads to.
        page.evaluate("setTimeout(() => document.getElementById('send').click())")
        page.wait_for_timeout(300)
        page.close()
    return Seen(ran, stranger.asked, [text for text in said if "Content Security" in text])


def without_policy(html: str) -> str:
    """The page as it would be without its policy."""
    bare, count = re.subn(r"<meta http-equiv=[^>]*>\n", "", html)
    assert count == 1
    return bare


@KINDS
def test_planted_markup_runs_nothing_and_asks_nothing(
    browser: Browser, kind: Callable[[Path], str], tmp_path: Path
) -> None:
    """Scripts, handlers, links that are scripts, and every way to ask a server: all stopped."""
    seen = attacked(browser, kind(tmp_path), tmp_path)
    assert seen.ran == set()
    assert seen.asked == set()
    assert seen.refused


def test_without_the_policy_all_of_it_would_act(browser: Browser, tmp_path: Path) -> None:
    """Each planted thing is a real one: in a page without the policy it runs, or asks."""
    seen = attacked(browser, without_policy(a_report(tmp_path)), tmp_path)
    assert seen.ran == RAN
    assert seen.asked - {"favicon.ico"} == ASKED
    assert not seen.refused


@KINDS
def test_the_policy_changes_nothing_of_a_page_of_ours(
    browser: Browser, kind: Callable[[Path], str], tmp_path: Path
) -> None:
    """The browser stops nothing and shows the same, point for point, with its own fonts."""
    html = kind(tmp_path)
    page, said = opened(browser, html, tmp_path)
    bare, _ = opened(browser, without_policy(html), tmp_path)
    assert said == []
    fonts = "[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)"
    assert any("Inter" in family for family in page.evaluate(fonts))
    assert page.screenshot(full_page=True) == bare.screenshot(full_page=True)
    unstyled, told = opened(browser, html.replace("<style>", "<style> "), tmp_path)
    assert told
    assert unstyled.screenshot(full_page=True) != page.screenshot(full_page=True)
    for tab in (page, bare, unstyled):
        tab.close()
