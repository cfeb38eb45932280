"""The report as a person meets it: in a browser, offline, on a wide and a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report.chapters import TITLES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DOSSIER = """\
organisation: Étude Exemple & Associés
domains: [exemple.example]
platform: lab
scenario: server_only_client_certificate
"""
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
)


@pytest.fixture(scope="module")
def browser(chromium: Path, reports: dict[Language, Path]) -> Iterator[Browser]:
    """The browser; started after the reports, since both want the thread's event loop."""
    assert reports
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Path]:
    """The same faulty organisation, reported in four languages from one measurement."""
    folder = tmp_path_factory.mktemp("reports")
    dossier = folder / "exemple.yaml"
    dossier.write_text(DOSSIER, encoding="utf-8")
    made: dict[Language, Path] = {}
    facts: Path | None = None
    for language in LANGUAGES:
        options = Options(language=language, facts=[facts] if facts else (), with_pdf=False)
        run = audit_all([dossier], output=folder / language, options=options)
        case = run.outcomes[0].folder
        assert case is not None
        facts, made[language] = case / "facts.json", case / "report.html"
    return made


def opened(browser: Browser, page_file: Path, width: int = 1280) -> tuple[Page, list[str]]:
    """The page, and whatever it asks the network for."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.goto(page_file.as_uri())
    return page, asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_opens_offline_in_each_language(
    browser: Browser, reports: dict[Language, Path], language: Language
) -> None:
    """Nothing is fetched, no script complains, one main heading, every chapter can be reached."""
    page, asked = opened(browser, reports[language])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text() == "Étude Exemple & Associés"
    for key in TITLES:
        assert page.locator(f".im-toc a[href='#{key}']").count() == 1
        assert page.locator(f"#{key}").count() == 1
    levels = page.eval_on_selector_all(
        "h1, h2, h3, h4", "found => found.map(h => Number(h.tagName[1]))"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert asked == []
    assert errors == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=SHOTS / f"report-{language}.png",
        clip=dict(x=0, y=0, width=1280, height=1600),
        full_page=True,
    )
    page.close()


def test_code_is_folded_and_can_be_unfolded(
    browser: Browser, reports: dict[Language, Path]
) -> None:
    """The reader sees no code until they ask for it, with the keyboard too."""
    page, _ = opened(browser, reports["en"])
    code = page.locator(".im-codecell pre").first
    assert not code.is_visible()
    page.locator(".im-codecell summary").first.focus()
    page.keyboard.press("Enter")
    assert code.is_visible()
    assert "await case.audit()" in code.inner_text()
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_page(
    browser: Browser, reports: dict[Language, Path], width: int
) -> None:
    """No sideways scrolling of the whole page, on a session or on a phone."""
    page, _ = opened(browser, reports["de"], width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=SHOTS / f"report-de-{width}.png")
    page.close()


def test_text_is_legible(browser: Browser, reports: dict[Language, Path]) -> None:
    """Every text has a contrast of at least 4.5 to 1 on its ground (WCAG 2.2, 1.4.3)."""
    page, _ = opened(browser, reports["it"])
    faint = page.evaluate(CONTRAST)
    assert faint == []
    page.evaluate(FADE)  # by the element itself: the page permits no other sheet
    assert page.evaluate(CONTRAST) != []
    page.close()


FADE = """() => {
  for (const p of document.querySelectorAll(".im-report p")) p.style.color = "#bbb";
}"""
CONTRAST = """() => {
  const parts = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest("svg") || !e.checkVisibility()) continue;
    const a = light(parts(getComputedStyle(e).color).slice(0, 3)) + 0.05;
    const b = light(ground(e)) + 0.05;
    if (Math.max(a, b) / Math.min(a, b) < 4.5) found.push(e.textContent.trim().slice(0, 40));
  }
  return found;
}"""
