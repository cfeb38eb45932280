"""The runbook as consultant and client use it: a real JupyterLab, a real Voilà, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS, SHOTS, Desk, desk, served
from playwright.sync_api import Browser, expect, sync_playwright

from incamail_lib.dossier import read_dossier
from incamail_lib.i18n import Language, translator
from incamail_lib.runbook import NOTEBOOKS, paragraphs, read_model

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]
DOSSIER = """\
# geführt vom Projektteam
organisation: {name}
language: {language}
domains: [beispiel.example]
platform: lab
scenario: server_only_client_certificate
"""


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for all windows."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield found
        found.close()


def written(folder: Path, language: str) -> Path:
    """A dossier of which nothing is decided yet."""
    path = folder / f"{language}.yaml"
    path.write_text(DOSSIER.format(name=f"Beispiel {language}", language=language), "utf-8")
    return path


def told(language: Language, text: str) -> str:
    """A text as the interface shows it."""
    return translator(language)(text)


@pytest.mark.parametrize("language", ["fr", "de"])
def test_an_organisation_is_led_from_welcome_to_acceptance(
    browser: Browser, tmp_path: Path, language: Language
) -> None:
    """Create, answer, measure, see evidence, restart, and everything is there; then the
    documents. Nothing is asked of the outside."""
    path, output = written(tmp_path, language), tmp_path / "out"
    with served(path, output) as url:
        at = desk(browser, language)
        welcome(at, url, language, tmp_path)
        planning(at, url.replace("00_welcome", "10_planning"), language, path)
        preparation(at, url.replace("00_welcome", "20_preparation"), language)
        setup(at, url.replace("00_welcome", "30_setup"), language, output)
        acceptance(at, url.replace("00_welcome", "40_test"), language, path, output)
        assert at.outside == []
        at.page.close()
    assert "# geführt vom Projektteam" in path.read_text(encoding="utf-8")


def welcome(at: Desk, url: str, language: Language, folder: Path) -> None:
    """The interface and the prose are in the client's language; a new dossier is made."""
    at.open(url)
    at.run_all()
    prose = next(paragraphs(read_model(NOTEBOOKS / "00_welcome.ipynb"))).removeprefix("# ")
    at.show(told(language, f"# {prose}").removeprefix("# "))
    at.picture(f"welcome-{language}")
    at.page.get_by_label(told(language, "Organisation"), exact=True).first.fill("Neue Firma AG")
    at.page.get_by_label(told(language, "Mail domains"), exact=True).fill("neu.example")
    at.page.get_by_role("button", name=told(language, "Create dossier")).click()
    expect(at.page.get_by_role("link", name="Neue Firma AG")).to_be_visible()
    assert read_dossier(folder / "neue-firma-ag.yaml").domains == ("neu.example",)


def planning(at: Desk, url: str, language: Language, path: Path) -> None:
    """A question is answered with the keyboard; after a kernel restart it is still there."""
    at.open(url)
    at.run_all()
    at.show(told(language, "Who uses IncaMail?"))
    answer = at.page.get_by_label(told(language, "Answer"), exact=True).first
    answer.fill("Die Rechtsabteilung")
    answer.press("Tab")
    clear = at.page.get_by_label(told(language, "clear"), exact=True).first
    clear.focus()
    clear.press("Space")
    at.page.wait_for_timeout(500)
    at.picture(f"planning-{language}")
    found = read_dossier(path).answers["4.1"]
    assert (found.answer, found.state.value) == ("Die Rechtsabteilung", "clear")
    at.restart_kernels(url)
    at.open(url)
    at.run_all()
    at.show(told(language, "Who uses IncaMail?"))
    again = at.page.get_by_label(told(language, "Answer"), exact=True).first
    expect(again).to_have_value("Die Rechtsabteilung")


def preparation(at: Desk, url: str, language: Language) -> None:
    """Measuring shows its progress; the evidence sets the state and says what to do."""
    at.open(url)
    at.run_all()
    button = at.page.get_by_role("button", name=told(language, "Measure now"))
    button.scroll_into_view_if_needed()
    button.click()
    done = told(language, "Measured. The evidence stands beside the questions.")
    expect(at.page.get_by_text(done)).to_be_visible(timeout=60_000)
    at.show(told(language, "Which mail servers are connected to IncaMail?"))
    expect(at.page.get_by_text("CERT22").last).to_be_visible()
    todo = at.page.get_by_label(told(language, "to do"), exact=True).first
    expect(todo).to_be_checked()
    at.picture(f"preparation-{language}")


def setup(at: Desk, url: str, language: Language, output: Path) -> None:
    """The set-up document is shown and written."""
    at.open(url)
    at.run_all()
    button = at.page.get_by_role("button", name=told(language, "Write HTML, PDF and Word")).first
    button.scroll_into_view_if_needed()
    button.click()
    expect(at.page.get_by_text("setup-document.pdf")).to_be_visible(timeout=60_000)
    at.picture(f"setup-{language}")
    assert list(output.glob("*/documents/setup-document.docx"))


def acceptance(at: Desk, url: str, language: Language, path: Path, output: Path) -> None:
    """A test gets its result; the acceptance reports are written."""
    at.open(url)
    at.run_all()
    title = told(language, "Test messages")
    assert title
    box = at.page.get_by_role("combobox").filter(has_text=told(language, "passed")).first
    box.scroll_into_view_if_needed()
    box.select_option(label=told(language, "passed"))
    at.page.wait_for_timeout(500)
    at.picture(f"test-{language}")
    assert [t.result.value for t in read_dossier(path).acceptance] == ["passed"]
    button = at.page.get_by_role("button", name=told(language, "Write HTML, PDF and Word")).last
    button.scroll_into_view_if_needed()
    button.click()
    expect(at.page.get_by_text("acceptance-outgoing.pdf")).to_be_visible(timeout=60_000)
    assert list(output.glob("*/documents/acceptance-outgoing.docx"))


def test_a_client_sees_pages_without_code(browser: Browser, tmp_path: Path) -> None:
    """Voilà serves the same notebook: the form works, no code is shown, nothing leaves."""
    path, output = written(tmp_path, "de"), tmp_path / "out"
    with served(path, output, "--app") as url:
        at = desk(browser, "de")
        at.page.goto(url.replace("00_welcome", "10_planning"))
        answer = at.page.get_by_label(told("de", "Answer"), exact=True).first
        answer.fill("Alle", timeout=90_000)
        answer.press("Tab")
        expect(at.page.get_by_text(told("de", "Saved.")).first).to_be_visible()
        assert at.page.locator(".jp-InputArea-editor").count() == 0
        assert "open_onboarding" not in at.page.inner_text("body")
        SHOTS.mkdir(parents=True, exist_ok=True)
        at.picture("app-de")
        assert at.outside == []
        at.page.close()
    assert read_dossier(path).answers["4.1"].answer == "Alle"
