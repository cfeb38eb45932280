"""The flow diagrams as a person meets them: on a session, at 640 pixels and on a phone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from incamail_lib.audit.case import measure_dossier
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.model import Component, Network
from incamail_lib.findings import Audit
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report import Report
from incamail_lib.sheets.style import page_style

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SCENARIOS = ("sound", "starttls_missing", "server_only_client_certificate", "tarpit")
OUTSIDE = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text, rect, circle, path")].filter((e) => {
    const r = e.getBoundingClientRect();
    return r.left < frame.left - 1 || r.right > frame.right + 1 ||
      r.top < frame.top - 1 || r.bottom > frame.bottom + 1;
  }).map((e) => e.textContent || e.tagName);
})"""


@pytest.fixture(scope="module")
def audits() -> dict[str, Audit]:
    """Four scenarios of the lab with declared components."""
    made = {}
    for scenario in SCENARIOS:
        dossier = Dossier(
            organisation="Muster AG",
            domains=("muster.example",),
            platform="lab",
            scenario=scenario,
            network=Network(timeout_s=1.0, ehlo_name="probe.example"),
            components={
                "mail_gateway": Component(present=True, product="Gateway " + "mit Zusatz " * 20),
                "firewall": Component(present=True, product="Firewall"),
            },
        )
        found = asyncio.run(measure_dossier(dossier))
        made[scenario] = judge_facts(found, found.measured_at)
    return made


@pytest.fixture(scope="module")
def browser(chromium: Path, audits: dict[str, Audit]) -> Iterator[Browser]:
    """The browser; started after the audits, since both want the thread's event loop."""
    assert audits
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=arguments)
        yield found
        found.close()


def page_of(audit: Audit, language: Language) -> str:
    body = Report(audit, language).flows.html
    head = f'<meta charset="utf-8"><title>x</title><style>{page_style()}</style>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><main>{body}</main></html>'


@pytest.mark.parametrize("width", [1280, 640, 390])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_flow_fits_its_picture_and_the_page(
    browser: Browser, audits: dict[str, Audit], scenario: str, width: int
) -> None:
    """In no language does a text leave its picture; the page never scrolls sideways, and at 640
    pixels the picture does not either."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    for language in LANGUAGES:
        page.set_content(page_of(audits[scenario], language))
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width >= 640:
            assert page.evaluate(
                "[...document.querySelectorAll('.im-scroll')]"
                ".every((e) => e.scrollWidth <= e.clientWidth)"
            )
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"flow-{scenario}-{width}.png", full_page=True)
    page.evaluate("document.querySelector('svg text').setAttribute('x', '590')")
    assert page.evaluate(OUTSIDE) != []
    page.close()
