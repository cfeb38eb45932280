"""The portfolio as an operator uses it: sorted by a click, filtered by what is typed, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser.opening import ARGUMENTS
from factories import NOW
from playwright.sync_api import Page, sync_playwright
from portfolio.nights import two_nights

from incamail_lib.portfolio import open_portfolio
from incamail_lib.portfolio.page import page_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TABLE = "#certificates ~ .im-scroll table"


def column(page: Page, number: int) -> list[str]:
    return page.locator(f"{TABLE} >> nth=0 >> tbody td:nth-child({number})").all_inner_texts()


def test_tables_sort_and_filter(tmp_path: Path, chromium: Path) -> None:
    """By numbers as numbers, both ways, by the keyboard too; nothing is asked of the outside and
    nothing of a client's name acts."""
    history = two_nights(tmp_path)
    portfolio = open_portfolio(history, today=NOW.date(), folder=tmp_path)
    file = tmp_path / "portfolio.html"
    file.write_text(page_of(portfolio.document, "en"), encoding="utf-8")
    complaints: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=[*ARGUMENTS])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(file.as_uri())
        days = page.locator(f"{TABLE} >> nth=0 >> th button").nth(3)
        days.click()
        up = [int(value) for value in column(page, 4)]
        days.press("Enter")
        down = [int(value) for value in column(page, 4)]
        assert (up, down) == (sorted(up), sorted(up, reverse=True))
        assert len(set(up)) > 5
        head = page.locator(f"{TABLE} >> nth=0 >> th").nth(3)
        assert head.get_attribute("aria-sort") == "descending"
        typed = page.locator("#verdicts ~ .im-filter input").first
        typed.fill("SPITAL")
        rows = page.locator("#verdicts ~ .im-scroll >> nth=0 >> tbody tr:visible")
        assert rows.count() == 1
        assert "Kantonsspital" in rows.first.inner_text()
        typed, told = (
            page.locator(f"#verdicts ~ .im-filter {x}").first for x in ("input", "output")
        )
        assert told.inner_text().strip() == "1 row shown"
        typed.fill("no organisation of that name")
        assert told.inner_text().strip() == "0 rows shown"
        typed.fill("i")
        assert told.inner_text().strip() == f"{rows.count()} rows shown"
        browser.close()
    assert complaints == [file.as_uri()]
