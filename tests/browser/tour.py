"""Takes the pictures of docs/tour.md anew: `cd tests && python -m browser.tour ../docs/images`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from browser import opening
from browser.opening import ARGUMENTS, Session, served
from playwright.sync_api import Locator, sync_playwright

from incamail_lib.notebooks import EXAMPLES

CHROMIUM = "/usr/bin/chromium"
NOTEBOOKS = {
    "welcome": "00_welcome",
    "policy": "10_planning",
    "flow": "10_planning",
    "evidence": "20_preparation",
    "matrix": "20_preparation",
    "setup": "30_setup",
    "link": "40_test",
    "acceptance": "40_test",
}
NEAR = "(e) => { e.scrollIntoView({block: 'start'}); }"


def take(folder: Path) -> None:
    """Every picture but report.png, which is the first page of a PDF."""
    opening.RUN["en"], opening.RUN_ALL["en"] = "Run", "Run All Cells"
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        dossier = Path(place) / "client.yaml"
        shutil.copyfile(EXAMPLES / "halbvoll.yaml", dossier)
        shutil.copytree(EXAMPLES / "messages", Path(place) / "messages")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        with served(dossier, Path(place) / "out", "--lang", "en") as url:
            page = browser.new_page(
                viewport={"width": 1280, "height": 900}, device_scale_factor=0.75
            )
            page.set_default_timeout(60_000)
            at, before = Session(page, "en"), ""
            for name, notebook in NOTEBOOKS.items():
                if notebook != before:
                    at.open(url.replace("00_welcome", notebook))
                    at.run_all()
                    page.wait_for_timeout(2000)
                    page.locator(".jp-SideBar [data-id='filebrowser']").first.click()
                    before = notebook
                shown(at, name).evaluate(NEAR)
                page.wait_for_timeout(800)
                page.screenshot(path=folder / f"{name}.png")
        browser.close()


def shown(at: Session, name: str) -> Locator:
    """What stands at the top of a picture, once it is there to be seen."""
    page = at.page
    if name == "welcome":
        page.locator("select[name='person']").select_option(index=1)
        return page.locator(".jp-Notebook h1").first
    if name in ("policy", "evidence", "matrix"):
        number = {"policy": "4.1", "evidence": "6.1", "matrix": "6.4"}[name]
        return at.card(number)
    if name == "flow":
        card = page.locator("details[id$='8.1-card']")
        card.locator("summary").first.click()
        return card
    if name == "setup":
        card = page.locator("details[id$='setup_document-card']")
        card.locator("summary").first.click()
        return card
    if name == "link":
        page.locator("button[data-press^='send/']").first.click()
        page.locator(".im-form").get_by_text("250 2.0.0").first.wait_for()
        page.wait_for_timeout(3000)
        return page.locator("input[name='to']").filter(visible=True).first
    page.locator("details[id$='acceptance_link-card'] > summary").click()
    return page.locator(".jp-Notebook h2", has_text="What was accepted?").first


if __name__ == "__main__":
    take(Path(sys.argv[1]).resolve())
